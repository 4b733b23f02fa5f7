"""A guard against rows of a table that meet a condition, each by itself."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.names import Name
from driftflow.model.plan import Guard
from driftflow.strategies.cleansing.archiving import listed
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
