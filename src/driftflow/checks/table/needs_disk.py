"""DF410: a rewrite needs room for a second table, and as much again for the log."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation

MUCH = 20
"""So many times the reserve that is kept free (`disk_free_bytes`) is worth a warning."""


@check("DF410", on=BaseOperation, page="table/needs-disk", title="A rewrite needs disk space", only=("rewrites",))
def needs_disk(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Only where the size is known, and larger than the reserve. How much is free the catalog does not say: the engine asks before it begins."""
    for relation in at.effects.rewrites:
        table = at.table(relation)
        needed = table.statistics.bytes if table is not None and not table.new else None
        if needed is None or needed <= at.policy.disk_free_bytes:
            continue
        yield finding(
            at,
            f"{relation.name} is written anew: about {needed / 1e9:,.1f} GB more are needed until it is done",
            axis="blocks",
            severity="warning" if needed >= MUCH * at.policy.disk_free_bytes else "info",
            why="the journal keeps every page as it was until the commit"
            if at.can(Capability.SINGLE_WRITER)
            else "the old table and its indexes stay until the end; the log grows by about as much, and so does what replicas still have to read",
            remedy=Remedy(summary="see that twice as much is free, on the replicas too, or copy in chunks at a pace of your own"),
            known_by="catalog",
        )
