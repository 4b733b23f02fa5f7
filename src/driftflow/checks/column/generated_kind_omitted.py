"""DF121: GENERATED ALWAYS AS (...) without STORED or VIRTUAL means VIRTUAL since PostgreSQL 18, and is an error before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, CreateTable
from driftflow.patterns import lazy_regex

_SAID = lazy_regex(r"\bvirtual\b", re.IGNORECASE)


@check(
    "DF121",
    on=(AddColumn, CreateTable),
    page="column/generated-kind-omitted",
    title="A generated column that does not say which kind",
    dialects=("postgresql",),
)
def generated_kind_omitted(operation: AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    """The operation has the kind that the server takes; whether somebody chose it only the text tells."""
    columns = (operation.column,) if isinstance(operation, AddColumn) else operation.table.columns
    for column in columns:
        if column.generated is None or column.generated.stored or _SAID.search(at.statement.sql):
            continue
        yield finding(
            at,
            f"{column.name} is VIRTUAL: computed at every read, because nothing else is said",
            axis="note",
            severity="warning",
            why="it cannot be indexed, be unique, or go to a logical replica; before PostgreSQL 18 the same text is a syntax error",
            remedy=Remedy(
                summary="write VIRTUAL if it is meant; STORED writes the table anew", sql=_said(column.generated.expression)
            ),
            near=column.name,
        )


def _said(expression: str) -> str:
    return f"GENERATED ALWAYS AS ({expression}) VIRTUAL"
