"""Steps that make or drop a trigger name what is locked with its table, where the server takes one lock for that and a stronger one a moment later (MySQL).

What that is depends on the foreign keys and triggers that are there just then, most of them made by the plan itself: so the catalog is led along the
steps, and back along what takes each of them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Capability, Dialect
from driftflow.errors import ParseError
from driftflow.model.catalog import Catalog
from driftflow.model.migration import Statement
from driftflow.model.names import Name, Span
from driftflow.model.operations import CreateTrigger, DropTrigger, Operation
from driftflow.model.plan import LockedWhenFree, RunSql, Step, UndoNothing
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies.passes import moved
from driftflow.strategies.rebuild.paired_steps import texts_run

MAKES_OR_DROPS = lazy_regex(r"\s*(?:CREATE|DROP)\b[^;]*?\bTRIGGER\b", re.IGNORECASE)


def with_trigger_locks(steps: Sequence[Step], catalog: Catalog, dialect: Dialect) -> list[Step]:
    wanted = dialect.can(Capability.TRIGGER_LOCK_GROWS, catalog.version) and catalog.complete
    if not wanted or not any(map(_has_triggers, steps)):
        return list(steps)
    out: list[Step] = []
    for step in steps:
        found, catalog = _forth_and_back(step, catalog, dialect)
        out.append(found)
    return out


def _has_triggers(step: Step) -> bool:
    back = () if isinstance(step.undo, UndoNothing) else step.undo.steps
    own = isinstance(step, RunSql) and any(map(MAKES_OR_DROPS.match, texts_run(step.statements)))
    return own or any(map(_has_triggers, back))


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
    table = _table(found)
    if step.lock_tables or table is None:
        return step, after
    sql, claims = dialect.locked_with(table, before)
    claimed = {claim.relation for claim in step.claims}
    beside = tuple(claim for claim in claims if claim.relation not in claimed)
    if not sql or table not in claimed:
        return step, after
    door = table if beside and not _has_keys(table, before) else None
    locked = LockedWhenFree(sql=sql, door=door, beside=tuple(claim.relation for claim in beside))
    return replace(step, locked_when_free=locked, claims=(*step.claims, *beside)), after


def _has_keys(table: Name, catalog: Catalog) -> bool:
    """Whoever writes a table that keys tie to it has come by another one before, and would be kept out while having that one."""
    known = catalog.table(table)
    return known is not None and bool(known.foreign_keys or list(catalog.referencing(table)))


def _operations(sql: str, dialect: Dialect) -> tuple[Operation, ...]:
    try:
        return dialect.parse(Statement(sql=sql, span=Span())).operations
    except ParseError:
        return ()  # what cannot be read changes no table that is known


def _table(operations: Sequence[Operation]) -> Name | None:
    """The one table whose triggers these are, where they are nothing else."""
    tables = set(_tables(operations))
    return tables.pop() if len(tables) == 1 else None


def _tables(operations: Sequence[Operation]) -> Iterator[Name | None]:
    for operation in operations:
        match operation:
            case CreateTrigger(trigger=trigger):
                yield trigger.table
            case DropTrigger(table=table):
                yield table
            case _:
                yield None
