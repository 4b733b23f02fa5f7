"""What an operation locks and does on PostgreSQL 12 to 18, predicted from the operation and the catalog alone.

One file per kind of object. The facts were measured on real servers of every version (tests/databases holds the recordings);
where a prediction and a server differ, the server is right.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any, Final

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
        _PREDICTORS[operation.__class__](prediction, operation)
    return prediction


def _has_no_form(p: Prediction, operation: op.Operation) -> None:
    p.unknown = "it has no form on PostgreSQL"


def _does_nothing(p: Prediction, operation: op.Operation) -> None:
    """It locks no relation."""


_PREDICTORS: Final[Mapping[builtins.type, Callable[[Prediction, Any], None]]] = {
    op.AddColumn: column.add_column,
    op.DropColumn: column.drop_column,
    op.RenameColumn: column.rename_column,
    op.AlterColumnType: column_type.alter_column_type,
    op.SetDefault: column.set_default,
    op.DropDefault: column.drop_default,
    op.SetNotNull: column.set_not_null,
    op.DropNotNull: column.drop_not_null,
    op.AlterIdentity: column_generated.alter_identity,
    op.SetExpression: column_generated.set_expression,
    op.DropExpression: column_generated.drop_expression,
    op.SetColumnOption: column.set_column_option,
    op.AddConstraint: constraint.add_constraint,
    op.ValidateConstraint: constraint.validate_constraint,
    op.AlterConstraint: constraint.alter_constraint,
    op.DropConstraint: constraint.drop_constraint,
    op.RenameConstraint: constraint.rename_constraint,
    op.CreateIndex: index.create_index,
    op.DropIndex: index.drop_index,
    op.RenameIndex: index.rename_index,
    op.AlterIndex: index.alter_index,
    op.Reindex: index.reindex,
    op.CreateTable: table.create_table,
    op.CreateTableAs: table.create_table_as,
    op.DropTable: table.drop_table,
    op.RenameTable: table.rename_table,
    op.MoveTable: table.move_table,
    op.AlterTableOption: table.alter_table_option,
    op.RewriteTable: table.rewrite_table,
    op.AttachPartition: partition.attach_partition,
    op.DetachPartition: partition.detach_partition,
    op.SetInherit: partition.set_inherit,
    op.CreateView: view.create_view,
    op.DropView: view.drop_view,
    op.AlterView: view.alter_view,
    op.RefreshView: view.refresh_view,
    op.CreateTrigger: trigger.create_trigger,
    op.DropTrigger: trigger.drop_trigger,
    op.AlterTrigger: trigger.alter_trigger,
    op.EnableTrigger: trigger.enable_trigger,
    op.CreateFunction: object.create_function,
    op.DropFunction: object.drop_function,
    op.CreateType: type.create_type,
    op.AddEnumValue: type.add_enum_value,
    op.RenameEnumValue: type.rename_enum_value,
    op.AlterDomain: type.alter_domain,
    op.DropType: type.drop_type,
    op.CreateSequence: sequence.create_sequence,
    op.AlterSequence: sequence.alter_sequence,
    op.DropSequence: sequence.drop_sequence,
    op.CreatePolicy: policy.create_policy,
    op.AlterPolicy: policy.alter_policy,
    op.DropPolicy: policy.drop_policy,
    op.SetRowSecurity: policy.set_row_security,
    op.CreateSchema: object.create_schema,
    op.DropSchema: object.drop_schema,
    op.CreateExtension: object.create_extension,
    op.Comment: object.comment,
    op.Grant: object.grant,
    op.AlterObject: object.alter_object,
    op.DropObject: object.drop_object,
    op.Insert: data.insert,
    op.Update: data.update,
    op.Delete: data.delete,
    op.Truncate: data.truncate,
    op.Copy: data.copy,
    op.Select: data.select,
    op.LockTable: session.lock_table,
    op.RawSql: session.raw_sql,
    op.ChangeColumn: _has_no_form,
    op.ConvertCharset: _has_no_form,
    op.AlterPartitions: _has_no_form,
    op.RequestAlgorithm: _has_no_form,
    op.TransactionControl: _does_nothing,
    op.SetSetting: _does_nothing,
    op.Pragma: _does_nothing,
}
"""By the class of the operation: a test says that none is missing."""
