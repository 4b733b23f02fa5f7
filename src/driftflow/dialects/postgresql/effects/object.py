"""Schemas, extensions, functions, comments, grants, and objects known by kind alone."""

from __future__ import annotations

from driftflow.dialects.called import asked_by, stored_with, views_with
from driftflow.dialects.postgresql.effects.index import find_index
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ACCESS_SHARE, SHARE_UPDATE_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import descendants, existing
from driftflow.dialects.postgresql.effects.rights import may_be_an_extensions, refuse_rights
from driftflow.dialects.postgresql.effects.statistics import drop_statistics
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterObject,
    Comment,
    CreateExtension,
    CreateFunction,
    CreateSchema,
    DropFunction,
    DropObject,
    DropSchema,
    Grant,
)
from driftflow.model.operations.lookup import type_named
from driftflow.model.operations.moving import named


def create_schema(p: Prediction, operation: CreateSchema) -> None:
    if operation.name in p.catalog.schemas and not operation.if_not_exists:
        p.fails("exists", f'schema "{operation.name}" exists already', certain=True)


def drop_schema(p: Prediction, operation: DropSchema) -> None:
    """CASCADE takes everything in it."""
    if operation.name not in p.catalog.schemas and p.catalog.complete and not operation.if_exists:
        p.fails("missing", f'schema "{operation.name}" does not exist', certain=True)
    inside = [table for table in p.catalog.tables.values() if table.name.schema == operation.name]
    for table in inside:
        if operation.cascade:
            p.lock(table.name, ACCESS_EXCLUSIVE, why="in the dropped schema")
            p.loses(f"table {table.name.text} and its data", table.name)
            for key in table.foreign_keys:
                if key.referenced.schema != operation.name:
                    p.lock(key.referenced, ACCESS_EXCLUSIVE, why=f"referenced by {key.name}")
        else:
            p.fails("dependency", f"table {table.name.text} is in the schema", relation=table.name, certain=True)
    p.loses(f"schema {operation.name}")


def create_extension(p: Prediction, operation: CreateExtension) -> None:
    known = any(extension.name == operation.name for extension in p.catalog.extensions)
    if known and not operation.if_not_exists:
        p.fails("exists", f'extension "{operation.name}" exists already', certain=True)
    if not known:
        p.fails("missing", f'the server has no extension "{operation.name}" installed, or the role may not create it')


def create_function(p: Prediction, operation: CreateFunction) -> None:
    """No table is locked. Replacing one changes what running code gets at once."""
    routine = operation.routine
    known = p.catalog.routines.get(f"{routine.name.text}({routine.arguments})")
    if known is None:
        return
    if not operation.or_replace:
        p.fails("exists", f'function "{routine.name.text}({routine.arguments})" exists already', certain=True)
    elif known.returns and routine.returns and known.returns != routine.returns:
        p.fails("dependency", f"the return type of {routine.name.name} cannot be changed by CREATE OR REPLACE", certain=True)
    p.breaks(f"callers of {routine.name.name} get the new body at once")


def drop_function(p: Prediction, operation: DropFunction) -> None:
    """Triggers that call it are in the way, or go with CASCADE under ACCESS EXCLUSIVE on their tables."""
    known = [routine for routine in p.catalog.routines.values() if operation.is_meant(routine)]
    if not known and p.catalog.complete and not operation.if_exists:
        p.fails("missing", f'function "{operation.name.text}" does not exist', certain=True)
    p.loses(f"{operation.kind} {operation.name.name}", reversible=True)
    p.breaks(f"code that calls {operation.name.name}")
    for table in p.catalog.tables.values():
        for trigger in table.triggers:
            if trigger.function != operation.name:
                continue
            if operation.cascade:
                p.lock(table.name, ACCESS_EXCLUSIVE, why=f"its trigger {trigger.name} goes with CASCADE")
                p.loses(f"trigger {trigger.name} of {table.name.name}", table.name, reversible=True)
            else:
                p.fails("dependency", f"trigger {trigger.name} of {table.name.name} calls it", relation=table.name, certain=True)
    if len({key for key, routine in p.catalog.routines.items() if routine.name.name == operation.name.name}) == len(known) == 1:
        _called(p, operation)


def _called(p: Prediction, operation: DropFunction) -> None:
    """What calls the only function of that name: by its expressions, for the catalog keeps no links to functions."""
    for table in p.catalog.tables.values():
        for user in (*stored_with(table, operation.name), *asked_by(table, operation.name)):
            if operation.cascade:
                p.lock(table.name, ACCESS_EXCLUSIVE, why=f"{user} goes with CASCADE")
                p.loses(user, table.name)
            else:
                p.fails("dependency", f"{user} calls it", relation=table.name, certain=True)
    for view in views_with(p.catalog, operation.name):
        if operation.cascade:
            p.lock(view, ACCESS_EXCLUSIVE, why="goes with CASCADE")
            p.loses(f"view {view.name}", view)
        else:
            p.fails("dependency", f"view {view.name} calls it", relation=view, certain=True)


def comment(p: Prediction, operation: Comment) -> None:
    """On a relation or its column SHARE UPDATE EXCLUSIVE; on something that belongs to a table the table is only looked at."""
    _must_be(p, operation)
    if operation.relation is None or operation.relation.text in p.catalog.types:
        return
    of_table = operation.kind in ("constraint", "trigger", "policy", "rule")
    if operation.kind in ("table", "column") or of_table:
        table = existing(p, operation.relation)
        _must_have(p, operation, table)
    if operation.kind == "index" and find_index(p.catalog, operation.relation)[1] is None and p.catalog.complete:
        p.fails("missing", f'relation "{operation.relation.text}" does not exist', relation=operation.relation, certain=True)
    p.lock(operation.relation, ACCESS_SHARE if of_table else SHARE_UPDATE_EXCLUSIVE)


