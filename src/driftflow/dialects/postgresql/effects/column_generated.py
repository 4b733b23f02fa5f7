"""Columns that the server fills: identity and generated ones."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.column_default import NUMBERS, new_sequence
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import altered, new_name, owned_sequences, rewrite_tree
from driftflow.model.catalog import Column, Identity, SequenceOptions, Table
from driftflow.model.operations import AlterIdentity, DropExpression, SetExpression


def alter_identity(p: Prediction, operation: AlterIdentity) -> None:
    """The table under ACCESS EXCLUSIVE, and its sequence: nextval() of every writer waits for the commit."""
    table = p.catalog.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    partitioned = table is not None and table.partitioning is not None and p.at_least(17)
    recurses = partitioned and (operation.action == "add" or (column is not None and column.identity is not None))
    altered(p, operation.table, operation.column, only=operation.only or not recurses)
    if table is not None and table.partition_of is not None and p.at_least(17):
        p.fails(
            "unsupported",
            f"{table.name.name} is a partition: its identity columns are its parent's",
            relation=table.name,
            certain=True,
        )
    if operation.action == "add":
        new_sequence(p, operation.table, Column(name=operation.column, type="", identity=operation.identity or Identity()))
        if column is not None and column.nullable:
            p.fails(
                "dependency",
                f'column "{operation.column}" must be NOT NULL before it becomes an identity',
                relation=operation.table,
                certain=True,
            )
        return
    owned = owned_sequences(p.catalog, operation.table, operation.column)
    sequences = owned or (new_name(operation.table.schema, operation.table.name, (operation.column,), "seq"),)
    if column is not None and column.identity is None:
        if not operation.if_exists:
            p.fails("missing", f'column "{operation.column}" is not an identity column', relation=operation.table, certain=True)
        return
    if operation.action == "drop":
        p.lock_all(sequences, ACCESS_EXCLUSIVE, why=f"dropped with the identity of {operation.column}")
        p.loses(f"the sequence behind {operation.column}", operation.table)
        return
    p.lock_all(sequences, SHARE_ROW_EXCLUSIVE, ROW_EXCLUSIVE, why=f"{NUMBERS}{operation.column}")
    if operation.options != SequenceOptions() or operation.restart is not None:
        for sequence in sequences:
            p.does("rewrite", sequence, "the sequence's one row")


def set_expression(p: Prediction, operation: SetExpression) -> None:
    """17 and later. A stored column is computed anew for each row; a virtual one (18) is not stored."""
    tables = altered(p, operation.table, operation.column, only=operation.only)
    if p.needs_version(17, "SET EXPRESSION") and operation.generated.stored:
        rewrite_tree(p, tables, f"{operation.column} is computed anew for each row")


def drop_expression(p: Prediction, operation: DropExpression) -> None:
    """13 and later. The column keeps its values and no longer follows the others."""
    tables = altered(p, operation.table, operation.column, only=operation.only)
    if not p.needs_version(13, "DROP EXPRESSION"):
        return
    column = tables[0].column(operation.column) if tables else None
    if column is not None and column.generated is None and not operation.if_exists:
        p.fails("missing", f'column "{operation.column}" is not a generated column', relation=operation.table, certain=True)
    if tables and (tables[0].partition_of is not None or _inherited(p, tables[0], operation.column)):
        p.fails(
            "dependency",
            f"{operation.column} is inherited: its expression is the parent's",
            relation=operation.table,
            certain=True,
        )
    p.breaks(f"{operation.column} is no longer kept up to date", operation.table, operation.column)


def _inherited(p: Prediction, table: Table, column: str) -> bool:
    return any(parent.column(column) is not None for name in table.inherits if (parent := p.catalog.table(name)) is not None)
