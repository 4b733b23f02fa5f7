"""Views and materialized views."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.locks import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    EXCLUSIVE,
    ROW_EXCLUSIVE,
    SHARE,
    SHARE_UPDATE_EXCLUSIVE,
)
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.table import read
from driftflow.dialects.postgresql.queries import output_columns
from driftflow.model.catalog import View
from driftflow.model.names import Name
from driftflow.model.operations import AlterView, CreateView, DropView, RefreshView


def create_view(p: Prediction, operation: CreateView) -> None:
    """A view reads nothing when it is made; a materialized one runs its query."""
    view = operation.view
    taken = p.catalog.views.get(view.name.text)
    if taken is not None and not operation.or_replace:
        if not operation.if_not_exists:
            p.fails("exists", f'relation "{view.name.text}" exists already', relation=view.name, certain=True)
        return
    if taken is None:
        p.created.add(view.name)
    elif not _keeps_columns(taken, view):
        p.fails(
            "dependency",
            f"CREATE OR REPLACE cannot rename, retype or drop columns of {view.name.name}",
            relation=view.name,
            certain=True,
        )
    p.lock(view.name, ACCESS_EXCLUSIVE)
    runs = view.materialized and operation.with_data
    if runs and p.at_least(17):  # since 17 the new view is filled as REFRESH fills it
        p.lock(view.name, EXCLUSIVE, SHARE)
    read(p, view.depends_on, scan=runs, planned=runs)


def _keeps_columns(taken: View, view: View) -> bool:
    """Whether the columns that are there stay, by name and place. What cannot be told counts as kept: the server says it soon enough."""
    columns = view.columns or output_columns(view.definition)
    return not (columns and taken.columns) or columns[: len(taken.columns)] == taken.columns


def drop_view(p: Prediction, operation: DropView) -> None:
    view = _known(p, operation.name, if_exists=operation.if_exists)
    if view is None and p.catalog.complete:
        return
    if view is not None and view.materialized != operation.materialized:
        kind = "a materialized view" if operation.materialized else "an ordinary view"
        p.fails("missing", f"{operation.name.text} is not {kind}", relation=operation.name, certain=True)
    p.lock(operation.name, ACCESS_EXCLUSIVE)
    p.loses(f"view {operation.name.text}, with its grants and triggers", operation.name, reversible=True)
    p.breaks(f"code that reads {operation.name.name}", operation.name)
    for other in p.catalog.dependents(operation.name):
        if operation.cascade:
            p.lock(other.name, ACCESS_EXCLUSIVE, why="goes with CASCADE")
            p.loses(f"view {other.name.text}", other.name, reversible=True)
        else:
            p.fails("dependency", f"view {other.name.text} depends on {operation.name.name}", relation=other.name, certain=True)


def alter_view(p: Prediction, operation: AlterView) -> None:
    """Like the same clause of a table: options and the cluster mark of a materialized view let its readers pass."""
    view = _known(p, operation.name, if_exists=False)
    clause = operation.action.upper()
    light = (
        view is not None and view.materialized and clause.startswith(("SET (", "RESET (", "CLUSTER ON", "SET WITHOUT CLUSTER"))
    )
    p.lock(operation.name, SHARE_UPDATE_EXCLUSIVE if light else ACCESS_EXCLUSIVE)
    if clause.startswith("CLUSTER ON "):
        p.lock(Name(schema=operation.name.schema, name=operation.action[11:].strip().strip('"')), SHARE_UPDATE_EXCLUSIVE)


def refresh_view(p: Prediction, operation: RefreshView) -> None:
    """Readers wait for the whole query; CONCURRENTLY lets them pass and needs a unique index over all rows."""
    view = _known(p, operation.name, if_exists=False)
    indexes = tuple(index.name for index in view.indexes) if view is not None else ()
    if operation.concurrently:
        p.lock(operation.name, EXCLUSIVE, ROW_EXCLUSIVE, ACCESS_SHARE)
        p.lock_all(indexes, ROW_EXCLUSIVE, ACCESS_SHARE)
        if view is not None and not any(
            index.unique and not index.predicate and len(index.columns) == len(index.parts) for index in view.indexes
        ):
            p.fails(
                "missing",
                f"{operation.name.name} has no unique index over plain columns and all rows",
                relation=operation.name,
                certain=True,
            )
    else:
        p.lock(
            operation.name,
            ACCESS_EXCLUSIVE,
            EXCLUSIVE,
            SHARE,
            *(() if p.at_least(16) or not operation.with_data else (ACCESS_SHARE,)),
        )
        p.lock_all(indexes, ACCESS_EXCLUSIVE)
        p.does("rewrite", operation.name, "filled anew")
        for index in indexes:
            p.does("rewrite", index, "built anew")
    p.does("scan", operation.name)
    if operation.with_data:  # without, the query is not even planned
        read(p, view.depends_on if view is not None else (), scan=True)


def _known(p: Prediction, name: Name, *, if_exists: bool) -> View | None:
    view = p.catalog.views.get(name.text)
    if view is None:
        p.size_unknown = True
        if p.catalog.complete and not if_exists:
            p.fails("missing", f'view "{name.text}" does not exist', relation=name, certain=True)
    return view
