"""What an operation locks and does on PostgreSQL 12 to 18, predicted from the operation and the catalog alone.

One file per kind of object. The facts were measured on real servers of every version (tests/databases holds the recordings);
where a prediction and a server differ, the server is right.
"""

from __future__ import annotations

from typing import assert_never

from driftflow.dialects.postgresql.effects import (
    column,
    column_generated,
    column_type,
    constraint,
    data,
    index,
    object,
    partition,
    policy,
    sequence,
    session,
    table,
    trigger,
    type,
    view,
)
from driftflow.dialects.postgresql.effects.prediction import Prediction, worst
from driftflow.model import operations as op
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Effects
from driftflow.model.names import Version

OLDEST, NEWEST = 12, 18


def predict(operation: op.Operation, catalog: Catalog, version: Version | None = None) -> Effects:
    """The effects of a resolved operation. Without a version (and none in the catalog): the worst of all supported ones."""
    known = version or catalog.version
    if known is not None:
        return _on(operation, catalog, known.major).effects()
    first = _on(operation, catalog, OLDEST)
    if not first.asked:
        return first.effects()
    latest, effects = first, first.effects()
    found = [(OLDEST, effects)]
    for major in range(OLDEST + 1, NEWEST + 1):
        if not latest.holds_on(major):
            latest = _on(operation, catalog, major)
            effects = latest.effects()
        found.append((major, effects))
    return worst(found)


def _on(operation: op.Operation, catalog: Catalog, major: int) -> Prediction:
    prediction = Prediction(catalog=catalog, major=major)
    if not (
        operation.table_if_exists and catalog.complete
    ):  # resolve keeps the flag only where the relation is missing: nothing happens
        _predict(prediction, operation)
    return prediction


def _predict(p: Prediction, operation: op.Operation) -> None:
    match operation:
        case op.AddColumn():
            column.add_column(p, operation)
        case op.DropColumn():
            column.drop_column(p, operation)
        case op.RenameColumn():
            column.rename_column(p, operation)
        case op.AlterColumnType():
            column_type.alter_column_type(p, operation)
        case op.SetDefault():
            column.set_default(p, operation)
        case op.DropDefault():
            column.drop_default(p, operation)
        case op.SetNotNull():
            column.set_not_null(p, operation)
        case op.DropNotNull():
            column.drop_not_null(p, operation)
        case op.AlterIdentity():
            column_generated.alter_identity(p, operation)
        case op.SetExpression():
            column_generated.set_expression(p, operation)
        case op.DropExpression():
            column_generated.drop_expression(p, operation)
        case op.SetColumnOption():
            column.set_column_option(p, operation)
        case op.AddConstraint():
            constraint.add_constraint(p, operation)
        case op.ValidateConstraint():
            constraint.validate_constraint(p, operation)
        case op.AlterConstraint():
            constraint.alter_constraint(p, operation)
        case op.DropConstraint():
            constraint.drop_constraint(p, operation)
        case op.RenameConstraint():
            constraint.rename_constraint(p, operation)
        case op.CreateIndex():
            index.create_index(p, operation)
        case op.DropIndex():
            index.drop_index(p, operation)
        case op.RenameIndex():
            index.rename_index(p, operation)
        case op.AlterIndex():
            index.alter_index(p, operation)
        case op.Reindex():
            index.reindex(p, operation)
        case op.CreateTable():
            table.create_table(p, operation)
        case op.CreateTableAs():
            table.create_table_as(p, operation)
        case op.DropTable():
            table.drop_table(p, operation)
        case op.RenameTable():
            table.rename_table(p, operation)
        case op.MoveTable():
            table.move_table(p, operation)
        case op.AlterTableOption():
            table.alter_table_option(p, operation)
        case op.RewriteTable():
            table.rewrite_table(p, operation)
        case op.AttachPartition():
            partition.attach_partition(p, operation)
        case op.DetachPartition():
            partition.detach_partition(p, operation)
        case op.SetInherit():
            partition.set_inherit(p, operation)
        case op.CreateView():
            view.create_view(p, operation)
        case op.DropView():
            view.drop_view(p, operation)
        case op.AlterView():
            view.alter_view(p, operation)
        case op.RefreshView():
            view.refresh_view(p, operation)
        case op.CreateTrigger():
            trigger.create_trigger(p, operation)
        case op.DropTrigger():
            trigger.drop_trigger(p, operation)
        case op.AlterTrigger():
            trigger.alter_trigger(p, operation)
        case op.EnableTrigger():
            trigger.enable_trigger(p, operation)
        case op.CreateFunction():
            object.create_function(p, operation)
        case op.DropFunction():
            object.drop_function(p, operation)
        case op.CreateType():
            type.create_type(p, operation)
        case op.AddEnumValue():
            type.add_enum_value(p, operation)
        case op.RenameEnumValue():
            type.rename_enum_value(p, operation)
        case op.AlterDomain():
            type.alter_domain(p, operation)
        case op.DropType():
            type.drop_type(p, operation)
        case op.CreateSequence():
            sequence.create_sequence(p, operation)
        case op.AlterSequence():
            sequence.alter_sequence(p, operation)
        case op.DropSequence():
            sequence.drop_sequence(p, operation)
        case op.CreatePolicy():
            policy.create_policy(p, operation)
        case op.AlterPolicy():
            policy.alter_policy(p, operation)
        case op.DropPolicy():
            policy.drop_policy(p, operation)
        case op.SetRowSecurity():
            policy.set_row_security(p, operation)
        case op.CreateSchema():
            object.create_schema(p, operation)
        case op.DropSchema():
            object.drop_schema(p, operation)
        case op.CreateExtension():
            object.create_extension(p, operation)
        case op.Comment():
            object.comment(p, operation)
        case op.Grant():
            object.grant(p, operation)
        case op.AlterObject():
            object.alter_object(p, operation)
        case op.DropObject():
            object.drop_object(p, operation)
        case op.Insert():
            data.insert(p, operation)
        case op.Update():
            data.update(p, operation)
        case op.Delete():
            data.delete(p, operation)
        case op.Truncate():
            data.truncate(p, operation)
        case op.Copy():
            data.copy(p, operation)
        case op.Select():
            data.select(p, operation)
        case op.LockTable():
            session.lock_table(p, operation)
        case op.RawSql():
            session.raw_sql(p, operation)
        case op.ChangeColumn() | op.ConvertCharset() | op.AlterPartitions() | op.RequestAlgorithm():
            p.unknown = "it has no form on PostgreSQL"
        case op.TransactionControl() | op.SetSetting() | op.Pragma():
            pass
        case _:
            assert_never(operation)
