"""Inverses of changes to views, code, types, sequences, policies and plain objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import assert_never

from driftflow.dialects.base import Dialect
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Check, Routine, Rule, SequenceOptions, Table, Trigger, View
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddEnumValue,
    AlterDomain,
    AlterObject,
    AlterPolicy,
    AlterSequence,
    AlterTrigger,
    AlterView,
    Comment,
    CreateExtension,
    CreateFunction,
    CreatePolicy,
    CreateSchema,
    CreateSequence,
    CreateTrigger,
    CreateType,
    CreateView,
    DropFunction,
    DropObject,
    DropPolicy,
    DropSchema,
    DropSequence,
    DropTrigger,
    DropType,
    DropView,
    EnableTrigger,
    Grant,
    Operation,
    RefreshView,
    RenameEnumValue,
    SetRowSecurity,
)
from driftflow.model.operations.sequences import as_before
from driftflow.model.plan import Irreversible, UndoNothing
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies import said_again, spoken
from driftflow.strategies.definers import routine_again, schema_again, trigger_again, type_again, view_again
from driftflow.strategies.inverses.inverse_alter import options_back
from driftflow.strategies.inverses.inverse_grant import taken_back
from driftflow.strategies.inverses.inverse_move import moved_back, without_attributes
from driftflow.strategies.inverses.inverse_publication import publication_back
from driftflow.strategies.inverses.inverse_statistics import statistics_back
from driftflow.strategies.views.whole_view import made_again, rule_again

Inverse = tuple[Operation, ...] | UndoNothing | Irreversible


def view(operation: CreateView | DropView | AlterView | RefreshView, before: Catalog, at: Situation) -> Inverse:
    match operation:
        case CreateView(view=made):
            old = before.views.get(made.name.text)
            if old is None:
                return (DropView(name=made.name, materialized=made.materialized),)
            if operation.if_not_exists:
                return UndoNothing(reason=f"{made.name} was already there")
            if old.kept is not None:
                return (replace(view_again(old), or_replace=True),)
            # OR REPLACE may only append columns, so the way back is drop and create.
            return (DropView(name=made.name, materialized=made.materialized), *made_again(old, at.dialect))
        case DropView(name=name):
            old = before.views.get(name.text)
            if old is None:
                return UndoNothing(reason=f"{name} was not there")
            return made_again(old, at.dialect)
        case AlterView(name=name, action=action):
            back = _view_back(action, before.views.get(name.text), at)
            return tuple(replace(operation, action=one) for one in back) or UndoNothing(
                reason="what the view said before is not kept; its query is unchanged"
            )
        case RefreshView():
            return UndoNothing(reason="the next refresh replaces the rows")
        case _:
            assert_never(operation)


OPTIONS = lazy_regex(r"\s*(?:RE)?SET\s*\((?P<named>[^()]*)\)\s*\Z", re.IGNORECASE)
OWNER = lazy_regex(r"\s*OWNER\s+TO\b", re.IGNORECASE)


def _view_back(action: str, old: View | None, at: Situation) -> Iterator[str]:
    if old is not None and (found := OPTIONS.match(action)):
        yield from (f"{verb.upper()} ({value})" for verb, value in options_back(found["named"], old.options))
    if old is not None and old.owner and OWNER.match(action):
        yield f"OWNER TO {at.dialect.quote(old.owner)}"


Code = CreateTrigger | DropTrigger | AlterTrigger | EnableTrigger | CreateFunction | DropFunction


def routine(operation: Code, before: Catalog, at: Situation) -> Inverse:
    match operation:
        case CreateTrigger(trigger=made):
            old = _trigger(before, made.table, made.name)
            drop = DropTrigger(name=made.name, table=made.table, schema=made.table.schema)
            if old is None:
                return (drop,)
            return (
                UndoNothing(reason=f"{made.name} was already there")
                if operation.if_not_exists
                else (drop, *trigger_again(old, before, at))
            )
        case DropTrigger(name=name, table=table):
            old = _trigger(before, table, name)
            return (
                UndoNothing(reason=f"the trigger {name} was not there") if old is None else tuple(trigger_again(old, before, at))
            )
        case AlterTrigger(to=""):
            return UndoNothing(reason="results do not depend on it")
        case AlterTrigger():
            return (replace(operation, name=operation.to, to=operation.name),)
        case EnableTrigger(name="ALL" | "USER"):
            return UndoNothing(reason="which triggers were enabled before is not kept")
        case EnableTrigger():
            old = _trigger(before, operation.table, operation.name)
            state = old.enabled if old is not None else "O"
            return (replace(operation, state=state),)
        case CreateFunction(routine=made):
            known = _routine(before, made)
            if known is not None and operation.if_not_exists:
                return UndoNothing(reason=f"{made.name} was already there")
            if known is not None:
                return (CreateFunction(routine=known, kept=known.kept, or_replace=True),)
            return (DropFunction(name=made.name, arguments=made.arguments, kind=made.kind),)
        case DropFunction(name=name):
            found = [known for known in before.routines.values() if operation.is_meant(known)]
            if not found:
                return UndoNothing(reason=f"{name} was not there")
            if not all(known.definition for known in found):
                return Irreversible(
                    reason=f"the server shows no text that makes {name} again", name=f"drop_{operation.kind} {name}"
                )
            return tuple(one for known in found for one in routine_again(known, at.dialect))
        case _:
            assert_never(operation)


def type_of_value(
    operation: CreateType | AddEnumValue | RenameEnumValue | AlterDomain | DropType, before: Catalog, at: Situation
) -> Inverse:
    match operation:
        case CreateType(type=made):
            return (DropType(name=made.name, domain=made.kind == "domain"),)
        case AddEnumValue(name=name, value=value):
            return UndoNothing(reason=f"the server cannot remove the label {value} of {name}; it stays, unused")
        case RenameEnumValue():
            return (replace(operation, value=operation.to, to=operation.value),)
        case DropType(name=name):
            found = before.types.get(name.text)
            return UndoNothing(reason=f"{name} was not there") if found is None else tuple(type_again(found, at.dialect))
        case AlterDomain():
            return _domain(operation, before)
        case _:
            assert_never(operation)


def _domain(operation: AlterDomain, before: Catalog) -> Inverse:
    domain = before.types.get(operation.name.text)
    match operation.action:
        case "set_not_null":
            return (AlterDomain(name=operation.name, action="drop_not_null"),)
        case "drop_not_null":
            return (AlterDomain(name=operation.name, action="set_not_null"),)
        case "set_default" | "drop_default":
            if domain is not None and domain.default is not None:
                return (AlterDomain(name=operation.name, action="set_default", value=domain.default),)
            return (AlterDomain(name=operation.name, action="drop_default"),)
        case "add_constraint":
            name = operation.check.name if operation.check is not None else operation.value
            return (AlterDomain(name=operation.name, action="drop_constraint", value=name),)
        case "drop_constraint":
            checks: tuple[Check, ...] = domain.checks if domain is not None else ()
            found = next((check for check in checks if check.name == operation.value), None)
            if found is None:
                return UndoNothing(reason=f"{operation.value} was not there")
            return (AlterDomain(name=operation.name, action="add_constraint", value=found.name, check=found),)
        case "validate_constraint":
            return UndoNothing(reason="a validated constraint forbids nothing that it did not forbid before")
        case _:
            assert_never(operation.action)


def sequence(operation: CreateSequence | AlterSequence | DropSequence, before: Catalog) -> Inverse:
    match operation:
        case CreateSequence(sequence=made):
            if operation.if_not_exists and made.name.text in before.sequences:
                return UndoNothing(reason=f"{made.name} was already there")
            return (DropSequence(name=made.name),)
        case AlterSequence(name=name):
            old = before.sequences.get(name.text)
            if old is None:
                return UndoNothing(reason=f"{name} as it was is not known")
            if operation.options == SequenceOptions() and operation.owned_by is None:
                return UndoNothing(reason=f"where {name} counts on from is not set back")
            return (
                AlterSequence(
                    name=name,
                    options=as_before(old.options, operation.options, mariadb=before.vendor == "mariadb"),
                    owned_by=old.owned_by if operation.owned_by is not None else None,
                ),
            )
        case DropSequence(name=name):
            if name.text not in before.sequences and before.complete:
                return UndoNothing(reason=f"{name} was not there")
            return Irreversible(reason=f"where {name} had counted to is gone", name=f"drop_sequence {name}")
        case _:
            assert_never(operation)


def policy(operation: CreatePolicy | AlterPolicy | DropPolicy | SetRowSecurity, before: Catalog, at: Situation) -> Inverse:
    match operation:
        case CreatePolicy(policy=made):
            return (DropPolicy(name=made.name, table=made.table),)
        case AlterPolicy() | DropPolicy():
            table = before.table(operation.table)
            found = next((known for known in table.policies if known.name == operation.name), None) if table is not None else None
            if found is None:
                return UndoNothing(reason=f"the policy {operation.name} was not there")
            if isinstance(operation, DropPolicy):
                return (CreatePolicy(policy=found), *said_again.of_policy(found, at.dialect))
            if operation.to:
                return (AlterPolicy(name=operation.to, table=operation.table, to=operation.name),)
            return (
                AlterPolicy(name=operation.name, table=operation.table, roles=found.roles, using=found.using, check=found.check),
            )
        case SetRowSecurity(action=action):
            table = before.table(operation.table)
            forced = action in ("force", "no_force")
            was = table is not None and (table.row_security_forced if forced else table.row_security)
            if was == (action in ("enable", "force")):
                return UndoNothing(reason="it was so before")
            back = {"enable": "disable", "disable": "enable", "force": "no_force", "no_force": "force"}[action]
            return (SetRowSecurity(table=operation.table, action=back, only=operation.only),)  # type: ignore[arg-type]
        case _:
            assert_never(operation)


Plain = CreateSchema | DropSchema | CreateExtension | Comment | Grant | AlterObject | DropObject


def plain_object(operation: Plain, before: Catalog, at: Situation) -> Inverse:
    where = spoken.place_of(at)
    match operation:
        case CreateSchema(name=name):
            if name in before.schemas:
                return UndoNothing(reason=f"the schema {name} was already there")
            return (DropSchema(name=name),)
        case DropSchema(name=name):
            if operation.cascade:
                return Irreversible(reason=f"everything in the schema {name} is gone with it", name=f"drop_schema {name}")
            said = next((one for one in before.schemas_said if one.name == name), None)
            return tuple(schema_again(name, said, at.dialect))
        case CreateExtension(name=name):
            if any(extension.name == name for extension in before.extensions):
                return UndoNothing(reason=f"the extension {name} was already there")
            sql = f"DROP EXTENSION {at.dialect.quote(name)}"
            return (DropObject(kind="extension", name=Name(name=name), sql=sql),)
        case Comment():
            return _comment(operation, before)
        case Grant():
            return _rights_back(operation, before, at.dialect)
        case AlterObject() | DropObject() if (of_statistics := statistics_back(operation, before, at.dialect)) is not None:
            return of_statistics
        case AlterObject(kind="rule", action="create", name=Name() as name) if operation.relations:
            holder = _holder(before, operation.relations[0])
            old_rule = next((one for one in holder.rules if one.name == name.name), None) if holder is not None else None
            if old_rule is not None and holder is not None:  # OR REPLACE
                return _rule_replaced(operation, old_rule, holder, at.dialect)
            sql = f"DROP RULE {at.dialect.quote(name.name)} ON {at.dialect.quote_name(operation.relations[0])}"
            return (DropObject(kind="rule", name=name, sql=sql, relations=operation.relations[:1]),)
        case AlterObject(action="create", name=Name() as name):
            sql = f"DROP {operation.kind.replace('_', ' ').upper()} {at.dialect.quote_name(name)}"
            simple = operation.kind in ("statistics", "publication", "collation", "role")
            if simple:
                return (DropObject(kind=operation.kind, name=name, sql=sql, relations=operation.relations),)
            return Irreversible(
                reason=f"how to remove a {operation.kind} is not known here", name=f"create_{operation.kind} {where}"
            )
        case AlterObject(kind="view", action="alter", name=Name(name=altered)) if (
            old := _kept_view(altered, before)
        ) is not None:
            return (replace(view_again(old), or_replace=True),)
        case AlterObject(kind="type", attributes=changes) if changes and all(one.action == "add" for one in changes):
            return (without_attributes(operation, at.dialect),)
        case AlterObject() if back := publication_back(operation, before, at.dialect):
            return back
        case AlterObject() if back := moved_back(operation, before, at.dialect):
            return back
        case AlterObject():
            return Irreversible(
                reason=f"the {operation.kind} as it was is not kept", name=f"{operation.action}_{operation.kind} {where}"
            )
        case DropObject(kind="rule", name=Name(name=rule_name)) if operation.relations:
            holder = _holder(before, operation.relations[0])
            rule = next((one for one in holder.rules if one.name == rule_name), None) if holder is not None else None
            if holder is None or rule is None:
                return UndoNothing(reason=f"the rule {rule_name} was not there")
            return tuple(rule_again(rule, holder, at.dialect))
        case DropObject():
            return Irreversible(reason=f"the {operation.kind} as it was is not kept", name=f"drop_{operation.kind} {where}")
        case _:
            assert_never(operation)


def _rights_back(operation: Grant, before: Catalog, dialect: Dialect) -> Inverse:
    back = taken_back(operation, before, dialect)
    if back is None:
        return UndoNothing(reason="which rights were there before is not known; compare `driftflow snapshot` before and after")
    return back or UndoNothing(reason="nobody whom it names has other rights than before")


def _rule_replaced(operation: AlterObject, old: Rule, holder: Table | View, dialect: Dialect) -> tuple[Operation, ...]:
    drop = DropObject(kind="rule", name=operation.name, sql=f"DROP RULE {old.target}", relations=(holder.name,))
    return (drop, *rule_again(old, holder, dialect))


def _kept_view(name: str, before: Catalog) -> View | None:
    """A view of MySQL or MariaDB, whose ALTER is a definition, by its name in the database."""
    return next((view for view in before.views.values() if view.name.name == name and view.kept is not None), None)


def _comment(operation: Comment, before: Catalog) -> Inverse:
    kept = operation.kept(before)
    if kept is None:
        return UndoNothing(reason="a comment, whose text before is not kept; results do not depend on it")
    return (replace(operation, text=kept[0] or None),)


def _holder(catalog: Catalog, name: Name) -> Table | View | None:
    return catalog.table(name) or catalog.views.get(name.text)


def _trigger(catalog: Catalog, table: Name | None, name: str) -> Trigger | None:
    """Of a table, or of a view."""
    known: tuple[Table | View, ...] = (*catalog.tables.values(), *catalog.views.values())
    holders = [one for one in known if table in (None, one.name)]
    return next((trigger for one in holders for trigger in one.triggers if trigger.name == name), None)


def _routine(catalog: Catalog, wanted: Routine) -> Routine | None:
    """Where the server says no arguments, names are not overloaded."""
    named = [known for known in catalog.routines.values() if (known.name, known.kind) == (wanted.name, wanted.kind)]
    return next((known for known in named if known.kept is not None or known.arguments == wanted.arguments), None)
