"""RENAME TABLE or SET SCHEMA of a table in use: in the same transaction a view takes the old name, until the old application is gone."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import DropView, MoveTable, RenameTable
from driftflow.model.plan import Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.dual_write import RETIRE_NAME
from driftflow.strategies.phases import breaks_running_code
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.renames.names_swapped import rename_with_view
from driftflow.strategies.renames.standing_view import standing_view, why_not

NAME = "rename_table"


def _applies(operation: RenameTable | MoveTable, at: Situation) -> bool:
    """Where running code says the old name, and the author has not put a gate before the statement: then it is meant to come after."""
    table = at.table(operation.name)
    if table is None or table.kind != "table" or at.directives("gate") or not breaks_running_code(operation, at):
        return False
    return at.can(Capability.TRANSACTIONAL_DDL) or (at.can(Capability.RENAME_TOGETHER) and _stays(operation, at))


def _stays(operation: RenameTable | MoveTable, at: Situation) -> bool:
    """Where views go by names: the new name is the last one, and the statement does nothing else to either name."""
    others = [one.operation for one in at.file.situations if one.statement.span == at.statement.span and one.place != at.place]
    named = {operation.name, operation.renamed}
    apart = all(isinstance(one, RenameTable | MoveTable) and not named & {one.name, one.renamed} for one in others)
    return apart and not at.conflict and (at.final or at.catalog).table(operation.renamed) is not None


@strategy(NAME, on=(RenameTable, MoveTable), applies=_applies, rank=60, page="rename-table")
def rename_table(operation: RenameTable | MoveTable, at: Situation) -> Iterator[Step]:
    """The two names live side by side between the first step and the last; the gate lies between them."""
    table = at.table(operation.name)
    assert table is not None
    _refuse_unsafe(operation, at, table)
    recipe, old = Recipe(at, NAME), operation.name
    stand = standing_view(at, table, named=old, over=operation.renamed)
    if at.can(Capability.RENAME_TOGETHER):
        yield from rename_with_view(recipe, operation, table)
    else:
        yield recipe.change(
            operation,
            *stand,
            purpose=f"Rename {old.name} to {_shown(old, operation.renamed)} and let a view answer to the old name",
        )
    last = recipe.change(
        DropView(name=old), purpose=f"Take away the view that answers to the old name {old.name}", phase="contract"
    )
    back = UndoSteps(steps=(recipe.undo_step(stand, recipe.catalog, phase="contract"),))
    yield replace(last, strategy=RETIRE_NAME, undo=back)


def _shown(old: Name, new: Name) -> str:
    return new.name if old.schema == new.schema else new.text


def _refuse_unsafe(operation: RenameTable | MoveTable, at: Situation, table: Table) -> None:
    if isinstance(operation, MoveTable) and table.triggers and at.can(Capability.RENAME_TOGETHER):
        names = ", ".join(trigger.name for trigger in table.triggers)
        raise RefusedError(
            "DF-E723",
            f"{operation.name.name} cannot move to {operation.schema} with its triggers",
            where=str(at.statement.span),
            why=f"the server refuses it (error 1435): {names} would stay behind, and between a DROP TRIGGER and its CREATE rows are written without it",
            hint="drop the triggers while the application is stopped, move the table, and create them again there",
        )
    if reason := why_not(at, table):
        raise RefusedError(
            "DF-E660",
            f"{operation.name.name} cannot be renamed while the application runs",
            where=str(at.statement.span),
            why=reason,
            hint='rename it while the application is stopped: -- driftflow: as-is reason="..."',
        )
