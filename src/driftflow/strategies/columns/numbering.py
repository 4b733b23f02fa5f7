"""Numbers that a sequence would give a second time: asked of the rows before a sequence starts anew, or an identity takes over."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AlterIdentity, AlterSequence
from driftflow.model.plan import Guard
from driftflow.strategies.recipe import bounded_count


def guard_numbers(at: Situation, operation: AlterSequence | AlterIdentity) -> Iterator[Guard]:
    """For each key column that draws from the sequence: no row may hold a number that is still to come. Sequences that count down are left alone."""
    start = _start(at, operation)
    if start is None:
        return
    for table, column in _drawing(at, operation):
        quoted = at.dialect.quote(column)
        query = f"SELECT 1 FROM {at.dialect.quote_name(table)} WHERE {quoted} >= {start}"
        yield Guard(
            query=bounded_count(query),
            summary=f"{{count}} rows of {table.name} hold a {table.name}.{column} of {start} or more, which would be given out again",
            hint=f"SELECT max({quoted}) + 1 FROM {at.dialect.quote_name(table)}    # where it may start",
        )


def _start(at: Situation, operation: AlterSequence | AlterIdentity) -> int | None:
    match operation:
        case AlterSequence(restarts=False):
            return None
        case AlterSequence():
            known = at.catalog.sequences.get(operation.name.text)
            options = known.options if known is not None else operation.options
            first = operation.restart if operation.restart is not None else (operation.options.start or options.start or 1)
            return None if (operation.options.increment or options.increment or 1) < 0 else first
        case AlterIdentity(action="add") if operation.identity is not None:
            options = operation.identity.options
            return None if (options.increment or 1) < 0 else (options.start or options.minimum or 1)
        case _:
            return None


def _drawing(at: Situation, operation: AlterSequence | AlterIdentity) -> Iterator[tuple[Name, str]]:
    if isinstance(operation, AlterIdentity):
        table = at.table(operation.table)
        if table is not None and not table.new and _is_key(table, operation.column):
            yield operation.table, operation.column
        return
    sequence = at.catalog.sequences.get(operation.name.text)
    owner = sequence.owned_by if sequence is not None else ""
    for table in at.catalog.tables.values():
        for column in table.columns:
            drawn = (
                owner == f"{table.name}.{column.name}" or operation.name.name in (column.default or "").partition("nextval(")[2]
            )
            if drawn and not table.new and _is_key(table, column.name):
                yield table.name, column.name


def _is_key(table: Table, column: str) -> bool:
    """Whether two rows may not hold the same number: elsewhere a number that comes twice is the author's affair."""
    keys = [one.columns for one in table.constraints if isinstance(one, PrimaryKey | Unique)]
    keys += [index.columns for index in table.indexes if index.unique]
    return (column,) in keys
