"""DF122: char(n) pads with blanks and compares without them; it saves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, CreateTable


@check("DF122", on=(AddColumn, CreateTable), page="column/char-pads", title="char(n) pads with blanks", dialects=("postgresql",))
def char_pads(operation: AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    """MySQL takes the blanks away again when it reads, so this is a fact of PostgreSQL."""
    for column in (operation.column,) if isinstance(operation, AddColumn) else operation.table.columns:
        if column.type == "character" or column.type.startswith("character("):
            yield finding(
                at,
                f"{column.name} is padded with blanks, and they are lost in comparisons and casts",
                axis="note",
                severity="info",
                why="length() and LIKE disagree about them; getting rid of the type later writes the table anew",
                remedy=Remedy(
                    summary="use text, with a check where the length matters", sql=f"{at.dialect.quote(column.name)} text"
                ),
                known_by="rule",
                near=column.name,
            )
