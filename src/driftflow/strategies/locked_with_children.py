"""MariaDB: a copy of a table that foreign keys point at is made between LOCK TABLES and UNLOCK TABLES, of it and of the tables that hold the keys.

Without, their writers would find no parent in the moment in which the copy takes the table's place (error 1452). With, everybody waits for as long
as the copy takes, readers too: so only where it is short. Beside a large table's copy `children_wait` has triggers; where a recipe has none, the
step says what its children's writers meet.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Effects, LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import LockTable, Operation
from driftflow.model.plan import RunSql
from driftflow.model.record import replace
from driftflow.strategies.size import is_large, is_new
from driftflow.strategies.spoken import as_is

FOUND = "DF675"


def children_of(table: Name | None, effects: Sequence[Effects], at: Situation) -> tuple[Name, ...]:
    """The tables in use whose writers would fail; none where the statement is taken literally."""
    if table is None or as_is(at) or is_new(at, table):
        return ()
    return tuple(dict.fromkeys(name for one in effects for name in one.orphans if not is_new(at, name)))


def with_children(
    step: RunSql, operations: Sequence[Operation], effects: Sequence[Effects], catalog: Catalog, at: Situation
) -> RunSql:
    """The step, with the locks that it needs beside its own."""
    table = at.dialect.altered_table(operations[0])
    children = children_of(table, effects, at)
    if table is None or not children:
        return step
    listed = ", ".join(name.name for name in children)
    if is_large(at, table):
        return replace(step, purpose=_saying(step.purpose, f"as it ends, writers of {listed} fail with 1452 for a moment"))
    locks = LockTable(tables=(table, *children), mode="WRITE")
    return replace(
        step,
        purpose=_saying(step.purpose, f"{listed} locked with it"),
        lock_tables=at.dialect.render(locks),
        claims=(*_claims(locks, table, catalog, at), *(claim for claim in step.claims if claim.held == "instant")),
        resolves=(*step.resolves, FOUND),
    )


def _saying(purpose: str, said: str) -> str:
    return f"{purpose[:-1]}; {said})" if purpose.endswith("wait until it is done)") else f"{purpose} ({said})"


def _claims(locks: LockTable, table: Name, catalog: Catalog, at: Situation) -> tuple[LockClaim, ...]:
    """Of LOCK TABLES, the copied table's first: the others are held as long as it."""
    why = {table: "copied, and nobody else may use it meanwhile"}
    return tuple(
        replace(
            claim,
            held="copy",
            why=why.get(claim.relation, f"its foreign key references {table.name}, whose copy takes its place"),
        )
        if claim.relation in locks.tables
        else claim
        for claim in at.dialect.effects(locks, catalog).locks
        if claim.blocks and (claim.relation not in locks.tables or "writes" in claim.blocks)
    )
