"""A guard against rows of a table that meet a condition, each by itself."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.plan import Guard
from driftflow.strategies.cleansing.archiving import listed
from driftflow.strategies.columns.filling import chunk_key, null_keys
from driftflow.strategies.in_ranges import ranges_of
from driftflow.strategies.recipe import bounded_count

KEYS_MOST = 10


def guard_rows(at: Situation, table: Name, condition: str, said: str, *, hint: str, key: Sequence[str] = ()) -> Guard:
    """Refuses where there is one, and lists some by the columns of the `key`, where it is given. `said` is what such rows do: "break the rule"."""
    target, columns = at.dialect.quote_name(table), listed(at, key)
    return Guard(
        query=bounded_count(f"SELECT 1 FROM {target} WHERE {condition}"),
        summary=f"{{count}} rows of {table.name} {said}",
        hint=hint,
        keys=f"SELECT {columns} FROM {target} WHERE {condition} ORDER BY {columns} LIMIT {KEYS_MOST}" if columns else "",
        ranges=ranges_of(at, table, condition),
    )


def guard_null_keys(at: Situation, table: Table, key: tuple[str, ...]) -> tuple[Guard, ...]:
    """Where an archive goes by a primary key that SQLite lets be NULL: nothing could be given back to such a row."""
    condition = null_keys(at, table, key)
    said = f"hold NULL in the primary key ({', '.join(key)}), by which an archive finds its rows again"
    hint = "give these rows a key first"
    return (guard_rows(at, table.name, condition, said, hint=hint, key=chunk_key(at, table)),) if condition else ()
