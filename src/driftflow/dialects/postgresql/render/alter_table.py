"""ALTER TABLE clauses. One statement may hold several, on one table."""

from __future__ import annotations

from typing import assert_never

from driftflow.dialects.postgresql.names import quote, quote_name
from driftflow.dialects.postgresql.render.clause import (
    column_text,
    constraint_text,
    default_text,
    dotted,
    identity_text,
    sequence_options,
)
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    AlterConstraint,
    AlterIdentity,
    AlterTableOption,
    AttachPartition,
    DetachPartition,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropExpression,
    DropNotNull,
    EnableTrigger,
    RewriteTable,
    SetColumnOption,
    SetDefault,
    SetExpression,
    SetInherit,
    SetNotNull,
    SetRowSecurity,
    ValidateConstraint,
)

Clause = (
    AddColumn
    | AddConstraint
    | AlterColumnType
    | AlterConstraint
    | AlterIdentity
    | AlterTableOption
    | AttachPartition
    | DetachPartition
    | DropColumn
    | DropConstraint
    | DropDefault
    | DropExpression
    | DropNotNull
    | EnableTrigger
    | SetColumnOption
    | SetDefault
    | SetExpression
    | SetInherit
    | SetNotNull
    | SetRowSecurity
    | ValidateConstraint
)
"""Operations that are always a clause of ALTER TABLE; RewriteTable is one for some of its actions."""

CLAUSE_REWRITES = frozenset(("logged", "unlogged", "tablespace", "access_method"))
ALONE = (AttachPartition, DetachPartition)
"""Clauses that the grammar allows only by themselves."""


def alter_table(*operations: Clause | RewriteTable) -> str:
    """One ALTER TABLE with all the clauses. Raises ValueError where they are of several tables, or must stand alone."""
    first = operations[0]
    table = first.table
    if table is None or any((one.table, one.table_if_exists) != (table, first.table_if_exists) for one in operations):
        raise ValueError("clauses of one ALTER TABLE must be of one table")
    if len(operations) > 1 and any(isinstance(one, ALONE) for one in operations):
        raise ValueError("attaching and detaching a partition must stand alone")
    only = {bool(getattr(one, "only", first_only(operations))) for one in operations}
    if len(only) > 1:
        raise ValueError("clauses with and without ONLY cannot be combined")
    head = f"ALTER TABLE {'IF EXISTS ' if first.table_if_exists else ''}{'ONLY ' if only.pop() else ''}{quote_name(table)} "
    return head + ", ".join(map(clause, operations))


def first_only(operations: tuple[Clause | RewriteTable, ...]) -> bool:
    """ONLY as the first operation that knows it says."""
    return next((bool(one.only) for one in operations if hasattr(one, "only")), False)


def clause(operation: Clause | RewriteTable) -> str:
    """What stands behind the table's name."""
    match operation:
        case AddColumn():
            exists = "IF NOT EXISTS " if operation.if_not_exists else ""
            return f"ADD COLUMN {exists}{column_text(operation.column, operation.constraints)}"
        case DropColumn():
            return f"DROP COLUMN {_if_exists(operation.if_exists)}{quote(operation.column)}{_cascade(operation.cascade)}"
        case AddConstraint():
            return f"ADD {constraint_text(operation.constraint)}"
        case DropConstraint():
            return f"DROP CONSTRAINT {_if_exists(operation.if_exists)}{quote(operation.name)}{_cascade(operation.cascade)}"
        case ValidateConstraint():
            return f"VALIDATE CONSTRAINT {quote(operation.name)}"
        case AlterConstraint():
            return _alter_constraint(operation)
        case AttachPartition():
            return f"ATTACH PARTITION {quote_name(operation.partition)} {operation.bound}"
        case DetachPartition():
            how = " CONCURRENTLY" if operation.concurrently else " FINALIZE" if operation.finalize else ""
            return f"DETACH PARTITION {quote_name(operation.partition)}{how}"
        case SetInherit():
            return f"{'INHERIT' if operation.inherit else 'NO INHERIT'} {quote_name(operation.parent)}"
        case EnableTrigger():
            return _enable_trigger(operation)
        case SetRowSecurity():
            words = {"enable": "ENABLE", "disable": "DISABLE", "force": "FORCE", "no_force": "NO FORCE"}
            return f"{words[operation.action]} ROW LEVEL SECURITY"
        case AlterTableOption():
            return _option(operation)
        case RewriteTable():
            return _rewrite(operation)
        case _:
            return f"ALTER COLUMN {quote(operation.column)} {_column_clause(operation)}"


