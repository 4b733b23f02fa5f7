"""What a statement locks and does on MySQL 5.7 to 9.x and MariaDB 10.4 to 11.8, predicted from its operations and the catalog alone.

One pass carries out all clauses of an ALTER TABLE: the weakest of them decides the algorithm, the lock and whether the table is written anew.
The facts were measured (tests/databases/data/effects holds the recording); where a prediction and a server differ, the server is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from driftflow.dialects.mariadb import capabilities as mariadb_capabilities
from driftflow.dialects.mysql import capabilities
from driftflow.dialects.mysql.effects import column, data, key, other, partition, refused, table
from driftflow.dialects.mysql.effects.prediction import Prediction
from driftflow.dialects.mysql.effects.together import of_statement
from driftflow.dialects.mysql.effects.versions import worst
from driftflow.model import operations as op
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Effects
from driftflow.model.names import Version


def predict(
    operations: Sequence[op.Operation], catalogs: Sequence[Catalog], version: Version | None = None, *, mariadb: bool
) -> tuple[Effects, ...]:
    """The effects of the (resolved) operations of one statement. Without a version (and none in the catalog): the worst of those at which
    something changes."""
    known = version or (catalogs[0].version if catalogs else None)
    if known is not None:
        return _on(operations, catalogs, known, mariadb=mariadb)
    steps = mariadb_capabilities.STEPS if mariadb else capabilities.STEPS
    found = [(step, _on(operations, catalogs, step, mariadb=mariadb)) for step in steps]
    name = "MariaDB" if mariadb else "MySQL"
    return tuple(worst(name, [(step, effects[index]) for step, effects in found]) for index in range(len(operations)))


def _on(
    operations: Sequence[op.Operation], catalogs: Sequence[Catalog], version: Version, *, mariadb: bool
) -> tuple[Effects, ...]:
    dropped = frozenset([one.name.name for one in operations if isinstance(one, op.DropIndex)])
    dropped |= {one.name for one in operations if isinstance(one, op.DropConstraint)}
    predictions = [
        Prediction(catalog=catalog, version=version, mariadb=mariadb, start=catalogs[0], dropped=dropped) for catalog in catalogs
    ]
    for prediction, operation in zip(predictions, operations, strict=True):
        _predict(prediction, operation)
    return of_statement(operations, predictions)


def _predict(p: Prediction, operation: op.Operation) -> None:
    if not p.mariadb:
        refused.by_conditions(p, operation)
    if operation.table_if_exists and p.catalog.complete:
        return  # resolve keeps the flag only where the table is missing: nothing happens
    match operation:
        case op.AddColumn():
            column.add_column(p, operation)
        case op.DropColumn():
            column.drop_column(p, operation)
        case op.RenameColumn():
            column.rename_column(p, operation)
        case op.ChangeColumn():
            column.change_column(p, operation)
        case op.SetDefault() | op.DropDefault():
            column.set_default(p, operation)
        case op.SetColumnOption():
            column.set_column_option(p, operation)
        case op.AddConstraint():
            key.add_constraint(p, operation)
        case op.DropConstraint():
            key.drop_constraint(p, operation)
        case op.AlterConstraint():
            key.alter_constraint(p, operation)
        case op.CreateIndex():
            key.create_index(p, operation)
        case op.DropIndex():
            key.drop_index(p, operation)
        case op.RenameIndex():
            key.rename_index(p, operation)
        case op.AlterIndex():
            key.alter_index(p, operation)
        case op.CreateTable():
            table.create_table(p, operation)
        case op.CreateTableAs():
            table.create_table_as(p, operation)
        case op.DropTable():
            table.drop_table(p, operation)
        case op.Truncate():
            table.truncate(p, operation)
        case op.RenameTable() | op.MoveTable():
            table.rename_table(p, operation)
        case op.AlterTableOption():
            table.alter_table_option(p, operation)
        case op.RewriteTable():
            table.rewrite_table(p, operation)
        case op.ConvertCharset():
            table.convert_charset(p, operation)
        case op.Comment():
            table.comment(p, operation)
        case op.AlterPartitions():
            partition.alter_partitions(p, operation)
        case op.Insert():
            data.insert(p, operation)
        case op.Update():
            data.update(p, operation)
        case op.Delete():
            data.delete(p, operation)
        case op.Select():
            data.select(p, operation)
        case op.Copy():
            data.copy(p, operation)
        case op.CreateView() | op.DropView():
            other.view(p, operation)
        case op.CreateTrigger() | op.DropTrigger():
            other.trigger(p, operation)
        case op.CreateFunction() | op.DropFunction():
            other.routine(p, operation)
        case op.LockTable():
            other.lock_table(p, operation)
        case op.CreateSchema() | op.DropSchema():
            other.schema(p, operation)
        case op.CreateSequence() | op.AlterSequence() | op.DropSequence():
            other.sequence(p, operation)
        case op.TransactionControl() | op.SetSetting():
            p.transactional = True
        case op.AlterObject(kind="instance" | "server"):
            p.transactional = True
        case op.Grant() | op.AlterObject() | op.DropObject() | op.RequestAlgorithm():
            pass
        case op.SetRowSecurity():
            p.fails("unsupported", f"{p.server} has no row-level security", certain=True)
        case op.RawSql():
            p.unknown = operation.reason
            p.transactional = True
        case (
            op.AlterColumnType()
            | op.SetNotNull()
            | op.DropNotNull()
            | op.AlterIdentity()
            | op.SetExpression()
            | op.DropExpression()
            | op.ValidateConstraint()
            | op.RenameConstraint()
            | op.Reindex()
            | op.AttachPartition()
            | op.DetachPartition()
            | op.SetInherit()
            | op.AlterView()
            | op.RefreshView()
            | op.AlterTrigger()
            | op.EnableTrigger()
            | op.CreateType()
            | op.AddEnumValue()
            | op.RenameEnumValue()
            | op.AlterDomain()
            | op.DropType()
            | op.CreatePolicy()
            | op.AlterPolicy()
            | op.DropPolicy()
            | op.CreateExtension()
            | op.Pragma()
        ):
            p.fails("unsupported", f"{p.server} has no statement for {type(operation).__name__}", certain=True)
        case _:
            assert_never(operation)
