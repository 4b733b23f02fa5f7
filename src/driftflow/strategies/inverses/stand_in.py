"""What the release makes and takes away again is there once more, empty and whole, on the way back: the statements between the two are taken back as ever,
and the undo of the one that made it drops it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Column, Table
from driftflow.model.operations import (
    AddConstraint,
    AlterSequence,
    AttachPartition,
    CreateIndex,
    CreatePolicy,
    CreateTable,
    DropTable,
    Operation,
    SetRowSecurity,
)
from driftflow.model.operations.dependents import heirs_of, in_order
from driftflow.model.plan import Irreversible, UndoNothing
from driftflow.model.record import replace
from driftflow.strategies import said_again
from driftflow.strategies.definers import trigger_again
from driftflow.strategies.inverses.without_values import sequence_again
from driftflow.strategies.views.whole_view import made_again, rule_again


def stand_in(
    operation: DropTable, dropped: Table, before: Catalog, at: Situation
) -> tuple[Operation, ...] | UndoNothing | Irreversible:
    """The table, and what CASCADE took along with it."""
    if dropped.kind == "temporary":
        return UndoNothing(reason=f"{dropped.name} is temporary, and goes with the session")
    heirs = heirs_of(before, dropped.name)
    kept = next((one for one in heirs if not one.new), None)
    if kept is not None:
        return Irreversible(reason=f"the rows of {kept.name} are gone with {dropped.name}", name=f"drop_table {dropped.name}")
    tables = (dropped, *heirs)
    return (
        *(made for table in tables for made in _whole(table, before, at)),
        *(_taken_along(tables, before, at) if operation.cascade else ()),
    )


def _whole(table: Table, before: Catalog, at: Situation) -> Iterator[Operation]:
    if table.partial or not table.columns or table.kind == "virtual":
        # Nobody knows its columns (CREATE TABLE ... AS), and no statement of the release has named one.
        name = table.columns[0].name if table.columns else "id"
        yield CreateTable(table=Table(name=table.name, columns=(Column(name=name, type="integer"),)))
        return
    owned = [one for one in before.sequences_of(table.name) if not one.identity]
    for one in owned:
        yield from sequence_again(one, at.dialect)
    indexes = table.indexes if at.dialect.one_pass else tuple(one for one in table.indexes if one.constraint)
    alone = replace(table, partition_of=None, partition_bound="", indexes=indexes, triggers=(), policies=(), rules=())
    yield CreateTable(table=replace(alone, definition=""))
    yield from (AlterSequence(name=one.name, owned_by=one.owned_by) for one in owned)
    if not at.dialect.one_pass:
        for index in table.indexes:
            if not index.constraint and index.parent is None:
                yield CreateIndex(index=replace(index, bytes=None))
    for policy in table.policies:
        yield CreatePolicy(policy=policy)
    if table.row_security:
        yield SetRowSecurity(table=table.name, action="enable")
    parent = before.table(table.partition_of) if table.partition_of is not None else None
    theirs = {one.name for one in parent.triggers} if parent is not None else set()
    for trigger in table.triggers:
        yield from trigger_again(trigger, before, at) if trigger.name not in theirs else ()
    for rule in table.rules:
        yield from rule_again(rule, table, at.dialect)
    for statistics in table.extended_statistics:
        yield from said_again.statistics_again(statistics, table.name, at.dialect)
    if parent is not None:
        yield AttachPartition(table=parent.name, partition=table.name, bound=table.partition_bound)


def _taken_along(tables: tuple[Table, ...], before: Catalog, at: Situation) -> Iterator[Operation]:
    names = {one.name for one in tables}
    views = {view.name: view for one in tables for view in before.dependents(one.name)}
    for view in in_order(before, views.values()):
        yield from made_again(view, at.dialect)
    for one in tables:
        for holder, key in before.referencing(one.name):
            if holder.name not in names:
                yield AddConstraint(table=holder.name, constraint=key)
