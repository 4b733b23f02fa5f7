"""DF502: running code still writes the old label, or compares with it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import RenameEnumValue


@check(
    "DF502",
    on=RenameEnumValue,
    page="type/enum-value-renamed",
    title="A renamed enum label breaks running code",
    dialects=("postgresql",),
)
def enum_value_renamed(operation: RenameEnumValue, at: Situation) -> Iterator[Finding]:
    yield finding(
        at,
        f"code that writes '{operation.value}' fails from this moment",
        axis="breaks",
        severity="error",
        why="the label is gone at once; the type has no in-between",
        remedy=Remedy(
            summary="add the new label, let code accept both, move the rows in chunks, leave the old label unused",
            sql=f"ALTER TYPE {at.dialect.quote_name(operation.name)} ADD VALUE '{operation.to}' AFTER '{operation.value}';",
        ),
        known_by="rule",
        near=operation.value,
    )
