"""UNIQUE in which NULL equals NULL: natively where the server has it, else by one partial index for each set of columns that may be NULL."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Index, IndexPart, Table
from driftflow.model.names import Name
from driftflow.model.operations import CreateIndex
from driftflow.model.plan import Guard, Step
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.constraining import guard_duplicates
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "nulls_not_distinct"
NULLABLE_MOST = 3
"""Each more doubles the number of indexes."""


def _applies(operation: CreateIndex, at: Situation) -> bool:
    return operation.index.unique and bool(at.directives("nulls-not-distinct"))


@strategy(NAME, on=CreateIndex, applies=_applies, rank=85, page="nulls-not-distinct")
def nulls_not_distinct(operation: CreateIndex, at: Situation) -> Iterator[Step]:
    index = replace(operation.index, nulls_not_distinct=True)
    recipe, table = Recipe(at, NAME), at.table(index.table)
    guard = guard_duplicates(at, index)
    guards = (guard,) if guard is not None else ()
    for number, one in enumerate(_indexes(at, index, table)):
        yield _build(recipe, one, guards if number == 0 else ())


def _build(recipe: Recipe, index: Index, guards: tuple[Guard, ...]) -> Step:
    purpose = f"Make rows of {index.table.name} unique: {index.name.name}" + (
        f" where {index.predicate}" if index.predicate else ""
    )
    if recipe.at.can(Capability.CONCURRENT_INDEX) and is_large(recipe.at, index.table):
        return recipe.build_index(index, purpose=purpose, guards=guards)
    return recipe.change(CreateIndex(index=index), purpose=purpose, phase="migrate", guards=guards)


def _indexes(at: Situation, index: Index, table: Table | None) -> Iterator[Index]:
    if at.can(Capability.NULLS_NOT_DISTINCT):
        yield index
        return
    nullable = [part for part in index.parts if _may_be_null(part, table)]
    if not at.can(Capability.PARTIAL_INDEX) or len(nullable) > NULLABLE_MOST:
        why = "it has neither NULLS NOT DISTINCT nor partial indexes"
        hint = "make columns NOT NULL with a value that stands for nothing"
        if at.can(Capability.PARTIAL_INDEX):
            why = f"it has no NULLS NOT DISTINCT, and {len(nullable)} columns that may be NULL would take {2 ** len(nullable)} indexes"
        else:
            hint += ", or index a virtual column that has one: AS (coalesce(c, -1)) VIRTUAL"
        raise RefusedError(
            "DF-E656",
            f"{index.name.name} cannot treat NULLs as equal on this server",
            where=str(at.statement.span),
            why=why,
            hint=hint,
        )
    plain = replace(index, nulls_not_distinct=False)
    yield plain
    sets = [chosen for size in range(1, len(nullable) + 1) for chosen in combinations(nullable, size)]
    for number, chosen in enumerate(sets, 1):
        yield _where_null(at, plain, chosen, number)


def _where_null(at: Situation, index: Index, chosen: tuple[IndexPart, ...], number: int) -> Index:
    """Rows in which exactly these are NULL are unique by the others; where all are, there may be one row."""
    absent = [f"{_text(at, part)} IS NULL" for part in chosen]
    rest = tuple(part for part in index.parts if part not in chosen)
    parts = rest or (IndexPart(expression=f"{_text(at, chosen[0])} IS NULL"),)
    condition = " AND ".join([*([f"({index.predicate})"] if index.predicate else []), *absent])
    name = Name(schema=index.name.schema, name=f"{index.name.name[:55]}_null_{number}")
    return replace(index, name=name, parts=parts, predicate=at.dialect.normal_expression(condition))


def _text(at: Situation, part: IndexPart) -> str:
    return at.dialect.quote(part.column) if part.column else f"({part.expression})"


def _may_be_null(part: IndexPart, table: Table | None) -> bool:
    column = table.column(part.column) if table is not None and part.column else None
    return column is None or column.nullable
