"""DF503: an enum label can never be removed, and code that does not know it may stumble over it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddEnumValue


@check("DF503", on=AddEnumValue, page="type/enum-value-added", title="An enum label stays for good", dialects=("postgresql",))
def enum_value_added(operation: AddEnumValue, at: Situation) -> Iterator[Finding]:
    """Silent for a type of this release, and for a label that IF NOT EXISTS finds there."""
    known = at.catalog.types.get(operation.name.text)
    made = known is not None and at.start is not None and operation.name.text not in at.start.types
    if made or (known is not None and operation.if_not_exists and operation.value in known.labels):
        return
    yield finding(
        at,
        f"'{operation.value}' can never be removed from {operation.name.name}",
        axis="breaks",
        severity="info",
        why="there is no DROP VALUE; code of the version before this one may fail when it reads a label that it does not know",
        remedy=Remedy(summary="deploy code that knows the label before the first row uses it"),
        known_by="rule",
        near=operation.value,
    )
