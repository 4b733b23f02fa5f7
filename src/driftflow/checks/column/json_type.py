"""DF117: json has no equality: DISTINCT, GROUP BY and UNION over it are errors."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, CreateTable


@check("DF117", on=(AddColumn, CreateTable), page="column/json-type", title="json cannot be compared", dialects=("postgresql",))
def json_has_no_equality(operation: AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    columns: tuple[Column, ...] = (operation.column,) if isinstance(operation, AddColumn) else operation.table.columns
    for column in columns:
        if column.type == "json":
            yield finding(
                at,
                f"{column.name} is json: a query with DISTINCT, GROUP BY or UNION over the row fails",
                axis="breaks",
                severity="info" if isinstance(operation, CreateTable) else "warning",
                why="json keeps the text and has no = operator; existing SELECT DISTINCT queries of the table break",
                remedy=Remedy(summary="use jsonb, unless the exact text matters", sql=f"{at.dialect.quote(column.name)} jsonb"),
                known_by="rule",
                near=column.name,
            )
