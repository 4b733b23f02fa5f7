"""Steps that make or drop a trigger, or change the foreign keys of a table in use, name what is locked with it, where the server takes one lock for that and a
stronger one a moment later (MySQL).

What that is depends on the foreign keys and triggers that are there just then, most of them made by the plan itself: so the catalog is led along the
steps, and back along what takes each of them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Capability, Dialect
from driftflow.errors import ParseError
from driftflow.model.catalog import Catalog, ForeignKey, Table
from driftflow.model.migration import Statement
from driftflow.model.names import Name, Span
from driftflow.model.operations import (
    AddConstraint,
    CreateTrigger,
    DropConstraint,
    DropTrigger,
    Operation,
    RenameIndex,
    RequestAlgorithm,
)
from driftflow.model.plan import LockedWhenFree, RunSql, Step, UndoNothing
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies.passes import moved
from driftflow.strategies.rebuild.paired_steps import UNCHECKED, texts_run
from driftflow.strategies.recipe import merged

MAKES_OR_DROPS = lazy_regex(r"\s*(?:CREATE|DROP)\b[^;]*?\bTRIGGER\b", re.IGNORECASE)
CHANGES_KEYS = lazy_regex(r"ALTER TABLE\b.*\b(?:DROP|ADD CONSTRAINT \S+) FOREIGN KEY\b")


def with_trigger_locks(steps: Sequence[Step], catalog: Catalog, dialect: Dialect) -> list[Step]:
    wanted = dialect.can(Capability.TRIGGER_LOCK_GROWS, catalog.version) and catalog.complete
    if not wanted or not any(map(_has_any, steps)):
        return list(steps)
    out: list[Step] = []
    for step in steps:
        found, catalog = _forth_and_back(step, catalog, dialect)
        out.append(found)
    return out


def _has_any(step: Step) -> bool:
    back = () if isinstance(step.undo, UndoNothing) else step.undo.steps
    own = isinstance(step, RunSql) and any(
        MAKES_OR_DROPS.match(text) or CHANGES_KEYS.match(text) for text in texts_run(step.statements)
    )
    return own or any(map(_has_any, back))


def _forth_and_back(step: Step, before: Catalog, dialect: Dialect) -> tuple[Step, Catalog]:
    """The step with its locks and those of its undo, and the catalog that it leaves."""
    step, after = _locked(step, before, dialect)
    if isinstance(step.undo, UndoNothing):
        return step, after
    back: list[Step] = []
    catalog = after
    for one in step.undo.steps:
        found, catalog = _locked(one, catalog, dialect)
        back.append(found)
    return replace(step, undo=replace(step.undo, steps=tuple(back))), after


def _locked(step: Step, before: Catalog, dialect: Dialect) -> tuple[Step, Catalog]:
    if not isinstance(step, RunSql):
        return step, before
    after = before
    found: list[Operation] = []
    for sql in texts_run(step.statements):
        for operation in _operations(sql, dialect):
            found.append(dialect.resolve(operation, after))
            after = moved(after, found[-1])
    roots = _of_triggers(found) or (_of_keys(found, before) if step.settings.items() >= UNCHECKED.items() else ())
    if step.lock_tables or not roots:
        return step, after
    sql, claims = dialect.locked_with(roots, before)
    claimed = {claim.relation for claim in step.claims}
    beside = tuple(claim for claim in claims if claim.relation not in claimed)
    if not sql or not claimed.issuperset(roots):
        return step, after
    door = roots[0] if beside and len(roots) == 1 and not _has_keys(roots[0], before) else None
    locked = LockedWhenFree(sql=sql, door=door, beside=tuple(claim.relation for claim in beside))
    return replace(
        step, locked_when_free=locked, claims=merged((*step.claims, *(one for one in claims if one.relation not in roots)))
    ), after


def _has_keys(table: Name, catalog: Catalog) -> bool:
    """Whoever writes a table that keys tie to it has come by another one before, and would be kept out while having that one."""
    known = catalog.table(table)
    return known is not None and bool(known.foreign_keys or list(catalog.referencing(table)))


def _operations(sql: str, dialect: Dialect) -> tuple[Operation, ...]:
    try:
        return dialect.parse(Statement(sql=sql, span=Span())).operations
    except ParseError:
        return ()  # what cannot be read changes no table that is known


def _of_triggers(operations: Sequence[Operation]) -> tuple[Name, ...]:
    """The one table whose triggers these are, where they are nothing else."""
    tables = set(_tables(operations))
    table = tables.pop() if len(tables) == 1 else None
    return (table,) if table is not None else ()


def _of_keys(operations: Sequence[Operation], before: Catalog) -> tuple[Name, ...]:
    """The one table whose foreign keys these are, and what they point at, where they change the dictionary alone: no index is built meanwhile. One that is
    renamed to what it is called is kept by that."""
    tables: dict[Name, None] = {}
    ends: dict[Name, None] = {}
    for operation in operations:
        match operation:
            case AddConstraint(table=table, constraint=ForeignKey() as key) if _has_index(before.table(table), key):
                tables, ends = tables | {table: None}, ends | {key.referenced: None}
            case DropConstraint(table=table, name=name) if (gone := _key(before.table(table), name)) is not None:
                tables, ends = tables | {table: None}, ends | {gone.referenced: None}
            case RequestAlgorithm():
                continue
            case RenameIndex(name=index, to=to) if index.name == to:
                continue
            case _:
                return ()
    return tuple(tables | ends) if len(tables) == 1 else ()


def _key(table: Table | None, name: str) -> ForeignKey | None:
    return next((key for key in table.foreign_keys if key.name == name), None) if table is not None else None


def _has_index(table: Table | None, key: ForeignKey) -> bool:
    return table is not None and any(index.columns[: len(key.columns)] == key.columns for index in table.indexes)


def _tables(operations: Sequence[Operation]) -> Iterator[Name | None]:
    for operation in operations:
        match operation:
            case CreateTrigger(trigger=trigger):
                yield trigger.table
            case DropTrigger(table=table):
                yield table
            case _:
                yield None
