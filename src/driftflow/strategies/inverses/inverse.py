"""The typed inverse of every operation, from the catalog that it found.

What cannot be taken back says so with a name that a person can accept: `drop_column public.orders.legacy`. What leaves nothing to take
back says why.
"""

from __future__ import annotations

from typing import assert_never

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AddEnumValue,
    AlterColumnType,
    AlterConstraint,
    AlterDomain,
    AlterIdentity,
    AlterIndex,
    AlterObject,
    AlterPartitions,
    AlterPolicy,
    AlterSequence,
    AlterTableOption,
    AlterTrigger,
    AlterView,
    AttachPartition,
    ChangeColumn,
    Comment,
    ConvertCharset,
    Copy,
    CreateExtension,
    CreateFunction,
    CreateIndex,
    CreatePolicy,
    CreateSchema,
    CreateSequence,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateType,
    CreateView,
    Delete,
    DetachPartition,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropExpression,
    DropFunction,
    DropIndex,
    DropNotNull,
    DropObject,
    DropPolicy,
    DropSchema,
    DropSequence,
    DropTable,
    DropTrigger,
    DropType,
    DropView,
    EnableTrigger,
    Grant,
    Insert,
    LockTable,
    MoveTable,
    Operation,
    Pragma,
    RawSql,
    RefreshView,
    Reindex,
    RenameColumn,
    RenameConstraint,
    RenameEnumValue,
    RenameIndex,
    RenameTable,
    RequestAlgorithm,
    RewriteTable,
    Select,
    SetColumnOption,
    SetDefault,
    SetExpression,
    SetInherit,
    SetNotNull,
    SetRowSecurity,
    SetSetting,
    TransactionControl,
    Truncate,
    Update,
    ValidateConstraint,
)
from driftflow.model.operations.session import KEPT_IN_FILE
from driftflow.model.plan import Irreversible, UndoNothing
from driftflow.strategies import said_again, spoken
from driftflow.strategies.inverses import inverse_alter as alter
from driftflow.strategies.inverses import inverse_object as other
from driftflow.strategies.inverses.inverse_redefinition import redefinition
from driftflow.strategies.inverses.stand_in import stand_in
from driftflow.strategies.inverses.without_values import gone_with

Inverse = tuple[Operation, ...] | UndoNothing | Irreversible


def inverse(operation: Operation, before: Catalog, at: Situation) -> Inverse:
    """The operations that take it back, in order; or why there is nothing to do; or why it cannot be done."""
    made = _made_by_release(operation, before)
    if made is not None:
        return UndoNothing(reason=f"{made.name} is made by this release and goes with the undo of the step that creates it")
    match operation:
        case AddColumn() | DropColumn() | RenameColumn() | AlterColumnType():
            return _column(operation, before, at)
        case SetDefault() | DropDefault() | SetNotNull() | DropNotNull() | AlterIdentity() | SetExpression():
            return alter.attribute(operation, before, at.dialect)
        case DropExpression() | SetColumnOption():
            return alter.attribute(operation, before, at.dialect)
        case AddConstraint() | DropConstraint() | ValidateConstraint() | AlterConstraint() | RenameConstraint():
            partitioned = _is_partitioned(operation.table, before)
            return alter.constraint(
                operation,
                before,
                at.dialect,
                not_valid=at.can(Capability.NOT_VALID_CONSTRAINT) and not partitioned,
                online=at.can(Capability.UNIQUE_USING_INDEX) and not partitioned,
            )
        case CreateIndex() | DropIndex() | RenameIndex() | AlterIndex() | Reindex():
            return alter.index(operation, before, at.dialect, online=at.can(Capability.CONCURRENT_INDEX))
        case CreateTable() | CreateTableAs() | DropTable() | RenameTable() | MoveTable():
            return _table(operation, before, at)
        case AlterTableOption() | RewriteTable() | AttachPartition() | DetachPartition() | SetInherit():
            return alter.table_option(operation, before, at.dialect, can_detach=at.can(Capability.DETACH_CONCURRENTLY))
        case ChangeColumn() | ConvertCharset() | AlterPartitions() | RequestAlgorithm():
            return redefinition(operation, before, at)
        case CreateView() | DropView() | AlterView() | RefreshView():
            return other.view(operation, before, at)
        case CreateTrigger() | DropTrigger() | AlterTrigger() | EnableTrigger() | CreateFunction() | DropFunction():
            return other.routine(operation, before, at)
        case CreateType() | AddEnumValue() | RenameEnumValue() | AlterDomain() | DropType():
            return other.type_of_value(operation, before, at)
        case CreateSequence() | AlterSequence() | DropSequence():
            return other.sequence(operation, before)
        case CreatePolicy() | AlterPolicy() | DropPolicy() | SetRowSecurity():
            return other.policy(operation, before, at)
        case CreateSchema() | DropSchema() | CreateExtension() | Comment() | Grant() | AlterObject() | DropObject():
            return other.plain_object(operation, before, at)
        case Insert() | Update() | Delete() | Truncate() | Copy() | Select() | RawSql():
            return _rows(operation, at)
        case Pragma(name=name, value=str()) if name in KEPT_IN_FILE:
            return _pragma(operation, before)
        case TransactionControl() | SetSetting() | LockTable() | Pragma():
            return UndoNothing(reason="it ends with its transaction or session")
        case _:
            assert_never(operation)


