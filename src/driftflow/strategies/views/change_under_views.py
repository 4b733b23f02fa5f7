"""A change that the server refuses because views read what changes: they are dropped before it and made again behind it, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import View
from driftflow.model.operations import AlterColumnType, CatalogConflict, CreateView, DropView, Operation
from driftflow.model.operations.dependents import in_order, views_on_column
from driftflow.model.plan import Step
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.views.whole_view import hung_on, made_again

NAME = "change_under_views"


def only_views_stand_in_the_way(at: Situation) -> bool:
    """Whether the statement would be refused for its views, and for nothing else."""
    operation = at.operation
    if not isinstance(operation, AlterColumnType | CreateView):
        return False
    if isinstance(operation, CreateView) and not (operation.or_replace and operation.view.name.text in at.catalog.views):
        return False
    refused = any(condition.certain and condition.kind == "dependency" for condition in at.effects.fails_if)
    if not at.conflict and not (isinstance(operation, CreateView) and refused):
        return False
    try:
        replace(operation, views_again=True).after(at.catalog)
    except CatalogConflict:
        return False
    return True


def _applies(operation: AlterColumnType | CreateView, at: Situation) -> bool:
    """Where a large table would be written anew under the lock, a second column can often be filled beside the first one, under views too."""
    from driftflow.strategies.types.shadow_column import shadows

    return only_views_stand_in_the_way(at) and not (isinstance(operation, AlterColumnType) and shadows(operation, at))


@strategy(NAME, on=(AlterColumnType, CreateView), applies=_applies, rank=90, page="change-under-views")
def change_under_views(operation: AlterColumnType | CreateView, at: Situation) -> Iterator[Step]:
    views = in_order(at.catalog, _direct(operation, at))
    drops = tuple(DropView(name=view.name, materialized=view.materialized) for view in reversed(views))
    above = tuple(one for view in views if not _is_replaced(view, operation) for one in made_again(view, at.dialect))
    names = ", ".join(view.name.name for view in views)
    yield Recipe(at, NAME).change(
        *drops,
        *_changed(operation, at),
        *above,
        purpose=f"{_said(operation)}; dropped before and made again behind it, with owner, rights and comments: {names}",
        phase=phase_of(operation, at),
    )


def _direct(operation: AlterColumnType | CreateView, at: Situation) -> list[View]:
    if isinstance(operation, CreateView):
        return [at.catalog.views[operation.view.name.text]]
    return views_on_column(at.catalog, operation.table, operation.column)


def _is_replaced(view: View, operation: AlterColumnType | CreateView) -> bool:
    return isinstance(operation, CreateView) and view.name == operation.view.name


def _changed(operation: AlterColumnType | CreateView, at: Situation) -> tuple[Operation, ...]:
    """The statement itself; a replaced view keeps what hung on the old one."""
    if isinstance(operation, AlterColumnType):
        return (operation,)
    old = at.catalog.views[operation.view.name.text]
    columns = operation.view.columns
    said = tuple(one for one in old.said if not columns or one.name in columns)
    kept = replace(old, columns=columns, indexes=(), said=said)
    return (replace(operation, or_replace=False), *hung_on(kept, at.dialect))


def _said(operation: AlterColumnType | CreateView) -> str:
    if isinstance(operation, CreateView):
        return f"Replace {operation.view.name.name}, whose columns change"
    return f"Change the type of {operation.table.name}.{operation.column} to {operation.type}"
