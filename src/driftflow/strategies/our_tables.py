"""Tables of ours where DDL takes part in no transaction: each made and removed by a statement of its own, with a probe that says whether it was."""

from __future__ import annotations

from driftflow.model.catalog import Column, PrimaryKey, Table
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, DropTable
from driftflow.model.plan import Phase, RunSql, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.recipe import Recipe


def create(
    recipe: Recipe,
    name: Name,
    columns: tuple[tuple[str, str], ...],
    key: str,
    key_columns: tuple[str, ...],
    *,
    purpose: str,
    phase: Phase,
) -> RunSql:
    """`columns` are (name, type), `key` the clause of its key. Undone by its removal."""
    at, quote = recipe.at, recipe.at.dialect.quote
    # A first `timestamp` without NULL would follow the clock on servers without explicit_defaults_for_timestamp.
    lines = [f"{quote(column)} {type} {'NOT NULL' if column in key_columns else 'NULL'}" for column, type in columns]
    table = Table(
        name=name,
        columns=tuple(Column(name=column, type=type, nullable=column not in key_columns) for column, type in columns),
        constraints=(PrimaryKey(columns=key_columns),),
        new=True,
    )
    statement = f"CREATE TABLE {at.dialect.quote_name(name)} ({', '.join([*lines, key])}) ENGINE=InnoDB"
    step = recipe.alone(CreateTable(table=table), statement=statement, purpose=purpose, phase=phase, undo=UndoNothing(reason=""))
    back = recipe.undo_step((DropTable(name=name, if_exists=True),), recipe.catalog, phase=phase)
    return replace(step, claims=_claims(name), undo=UndoSteps(steps=(replace(back, claims=_claims(name)),)))


def drop(recipe: Recipe, name: Name, *, purpose: str, phase: Phase, reason: str) -> RunSql:
    """Its removal, which nothing needs to take back, for that reason."""
    gone = recipe.alone(DropTable(name=name, if_exists=True), purpose=purpose, phase=phase, undo=UndoNothing(reason=reason))
    return replace(gone, claims=_claims(name))


def _claims(name: Name) -> tuple[LockClaim, ...]:
    return (LockClaim(relation=name, mode="EXCLUSIVE", why="our own table"),)
