"""DF501: a new enum label cannot be used before the transaction that adds it commits."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, AddEnumValue, BaseOperation, Delete, Insert, SetDefault, Update


@check(
    "DF501",
    on=(Insert, Update, Delete, SetDefault, AddColumn),
    page="type/enum-value-used",
    title="A new enum label used in the same transaction",
    dialects=("postgresql",),
    only=(
        "in_transaction",
        "not_first_of_transaction",
    ),
)
def enum_value_used(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Error 55P04. A tool that runs all pending files in one transaction makes it happen across files."""
    text = getattr(operation, "sql", "") or getattr(operation, "default", "")
    if isinstance(operation, AddColumn):
        text = operation.column.default or ""
    for added in at.earlier_of(AddEnumValue):
        if f"'{added.value}'" in text and not any(_made(one, added) for one in at.earlier):
            yield finding(
                at,
                f"will fail: '{added.value}' was added to {added.name.name} in this transaction and cannot be used yet",
                axis="breaks",
                severity="error",
                why="the server refuses an enum label before the transaction that adds it commits (unsafe use of new value)",
                remedy=Remedy(summary="add the label in a migration of its own, before this one"),
                known_by="rule",
                near=added.value,
            )


def _made(operation: object, added: AddEnumValue) -> bool:
    """A type that the same transaction creates may be used with all its labels."""
    made = getattr(operation, "type", None)
    return getattr(made, "name", None) == added.name
