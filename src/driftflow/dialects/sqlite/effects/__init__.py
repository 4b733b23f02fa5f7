"""What an operation locks, does, loses and breaks on SQLite 3.25 to 3.53, predicted from the operation and the catalog alone.

One file per kind of object; the facts were measured on 3.40 and 3.54 (tests/databases runs them again). Where a prediction and the library
differ, the library is right.
"""

from __future__ import annotations

from driftflow.dialects.sqlite.effects import column, constraint, data, index, session, table, view
from driftflow.dialects.sqlite.effects.prediction import Prediction
from driftflow.model import operations as op
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Effects
from driftflow.model.names import Version


def predict(operation: op.Operation, catalog: Catalog, version: Version | None = None) -> Effects:
    """The effects of a resolved operation. Without a version (and none in the catalog): what any supported one may do."""
    prediction = Prediction(catalog=catalog, version=version or catalog.version)
    _predict(prediction, operation)
    return prediction.effects()


def _predict(p: Prediction, operation: op.Operation) -> None:
    match operation:
        case op.AddColumn():
            column.add_column(p, operation)
        case op.DropColumn():
            column.drop_column(p, operation)
        case op.RenameColumn():
            column.rename_column(p, operation)
        case op.AlterColumnType():
            column.alter_column_type(p, operation)
        case op.SetDefault():
            column.set_default(p, operation)
        case op.DropDefault():
            column.drop_default(p, operation)
        case op.SetNotNull():
            column.set_not_null(p, operation)
        case op.DropNotNull():
            column.drop_not_null(p, operation)
        case op.AddConstraint():
            constraint.add_constraint(p, operation)
        case op.DropConstraint():
            constraint.drop_constraint(p, operation)
        case op.CreateIndex():
            index.create_index(p, operation)
        case op.DropIndex():
            index.drop_index(p, operation)
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
        case op.RewriteTable():
            table.rewrite_table(p, operation)
        case op.CreateView():
            view.create_view(p, operation)
        case op.DropView():
            view.drop_view(p, operation)
        case op.CreateTrigger():
            view.create_trigger(p, operation)
        case op.DropTrigger():
            view.drop_trigger(p, operation)
        case op.Insert():
            data.insert(p, operation)
        case op.Update():
            data.update(p, operation)
        case op.Delete():
            data.delete(p, operation)
        case op.Select():
            data.select(p, operation)
        case op.Pragma():
            session.pragma(p, operation)
        case op.TransactionControl():
            session.transaction(p, operation)
        case op.AlterObject():
            session.attached(p, operation)
        case op.RawSql():
            p.unknown = operation.reason
        case _:
            _foreign(p, operation)


def _foreign(p: Prediction, operation: op.Operation) -> None:
    """Operations that only other vendors have. SQLite's parser never yields them; a mixed source may."""
    p.fails("unsupported", f"SQLite has no statement for {type(operation).__name__}", certain=True)
