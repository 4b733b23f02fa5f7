"""What else a table has when a statement runs, where that is not what it has where the statement stands: columns whose drop waits behind the gate are
still there for what comes after them in the file, and what waits itself finds the table as the release leaves it (MySQL, MariaDB)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Column, Table
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, DropColumn, Operation
from driftflow.model.record import replace
from driftflow.strategies import spoken


def catalogs_at_run(operations: Sequence[Operation], catalog: Catalog, at: Situation) -> Iterator[Catalog]:
    """Other catalogs that the statement may find, each with one other form of its table."""
    name = next((one for one in map(at.dialect.altered_table, operations) if one is not None), None)
    now = catalog.table(name) if name is not None else None
    if name is None or now is None or now.new:
        return
    start = at.start.table(name) if at.start is not None else None
    final = at.final.table(name) if at.final is not None else None
    if start is None:
        return
    waiting = _dropped_until(name, at)
    if waiting:
        yield catalog.with_table(_again(now, start, waiting))
    going = {one.column for one in operations if isinstance(one, DropColumn) and start.column(one.column) is not None}
    coming = {one.column.name for one in operations if isinstance(one, AddColumn) and start.column(one.column.name) is not None}
    if final is not None and (going or any(final.column(one) is None for one in coming)):
        yield catalog.with_table(_again(final, now, going))  # behind the gate, or on the way back from there


def _dropped_until(table: Name, at: Situation) -> set[str]:
    earlier = [one for statement in spoken.until(at) for one in statement.operations]
    return {one.column for one in earlier if isinstance(one, DropColumn) and one.table.name == table.name}


def _again(table: Table, held: Table, names: set[str]) -> Table:
    """The table with the columns of that name as another form of it holds them, at their places, with their indexes."""
    back = [one for one in held.columns if one.name in names and table.column(one.name) is None]
    order = [one.name for one in held.columns]

    def place(column: Column) -> tuple[int, int]:
        return (0, order.index(column.name)) if column.name in order else (1, 0)

    known = {index.name for index in table.indexes}
    gone = {one.name for one in back}
    indexes = [one for one in held.indexes if one.name not in known and gone & set(one.columns)]
    return replace(table, columns=tuple(sorted((*table.columns, *back), key=place)), indexes=(*table.indexes, *indexes))
