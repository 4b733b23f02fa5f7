"""ADD COLUMN with a `maintained` directive: a column that a trigger keeps, for expressions that no generated column may hold."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Table
from driftflow.model.operations import AddColumn
from driftflow.model.plan import Expectation, Step, UndoNothing, Verify
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_keeper import ColumnKeeper
from driftflow.strategies.columns.filling import backfill, chunk_key
from driftflow.strategies.columns.said_maintained import MaintainedRequest, inputs_of, maintained_of, over_row
from driftflow.strategies.recipe import Recipe, bounded_count
from driftflow.strategies.rules.row_rules import refuse_unseen
from driftflow.strategies.trigger_text import has_functions
from driftflow.strategies.types.conversion import comparable

NAME = "maintain_column"


def _applies(operation: AddColumn, at: Situation) -> bool:
    return bool(at.directives("maintained"))


@strategy(NAME, on=AddColumn, applies=_applies, rank=96, page="maintain-column")
def maintain_column(operation: AddColumn, at: Situation) -> Iterator[Step]:
    request, table, column = maintained_of(at, operation.column.name), at.table(operation.table), operation.column
    if request is None or table is None or not _bare(column) or operation.constraints:
        raise RefusedError(
            "DF-E746",
            f"no trigger could keep {column.name} true",
            where=str(at.statement.span),
            why="the column must be nullable at first, and have no default, no expression and no constraint of its own",
            hint="add these in statements of their own behind it: ALTER TABLE ... ALTER COLUMN ... SET NOT NULL",
        )
    inputs = inputs_of(request, table)
    refuse_unseen(at, table, column.name, inputs)
    recipe = Recipe(at, NAME)
    keeper = ColumnKeeper(recipe, table, column, request=request, inputs=inputs)
    yield recipe.change(operation, purpose=f"Add {table.name.name}.{column.name}, nullable")
    yield from keeper.steps()
    if not chunk_key(at, table):
        raise RefusedError(
            "DF-E746",
            f"no trigger could keep {column.name} true",
            where=str(request.span),
            why=f"{table.name.name} has no key along which the rows that are there could be filled",
            hint="give the table a primary key first",
        )
    yield _filled(recipe, table, request, keeper)
    if not (keeper.volatile or request.lookups):
        yield _verified(recipe, table, column, request)


def _bare(column: Column) -> bool:
    return (
        column.nullable and column.default is None and column.generated is None and column.identity is None and not column.serial
    )


def _filled(recipe: Recipe, table: Table, request: MaintainedRequest, keeper: ColumnKeeper) -> Step:
    at = recipe.at
    target = at.dialect.quote(table.name.name)
    value = over_row(request.expression, target)
    known = "" if keeper.volatile else f" AND ({value}) IS NOT NULL"
    return backfill(
        recipe,
        table,
        assignments=((request.column, value),),
        predicate=f"{target}.{at.dialect.quote(request.column)} IS NULL{known}",
        phase="migrate",
        partial=keeper.volatile or request.lookups,
        own=(request.column,),
        beside=(keeper.name,),
        purpose=f"Fill {table.name.name}.{request.column} in chunks",
    )


def _verified(recipe: Recipe, table: Table, column: Column, request: MaintainedRequest) -> Verify:
    at = recipe.at
    target = at.dialect.quote(table.name.name)
    sides = [f"{target}.{at.dialect.quote(column.name)}", f"({over_row(request.expression, target)})"]
    wrong = (
        at.dialect.differs(*(comparable(one, column.type) for one in sides)) if has_functions(at) else at.dialect.differs(*sides)
    )
    said = f"every {column.name} of {table.name.name} is what it is made of"
    return Verify(
        **recipe.common(f"Verify that {said}", "migrate"),
        expectations=(
            Expectation(
                summary=said, query=bounded_count(f"SELECT 1 FROM {at.dialect.quote_name(table.name)} WHERE {wrong}"), expect="0"
            ),
        ),
        statement_timeout_ms=0,
        undo=UndoNothing(reason="it changes nothing"),
    )
