"""Statements that read or change rows. Their locks keep DDL out, and row locks keep other writers of the same rows out until the commit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from driftflow.dialects.postgresql.effects.column_default import NUMBERS, draw_numbers
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ACCESS_SHARE, ROW_EXCLUSIVE, ROW_SHARE, SHARE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import (
    existing,
    index_names,
    owned_sequences,
    tree,
    with_storage,
)
from driftflow.dialects.postgresql.effects.table import read
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import Copy, Delete, Insert, Select, Truncate, Update


def _write(
    p: Prediction, name: Name, *, every_row: bool, planned: bool = True, parent_read: bool = True, inherited: bool = True
) -> tuple[Table, ...]:
    """ROW EXCLUSIVE on the table with its partitions, and with what inherits from it. The planner of UPDATE and DELETE keeps the same on every index;
    an INSERT gives it back."""
    existing(p, name)
    p.lock(name, ROW_EXCLUSIVE)
    view = p.catalog.views.get(name.text)
    if view is not None and len(view.depends_on) == 1 and not view.triggers:  # what an updatable view stands on is written
        return _write(p, view.depends_on[0], every_row=every_row, planned=planned, parent_read=parent_read, inherited=inherited)
    tables = tree(p, name)
    if not inherited and tables and tables[0].partitioning is None:
        tables = tables[:1]
    for part in tables:
        p.lock(part.name, ROW_EXCLUSIVE)
        if planned and part.partitioning is None:
            p.lock_all(index_names(part), ROW_EXCLUSIVE)
        elif planned:
            if parent_read:
                p.lock(part.name, ACCESS_SHARE)
            if p.at_least(16):  # since 16 the planner looks at the indexes of a partitioned table too
                p.lock_all(index_names(part), ROW_EXCLUSIVE)
    if every_row:
        for part in with_storage(tables) or ():
            p.does("scan", part.name, "every row is read")
            p.does("rows", part.name, "rows are written")
        if not tables:
            p.does("scan", name, "every row is read")
            p.does("rows", name, "rows are written")
    return tables


def _columns_there(p: Prediction, name: Name, written: Iterable[str]) -> None:
    """Those that are written by name, or a part of them: `address.city`, `days[1]`."""
    table = p.catalog.table(name)
    if table is None or table.partial or not p.catalog.complete:
        return
    for column in dict.fromkeys(written):
        if table.column(column) is None and table.column(re.split(r"[.\[]", column)[0]) is None:
            p.fails("missing", f'column "{column}" of "{table.name.text}" does not exist', relation=table.name, certain=True)


def insert(p: Prediction, operation: Insert) -> None:
    tables = _write(p, operation.table, every_row=False, planned=False, inherited=False)
    _inserted(p, operation, tables[0] if tables else None)
    if operation.rows is None:
        p.does("rows", operation.table, "rows are written")
        p.size_unknown = True
    read(p, operation.reads, scan=operation.rows is None)
    _columns_there(p, operation.table, operation.columns)
    for table in tables[:1]:
        for key in table.foreign_keys:
            if key.referenced != table.name and (not operation.columns or set(key.columns) & set(operation.columns)):
                _look_up(p, key)


def _inserted(p: Prediction, operation: Insert, table: Table | None) -> None:
    """What is computed, or numbered ALWAYS, takes DEFAULT alone; what is left out draws its number from a sequence."""
    if table is None or table.partial or table.name != operation.table:
        return
    named = operation.columns or tuple(column.name for column in table.columns)[: operation.values]
    given = {name for at, name in enumerate(named) if at not in operation.left_out}
    for column in table.columns:
        if column.name in given:
            numbered = column.identity is not None and column.identity.always and not operation.overriding
            if (column.generated is not None or numbered) and (operation.columns or operation.values is not None):
                said = f"{column.name} of {table.name.text} takes DEFAULT alone"
                p.fails("unsupported", said, relation=table.name, certain=True)
        elif operation.rows is not None:
            if column.identity is not None:
                p.lock_all(owned_sequences(p.catalog, table.name, column.name), ROW_EXCLUSIVE, why=f"{NUMBERS}{column.name}")
            draw_numbers(p, column)


def _look_up(p: Prediction, key: ForeignKey) -> None:
    """The referenced row is locked against a delete: the table and, by the look-up, its indexes."""
    p.lock(key.referenced, ROW_SHARE, why=f"looked up by {key.name}")
    referenced = p.catalog.table(key.referenced)
    if referenced is not None and referenced.partitioning is None:
        p.lock_all(index_names(referenced), ROW_SHARE, why=f"looked up by {key.name}")


def update(p: Prediction, operation: Update) -> None:
    tables = _write(p, operation.table, every_row=not operation.bounded)
    read(p, _others(operation.reads, operation.table), scan=not operation.bounded)
    changed = {column for column, _ in operation.assignments}
    _filled_by_server(p, operation)
    _columns_there(p, operation.table, [column for column, _ in operation.assignments])
    for table in tables[:1]:
        for key in table.foreign_keys:
            if key.referenced != table.name and changed & set(key.columns):
                _look_up(p, key)


def _filled_by_server(p: Prediction, operation: Update) -> None:
    """What is computed, or numbered ALWAYS, takes DEFAULT alone."""
    table = p.catalog.table(operation.table)
    for name, value in operation.assignments if table is not None else ():
        column = table.column(name) if table is not None else None
        by_server = column is not None and (
            column.generated is not None or (column.identity is not None and column.identity.always)
        )
        if by_server and value.upper() != "DEFAULT":
            p.fails(
                "unsupported",
                f"{name} of {operation.table.text} can only be set to DEFAULT",
                relation=operation.table,
                certain=True,
            )


def delete(p: Prediction, operation: Delete) -> None:
    """Foreign keys of others are followed row by row: a cascade deletes there too."""
    tables = _write(p, operation.table, every_row=not operation.bounded, parent_read=False)
    read(p, _others(operation.reads, operation.table), scan=not operation.bounded)
    what = "rows" if operation.bounded else ("the rows that match" if operation.where else "every row")
    p.loses(f"{what} of {operation.table.name}", operation.table)
    for holder, key in p.catalog.referencing(operation.table) if tables else ():
        if holder.name == operation.table:
            continue
        if key.on_delete in ("CASCADE", "SET NULL", "SET DEFAULT"):
            p.lock(holder.name, ROW_EXCLUSIVE, why=f"{key.name} says ON DELETE {key.on_delete}")
            p.loses(
                f"rows of {holder.name.name} that point at them"
                if key.on_delete == "CASCADE"
                else f"the references in {holder.name.name}",
                holder.name,
            )
        else:
            p.lock(holder.name, ROW_SHARE, why=f"looked up by {key.name}")
            p.fails(
                "dependency", f"rows of {holder.name.name} still point at the deleted ones ({key.name})", relation=holder.name
            )


def truncate(p: Prediction, operation: Truncate) -> None:
    """New, empty files under ACCESS EXCLUSIVE. CASCADE empties every table that references one of these."""
    wanted = list(operation.tables)
    for name in wanted:
        table = existing(p, name)
        if table is None:
            p.lock(name, ACCESS_EXCLUSIVE)
        for holder, key in p.catalog.referencing(name):
            if holder.name in wanted:
                continue
            if operation.cascade:
                wanted.append(holder.name)
            else:
                p.fails(
                    "dependency",
                    f"foreign key {key.name} of {holder.name.name} references {name.name}",
                    relation=holder.name,
                    certain=True,
                )
        p.loses(f"every row of {name.name}", name)
    for name in operation.tables:
        if name.text in p.catalog.views:
            p.fails("unsupported", f"{name.text} is a view: only tables are truncated", relation=name, certain=True)
    for name in wanted:
        why = "" if name in operation.tables else "references a truncated table (CASCADE)"
        table = p.catalog.table(name)
        if operation.only and table is not None and table.partitioning is not None:
            p.fails("unsupported", f"{name.name} is partitioned: TRUNCATE ONLY is refused", relation=name, certain=True)
        for part in tree(p, name, only=operation.only and name in operation.tables):
            _empty(p, part, why)
        if operation.restart_identity:
            for sequence in owned_sequences(p.catalog, name):
                p.lock(sequence, ACCESS_EXCLUSIVE, ROW_EXCLUSIVE, why="RESTART IDENTITY")
                p.does("rewrite", sequence, "restarted")


def _empty(p: Prediction, table: Table, why: str) -> None:
    p.lock(table.name, ACCESS_EXCLUSIVE, why=why)
    if table.partitioning is not None:
        return
    if table.partition_of is not None and not p.at_least(14):
        p.lock(table.partition_of, ACCESS_SHARE, why="the partition's bound is looked up there (before 14)")
    p.lock(table.name, SHARE)
    p.created.add(table.name)  # the new file is empty: building its indexes takes no time
    if index_names(table):
        p.does("scan", table.name, "empty")
    p.does("rewrite", table.name, "a new, empty file")
    for index in index_names(table):
        p.created.add(index)
        p.lock(index, ACCESS_EXCLUSIVE)
        p.does("rewrite", index, "a new, empty file")
    p.size_unknown = True


def copy(p: Prediction, operation: Copy) -> None:
    if operation.table is None:
        p.unknown = "COPY of a query"
    elif operation.inward:
        _write(p, operation.table, every_row=False, planned=False)
    else:
        read(p, (operation.table,), scan=True)


def select(p: Prediction, operation: Select) -> None:
    """A DO block or CALL does what its body says: nothing is predicted."""
    if operation.opaque:
        p.unknown = "a DO block or CALL does what its body says"
    read(p, operation.reads, scan=False, mode=ROW_SHARE if operation.locks_rows else ACCESS_SHARE)
    for name in operation.writes:
        _write(p, name, every_row=False)


def _others(relations: Iterable[Name], table: Name) -> tuple[Name, ...]:
    return tuple(name for name in relations if name != table)
