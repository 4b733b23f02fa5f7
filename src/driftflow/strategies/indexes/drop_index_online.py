"""DROP INDEX takes ACCESS EXCLUSIVE on the table; CONCURRENTLY waits for readers instead of stopping them."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Index, Table
from driftflow.model.names import Name
from driftflow.model.operations import DropIndex
from driftflow.model.plan import Step
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "drop_index_online"


def _applies(operation: DropIndex, at: Situation) -> bool:
    if not at.can(Capability.CONCURRENT_INDEX) or operation.cascade:
        return False
    found = _find(at, operation.name)
    if found is None:
        return operation.concurrently
    table, index = found
    if table.partitioning is not None or index.constraint or table.new:
        return False
    return operation.concurrently or is_large(at, table.name)


@strategy(NAME, on=DropIndex, applies=_applies, rank=60, page="drop-index-online")
def drop_index_online(operation: DropIndex, at: Situation) -> Iterator[Step]:
    online = replace(operation, concurrently=True, if_exists=True)
    yield Recipe(at, NAME).alone(online, purpose=f"Drop the index {operation.name.name} online", phase=phase_of(operation, at))


def _find(at: Situation, name: Name) -> tuple[Table, Index] | None:
    for table in at.catalog.tables.values():
        for index in table.indexes:
            if index.name == name:
                return table, index
    return None
