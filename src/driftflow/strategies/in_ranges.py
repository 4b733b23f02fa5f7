"""How a guard's question goes through a large table in ranges: per row along its key, and where it is about equal values, along one of them that an
index has in order. What has neither is asked in one query, or not at all (`engine/guards.py`)."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Index, IndexPart, Table
from driftflow.model.names import Name
from driftflow.model.plan import Ranges
from driftflow.strategies.cleansing.matching import TRUE, Matching
from driftflow.strategies.columns.filling import ROWID, chunk_key

EXACT = ("tinyint", "smallint", "mediumint", "int", "integer", "bigint", "numeric", "decimal", "uuid")
EXACT_TEXTS = ("text", "varchar", "char", "character", "character varying", "longtext", "mediumtext")
"""Types whose values come back from the client as they went: a range ends where the next one begins."""


def ranges_of(at: Situation, table: Name, where: str, *, alias: str = "") -> Ranges | None:
    """For a condition on each row by itself: by the key that a backfill would go by; None where the table has none of one column."""
    known = at.table(table)
    key = chunk_key(at, known) if known is not None else ()
    if len(key) != 1:
        return None
    column = key[0] if key[0] == ROWID else at.dialect.quote(key[0])
    target = at.dialect.quote_name(table)
    if alias:
        return Ranges(table=f"{target} AS {alias}", key=f"{alias}.{column}", where=where)
    return Ranges(table=target, key=column, where=where)


def ranges_of_groups(at: Situation, table: Table, index: Index, matching: Matching) -> Ranges | None:
    """For rows that share a key: equal ones lie in one range of any column of it. None where no index has such a column first, so that each range
    would read the whole table, and where NULLs are equal too, which lie in no range."""
    column = next(_in_order(table, index), "") if not index.nulls_not_distinct else ""
    if not column:
        return None
    where = " AND ".join(matching.conditions()) or TRUE
    return Ranges(table=matching.target, key=at.dialect.quote(column), where=where, group=matching.grouped())


def _in_order(table: Table, index: Index) -> Iterator[str]:
    """Columns of the index that is to come, by which another one sorts the whole table already."""
    first = {table.primary_key.columns[0]} if table.primary_key is not None else set()
    for other in table.indexes:
        part = other.parts[0]
        plain = part.column and part.prefix is None and not part.collation and not part.opclass
        if plain and other.valid and not other.predicate and other.method in ("", "btree"):
            first.add(part.column)
    for part in index.parts:
        if part.column in first and ends_exactly(table, part):
            yield part.column


def ends_exactly(table: Table, part: IndexPart) -> bool:
    """Whether a range of it ends where the next one begins: a column as it is, by its own order."""
    column = table.column(part.column) if part.column else None
    if column is None or part.prefix is not None or part.collation:
        return False
    return column.type.lower().replace(" unsigned", "").partition("(")[0].strip() in (*EXACT, *EXACT_TEXTS)
