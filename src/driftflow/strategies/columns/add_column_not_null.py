"""ADD COLUMN ... NOT NULL without a default fails on any row: added nullable, filled by whoever knows the values, proved at the end."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.operations import AddColumn, DropDefault
from driftflow.model.plan import Step
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_parts import add_in_parts, asked_to_fill, constrain, counts_up, what_costs_nothing
from driftflow.strategies.columns.dual_write import RETIRE_DEFAULT
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import has_slow_work, is_new
from driftflow.strategies.spoken import as_is

NAME = "add_column_not_null"


def _applies(operation: AddColumn, at: Situation) -> bool:
    column = operation.column
    if column.nullable or column.default is not None or column.generated is not None or counts_up(column):
        return False
    known = at.table(operation.table) is not None
    return known and not is_new(at, operation.table) and not as_is(at) and not operation.if_not_exists


@strategy(NAME, on=AddColumn, applies=_applies, rank=65, page="add-column-not-null")
def add_column_not_null(operation: AddColumn, at: Situation) -> Iterator[Step]:
    implicit = at.dialect.implicit_default(operation.column, at.version)
    if any(asked_to_fill(operation, at)) or not implicit or not instant(operation, implicit, at):
        yield from add_in_parts(Recipe(at, NAME), operation)
        return
    yield from _with_passing_default(Recipe(at, NAME), operation, implicit)


def instant(operation: AddColumn, default: str, at: Situation) -> bool:
    """Whether the column with this default is added without writing a row."""
    filled = replace(operation, column=replace(operation.column, default=default), constraints=())
    effects = at.dialect.effects(filled, at.catalog)
    return bool(effects.algorithms) and not has_slow_work(effects)


def _with_passing_default(recipe: Recipe, operation: AddColumn, implicit: str) -> Iterator[Step]:
    """MySQL gives old rows a value that nobody chose. It is said aloud here, and serves the old application until it is gone."""
    at, name = recipe.at, f"{operation.table.name}.{operation.column.name}"
    bare, later = what_costs_nothing(
        replace(operation, column=replace(operation.column, default=implicit), constraints=()), operation.constraints, at
    )
    yield recipe.change(
        bare, purpose=f"Add {name}: old rows, and those of the old application, hold {implicit}, the server's own choice"
    )
    table = recipe.catalog.table(operation.table)
    assert table is not None
    for constraint in later:
        yield from constrain(recipe, table, constraint)
    last = recipe.change(
        DropDefault(table=operation.table, column=operation.column.name),
        purpose=f"Take the default of {name} away: from here on whoever inserts must say it",
        phase="contract",
    )
    yield replace(last, strategy=RETIRE_DEFAULT)
