"""Probe queries: one row, one number, how many rows would make a statement fail. Plain SQL, ready to paste."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.postgresql.names import quote as quoted
from driftflow.dialects.postgresql.names import quote_name as quoted_name
from driftflow.model.catalog import ForeignKey, IndexPart
from driftflow.model.names import Name


def rows(table: Name) -> str:
    return f"SELECT count(*) FROM (SELECT 1 FROM {quoted_name(table)} LIMIT 1) AS any_row"


def nulls(table: Name, column: str) -> str:
    return f"SELECT count(*) FROM {quoted_name(table)} WHERE {quoted(column)} IS NULL"


def matching(table: Name, predicate: str) -> str:
    return f"SELECT count(*) FROM {quoted_name(table)} WHERE {predicate}"


def violations(table: Name, expression: str) -> str:
    """Rows for which a check is false; NULL passes, as it does for the server."""
    return f"SELECT count(*) FROM {quoted_name(table)} WHERE NOT ({expression})"


def violations_if_any(table: Name, expression: str) -> str:
    """1 where the table has a row and the expression, which names none of its columns, is false."""
    return f"SELECT count(*) FROM (SELECT 1 FROM {quoted_name(table)} LIMIT 1) AS any_row WHERE NOT ({expression})"


def duplicates(table: Name, columns: Sequence[str], *, predicate: str = "", nulls_equal: bool = False) -> str:
    """Groups of rows that share the key. `columns` are SQL, quoted already (or expressions)."""
    conditions = [] if nulls_equal else [f"{column} IS NOT NULL" for column in columns]
    conditions += [f"({predicate})"] if predicate else []
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    keys = ", ".join(columns)
    return f"SELECT count(*) FROM (SELECT 1 FROM {quoted_name(table)}{where} GROUP BY {keys} HAVING count(*) > 1) AS duplicate"


def index_keys(parts: Sequence[IndexPart]) -> tuple[str, ...]:
    return tuple(quoted(part.column) if part.column else f"({part.expression})" for part in parts)


def orphans(table: Name, key: ForeignKey) -> str:
    """Rows whose (complete) key points at nothing, with MATCH FULL also those whose key is complete in part; no query where only the catalog could say
    which columns it refers to."""
    if len(key.referenced_columns) != len(key.columns):
        return ""
    present = " AND ".join(f"child.{quoted(column)} IS NOT NULL" for column in key.columns)
    pairs = zip(key.columns, key.referenced_columns, strict=True)
    equal = " AND ".join(f"parent.{quoted(there)} = child.{quoted(here)}" for here, there in pairs)
    lost = f"{present} AND NOT EXISTS (SELECT 1 FROM {quoted_name(key.referenced)} AS parent WHERE {equal})"
    if key.match == "FULL" and len(key.columns) > 1:
        some = " OR ".join(f"child.{quoted(column)} IS NOT NULL" for column in key.columns)
        lost = f"({lost}) OR (({some}) AND NOT ({present}))"
    return f"SELECT count(*) FROM {quoted_name(table)} AS child WHERE {lost}"
