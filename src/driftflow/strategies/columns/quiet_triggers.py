"""The application's own triggers while we fill a column: what we do is no change of the application's, so its `updated_at` stays as it is.

A trigger that does nothing but set columns to the current time is kept from firing where that is sound. About any other the author is asked:
`-- driftflow: triggers fire` or `triggers skip`, above the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import ParseError, RefusedError
from driftflow.model.catalog import Catalog, ForeignKey, Table, Trigger, Unique, is_ours
from driftflow.model.migration import Statement
from driftflow.model.plan import Backfill, Guard
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies import trigger_text
from driftflow.strategies.fitted import trigger_name
from driftflow.strategies.recipe import Recipe, merged

CLOCK = (
    r"(?:(?:pg_catalog\.)?(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|sysdate|unixepoch)\s*\(\s*(?:'now'\s*)?\d?\)"
    r"|(?:current_timestamp|localtimestamp|current_date)(?:\s*\(\s*\d?\s*\))?"
    r"|(?:datetime|date|julianday|unixepoch)\s*\(\s*'now'[^()]*\)|strftime\s*\(\s*'[^']*'\s*,\s*'now'[^()]*\)"
    r"|timezone\s*\(\s*'utc'\s*,\s*now\(\)\s*\)|\(?\s*now\(\)\s*at\s+time\s+zone\s+'utc'\s*\)?)"
)
NAME = r"(?:\"[^\"]+\"|`[^`]+`|\w+)"
SETS_NEW = lazy_regex(rf"^(?:set\s+)?new\s*\.\s*{NAME}\s*:?=\s*{CLOCK}$", re.IGNORECASE)
SETS_ROW = lazy_regex(
    rf"^update\s+(?:{NAME}\s*\.\s*)?({NAME})\s+set\s+{NAME}\s*=\s*{CLOCK}(?:\s*,\s*{NAME}\s*=\s*{CLOCK})*"
    rf"\s+where\s+{NAME}\s*=\s*(?:new|old)\s*\.\s*{NAME}$",
    re.IGNORECASE,
)
BODY = lazy_regex(r"\bbegin\b(.*)\bend\b", re.IGNORECASE | re.DOTALL)
COMMENT = lazy_regex(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def quiet(recipe: Recipe, table: Table, step: Backfill, columns: Sequence[str], *, beside: Sequence[str] = ()) -> Backfill:
    """The step, during which the application's triggers do not fire where they need not; `columns` are those that it sets, `beside` triggers of ours that
    keep the same columns.

    Raises RefusedError: DF-E744 where the author must say what becomes of them, DF-E745 where they cannot be kept from firing; ParseError (DF-E213).
    """
    at = recipe.at
    firing = tuple(one for one in _known_to_the_application(at, table) if _fires(one, columns))
    said = _said(at.statement)
    if not firing or said == "fire":
        return step
    strange = [one.name for one in firing if not stamps_alone(one, table, at.catalog)]
    reason = _cannot(at, table, firing, columns)
    if strange and not said:
        raise _ask(
            at,
            table,
            ", ".join(strange),
            "what it does with each row is the application's to say: audit rows, notifications, other columns",
            can_skip=not reason,
        )
    if reason:
        if said:
            raise RefusedError(
                "DF-E745",
                f"the triggers of {table.name.name} cannot be kept from firing",
                where=str(at.statement.span),
                why=reason,
                hint="let them fire: `-- driftflow: triggers fire` above the statement",
            )
        raise _ask(
            at,
            table,
            ", ".join(one.name for one in firing),
            f"it sets the time of change, as if the application had changed the row, and {reason}",
            can_skip=False,
        )
    named = ", ".join(one.name for one in firing)
    step = replace(step, purpose=f"{step.purpose} ({named} of the application does not fire)")
    return (
        _set_aside(at, table, step, firing)
        if at.can(Capability.SINGLE_WRITER)
        else _as_replica(at, table, step, columns, (*(one.name for one in firing), *beside))
    )


def all_quiet(at: Situation, table: Table, columns: Sequence[str]) -> bool:
    """Whether `quiet` would keep whatever fires for these columns from firing, and ask nobody."""
    said, firing = _said(at.statement), tuple(one for one in _known_to_the_application(at, table) if _fires(one, columns))
    if not firing or said == "fire" or _cannot(at, table, firing, columns):
        return False
    return said == "skip" or all(stamps_alone(one, table, at.catalog) for one in firing)


def _known_to_the_application(at: Situation, table: Table) -> tuple[Trigger, ...]:
    """Not those that the release itself brings: its author put them before the backfill."""
    before = at.start.table(table.name) if at.start is not None else table
    names = {one.name for one in before.triggers} if before is not None else set()
    return tuple(one for one in table.triggers if one.name in names)


def _fires(trigger: Trigger, columns: Sequence[str]) -> bool:
    if is_ours(trigger.name) or trigger.enabled not in ("O", "A") or trigger.constraint:
        return False
    said = not trigger.events or "UPDATE" in trigger.events
    return said and (not trigger.update_columns or bool(set(trigger.update_columns) & set(columns)))


def kept_from_firing(table: Table, columns: Sequence[str], statement: Statement, catalog: Catalog) -> tuple[Trigger, ...]:
    """Which of the table's triggers the rule above keeps from firing while these columns are filled, whoever fills them."""
    said = _said(statement)
    firing = [one for one in table.triggers if said != "fire" and _fires(one, columns)]
    return tuple(one for one in firing if said == "skip" or stamps_alone(one, table, catalog))


