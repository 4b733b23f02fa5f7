"""DF309: an index goes that kept values unique, or that a foreign key is looked up with."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.constraint.foreign_key_without_index import covers
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Index, Table
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropIndex


@check("DF309", on=DropIndex, page="index/dropped", title="A dropped index was needed")
def index_dropped(operation: DropIndex, at: Situation) -> Iterator[Finding]:
    """Compared with the end of the release: what another index takes over is not missed."""
    found = _index(operation, at)
    if found is None or at.conflict or any(condition.certain for condition in at.effects.fails_if):
        return
    table, index = found
    after = (at.final or at.catalog).table(table.name)
    if is_new(at, table.name) or after is None:
        return
    if index.unique and not _still_unique(after, index):
        keys = ", ".join(part.column or part.expression for part in index.parts)
        yield finding(
            at,
            f"nothing keeps {table.name.name} ({keys}) unique any more",
            axis="loses",
            severity="warning",
            why="duplicates come in from this moment and stand in the way of the next unique index; ON CONFLICT over the columns fails",
            remedy=Remedy(summary="build the unique index that takes its place first"),
            known_by="catalog",
            near=index.name.name,
        )
    for key in table.foreign_keys:
        if key in after.foreign_keys and covers(table, key.columns) and not covers(after, key.columns):
            yield finding(
                at,
                f"{key.name or 'the foreign key to ' + key.referenced.name} has no index on {', '.join(key.columns)} any more",
                axis="blocks",
                severity="info" if at.is_small(table.name) else "warning",
                why=f"each DELETE or key change in {key.referenced.name} then reads all of {table.name.name} to look for references",
                remedy=Remedy(summary="keep an index that begins with these columns"),
                known_by="catalog",
                near=index.name.name,
            )


def _index(operation: DropIndex, at: Situation) -> tuple[Table, Index] | None:
    if operation.table is not None:
        table = at.table(operation.table)
        held = [(table, one) for one in table.indexes if one.name.name == operation.name.name] if table is not None else []
    else:
        held = [(holder, one) for holder, one in at.catalog.indexes_named(operation.name) if isinstance(holder, Table)]
    return next(iter(held), None)


def _still_unique(after: Table, index: Index) -> bool:
    return any(one.unique and one.parts == index.parts and one.predicate == index.predicate for one in after.indexes)
