"""DF204: no index covers the referencing columns: every DELETE or key change of the other table reads this one."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import build_online, sql
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey, Index, IndexPart, PrimaryKey, Table, Unique
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, AddConstraint, CreateIndex, CreateTable


@check(
    "DF204",
    on=(AddConstraint, AddColumn, CreateTable),
    page="constraint/foreign-key-without-index",
    title="A foreign key without an index",
    only=("adds_foreign_key",),
)
def foreign_key_without_index(operation: AddConstraint | AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    """Looks at the end of the release: an index that a later pending migration builds counts."""
    table, keys = keys_of(operation)
    after = (at.final or at.catalog).table(table)
    if after is None:
        return
    for key in keys:
        if covers(after, key.columns):
            continue
        index = Index(
            name=Name(schema=table.schema, name=f"{table.name}_{'_'.join(key.columns)}_idx"),
            table=table,
            parts=tuple(IndexPart(column=column) for column in key.columns),
        )
        online = at.dialect.name == "postgresql" and not is_new(at, table) and not isinstance(operation, CreateTable)
        yield finding(
            at,
            f"no index begins with {table.name} ({', '.join(key.columns)})",
            axis="blocks",
            severity="info" if at.is_small(table) else "warning",
            why=f"each DELETE or key change in {key.referenced.name} then reads all of {table.name} to look for references",
            remedy=build_online(at, index) if online else Remedy(summary="add an index", sql=sql(at, CreateIndex(index=index))),
            near=key.columns[0] if key.columns else "",
        )


def keys_of(operation: AddConstraint | AddColumn | CreateTable) -> tuple[Name, tuple[ForeignKey, ...]]:
    match operation:
        case CreateTable():
            return operation.table.name, operation.table.foreign_keys
        case AddColumn():
            return operation.table, tuple(item for item in operation.constraints if isinstance(item, ForeignKey))
        case AddConstraint():
            return operation.table, (operation.constraint,) if isinstance(operation.constraint, ForeignKey) else ()


def covers(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether an index, or the one behind a key, begins with exactly these columns in any order."""
    leading = [
        index.columns[: len(columns)] for index in table.indexes if not index.predicate and len(index.columns) == len(index.parts)
    ]
    leading += [item.columns[: len(columns)] for item in table.constraints if isinstance(item, PrimaryKey | Unique)]
    return any(set(found) == set(columns) for found in leading)
