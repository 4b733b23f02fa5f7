"""A table renamed where DDL takes part in no transaction (MySQL, MariaDB): names of tables and views change in one statement, so that there is
no moment in which a name answers to nobody.

Views go by names there, so the view for the old name can be made beforehand, over a view that holds the new name's place: the statement that
renames the table then puts it where that one stood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import DropView, MoveTable, RenameTable
from driftflow.model.plan import Guard, Phase, RunSql, Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.fitted import fit
from driftflow.strategies.grants import by_name
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.renames.standing_view import standing_view

Rename = RenameTable | MoveTable
GRANT_OPTION = "GRANT OPTION"


def rename_with_view(recipe: Recipe, operation: Rename, table: Table) -> Iterator[Step]:
    """The table under its new name, and a view under the old one, in four statements of which one renames."""
    at, old, new = recipe.at, operation.name, operation.renamed
    waiting, aside = (Name(schema=name.schema, name=fit(f"{name.name}_driftflow")) for name in (old, new))
    shown = new.name if old.schema == new.schema else new.text
    yield recipe.alone(
        *standing_view(at, table, named=new, over=old),
        purpose=f"Let the new name {shown} answer already, as a view of {old.name}",
        guards=(*_guard_other_database(recipe, old, new), *_guard_rights(recipe, table, new)),
    )
    yield from _rights(recipe, table, new)
    yield recipe.alone(
        *standing_view(at, table, named=waiting, over=new),
        purpose=f"Make ready the view that is to answer to the old name {old.name} ({waiting.name} until then)",
    )
    yield rename_together(
        recipe,
        (
            RenameTable(name=new, to=aside.name, relation_kind="view"),
            operation,
            RenameTable(name=waiting, to=old.name, relation_kind="view"),
        ),
        purpose=f"Rename {old.name} to {shown}, and let the view answer to the old name: in one statement, so that each name always answers",
    )
    yield recipe.alone(DropView(name=aside), purpose=f"Take away the view that held the place of {shown}")


def _guard_other_database(recipe: Recipe, old: Name, new: Name) -> Iterator[Guard]:
    """The plan knows the database that it is made for, and no other one."""
    if old.schema == new.schema:
        return
    text = recipe.at.dialect.quote_text
    yield Guard(
        query=f"SELECT count(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {text(new.schema)}",
        refuse_if="zero",
        summary=f"there is no database {new.schema}, or none that this account may see",
        hint=f"CREATE DATABASE {recipe.at.dialect.quote(new.schema)}, or grant rights on it",
    )
    yield Guard(
        query=f"SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {text(new.schema)} AND TABLE_NAME = {text(new.name)}",
        summary=f"{new.text} is there already",
        hint="move the table to a name that is free",
    )


def _guard_rights(recipe: Recipe, table: Table, new: Name) -> Iterator[Guard]:
    """Before anything is made: whether they may be given to others at all."""
    at = recipe.at
    if any(True for _ in by_name(table, new, at.dialect)):
        for query, summary in at.dialect.lacking_rights(new, (GRANT_OPTION,), at.version):
            yield Guard(
                query=query, summary=summary, hint="the rights on the old name are given on the new one: WITH GRANT OPTION"
            )


def _rights(recipe: Recipe, table: Table, new: Name) -> Iterator[Step]:
    """Rights on a single table go by its name, and no rename takes them along."""
    for grant, revoke in by_name(table, new, recipe.at.dialect):
        who = ", ".join(grant.roles)
        back = recipe.undo_step((revoke,), recipe.catalog, phase="expand")
        yield recipe.alone(
            grant, purpose=f"Give {who} the rights on {new.name} that it has on {table.name.name}", undo=UndoSteps(steps=(back,))
        )


def rename_together(recipe: Recipe, renames: Sequence[Rename], *, purpose: str, phase: Phase = "expand") -> RunSql:
    """One RENAME TABLE, taken back by one."""
    step = recipe.alone(*renames, purpose=purpose, phase=phase, undo=UndoNothing(reason=""))
    back = recipe.undo_step(tuple(_inverse(one) for one in reversed(renames)), recipe.catalog, phase=phase)
    return replace(step, undo=UndoSteps(steps=(back,)))


def _inverse(operation: Rename) -> Rename:
    match operation:
        case RenameTable(name=name):
            return RenameTable(name=operation.renamed, to=name.name, relation_kind=operation.relation_kind)
        case MoveTable(name=name):
            return MoveTable(name=operation.renamed, schema=name.schema, relation_kind=operation.relation_kind)
