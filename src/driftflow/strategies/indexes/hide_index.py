"""An index goes after a time in which no query sees it: what needed it is noticed while it can come back in an instant."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.operations import AlterIndex, DropIndex
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.recipe import Recipe

NAME = "hide_index"
ASK = {
    Capability.CONCURRENT_INDEX: "whether queries use it is counted: SELECT idx_scan FROM pg_stat_user_indexes, on every replica too",
    Capability.SINGLE_WRITER: "whether queries use it: EXPLAIN QUERY PLAN of those that the application has",
}
"""What stands in for it where no index can be hidden."""


def _applies(operation: DropIndex, at: Situation) -> bool:
    return bool(at.directives("soft-drop"))


@strategy(NAME, on=DropIndex, applies=_applies, rank=80, page="hide-index")
def hide_index(operation: DropIndex, at: Situation) -> Iterator[Step]:
    """Raises RefusedError (DF-E758) where no index can be hidden."""
    table = at.table(operation.table) if operation.table is not None else None
    index = table.index(operation.name.name) if table is not None else None
    if not at.can(Capability.HIDDEN_INDEX):
        raise RefusedError(
            "DF-E758",
            f"no index can be hidden from queries on {at.dialect.name}: {operation.name.name} is there, or it is gone",
            where=str(at.statement.span),
            why=next((text for capability, text in ASK.items() if at.can(capability)), "the server is too old"),
            hint="look at that, then leave `soft-drop` out; the drop itself can be taken back by building the index again",
        )
    recipe = Recipe(at, NAME)
    if index is not None and index.visible:
        yield recipe.change(
            AlterIndex(name=operation.name, action="visible", table=operation.table, value="invisible"),
            purpose=f"Hide the index {operation.name.name} from every query; it is still kept up to date",
        )
    yield recipe.change(
        operation, purpose=f"Drop the index {operation.name.name}, which no query has seen since it was hidden", phase="contract"
    )
