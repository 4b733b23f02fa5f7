"""`-- driftflow: polymorphic ...` above the CHECK of the type's column: the CHECK, an index, and triggers on both sides."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, Index, IndexPart, Table
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex
from driftflow.model.plan import Expectation, Step, UndoNothing, Verify
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.constraining import bind_then_validate, guard_check
from driftflow.strategies.fitted import fit
from driftflow.strategies.rebuild import rebuilding
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.references.polymorphic import Polymorphic
from driftflow.strategies.references.polymorphic_apart import PolymorphicApart
from driftflow.strategies.references.said_polymorphic import PolymorphicRequest, polymorphic_of
from driftflow.strategies.spoken import refuse_unknown

NAME = "keep_polymorphic"


def _applies(operation: AddConstraint, at: Situation) -> bool:
    return (
        isinstance(operation.constraint, Check) and bool(at.directives("polymorphic")) and at.table(operation.table) is not None
    )


@strategy(NAME, on=AddConstraint, applies=_applies, rank=96, page="keep-polymorphic")
def keep_polymorphic(operation: AddConstraint, at: Situation) -> Iterator[Step]:
    check, request, table = operation.constraint, polymorphic_of(at), at.table(operation.table)
    assert isinstance(check, Check) and request is not None and table is not None
    refuse_unknown(table, (request.type, request.id), verb="polymorphic", span=request.span)
    recipe = Recipe(at, NAME)
    apart = at.can(Capability.JOINED_UPDATE)
    kept = (PolymorphicApart if apart else Polymorphic)(recipe, table, check.name, request)
    yield from _check(recipe, operation, table, check)
    yield from _index(recipe, table, request, check.name)
    yield from kept.child((kept.guard(),))
    yield from kept.parent_steps()
    yield Verify(
        **recipe.common(f"Prove old rows: ({request.type}, {request.id}) of {table.name.name}", "migrate"),
        statement_timeout_ms=0,
        expectations=(
            Expectation(
                summary=f"every row of {table.name.name} points at one that is there", query=kept.guard().query, expect="0"
            ),
        ),
        undo=UndoNothing(reason="it changes nothing"),
    )


def _check(recipe: Recipe, operation: AddConstraint, table: Table, check: Check) -> Iterator[Step]:
    """Before the triggers: a rebuild would not know them."""
    if recipe.at.can(Capability.NOT_VALID_CONSTRAINT):
        yield from bind_then_validate(recipe, table.name, check, phase="migrate", only=operation.only)
    elif rebuilding.needs_rebuild(operation, recipe.at):
        guards = (guard_check(recipe.at, table.name, check),)
        yield rebuilding.rebuild(recipe, (operation,), table=table.name, phase="migrate", guards=guards)
    else:
        guards = (guard_check(recipe.at, table.name, check),)
        yield recipe.change(operation, purpose=f"Add the check {check.name}", phase="migrate", guards=guards)


def _index(recipe: Recipe, table: Table, request: PolymorphicRequest, name: str) -> Iterator[Step]:
    """The parent's side looks for rows by the pair."""
    columns = (request.type, request.id)
    known = [index.columns[:2] for index in table.indexes if not index.predicate]
    if columns in known or columns[::-1] in known:
        return
    index = Index(
        name=Name(schema=table.name.schema, name=fit(f"{name}_idx")),
        table=table.name,
        parts=tuple(IndexPart(column=one) for one in columns),
    )
    purpose = f"Build an index by which rows of {table.name.name} are found that point at a row"
    if recipe.at.can(Capability.CONCURRENT_INDEX):
        yield recipe.build_index(index, purpose=purpose)
    else:
        yield recipe.change(CreateIndex(index=index), purpose=purpose, phase="migrate")
