"""RENAME COLUMN of a table in use: until the old application is gone a view in the table's place shows the column under both names."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Catalog, Table, structure
from driftflow.model.names import Name
from driftflow.model.operations import Delete, DropView, Insert, Operation, RenameColumn, RenameTable, Truncate, Update
from driftflow.model.plan import Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.dual_write import RETIRE_NAME
from driftflow.strategies.fitted import fit
from driftflow.strategies.passes import moved
from driftflow.strategies.phases import breaks_running_code
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.renames import own_triggers
from driftflow.strategies.renames.said_rename import form_of
from driftflow.strategies.renames.standing_view import standing_view, why_not

NAME = "rename_column"


def _applies(operation: RenameColumn, at: Situation) -> bool:
    """Where a view can be written through under both names, nobody has put a gate before the statement, and the release leaves the table alone
    otherwise: what else changes it would meet the view."""
    table, form = at.table(operation.table), form_of(at)
    if table is None or form == "columns" or operation.only or at.directives("gate") or at.conflict:
        return False
    if not breaks_running_code(operation, at):
        return False
    reason = _no_view(operation, table, at)
    if reason and form == "view":
        raise RefusedError(
            "DF-E720",
            f"{operation.table.name}.{operation.column} cannot be shown under both names by a view",
            where=str(at.statement.span),
            why=reason,
            hint="let two columns be kept equal by triggers: -- driftflow: rename by=columns",
        )
    return not reason


def _no_view(operation: RenameColumn, table: Table, at: Situation) -> str:
    """Why not, as a sentence; empty where one may stand there."""
    if not (at.can(Capability.TRANSACTIONAL_DDL) and at.can(Capability.UPDATABLE_VIEW)):
        return (
            "on this server a view cannot come and go in the transaction of the rename, and take every INSERT as the table does"
        )
    if not is_alone(table, at):
        return "the table has partitions, a parent or heirs, whose columns are renamed together"
    if not nothing_else_changes(operation, table, at):
        return "the release changes the table otherwise too, and would meet the view: put the rename into a release of its own"
    return why_not(at, table) or own_triggers.behind_a_view(at, table, operation.column)


@strategy(NAME, on=RenameColumn, applies=_applies, rank=60, page="rename-column")
def rename_column(operation: RenameColumn, at: Situation) -> Iterator[Step]:
    table = at.table(operation.table)
    assert table is not None
    recipe, name = Recipe(at, NAME), operation.table
    base = Name(schema=name.schema, name=fit(f"{name.name}_driftflow"))
    aside, back = RenameTable(name=name, to=base.name), RenameTable(name=base, to=name.name)
    renamed = moved(at.catalog, operation).table(name)
    assert renamed is not None
    stand = standing_view(at, renamed, named=name, over=base, also={operation.column: operation.to})
    yield recipe.change(
        operation,
        aside,
        *stand,
        purpose=(
            f"Rename {name.name}.{operation.column} to {operation.to}, and let a view in the table's place show both names"
            f" (the table is {base.name} meanwhile)"
        ),
    )
    last = recipe.change(
        DropView(name=name),
        back,
        purpose=f"Take away the view that shows {name.name}.{operation.column}: the table has its place again",
        phase="contract",
    )
    again: tuple[Operation, ...] = (aside, *stand)
    yield replace(last, strategy=RETIRE_NAME, undo=UndoSteps(steps=(recipe.undo_step(again, recipe.catalog, phase="contract"),)))


def is_alone(table: Table, at: Situation) -> bool:
    """No partition, parent or heir, whose columns are renamed together."""
    plain = table.kind == "table" and table.partition_of is None and not table.inherits and table.partitioning is None
    return plain and not at.catalog.children(table.name)


def nothing_else_changes(operation: RenameColumn, table: Table, at: Situation) -> bool:
    start, final = at.start or at.catalog, at.final or at.catalog
    first, last = start.table(table.name), final.table(table.name)
    if first is None or last is None or any(_changes_rows(one.operation, table) for one in at.file.situations):
        return False
    renamed = moved(start, operation).table(table.name)
    return renamed is not None and structure(renamed) == structure(last) and _around(start, table) == _around(final, table)


def _changes_rows(operation: Operation, table: Table) -> bool:
    """Rows that the file itself changes may be changed in chunks, and chunks walk along a table."""
    match operation:
        case Insert(table=name) | Update(table=name) | Delete(table=name):
            return name == table.name
        case Truncate(tables=names):
            return table.name in names
        case _:
            return False


def _around(catalog: Catalog, table: Table) -> tuple[frozenset[str], frozenset[str]]:
    """Who holds on to the table: views that read it, foreign keys that point at it."""
    keys = frozenset(key.name for _, key in catalog.referencing(table.name))
    return frozenset(view.name.text for view in catalog.readers_of(table.name)), keys
