"""Statements on rows: metadata locks, row locks, and what bounds them."""

from __future__ import annotations

from collections.abc import Iterable

from driftflow.dialects.mariadb.capabilities import OLDEST
from driftflow.dialects.mysql.effects.partners import beside_rows
from driftflow.dialects.mysql.effects.prediction import SHARED_READ, SHARED_WRITE, Prediction
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import Copy, Delete, Insert, Select, Update


def insert(p: Prediction, operation: Insert) -> None:
    p.transactional = True
    _columns_there(p, p.table(operation.table), operation.columns)
    p.lock(operation.table, SHARED_WRITE, held="statement")
    conflict = operation.on_conflict
    beside_rows(p, operation.table, deletes=conflict == "replace", updates=conflict == "update", inserts=True)
    if operation.on_conflict == "replace":
        p.loses(
            "rows that the new ones replace: REPLACE deletes them first, with their children where a key cascades",
            operation.table,
        )
    if operation.on_conflict == "ignore":
        p.loses("rows that do not fit are left out without an error", operation.table)
    _reads(p, operation.reads)
    if operation.reads:
        p.does("rows", operation.table, "as many as the query returns")


def update(p: Prediction, operation: Update) -> None:
    p.transactional = True
    table = p.table(operation.table)
    if not operation.from_clause:  # of several tables any may be written
        _columns_there(p, table, [column for column, _ in operation.assignments])
    p.lock(operation.table, SHARED_WRITE, held="statement")
    beside_rows(p, operation.table, updates=True)
    p.does("rows", operation.table, "row locks to the end of the transaction on every row that is looked at")
    _reads(p, operation.reads)


def delete(p: Prediction, operation: Delete) -> None:
    p.transactional = True
    p.table(operation.table)
    if operation.returning:
        p.needs(None, OLDEST, "DELETE ... RETURNING")
    p.lock(operation.table, SHARED_WRITE, held="statement")
    beside_rows(p, operation.table, deletes=True)
    p.does("rows", operation.table, "row locks to the end of the transaction on every row that is looked at")
    p.loses(f"rows of {operation.table.name}", operation.table)
    _reads(p, operation.reads)


def select(p: Prediction, operation: Select) -> None:
    p.transactional = True
    _reads(p, operation.reads, mode=SHARED_WRITE if operation.locks_rows == "UPDATE" else SHARED_READ)
    if operation.opaque:
        p.unknown = "what a procedure does is the server's to say"


def copy(p: Prediction, operation: Copy) -> None:
    p.transactional = True
    if operation.table is not None:
        p.table(operation.table)
        p.lock(operation.table, SHARED_WRITE, held="statement")
        p.does("rows", operation.table, "as many as the file holds")


def _columns_there(p: Prediction, table: Table | None, written: Iterable[str]) -> None:
    """Those that are written by name, without regard to case."""
    if table is None or table.partial or not p.catalog.complete:
        return
    known = {column.name.lower() for column in table.columns}
    for column in dict.fromkeys(written):
        if column.lower() not in known:
            p.fails("missing", f"column {column} of table {table.name} does not exist", relation=table.name, certain=True)


def _reads(p: Prediction, names: tuple[Name, ...], *, mode: str = SHARED_READ) -> None:
    for name in names:
        p.table(name)
        p.lock(name, mode, held="statement", why="read")