ColumnClause = (
    AlterColumnType
    | AlterIdentity
    | DropDefault
    | DropExpression
    | DropNotNull
    | SetColumnOption
    | SetDefault
    | SetExpression
    | SetNotNull
)


def _column_clause(operation: ColumnClause) -> str:
    match operation:
        case AlterColumnType():
            collation = f" COLLATE {dotted(operation.collation)}" if operation.collation else ""
            return f"TYPE {operation.type}{collation}" + (f" USING {operation.using}" if operation.using else "")
        case SetDefault():
            return f"SET DEFAULT {default_text(operation.default)}"
        case DropDefault():
            return "DROP DEFAULT"
        case SetNotNull():
            return "SET NOT NULL"
        case DropNotNull():
            return "DROP NOT NULL"
        case SetExpression():
            return f"SET EXPRESSION AS ({operation.generated.expression})"
        case DropExpression():
            return f"DROP EXPRESSION{' IF EXISTS' if operation.if_exists else ''}"
        case SetColumnOption():
            return _column_option(operation)
        case AlterIdentity():
            return _identity(operation)
        case _:
            assert_never(operation)


def _column_option(operation: SetColumnOption) -> str:
    match operation.option:
        case "set" | "reset":
            return f"{operation.option.upper()} ({operation.value})"
        case "statistics" | "storage" | "compression":
            return f"SET {operation.option.upper()} {operation.value}"
        case "visible":
            raise ValueError("PostgreSQL has no invisible columns")
        case other:
            assert_never(other)


def _identity(operation: AlterIdentity) -> str:
    match operation.action:
        case "add":
            if operation.identity is None:
                raise ValueError("adding an identity needs to say which")
            return "ADD" + identity_text(operation.identity)
        case "drop":
            return f"DROP IDENTITY{' IF EXISTS' if operation.if_exists else ''}"
        case "set":
            pieces = []
            if operation.identity is not None:
                pieces.append(f"SET GENERATED {'ALWAYS' if operation.identity.always else 'BY DEFAULT'}")
            if options := sequence_options(operation.options, prefix="SET "):
                pieces.append(options)
            if operation.restart is not None:
                pieces.append(f"RESTART WITH {operation.restart}")
            elif operation.restarts:
                pieces.append("RESTART")
            return " ".join(pieces)
        case other:
            assert_never(other)


def _alter_constraint(operation: AlterConstraint) -> str:
    pieces = []
    if operation.deferrable is not None:
        pieces.append("DEFERRABLE" if operation.deferrable else "NOT DEFERRABLE")
    if operation.initially_deferred:
        pieces.append("INITIALLY DEFERRED")
    if operation.enforced is not None:
        pieces.append("ENFORCED" if operation.enforced else "NOT ENFORCED")
    if operation.no_inherit is not None:
        pieces.append("NO INHERIT" if operation.no_inherit else "INHERIT")
    return f"ALTER CONSTRAINT {quote(operation.name)} {' '.join(pieces)}"


def _enable_trigger(operation: EnableTrigger) -> str:
    words = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}[operation.state]
    name = operation.name if operation.name in {"ALL", "USER"} else quote(operation.name)
    return f"{words} TRIGGER {name}"


def _option(operation: AlterTableOption) -> str:
    value = operation.value
    match operation.option:
        case "set" | "reset":
            return f"{operation.option.upper()} ({value})"
        case "owner":
            return f"OWNER TO {value}"
        case "replica_identity":
            return f"REPLICA IDENTITY {value}"
        case "cluster_on":
            return f"CLUSTER ON {value}"
        case "without_cluster":
            return "SET WITHOUT CLUSTER"
        case "of":
            return f"OF {value}"
        case "not_of":
            return "NOT OF"
        case "without_oids":
            return "SET WITHOUT OIDS"
        case "rule":
            return value
        case "mysql" | "add_period" | "drop_period":
            raise ValueError("a table option of MySQL has no form on PostgreSQL")
        case other:
            assert_never(other)


def _rewrite(operation: RewriteTable) -> str:
    match operation.action:
        case "logged" | "unlogged":
            return f"SET {operation.action.upper()}"
        case "tablespace":
            return f"SET TABLESPACE {quote(operation.value)}"
        case "access_method":
            return f"SET ACCESS METHOD {'DEFAULT' if operation.value == 'DEFAULT' else quote(operation.value)}"
        case other:
            raise ValueError(f"{other} is no clause of ALTER TABLE")


def _if_exists(value: bool) -> str:
    return "IF EXISTS " if value else ""


def _cascade(value: bool) -> str:
    return " CASCADE" if value else ""