def _must_be(p: Prediction, operation: Comment) -> None:
    """Of what the catalog holds with its comment: a function, a schema; a column of a view; and the relation is of the kind that is said."""
    name, relation = operation.name, operation.relation
    view = p.catalog.views.get(relation.text) if relation is not None else None
    routine = operation.kind in ("function", "procedure", "aggregate")
    if (routine or operation.kind == "schema") and name is not None and p.catalog.complete:
        there = bool(named(p.catalog, name, operation.arguments)) if routine else name.name in p.catalog.schemas
        if not there and not may_be_an_extensions(p.catalog, name):
            p.fails("missing", f"{operation.kind} {name.text} does not exist", certain=True)
    elif view is not None and operation.column and view.columns and operation.column not in view.columns:
        p.fails("missing", f'column "{operation.column}" of "{view.name.text}" does not exist', relation=view.name, certain=True)
    elif view is not None and operation.kind in ("table", "view", "materialized_view"):
        is_it = "materialized_view" if view.materialized else "view"
        if operation.kind != is_it:
            p.fails("unsupported", f"{view.name.text} is a {is_it.replace('_', ' ')}", relation=view.name, certain=True)


def _must_have(p: Prediction, operation: Comment, table: Table | None) -> None:
    """The part of the table that the comment is about, where the catalog holds its kind."""
    if table is None:
        return
    known: dict[str, set[str]] = {
        "constraint": {one.name for one in table.constraints},
        "trigger": {one.name for one in table.triggers},
        "policy": {one.name for one in table.policies},
    }
    name = operation.target.partition(" ON ")[0].strip('"')
    if operation.kind in known and name and name not in known[operation.kind]:
        p.fails("missing", f"{operation.kind} {name} of {table.name.text} does not exist", relation=table.name, certain=True)


def grant(p: Prediction, operation: Grant) -> None:
    """18 looks at the relations as a reader does; earlier versions lock none."""
    if operation.said is not None and p.catalog.complete:
        refuse_rights(p, operation, operation.said)
    if operation.relations and p.at_least(18):
        p.lock_all(operation.relations, ACCESS_SHARE)
    if operation.revoke:
        p.breaks("roles that lose the right fail at once")


def alter_object(p: Prediction, operation: AlterObject) -> None:
    """By kind: rules take ACCESS EXCLUSIVE on their table, statistics and publications SHARE UPDATE EXCLUSIVE, the rest locks no table."""
    match operation.kind:
        case "rule":
            p.lock_all(operation.relations, ACCESS_EXCLUSIVE)
        case "publication":
            p.lock_all(operation.relations, SHARE_UPDATE_EXCLUSIVE)
            for name in operation.relations:
                _publishable(p, name)
        case "statistics":
            p.lock_all(operation.relations, SHARE_UPDATE_EXCLUSIVE)
        case "foreign_table" | "sequence":
            p.lock_all(operation.relations, ACCESS_EXCLUSIVE)
            missing = (
                [name for name in operation.relations if name.text not in p.catalog.sequences]
                if operation.kind == "sequence"
                else []
            )
            for name in missing if p.catalog.complete else ():
                p.fails("missing", f'sequence "{name.text}" does not exist', relation=name, certain=True)
        case "type" if operation.action == "alter" and operation.name is not None:
            known = type_named(p.catalog, operation.name.text)
            if known is None and p.catalog.complete:
                p.fails("missing", f'type "{operation.name.text}" does not exist', certain=True)
            if known is not None and known.kind in ("enum", "domain"):
                p.fails("missing", f"{operation.name.text} has no attributes: it is no composite type", certain=True)
        case "extension" if operation.action not in ("rename", "owner", "set_schema"):
            p.unknown = "the extension's own script decides"
        case _:
            pass
    if (operation.kind, operation.action) in (
        ("database", "create"),
        ("tablespace", "create"),
        ("system", "alter"),
        ("subscription", "create"),
    ):
        p.transactional = False


def _publishable(p: Prediction, name: Name) -> None:
    """A table with rows that survive a crash, and with what inherits from it."""
    table = existing(p, name)
    if name.text in p.catalog.views:
        p.fails("unsupported", f"{name.text} is a view: publications carry tables", relation=name, certain=True)
    if table is not None and (table.unlogged or table.kind in ("foreign", "temporary")):
        kind = "unlogged" if table.unlogged else table.kind
        p.fails("unsupported", f"{name.text} is {kind}: publications do not carry it", relation=name, certain=True)
    if table is not None and table.partitioning is None:
        p.lock_all((part.name for part in descendants(p.catalog, name)), SHARE_UPDATE_EXCLUSIVE, why=f"inherits from {name.name}")


def drop_object(p: Prediction, operation: DropObject) -> None:
    match operation.kind:
        case "rule":
            p.lock_all(operation.relations, ACCESS_EXCLUSIVE)
            if not operation.if_exists:
                p.fails("missing", "whether the rule exists is in no catalog that we read")
        case "statistics":
            drop_statistics(p, operation)
        case "database" | "tablespace" | "subscription":
            p.transactional = False
        case _:
            p.lock_all(operation.relations, ACCESS_EXCLUSIVE)
    name = f" {operation.name.text}" if operation.name is not None else ""
    p.loses(f"{operation.kind.replace('_', ' ')}{name}", reversible=operation.kind not in ("database", "tablespace"))
