"""CREATE INDEX on a partitioned table: the parent's index is an empty shell, each partition's is built online, and then they are attached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Index, Table
from driftflow.model.names import Name
from driftflow.model.operations import AlterIndex, CreateIndex, DropIndex
from driftflow.model.plan import Guard, Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "build_partitioned_index"


def _applies(operation: CreateIndex, at: Situation) -> bool:
    table = at.table(operation.index.table)
    if table is None or table.partitioning is None or not at.can(Capability.CONCURRENT_INDEX) or operation.only:
        return False
    busy = any(is_large(at, leaf.name) for leaf in _leaves(at, table))
    return busy and bool(operation.index.name.name) and not operation.concurrently and not operation.if_not_exists


@strategy(NAME, on=CreateIndex, applies=_applies, rank=65, page="build-partitioned-index")
def build_partitioned_index(operation: CreateIndex, at: Situation) -> Iterator[Step]:
    recipe, index = Recipe(at, NAME), operation.index
    top = at.table(index.table)
    assert top is not None
    members = [(table, _index_on(index, table, top)) for table in _tree(at, top)]
    yield from family_online(recipe, members)


def family_online(recipe: Recipe, members: Sequence[tuple[Table, Index]], *, guards: tuple[Guard, ...] = ()) -> Iterator[Step]:
    """The indexes of a partitioned table and of its partitions: its own first, each partition's behind that of its parent."""
    (top, index), of = members[0], {table.name: one for table, one in members}
    drop = DropIndex(name=index.name, table=index.table, if_exists=True)

    def there_and_back(step: Step) -> Step:
        """Attached indexes cannot be dropped alone: the parent's goes first, and takes them along."""
        return replace(step, undo=UndoSteps(steps=(recipe.undo_step((drop,), recipe.catalog, phase="migrate"),)))

    nothing = UndoNothing(reason="see the undo of this step")
    shells = (CreateIndex(index=one, only=True) for table, one in members if table.partitioning is not None)
    purpose = f"Create {index.name.name} on {index.table.name} alone, without its partitions"
    yield there_and_back(recipe.change(*shells, purpose=purpose, phase="migrate", guards=guards, undo=nothing))
    for table, leaf in members:
        if table.partitioning is None:
            yield recipe.build_index(leaf, purpose=f"Build the index on the partition {table.name.name} online")
    attaches = [
        AlterIndex(name=of[table.partition_of].name, action="attach", child=one.name)
        for table, one in reversed(members)
        if table.partition_of is not None and table.name != top.name
    ]
    if attaches:
        purpose = f"Attach them: {index.name.name} becomes valid with the last one"
        yield there_and_back(recipe.change(*attaches, purpose=purpose, phase="migrate", undo=nothing))


def _tree(at: Situation, table: Table) -> list[Table]:
    """The table and everything below it, parents before children."""
    found = [table]
    for child in at.catalog.partitions(table.name):
        found += _tree(at, child)
    return found


def _leaves(at: Situation, table: Table) -> list[Table]:
    return [found for found in _tree(at, table) if found.partitioning is None]


def _index_on(index: Index, table: Table, top: Table) -> Index:
    """The same index on another table, under the name that the server itself would choose."""
    if table.name == top.name:
        return index
    columns = "_".join(part.column or "expr" for part in index.parts)
    return replace(
        index, name=Name(schema=table.name.schema, name=f"{table.name.name}_{columns}_idx"[:63]), table=table.name, parent=None
    )
