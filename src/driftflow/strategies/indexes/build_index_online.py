"""CREATE INDEX on a table with rows: CONCURRENTLY, with what a half-built one needs."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.operations import CreateIndex
from driftflow.model.plan import Phase, Step
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.constraining import guard_duplicates
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "build_index_online"


def _applies(operation: CreateIndex, at: Situation) -> bool:
    table = at.table(operation.index.table)
    view = operation.index.table.text in at.catalog.views
    if not at.can(Capability.CONCURRENT_INDEX) or operation.only or (table is not None and table.partitioning is not None):
        return False
    if operation.if_not_exists and table is not None and table.index(operation.index.name.name) is not None:
        return False
    return bool(operation.index.name.name) and not view and (operation.concurrently or is_large(at, operation.index.table))


@strategy(NAME, on=CreateIndex, applies=_applies, rank=60, page="build-index-online")
def build_index_online(operation: CreateIndex, at: Situation) -> Iterator[Step]:
    index = operation.index
    guard = guard_duplicates(at, index) if index.unique else None
    phase: Phase = "contract" if phase_of(operation, at) == "contract" else "migrate"
    unique = "unique index" if index.unique else "index"
    yield Recipe(at, NAME).build_index(
        index,
        purpose=f"Build the {unique} {index.name.name} on {index.table.name} online",
        phase=phase,
        guards=(guard,) if guard is not None else (),
    )
