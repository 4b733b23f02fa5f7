"""A key of MySQL or MariaDB: how its values travel as text, and ranges that use its index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftflow.engine.faults import no_key_column
from driftflow.engine.ports import Connection, Row
from driftflow.errors import StepFailedError
from driftflow.model.names import Name

TYPES = """
SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = COALESCE(NULLIF(%s, ''), DATABASE()) AND TABLE_NAME = %s
"""
AS_TEXT = {"date": "DATE", "time": "TIME(6)", "datetime": "DATETIME(6)", "timestamp": "DATETIME(6)"}
"""Types whose values Python would not carry unharmed, and what a text is turned back into."""
AS_NUMBER = {"float": "({} + 0e0)", "bit": "CAST({} AS UNSIGNED)"}
"""How a column is read that is compared as a number and shown as something else: a FLOAT by six digits, which is another number, a BIT by its bytes."""
UNORDERED = frozenset({"enum", "set", "json"})
"""They are ordered by number, and compared with a text as texts: a walk along them would leave rows out."""


def travels(connection: Connection, table: Name, columns: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The type that a text of each key column is turned back into; empty where the value travels as it is. And in which words it is read.

    Raises StepFailedError when the table has no such column, or when it cannot be walked by it.
    """
    types = {
        str(name).lower(): (str(kind).lower(), str(full))
        for name, kind, full in connection.query(TYPES, (table.schema, table.name))
    }
    missing = [column for column in columns if column.lower() not in types]
    if missing:
        raise no_key_column(table, missing)
    unordered = [column for column in columns if types[column.lower()][0] in UNORDERED]
    if unordered:
        raise StepFailedError(
            "DF-E612",
            f"{table} cannot be walked by {', '.join(unordered)}",
            why=f"{types[unordered[0].lower()][0]} is ordered by number and compared as text",
            hint="give the table another unique key that is NOT NULL",
        )
    casts = tuple(_cast(*types[column.lower()]) for column in columns)
    kinds = [types[column.lower()][0] for column in columns]
    return casts, tuple(
        "CAST({} AS CHAR)" if cast else AS_NUMBER.get(kind, "{}") for cast, kind in zip(casts, kinds, strict=True)
    )


def _cast(kind: str, full: str) -> str:
    if kind == "decimal":  # Compared with a text it would become a float.
        return full.partition(")")[0].upper() + ")" if "(" in full else "DECIMAL(65,30)"
    return AS_TEXT.get(kind, "")


def bounds(columns: Sequence[str], marks: Sequence[str], low: Row | None, high: Row) -> tuple[str, list[Any]]:
    """`(low, high]`. Both servers use an index for `a > x OR (a = x AND b > y)`, and none for `(a, b) > (x, y)`."""
    text, parameters = _beyond(columns, marks, high, "<", last="<=")
    if low is not None:
        above, more = _beyond(columns, marks, low, ">", last=">")
        text, parameters = f"({above}) AND ({text})", [*more, *parameters]
    return text, parameters


def _beyond(columns: Sequence[str], marks: Sequence[str], key: Row, sign: str, *, last: str) -> tuple[str, list[Any]]:
    if len(columns) == 1:
        return f"{columns[0]} {last} {marks[0]}", [key[0]]
    rest, parameters = _beyond(columns[1:], marks[1:], key[1:], sign, last=last)
    first = columns[0]
    # The first condition alone bounds the index; the second says which of its rows.
    text = f"{first} {sign}= {marks[0]} AND ({first} {sign} {marks[0]} OR ({first} = {marks[0]} AND {rest}))"
    return text, [key[0], key[0], key[0], *parameters]
