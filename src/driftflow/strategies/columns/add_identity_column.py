"""ADD COLUMN ... GENERATED AS IDENTITY, or serial, on a table with rows: numbers are given in chunks, the sequence is handed over at the end."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Identity, Sequence, SequenceOptions
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AlterIdentity,
    AlterSequence,
    CreateSequence,
    DropColumn,
    DropDefault,
    DropSequence,
    SetDefault,
)
from driftflow.model.plan import Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_parts import can_fill, counts_up
from driftflow.strategies.columns.filling import backfill
from driftflow.strategies.constraints.constraining import prove_not_null
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "add_identity_column"


def _applies(operation: AddColumn, at: Situation) -> bool:
    if at.can(Capability.TABLE_REBUILD_ONLY) or at.dialect.one_pass or operation.constraints or operation.if_not_exists:
        return False
    return counts_up(operation.column) and is_large(at, operation.table) and can_fill(operation, at)


@strategy(NAME, on=AddColumn, applies=_applies, rank=70, page="add-identity-column")
def add_identity_column(operation: AddColumn, at: Situation) -> Iterator[Step]:
    """Identity needs NOT NULL first; its own sequence starts where ours stopped, in the transaction that swaps them."""
    recipe = Recipe(at, NAME)
    table, column = at.table(operation.table), operation.column
    assert table is not None
    sequence = _sequence(operation)
    bare = replace(operation, column=replace(column, nullable=True, default=None, identity=None, serial=False))
    default = SetDefault(table=table.name, column=column.name, default=_nextval(at, sequence))
    made = CreateSequence(sequence=Sequence(name=sequence, options=_options(operation)))
    owned = AlterSequence(name=sequence, owned_by=f"{table.name.text}.{column.name}")
    gone = DropColumn(table=table.name, column=column.name)
    step = recipe.change(
        made,
        bare,
        default,
        *((owned,) if column.identity is None else ()),
        purpose=f"Add {table.name.name}.{column.name}, nullable, numbered from a sequence for new rows",
    )
    drops = (gone, DropSequence(name=sequence, if_exists=True))
    yield replace(step, undo=UndoSteps(steps=(recipe.undo_step(drops, recipe.catalog, phase="expand"),)))
    yield backfill(
        recipe,
        table,
        assignments=((column.name, default.default),),
        predicate=f"{at.dialect.quote(table.name.name)}.{at.dialect.quote(column.name)} IS NULL",
        phase="migrate",
        own=(column.name,),
        purpose=f"Number the old rows of {table.name.name}, in chunks",
    )
    for proof in prove_not_null(recipe, table.name, column.name):
        # An identity column refuses DROP NOT NULL; all of this goes with the column anyway.
        yield replace(proof, undo=UndoNothing(reason="it goes with the column, which the undo of the first step drops"))
    if column.identity is not None:
        yield _hand_over(recipe, operation, sequence)


def _hand_over(recipe: Recipe, operation: AddColumn, sequence: Name) -> Step:
    at, table, column = recipe.at, operation.table, operation.column
    identity = column.identity or Identity()
    swap = (
        DropDefault(table=table, column=column.name),
        AlterIdentity(table=table, column=column.name, action="add", identity=identity),
    )
    after = DropSequence(name=sequence)
    quoted = at.dialect.literal(at.dialect.quote_name(table)), at.dialect.literal(column.name)
    carry = f"SELECT setval(pg_get_serial_sequence({quoted[0]}, {quoted[1]}), {_nextval(at, sequence)})"
    statements = (*(at.dialect.render(operation) for operation in swap), carry, at.dialect.render(after))
    return recipe.change(
        *swap,
        after,
        statements=statements,
        purpose=f"Make {table.name}.{column.name} an identity column that goes on counting where the sequence stopped",
        phase="migrate",
        undo=UndoNothing(reason="the identity goes with the column"),
    )


def _sequence(operation: AddColumn) -> Name:
    """serial keeps its usual name; an identity gets one of its own at the end, so ours must not stand in its place."""
    usual = f"{operation.table.name}_{operation.column.name}_seq"
    return Name(schema=operation.table.schema, name=usual if operation.column.identity is None else f"driftflow_{usual}"[:63])


def _options(operation: AddColumn) -> SequenceOptions:
    options = operation.column.identity.options if operation.column.identity is not None else SequenceOptions()
    return options if options.type else replace(options, type=operation.column.type)


def _nextval(at: Situation, sequence: Name) -> str:
    return f"nextval({at.dialect.literal(at.dialect.quote_name(sequence))}::regclass)"