def _said(statement: Statement) -> Literal["", "fire", "skip"]:
    for directive in statement.saying("triggers"):
        match directive.arguments:
            case ("fire",):
                return "fire"
            case ("skip",):
                return "skip"
            case _:
                raise ParseError(
                    "DF-E213",
                    "`triggers` is followed by fire or skip",
                    where=str(directive.span),
                    hint="driftflow's directives are described in docs/directives.md",
                )
    return ""


def stamps_alone(trigger: Trigger, table: Table, catalog: Catalog) -> bool:
    """Whether it sets columns of the written row to the current time, and does nothing else."""
    if not trigger.per_row:
        return False
    text = trigger.definition
    if trigger.function is not None:
        if trigger.function.name == "moddatetime":
            return True
        found = [one.definition for one in catalog.routines.values() if one.name == trigger.function]
        text = found[0] if len(found) == 1 else ""
    body = BODY.search(COMMENT.sub(" ", text))
    inside = body[1] if body is not None else re.sub(r"^(?:BEFORE|AFTER)\s+UPDATE\s+", "", text)
    statements = [" ".join(one.split()) for one in inside.split(";") if one.strip()]
    return bool(statements) and all(_stamps(one, table) for one in statements if one.lower() != "return new")


def _stamps(statement: str, table: Table) -> bool:
    if SETS_NEW.match(statement):
        return True
    found = SETS_ROW.match(statement)
    return found is not None and found[1].strip('"`').lower() == table.name.name.lower()


def _ask(at: Situation, table: Table, named: str, why: str, *, can_skip: bool) -> RefusedError:
    return RefusedError(
        "DF-E744",
        f"{named} of {table.name.name} would fire for every row that is filled",
        where=str(at.statement.span),
        why=why,
        hint="say above the statement what is meant: `-- driftflow: triggers fire`"
        + (", or `-- driftflow: triggers skip`" if can_skip else ""),
    )


def _cannot(at: Situation, table: Table, firing: Sequence[Trigger], columns: Sequence[str]) -> str:
    """Why they cannot be kept from firing; empty where they can."""
    if at.can(Capability.SINGLE_WRITER):
        return ""
    if not at.can(Capability.REPLICA_ROLE):
        return "this server has no way around a trigger that leaves the application's own changes alone"
    if always := [one.name for one in firing if one.enabled == "A"]:
        return f"{always[0]} fires always, also in a session that says it replicates"
    if key := _checked_by_triggers(at, table, set(columns)):
        return f"{key} is kept by triggers of the server's own, which would not fire either"
    return ""


