"""Queries that count what would make a statement fail: one row, one number."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.render.table import default as render_default
from driftflow.dialects.sqlite.render.table import quote_name
from driftflow.model.catalog import ForeignKey, IndexPart
from driftflow.model.names import Name


def any_row(table: Name) -> str:
    return f"SELECT count(*) FROM (SELECT 1 FROM {quote_name(table)} LIMIT 1)"


def nulls(table: Name, column: str) -> str:
    return f"SELECT count(*) FROM {quote_name(table)} WHERE {quote(column)} IS NULL"


def violations(table: Name, expression: str) -> str:
    """Rows for which the check is false; NULL passes, as it does for SQLite."""
    return f"SELECT count(*) FROM {quote_name(table)} WHERE NOT ({expression})"


def violations_with(table: Name, expression: str, column: str, value: str) -> str:
    """The same for a column that the table does not have yet, with the value that every row would get."""
    rows = f"SELECT *, {render_default(value)} AS {quote(column)} FROM {quote_name(table)}"
    return f"SELECT count(*) FROM ({rows}) WHERE NOT ({expression})"


def duplicates(table: Name, keys: Sequence[str], *, predicate: str = "") -> str:
    """Groups of rows that share the key (SQL, quoted already). NULLs never collide."""
    conditions = [f"{key} IS NOT NULL" for key in keys] + ([f"({predicate})"] if predicate else [])
    where = " AND ".join(conditions)
    groups = f"SELECT 1 FROM {quote_name(table)} WHERE {where} GROUP BY {', '.join(keys)} HAVING count(*) > 1"
    return f"SELECT count(*) FROM ({groups})"


def key_of(parts: Sequence[IndexPart]) -> tuple[str, ...]:
    """Each part with its collation, by which SQLite judges two values equal."""
    return tuple(
        (quote(part.column) if part.column else f"({part.expression})")
        + (f" COLLATE {quote(part.collation)}" if part.collation else "")
        for part in parts
    )


def orphans(table: Name, key: ForeignKey) -> str:
    """Rows whose complete key points at nothing."""
    there = key.referenced_columns or key.columns
    present = " AND ".join(f"child.{quote(column)} IS NOT NULL" for column in key.columns)
    equal = " AND ".join(f"parent.{quote(far)} = child.{quote(near)}" for near, far in zip(key.columns, there, strict=False))
    return (
        f"SELECT count(*) FROM {quote_name(table)} AS child WHERE {present}"
        f" AND NOT EXISTS (SELECT 1 FROM {quote_name(key.referenced)} AS parent WHERE {equal})"
    )


def referencing_rows(holder: Name, key: ForeignKey) -> str:
    present = " AND ".join(f"{quote(column)} IS NOT NULL" for column in key.columns)
    return f"SELECT count(*) FROM {quote_name(holder)} WHERE {present}"


def wrongly_typed(table: Name, column: str, type: str) -> str:
    """Counts the values that a STRICT column of the type refuses."""
    return f"SELECT count(*) FROM {quote_name(table)} WHERE {refused_by_strict(column, type)}"


def refused_by_strict(column: str, type: str) -> str:
    """A condition: the value is none that a STRICT column of the type takes, because it cannot convert it without loss.

    Compared with its own CAST to NUMERIC, a text counts as a number only when all of it is one: '12' and ' 3.0 ' are, '12 EUR' is not.
    """
    value = quote(column)
    blob, not_a_number = f"typeof({value}) = 'blob'", f"{value} <> CAST({value} AS NUMERIC)"
    match type.upper():
        case "INT" | "INTEGER":
            wrong = f"{blob} OR {not_a_number} OR CAST({value} AS NUMERIC) <> CAST(CAST({value} AS NUMERIC) AS INTEGER)"
        case "REAL":
            wrong = f"{blob} OR {not_a_number}"
        case "TEXT":
            wrong = blob
        case "BLOB":
            wrong = f"typeof({value}) <> 'blob'"
        case _:
            wrong = "0"
    return f"{value} IS NOT NULL AND ({wrong})"
