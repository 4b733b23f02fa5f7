"""Views, triggers, routines, databases, sequences, LOCK TABLES: metadata locks and no work on rows."""

from __future__ import annotations

from driftflow.dialects.mariadb.capabilities import OLDEST
from driftflow.dialects.mysql.capabilities import BODY_IF_NOT_EXISTS, VIEW_IF_NOT_EXISTS
from driftflow.dialects.mysql.effects.partners import beside_locked
from driftflow.dialects.mysql.effects.prediction import (
    EXCLUSIVE,
    SHARED_NO_READ_WRITE,
    SHARED_READ,
    SHARED_READ_ONLY,
    Prediction,
)
from driftflow.model.operations import (
    AlterSequence,
    CreateFunction,
    CreateSchema,
    CreateSequence,
    CreateTrigger,
    CreateView,
    DropFunction,
    DropSchema,
    DropSequence,
    DropTrigger,
    DropView,
    LockTable,
)

_UNLOCK = "until UNLOCK TABLES"


def view(p: Prediction, operation: CreateView | DropView) -> None:
    match operation:
        case CreateView():
            name = operation.view.name
            if operation.if_not_exists:
                p.needs(VIEW_IF_NOT_EXISTS, OLDEST, "CREATE VIEW IF NOT EXISTS")
            there = name.text in p.catalog.views
            if there and not operation.or_replace and not operation.if_not_exists:
                p.fails("exists", f"view {name} exists already", relation=name, certain=True)
            p.lock(name, EXCLUSIVE)
            for source in operation.view.depends_on:
                p.lock(source, SHARED_READ, why="the view reads it")
                p.table(source)
        case DropView():
            if operation.name.text not in p.catalog.views and not operation.if_exists and p.catalog.complete:
                p.fails("missing", f"view {operation.name} does not exist", relation=operation.name, certain=True)
            p.lock(operation.name, EXCLUSIVE)
            p.breaks("every statement that reads the view", operation.name)
            p.loses(f"view {operation.name.name}, with its grants", operation.name, reversible=True)


def trigger(p: Prediction, operation: CreateTrigger | DropTrigger) -> None:
    """A trigger is a part of its table: the table is locked for a moment, and every later write runs the body."""
    match operation:
        case CreateTrigger():
            _needs(p, "TRIGGER", or_replace=operation.or_replace, if_not_exists=operation.if_not_exists)
            table = p.table(operation.trigger.table)
            p.lock(operation.trigger.table, EXCLUSIVE)
            names = [one.name for one in table.triggers] if table is not None else []
            if operation.trigger.name in names and not (operation.or_replace or operation.if_not_exists):
                p.fails(
                    "exists", f"trigger {operation.trigger.name} exists already", relation=operation.trigger.table, certain=True
                )
        case DropTrigger():
            if operation.table is not None:
                p.lock(operation.table, EXCLUSIVE)
            elif not operation.if_exists and p.catalog.complete:
                p.fails("missing", f"trigger {operation.name} does not exist", certain=True)
            p.loses(f"trigger {operation.name}", operation.table, reversible=True)


def routine(p: Prediction, operation: CreateFunction | DropFunction) -> None:
    match operation:
        case CreateFunction():
            name = operation.routine.name
            kind = operation.routine.kind.upper()
            _needs(p, kind, or_replace=operation.or_replace, if_not_exists=operation.if_not_exists)
            there = any(one.name == name and one.kind == operation.routine.kind for one in p.catalog.routines.values())
            if there and not (operation.or_replace or operation.if_not_exists):
                p.fails("exists", f"{operation.routine.kind} {name} exists already", certain=True)
        case DropFunction():
            there = any(operation.is_meant(one) for one in p.catalog.routines.values())
            if not there and not operation.if_exists and p.catalog.complete:
                p.fails("missing", f"{operation.kind} {operation.name} does not exist", certain=True)
            p.breaks("whatever calls it", None)


def _needs(p: Prediction, kind: str, *, or_replace: bool, if_not_exists: bool) -> None:
    if or_replace:
        p.needs(None, OLDEST, f"CREATE OR REPLACE {kind}")
    if if_not_exists:
        p.needs(BODY_IF_NOT_EXISTS, OLDEST, f"CREATE {kind} IF NOT EXISTS")


def lock_table(p: Prediction, operation: LockTable) -> None:
    """LOCK TABLES holds its locks until UNLOCK TABLES, and commits what was open."""
    for table in operation.tables:
        p.table(table)
        if operation.mode.startswith("READ"):
            # InnoDB's own lock keeps writers out where the server's would not (MariaDB, and READ LOCAL).
            mode = SHARED_READ if p.mariadb or operation.mode == "READ LOCAL" else SHARED_READ_ONLY
            p.lock(table, mode, held="statement", why=_UNLOCK, blocks=("writes", "ddl"))
            continue
        p.lock(table, SHARED_NO_READ_WRITE, held="statement", why=_UNLOCK)
        beside_locked(p, table)


def schema(p: Prediction, operation: CreateSchema | DropSchema) -> None:
    if isinstance(operation, CreateSchema):
        if operation.or_replace:
            p.needs(None, OLDEST, "CREATE OR REPLACE DATABASE")
        if operation.name in p.catalog.schemas and not operation.if_not_exists:
            p.fails("exists", f"database {operation.name} exists already", certain=True)
        return
    if operation.name not in p.catalog.schemas and not operation.if_exists and p.catalog.complete:
        p.fails("missing", f"database {operation.name} does not exist", certain=True)
    for table in p.catalog.tables.values():
        if table.name.schema == operation.name:
            p.lock(table.name, EXCLUSIVE, why="it goes with the database")
            p.loses(f"the rows of {table.name.name}", table.name)


def sequence(p: Prediction, operation: CreateSequence | AlterSequence | DropSequence) -> None:
    if not p.mariadb:
        p.fails("unsupported", "MySQL has no sequences", certain=True)
        return
    match operation:
        case CreateSequence():
            name = operation.sequence.name
            if name.text in p.catalog.sequences and not operation.if_not_exists:
                p.fails("exists", f"sequence {name} exists already", relation=name, certain=True)
        case AlterSequence() | DropSequence():
            name = operation.name
            if name.text not in p.catalog.sequences and not operation.if_exists and p.catalog.complete:
                p.fails("missing", f"sequence {name} does not exist", relation=name, certain=True)
    p.lock(name, EXCLUSIVE)