def _checked_by_triggers(at: Situation, table: Table, columns: set[str]) -> str:
    """A foreign key from or to the columns, or a unique constraint that is checked late."""
    for constraint in table.constraints:
        match constraint:
            case ForeignKey(columns=read, name=name) | Unique(columns=read, name=name, deferrable=True) if columns & set(read):
                return name
            case _:
                pass
    for other in at.catalog.tables.values():
        for constraint in other.constraints:
            if (
                isinstance(constraint, ForeignKey)
                and constraint.referenced == table.name
                and columns & set(constraint.referenced_columns)
            ):
                return constraint.name
    return ""


def _set_aside(at: Situation, table: Table, step: Backfill, firing: Sequence[Trigger]) -> Backfill:
    """One writer, and DDL that takes part in the chunk's transaction: nobody ever sees the table without them."""
    schema, quote = at.dialect.quote(table.name.schema or "main"), at.dialect.quote
    return replace(
        step,
        before=(*(f"DROP TRIGGER {schema}.{quote(one.name)}" for one in firing), *step.before),
        after=(*step.after, *(one.definition for one in firing)),
        claims=merged((*step.claims, *trigger_text.claims(at, table, create=False))),
    )


def _as_replica(at: Situation, table: Table, step: Backfill, columns: Sequence[str], names: Sequence[str]) -> Backfill:
    """Each chunk's transaction says that it replicates; what else that would leave out is looked for just before."""
    known = {*names, *(trigger_name(table.name, column) for column in columns)}
    return replace(
        step,
        settings={**step.settings, "session_replication_role": "replica"},
        guards=(*step.guards, *_guards(at, table, sorted(known), columns)),
    )


def _guards(at: Situation, table: Table, known: Sequence[str], columns: Sequence[str]) -> Iterator[Guard]:
    literal = at.dialect.literal
    target = f"{literal(at.dialect.quote_name(table.name))}::regclass"
    allowed = (
        "has_parameter_privilege('session_replication_role', 'SET')"
        if at.can(Capability.PARAMETER_PRIVILEGE)
        else "current_setting('is_superuser') = 'on'"
    )
    names, attributes = (f"ARRAY[{', '.join(map(literal, every))}]" for every in (known, columns))
    numbers = f"(SELECT array_agg(attnum) FROM pg_attribute WHERE attrelid = {target} AND attname = ANY ({attributes}))"
    fire = "let them fire: `-- driftflow: triggers fire` above the statement"
    yield Guard(
        query=f"SELECT count(*) FROM (SELECT 1) AS asked WHERE NOT {allowed}",
        summary=f"the user may not keep triggers of {table.name.name} from firing (session_replication_role)",
        hint=f"GRANT SET ON PARAMETER session_replication_role (PostgreSQL 15), or {fire}",
    )
    yield Guard(
        query=(
            f"SELECT (SELECT count(*) FROM pg_trigger WHERE tgrelid = {target} AND NOT tgisinternal AND tgenabled = 'O' "
            f"AND tgtype & 16 <> 0 AND tgname <> ALL ({names}::name[]))"
            f" + (SELECT count(*) FROM pg_rewrite WHERE ev_class = {target} AND rulename <> '_RETURN')"
            f" + (SELECT count(*) FROM pg_constraint WHERE (contype = 'f' OR condeferrable) AND "
            f"(conrelid = {target} AND conkey && {numbers} OR confrelid = {target} AND confkey && {numbers}))"
        ),
        summary=f"{{count}} other triggers, rules or constraints of {table.name.name} would be left out with them",
        hint=fire,
    )
