"""ADD COLUMN in parts: the column alone first, then its values, then what it promises. The strategies that add columns share this order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Check, Column, Constraint, ForeignKey, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, AddConstraint, ChangeColumn, Operation, SetDefault, SetNotNull
from driftflow.model.plan import Phase, Step
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.columns import dual_write
from driftflow.strategies.columns.filling import backfill, chunk_key, fill
from driftflow.strategies.constraints.binding import bind_unproved, binds_unproved
from driftflow.strategies.constraints.constraining import (
    bind_then_validate,
    can_use_index,
    guard_nulls,
    prove_not_null,
    unique_online,
)
from driftflow.strategies.rebuild import rebuilding
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large
from driftflow.strategies.spoken import BackfillRequest, DualWriteRequest


def is_volatile(operation: AddColumn, at: Situation) -> bool:
    """Whether each old row would get a value of its own, or one that the dictionary cannot keep: that makes the server write the whole table."""
    default = operation.column.default
    return default is not None and (at.dialect.volatile(default, at.catalog) or _costs_a_copy(operation, at))


def _costs_a_copy(operation: AddColumn, at: Situation) -> bool:
    """MySQL: whether the column without its default would be added in a better way (a default that is an expression is copied, or refused)."""
    if not at.dialect.one_pass:
        return False
    plain = replace(operation, column=replace(operation.column, default=None, nullable=True), constraints=())
    bare = at.dialect.effects(plain, at.catalog).algorithms
    whole = at.dialect.effects(replace(operation, constraints=()), at.catalog).algorithms
    return bool(bare) and (not whole or whole[0] != bare[0])


def counts_up(column: Column) -> bool:
    """serial, identity or AUTO_INCREMENT: the values are counted."""
    default = (column.default or "").lower()
    return column.identity is not None or column.serial or column.autoincrement or default.startswith("nextval(")


def asked_to_fill(operation: AddColumn, at: Situation) -> tuple[BackfillRequest | None, DualWriteRequest | None]:
    name = operation.column.name
    return spoken.backfill_of(at, name), spoken.dual_write_of(at, name)


def can_fill(operation: AddColumn, at: Situation) -> bool:
    """A chunked backfill walks along a key."""
    table = at.table(operation.table)
    return table is not None and bool(chunk_key(at, table))


def add_in_parts(recipe: Recipe, operation: AddColumn) -> Iterator[Step]:
    """The column, the trigger for the old application, the values, the constraints, NOT NULL; at the end the trigger goes."""
    at, column = recipe.at, operation.column
    table = at.table(operation.table)
    assert table is not None
    request, dual = asked_to_fill(operation, at)
    volatile = is_volatile(operation, at)
    _refuse_hidden_default(operation, request, at)
    prove = not column.nullable and (column.default is None or volatile or request is not None)
    bare, later = _bare(operation, at, prove=prove, fill=volatile or request is not None)
    yield from _add(recipe, operation, bare, set_default=column.default if bare.column.default is None else None)
    if dual is not None:
        yield from dual_write.begin(recipe, table, dual)
    promise = _promise_phase(column, at, dual)
    if request is not None:
        yield from fill(recipe, table, request, partial=dual is None and column.default is None)
    elif volatile:
        yield _fill_default(recipe, table, column)
    for constraint in later:
        yield from constrain(recipe, table, constraint)
    if dual is not None and promise == "contract":
        yield from dual_write.retire(recipe, table, dual)
    if prove:
        if promise == "contract" and request is not None and not (request.csv or request.query):
            yield from fill(recipe, table, request, phase="contract", partial=False, again=True)
        yield from _not_null(recipe, operation, phase=promise)
    if dual is not None and promise != "contract":
        yield from dual_write.retire(recipe, table, dual)


def _refuse_hidden_default(operation: AddColumn, request: BackfillRequest | None, at: Situation) -> None:
    """Where a default cannot be set afterwards, rows would already hold it and look filled."""
    if request is None or operation.column.default is None or not at.can(Capability.TABLE_REBUILD_ONLY):
        return
    raise RefusedError(
        "DF-E320",
        f"{operation.column.name} has a default, so a backfill cannot tell which rows still need a value",
        where=str(at.statement.span),
        why="on this server a default can only be set together with the column",
        hint=f"leave the default out: ALTER TABLE {operation.table.name} ADD COLUMN {operation.column.name} {operation.column.type}",
    )


def _bare(operation: AddColumn, at: Situation, *, prove: bool, fill: bool) -> tuple[AddColumn, tuple[Constraint, ...]]:
    """The column as it can be added in an instant, and the constraints that follow later."""
    split_default = fill and operation.column.default is not None
    column = replace(
        operation.column,
        nullable=operation.column.nullable or prove,
        default=None if split_default else operation.column.default,
    )
    if at.dialect.one_pass:
        return what_costs_nothing(replace(operation, column=column, constraints=()), operation.constraints, at)
    if not at.can(Capability.NOT_VALID_CONSTRAINT):
        stay = tuple(kept for kept in operation.constraints if isinstance(kept, Check | ForeignKey))
        later = tuple(kept for kept in operation.constraints if not isinstance(kept, Check | ForeignKey))
        return replace(operation, column=column, constraints=stay), later
    return replace(operation, column=column, constraints=()), operation.constraints


def what_costs_nothing(
    bare: AddColumn, constraints: tuple[Constraint, ...], at: Situation
) -> tuple[AddColumn, tuple[Constraint, ...]]:
    """The constraints that come along without changing how the column is added, and those that follow it."""
    later: list[Constraint] = []
    for constraint in constraints:
        more = replace(bare, constraints=(*bare.constraints, constraint))
        with_it, without = (at.dialect.effects(one, at.catalog).algorithms for one in (more, bare))
        if with_it and without and with_it[0] == without[0]:
            bare = more
        else:
            later.append(constraint)
    return bare, tuple(later)


def _add(recipe: Recipe, operation: AddColumn, bare: AddColumn, *, set_default: str | None) -> Iterator[Step]:
    """ADD COLUMN and SET DEFAULT in one transaction: no row can slip in between without its default. Where there is none the backfill, which
    comes after both, finds what slipped in."""
    name = f"{operation.table.name}.{operation.column.name}"
    more: tuple[Operation, ...] = ()
    if set_default is not None:
        more = (SetDefault(table=operation.table, column=operation.column.name, default=set_default),)
    said = "nullable" if bare.column.nullable else "NOT NULL"
    if more and at_once(recipe):
        yield recipe.change(bare, *more, purpose=f"Add {name}, {said}, and its default for new rows")
        return
    yield recipe.change(bare, purpose=f"Add {name}, {said}")
    if set_default is not None:
        yield recipe.change(default_of(recipe, operation, set_default), purpose=f"Give {name} its default for new rows")


def at_once(recipe: Recipe) -> bool:
    return recipe.at.can(Capability.TRANSACTIONAL_DDL)


def default_of(recipe: Recipe, operation: AddColumn, default: str) -> Operation:
    """SET DEFAULT; the whole column stated anew where the server takes none for its type."""
    at = recipe.at
    change = SetDefault(table=operation.table, column=operation.column.name, default=default)
    refused = any(condition.certain for condition in at.dialect.effects(change, recipe.catalog).fails_if)
    return restated(recipe, operation.table, operation.column.name, default=default) if refused else change


def restated(recipe: Recipe, table: Name, column: str, **changes: Any) -> ChangeColumn:
    """MODIFY COLUMN with the whole definition as it is by now, but for the changes."""
    known = recipe.catalog.table(table)
    found = known.column(column) if known is not None else None
    assert found is not None
    return ChangeColumn(table=table, column=column, definition=replace(found, **changes))


def _promise_phase(column: Column, at: Situation, dual: DualWriteRequest | None) -> Phase:
    """When NOT NULL may bind: at once where a default or trigger fills what the old application leaves out, else after it is gone."""
    if column.default is not None or column.identity is not None or column.serial:
        return "migrate"
    if dual is not None and dual_write.fills_before_constraints(at):
        return "migrate"
    return "contract"


def _fill_default(recipe: Recipe, table: Table, column: Column) -> Step:
    at = recipe.at
    assert column.default is not None
    return backfill(
        recipe,
        table,
        assignments=((column.name, column.default),),
        predicate=f"{at.dialect.quote(table.name.name)}.{at.dialect.quote(column.name)} IS NULL",
        phase="migrate",
        own=(column.name,),
        purpose=f"Give every old row of {table.name.name} its own {column.name}, in chunks",
    )


def constrain(recipe: Recipe, table: Table, constraint: Constraint) -> Iterator[Step]:
    """One constraint that was written behind the column."""
    at = recipe.at
    match constraint:
        case ForeignKey() if binds_unproved(AddConstraint(table=table.name, constraint=constraint), recipe):
            yield from bind_unproved(recipe, table.name, constraint, phase="migrate")
        case Check() | ForeignKey() if at.can(Capability.NOT_VALID_CONSTRAINT) and constraint.enforced and constraint.validated:
            yield from bind_then_validate(recipe, table.name, constraint)
        case Unique() if can_use_index(at, table, constraint):
            yield from unique_online(recipe, table.name, constraint)
        case Unique() | PrimaryKey() if at.can(Capability.TABLE_REBUILD_ONLY):
            yield rebuilding.rebuild(
                recipe, (AddConstraint(table=table.name, constraint=constraint),), table=table.name, phase="migrate"
            )
        case _:
            yield recipe.change(
                AddConstraint(table=table.name, constraint=constraint), purpose=f"Add {constraint.name}", phase="migrate"
            )


def _not_null(recipe: Recipe, operation: AddColumn, *, phase: Phase) -> Iterator[Step]:
    yield from not_null(recipe, SetNotNull(table=operation.table, column=operation.column.name), phase=phase)


def not_null(recipe: Recipe, operation: SetNotNull, *, phase: Phase) -> Iterator[Step]:
    """By rebuild where there is no other way, by proof where the table is large, else directly; always guarded by a count of NULLs."""
    at = recipe.at
    guards = (guard_nulls(at, operation.table, operation.column),)
    if rebuilding.needs_rebuild(operation, at, recipe.catalog):
        yield rebuilding.rebuild(recipe, (operation,), table=operation.table, phase=phase, guards=guards)
    elif at.dialect.one_pass:
        name = f"{operation.table.name}.{operation.column}"
        change = restated(recipe, operation.table, operation.column, nullable=False)
        yield recipe.change(change, purpose=f"Set {name} NOT NULL", phase=phase, guards=guards)
    elif is_large(at, operation.table) and at.can(Capability.NOT_NULL_FROM_CHECK):
        yield from prove_not_null(recipe, operation.table, operation.column, name=operation.constraint_name, phase=phase)
    else:
        name = f"{operation.table.name}.{operation.column}"
        yield recipe.change(operation, purpose=f"Set {name} NOT NULL", phase=phase, guards=guards)
