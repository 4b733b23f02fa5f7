"""Expressions that the server refuses for what they name or ask."""

from __future__ import annotations

from collections.abc import Iterable

from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.expressions import asks_a_query, columns_named
from driftflow.model.catalog import Column, Table

SYSTEM = frozenset({"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"})
"""Columns that every table has."""


def refuse_unknown(p: Prediction, table: Table | None, expression: str, *, beside: Iterable[Column] = ()) -> None:
    """A column that the table does not have; `beside` are columns of the same statement. A table of which not all is known may have any."""
    if table is None or table.partial or not p.catalog.complete or not expression:
        return
    known = SYSTEM | {one.name for one in (*table.columns, *beside)} | {table.name.name}
    for names in columns_named(expression):
        of_table = len(names) == 1 or (len(names) == 2 and names[0] == table.name.name and table.column(names[0]) is None)
        if of_table and names[-1] not in known:
            p.fails("missing", f'column "{names[-1]}" of "{table.name.text}" does not exist', relation=table.name, certain=True)


def refuse_query(p: Prediction, table: Table | None, expression: str, what: str) -> None:
    """`what` it is that takes none: a check, a default, ..."""
    if asks_a_query(expression):
        p.fails("expression", f"{what} cannot ask a query", relation=table.name if table else None, certain=True)


def refuse_columns(p: Prediction, table: Table | None, default: str) -> None:
    """A default is computed without a row."""
    if columns_named(default):
        named = ", ".join(sorted(".".join(names) for names in columns_named(default)))
        p.fails("expression", f"a default cannot name a column ({named})", relation=table.name if table else None, certain=True)
    refuse_query(p, table, default, "a default")
