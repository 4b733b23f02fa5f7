"""A foreign key from or to a partitioned table of MySQL and MariaDB, which take none: refused, or kept by triggers where the author asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import ForeignKey
from driftflow.model.operations import AddConstraint
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.binding import prove
from driftflow.strategies.constraints.constraining import guard_orphans
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.references.kept_reference import KeptReference

NAME = "reference_by_trigger"
VERB = "by-trigger"


def _applies(operation: AddConstraint, at: Situation) -> bool:
    key, table = operation.constraint, at.table(operation.table)
    if (
        not isinstance(key, ForeignKey)
        or table is None
        or at.can(Capability.NOT_VALID_CONSTRAINT)
        or not at.can(Capability.JOINED_UPDATE)
    ):
        return False
    parent = at.table(key.referenced)
    return table.partitioning is not None or (parent is not None and parent.partitioning is not None)


@strategy(NAME, on=AddConstraint, applies=_applies, rank=98, page="reference-by-trigger")
def reference_by_trigger(operation: AddConstraint, at: Situation) -> Iterator[Step]:
    key, table = operation.constraint, at.table(operation.table)
    assert isinstance(key, ForeignKey) and table is not None
    if not at.directives(VERB):
        raise RefusedError(
            "DF-E713",
            f"{at.dialect.name} has no foreign keys from or to a partitioned table",
            where=str(at.statement.span),
            why="the server refuses them (error 1506)",
            hint="-- driftflow: by-trigger    # triggers on both tables keep it",
        )
    recipe = Recipe(at, NAME)
    kept = KeptReference(recipe, table, key)
    guard = guard_orphans(at, table.name, key)
    yield from kept.index()
    yield from kept.child((guard,))
    yield from kept.parents()
    yield prove(recipe, table.name, key, phase="migrate")
