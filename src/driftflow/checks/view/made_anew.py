"""DF602: a view that is dropped and made again comes back without its grants and triggers."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import View
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateView, Grant


@check(
    "DF602",
    on=CreateView,
    page="view/made-anew",
    title="A view made anew has lost its grants and triggers",
    dialects=("postgresql", "sqlite"),
)
def view_made_anew(operation: CreateView, at: Situation) -> Iterator[Finding]:
    """Compared with the view as the release found it; what the release grants or makes again is not missed."""
    name = operation.view.name
    before = at.start.views.get(name.text) if at.start is not None else None
    if before is None or name.text in at.catalog.views:  # OR REPLACE keeps them
        return
    lost = [*_triggers(before, at), *_grants(before, at)]
    if lost:
        yield finding(
            at,
            f"{name.name} comes back without {' and '.join(lost)}",
            axis="loses",
            severity="warning",
            why="DROP takes them along, and CREATE VIEW makes none: roles that could read it cannot any more",
            remedy=Remedy(
                summary="CREATE OR REPLACE keeps them while columns are only added at the end; else state them again in the same transaction"
            ),
            known_by="catalog",
            near=name.name,
        )


def _triggers(before: View, at: Situation) -> Iterator[str]:
    after = at.final.views.get(before.name.text) if at.final is not None else None
    kept = {trigger.name for trigger in after.triggers} if after is not None else set()
    for trigger in before.triggers:
        if trigger.name not in kept:
            yield f"trigger {trigger.name}"


def _grants(before: View, at: Situation) -> Iterator[str]:
    own = f"{before.owner}="
    if any(not grant.startswith(own) for grant in before.grants) and not _granted(before, at):
        yield "the grants to " + ", ".join(
            sorted({grant.partition("=")[0] or "PUBLIC" for grant in before.grants if not grant.startswith(own)})
        )


def _granted(before: View, at: Situation) -> bool:
    """Whether a later statement of the same file grants on it."""
    own = (one for statement in at.migration.statements for one in statement.operations if isinstance(one, Grant))
    return any(not one.revoke and any(name.name == before.name.name for name in one.relations) for one in own)
