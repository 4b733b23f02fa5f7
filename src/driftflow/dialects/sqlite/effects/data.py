"""Statements on rows: the write lock is held from the first row to the commit, whatever the tables."""

from __future__ import annotations

from collections.abc import Iterable

from driftflow.dialects.sqlite import mentions, probes
from driftflow.dialects.sqlite.capabilities import RETURNING, UPDATE_FROM
from driftflow.dialects.sqlite.effects.prediction import Prediction
from driftflow.dialects.sqlite.keys import has_rowid
from driftflow.dialects.sqlite.normal import ROWID_NAMES
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import Delete, Insert, Select, Update


def insert(p: Prediction, operation: Insert) -> None:
    table = p.table(operation.table) if operation.table.text not in p.catalog.views else None
    _columns_there(p, table, operation.columns)
    p.writes(operation.table)
    if operation.rows is None:
        p.does("rows", operation.table, "every row of the query is written")
    for name in operation.reads:
        if name != operation.table:
            p.does("scan", name, "the query reads it")
    if operation.on_conflict == "replace":
        p.loses(f"rows of {operation.table.name} that share a unique key with a new one", operation.table)
        if table is not None:
            _followers(p, table)


def _columns_there(p: Prediction, table: Table | None, written: Iterable[str]) -> None:
    """Those that are written by name. A table with rowids takes three more."""
    if table is None or table.partial or not p.catalog.complete:
        return
    more: frozenset[str] = ROWID_NAMES if has_rowid(table) else frozenset()
    for column in dict.fromkeys(written):
        if column.lower() not in more:
            p.column(table, column)


def update(p: Prediction, operation: Update) -> None:
    if operation.from_clause:
        p.since(UPDATE_FROM, "UPDATE ... FROM")
    if operation.returning:
        p.since(RETURNING, "RETURNING")
    table = p.table(operation.table) if operation.table.text not in p.catalog.views else None
    _not_a_view(p, operation.table, "UPDATE")
    _columns_there(p, table, [column for column, _ in operation.assignments if not column.startswith("(")])
    _every_row(p, operation.table, bounded=operation.bounded)


def delete(p: Prediction, operation: Delete) -> None:
    if operation.returning:
        p.since(RETURNING, "RETURNING")
    table = p.table(operation.table) if operation.table.text not in p.catalog.views else None
    _every_row(p, operation.table, bounded=operation.bounded)
    _not_a_view(p, operation.table, "DELETE")
    which = "rows" if operation.bounded else "the rows that match" if operation.where else "every row"
    p.loses(f"{which} of {operation.table.name}", operation.table)
    if table is not None:
        _followers(p, table)


def _not_a_view(p: Prediction, name: Name, event: str) -> None:
    """A view takes changes only through an INSTEAD OF trigger."""
    view = p.catalog.views.get(name.text)
    if view is not None and not any(event in trigger.events for trigger in view.triggers):
        p.fails("unsupported", f"{name.name} is a view without an INSTEAD OF {event} trigger", relation=name, certain=True)


def _every_row(p: Prediction, name: Name, *, bounded: bool) -> None:
    p.writes(name)
    if not bounded:
        p.does("scan", name, "every row is read")
        p.does("rows", name, "rows are written")


def _followers(p: Prediction, table: Table) -> None:
    """Deleted rows take others along, or are held by them: by foreign keys where they are enforced, and by triggers."""
    for holder, key in p.catalog.referencing(table.name):
        if p.foreign_keys is False or holder.name == table.name:
            continue
        given = "" if p.foreign_keys else "with foreign_keys on, "
        match key.on_delete:
            case "CASCADE" | "SET NULL" | "SET DEFAULT":
                p.writes(holder.name, f"{given}ON DELETE {key.on_delete}")
                what = "rows" if key.on_delete == "CASCADE" else "the references"
                p.loses(f"{given}{what} of {holder.name.name} that point at them", holder.name)
            case _:
                p.fails(
                    "dependency",
                    f"{given}rows of {holder.name.name} may point at the deleted ones",
                    relation=holder.name,
                    probe=probes.referencing_rows(holder.name, key),
                )
    for trigger in table.triggers:
        for name in mentions.touched_by(trigger.definition):
            held = p.catalog.table(Name(schema="main", name=name.name))
            if held is not None and "DELETE" in trigger.events:
                p.writes(held.name, f"trigger {trigger.name} names it")


def select(p: Prediction, operation: Select) -> None:
    """Reads nothing away from anybody. A function that is not SQLite's own may do anything."""
    for name in operation.reads:
        if name.text not in p.catalog.views:
            p.does("scan", name, "the query reads it")
    if operation.calls:
        p.unknown = f"it calls {', '.join(operation.calls)}, which SQLite does not bring itself"
