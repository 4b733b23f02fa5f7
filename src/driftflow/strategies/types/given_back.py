"""Whether a column's values are the same in the type that it had before: a rollback changes none of them without a word."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Table
from driftflow.model.operations import AlterColumnType, Operation
from driftflow.model.plan import Guard
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.inverses.inverse_alter import split_type
from driftflow.strategies.row_guards import guard_rows
from driftflow.strategies.types.conversion import LIMITS, NUMBERS

TEXTS = ("text", "character varying")
MOMENTS = (
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
    "interval",
)


def guards_back(at: Situation, operation: Operation, catalog: Catalog) -> Iterator[Guard]:
    """Of an ALTER COLUMN TYPE that takes a wider type back: the server rounds a number or a moment that has digits too many, and cuts white space
    off a text."""
    if not isinstance(operation, AlterColumnType) or operation.using:
        return
    table = catalog.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if table is None or column is None or table.new:
        return
    yield from guard_back(at, table, column.name, now=column.type, then=operation.type)


def guard_back(at: Situation, table: Table, column: str, *, now: str, then: str) -> Iterator[Guard]:
    """The same, of a column whose type is `now` by then."""
    if changed := _changed(at.dialect.quote(column), now, then):
        yield not_given_back(at, table, changed, column=column, type=then, key=chunk_key(at, table))


def not_given_back(at: Situation, table: Table, condition: str, *, column: str, type: str, key: tuple[str, ...] = ()) -> Guard:
    said = f"hold a {column} that the old type {type} does not give back"
    return guard_rows(at, table.name, condition, said, hint="change these rows, or keep the new type", key=key)


def _changed(value: str, now: str, then: str) -> str:
    """A condition that is true for values which are others in the type `then`, or none; empty where there are no such values, or none are known."""
    (old, _), (new, sizes) = split_type(now), split_type(then)
    if now.endswith("[]") or then.endswith("[]"):
        return ""
    if old in TEXTS and new in TEXTS:
        return f"char_length({value}) > {sizes[0]}" if sizes else ""
    if old in NUMBERS and new in LIMITS:
        low, high = LIMITS[new]
        parts = f"{value} <> trunc({value}) OR " if old == "numeric" else ""
        return f"({parts}{value} NOT BETWEEN {low} AND {high})"
    if old in NUMBERS and new == "numeric" and sizes:
        digits, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
        return f"({value} <> 'NaN' AND ({value} <> round({value}, {scale}) OR abs({value}) >= 1e{digits - scale}))"
    if old == new and new in MOMENTS and sizes:
        return f"({value} <> {value}::{then})"
    if (old, new) == ("double precision", "real"):
        return f"({value} IS DISTINCT FROM {value}::real::double precision)"
    return ""