def _made_by_release(operation: Operation, before: Catalog) -> Table | None:
    """The table that the operation changes, where this release creates it (and so its undo drops it)."""
    match operation:
        case CreateTable() | CreateTableAs() | DropTable() | RenameTable() | MoveTable() | AttachPartition() | DetachPartition():
            return None  # they change which tables there are, not one table
        case CreateIndex(index=index):
            table: Name | None = index.table
        case CreatePolicy(policy=policy):
            table = policy.table
        case CreateTrigger(trigger=trigger):
            table = trigger.table
        case _:
            table = getattr(operation, "table", None)
    found = before.table(table) if isinstance(table, Name) else None
    return found if found is not None and found.new else None


def _is_partitioned(table: Name, catalog: Catalog) -> bool:
    found = catalog.table(table)
    return found is not None and found.partitioning is not None


def _column(operation: AddColumn | DropColumn | RenameColumn | AlterColumnType, before: Catalog, at: Situation) -> Inverse:
    table = before.table(operation.table)
    match operation:
        case AddColumn(column=column):
            if operation.if_not_exists and table is not None and table.column(column.name) is not None:
                return UndoNothing(reason=f"{operation.table}.{column.name} was already there")
            # Where clauses share a pass, a column does not take a foreign key along, and is refused as long as there is one.
            keys = [one for one in operation.constraints if isinstance(one, ForeignKey) and at.dialect.one_pass]
            first = tuple(DropConstraint(table=operation.table, name=key.name) for key in keys)
            return (*first, DropColumn(table=operation.table, column=column.name, only=operation.only))
        case DropColumn(column=name):
            if operation.if_exists and table is not None and table.column(name) is None:
                return UndoNothing(reason=f"{operation.table}.{name} was not there")
            held = table.column(name) if table is not None else None
            if table is not None and held is not None and held.generated is not None:
                again = AddColumn(table=operation.table, column=held, only=operation.only)
                said = said_again.of_column(held, table, at.dialect)
                return (again, *said, *gone_with(table, held, operation.after(before), at.dialect))
            return Irreversible(
                reason=f"the values of {operation.table}.{name} are gone with the column",
                name=f"drop_column {operation.table}.{name}",
            )
        case RenameColumn():
            return (
                RenameColumn(
                    table=operation.table,
                    column=operation.to,
                    to=operation.column,
                    only=operation.only,
                    relation_kind=operation.relation_kind,
                ),
            )
        case AlterColumnType():
            return alter.column_type(operation, before)
        case _:
            assert_never(operation)


def _table(
    operation: CreateTable | CreateTableAs | DropTable | RenameTable | MoveTable, before: Catalog, at: Situation
) -> Inverse:
    match operation:
        case CreateTable(table=made):
            if operation.if_not_exists and before.table(made.name) is not None:
                return UndoNothing(reason=f"{made.name} was already there")
            if made.kind == "temporary":
                return UndoNothing(reason=f"{made.name} is temporary, and goes with the session")
            return (DropTable(name=made.name),)
        case CreateTableAs(name=name):
            if operation.if_not_exists and before.table(name) is not None:
                return UndoNothing(reason=f"{name} was already there")
            if operation.temporary:
                return UndoNothing(reason=f"{name} is temporary, and goes with the session")
            return (DropTable(name=name),)
        case DropTable(name=name):
            found = before.table(name)
            if operation.if_exists and found is None and before.complete:
                return UndoNothing(reason=f"{name} was not there")
            if found is not None and found.new:
                return stand_in(operation, found, before, at)
            return Irreversible(reason=f"the rows of {name} are gone with the table", name=f"drop_table {name}")
        case RenameTable(name=name):
            back = Name(schema=name.schema, name=operation.to)
            return (RenameTable(name=back, to=name.name, relation_kind=operation.relation_kind),)
        case MoveTable(name=name):
            back = Name(schema=operation.schema, name=name.name)
            return (MoveTable(name=back, schema=name.schema, relation_kind=operation.relation_kind),)
        case _:
            assert_never(operation)


def _pragma(operation: Pragma, before: Catalog) -> Inverse:
    name, was = operation.name, before.settings.get(operation.name)
    if was is None or operation.schema not in ("", "main"):
        return Irreversible(reason=f"what {name} was before is not kept", name=f"pragma {name}")
    return (Pragma(name=name, value=was, sql=f"PRAGMA {name} = {was}"),)


def _rows(operation: Insert | Update | Delete | Truncate | Copy | Select | RawSql, at: Situation) -> Inverse:
    where = spoken.place_of(at)
    match operation:
        case Select(opaque=False, writes=()) if not operation.calls:
            return UndoNothing(reason="a query that changes nothing")
        case Copy(inward=False):
            return UndoNothing(reason="it only reads")
        case Select():
            return Irreversible(reason="what the code that it calls did is not known", name=f"run_code {where}")
        case RawSql(reason=reason):
            return Irreversible(reason=f"what it does is not known: {reason}", name=f"raw_sql {where}")
        case Insert(table=table):
            return Irreversible(reason=f"which rows of {table} it added is not kept", name=f"insert {table} {where}")
        case Update(table=table):
            return Irreversible(reason=f"the values of {table} before it are not kept", name=f"update {table} {where}")
        case Delete(table=table):
            return Irreversible(reason=f"the deleted rows of {table} are not kept", name=f"delete {table} {where}")
        case Truncate(tables=tables):
            names = ", ".join(name.text for name in tables)
            return Irreversible(reason=f"the rows of {names} are gone", name=f"truncate {names}")
        case Copy():
            return Irreversible(reason="which rows it added is not kept", name=f"copy {operation.table or ''} {where}")
        case _:
            assert_never(operation)
