"""DF003: driftflow does not understand the statement, and does not guess."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation


@check(
    "DF003",
    on=BaseOperation,
    page="statement/not-understood",
    title="What the statement does is not known",
    only=("unknown",),
)
def not_understood(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Unknown is not harmless: the lab can observe what nobody can predict."""
    yield finding(
        at,
        "what this statement locks and does is not known",
        axis="note",
        severity="warning",
        why=at.effects.unknown,
        remedy=Remedy(summary="read it by hand; write it as plain statements where it can be written so"),
        known_by="rule",
    )
