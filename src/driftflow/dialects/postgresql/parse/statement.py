"""One statement in, its operations out. The grammar decides what is SQL; what only our reading does not know becomes RawSql with the reason."""

from __future__ import annotations

from collections.abc import Callable

from driftflow.dialects.mixed import hint_for
from driftflow.dialects.place import excerpt_of, shortened
from driftflow.dialects.postgresql import grammar
from driftflow.dialects.postgresql.deparse import NotUnderstood
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.alter_table import alter_table
from driftflow.dialects.postgresql.parse.create_table import create_table, create_table_as
from driftflow.dialects.postgresql.parse.data import COPY_START, copy, delete, insert, merge, opaque, select, truncate, update
from driftflow.dialects.postgresql.parse.drop import drop
from driftflow.dialects.postgresql.parse.index import create_index, reindex
from driftflow.dialects.postgresql.parse.objects import (
    KNOWN,
    comment,
    create_extension,
    create_schema,
    default_privileges,
    define,
    grant,
    grant_role,
    rule,
)
from driftflow.dialects.postgresql.parse.policy import alter_policy, create_policy
from driftflow.dialects.postgresql.parse.rename import depends, owner, rename, set_schema
from driftflow.dialects.postgresql.parse.routine import create_function
from driftflow.dialects.postgresql.parse.sequence import alter_sequence, create_sequence
from driftflow.dialects.postgresql.parse.session import cluster, lock_table, set_constraints, set_variable, transaction, vacuum
from driftflow.dialects.postgresql.parse.touches import touches_of
from driftflow.dialects.postgresql.parse.trigger import create_trigger
from driftflow.dialects.postgresql.parse.type import (
    alter_domain,
    alter_enum,
    create_composite,
    create_domain,
    create_enum,
    create_range,
)
from driftflow.dialects.postgresql.parse.view import create_view, refresh
from driftflow.errors import ParseError
from driftflow.model.migration import Statement
from driftflow.model.operations import Operation, RawSql
from driftflow.model.record import replace

Reader = Callable[[Node, str], tuple[Operation, ...]]


def _call(body: Node, sql: str) -> tuple[Operation, ...]:
    return opaque({"FuncCall": body["funccall"]}, sql)


READERS: dict[str, Reader] = {
    **KNOWN,
    "AlterDefaultPrivilegesStmt": default_privileges,
    "AlterDomainStmt": alter_domain,
    "AlterEnumStmt": alter_enum,
    "AlterObjectDependsStmt": depends,
    "AlterObjectSchemaStmt": set_schema,
    "AlterOwnerStmt": owner,
    "AlterPolicyStmt": alter_policy,
    "AlterSeqStmt": alter_sequence,
    "AlterTableStmt": alter_table,
    "CallStmt": _call,
    "ClusterStmt": cluster,
    "CommentStmt": comment,
    "CompositeTypeStmt": create_composite,
    "ConstraintsSetStmt": set_constraints,
    "CopyStmt": copy,
    "CreateDomainStmt": create_domain,
    "CreateEnumStmt": create_enum,
    "CreateExtensionStmt": create_extension,
    "CreateFunctionStmt": create_function,
    "CreatePolicyStmt": create_policy,
    "CreateRangeStmt": create_range,
    "CreateSchemaStmt": create_schema,
    "CreateSeqStmt": create_sequence,
    "CreateStmt": create_table,
    "CreateTableAsStmt": create_table_as,
    "CreateTrigStmt": create_trigger,
    "DefineStmt": define,
    "DeleteStmt": delete,
    "DoStmt": opaque,
    "DropStmt": drop,
    "GrantRoleStmt": grant_role,
    "GrantStmt": grant,
    "IndexStmt": create_index,
    "InsertStmt": insert,
    "LockStmt": lock_table,
    "MergeStmt": merge,
    "RefreshMatViewStmt": refresh,
    "ReindexStmt": reindex,
    "RenameStmt": rename,
    "RuleStmt": rule,
    "SelectStmt": select,
    "TransactionStmt": transaction,
    "TruncateStmt": truncate,
    "UpdateStmt": update,
    "VacuumStmt": vacuum,
    "VariableSetStmt": set_variable,
    "ViewStmt": create_view,
}
"""How each kind of statement is read, by the grammar's own name for it."""

NOT_IN_TRANSACTION = frozenset(
    ("CreatedbStmt", "DropdbStmt", "CreateTableSpaceStmt", "DropTableSpaceStmt", "AlterSystemStmt", "CreateSubscriptionStmt")
)
"""Kinds that the server refuses inside a transaction block, whatever their clauses."""


def parse(statement: Statement) -> Statement:
    """The statement with its operations. Raises ParseError (DF-E201) at the character where the grammar stops."""
    try:
        return replace(statement, operations=operations_of(statement.sql))
    except grammar.SyntaxFault as fault:
        raise _refused(statement, fault) from None


def operations_of(sql: str) -> tuple[Operation, ...]:
    """The operations of one statement's text. Raises SyntaxFault where the grammar does."""
    text = _without_copy_data(sql)
    try:
        nodes = grammar.parse(text)
    except grammar.TooDeep as fault:
        return (RawSql(sql=sql, reason=str(fault)),)
    if len(nodes) != 1:
        return (RawSql(sql=sql, reason=f"{len(nodes)} statements where one was expected"),) if nodes else ()
    ((tag, body),) = nodes[0]["stmt"].items()
    return _read(tag, body, sql)


def _read(tag: str, body: Node, sql: str) -> tuple[Operation, ...]:
    reader = READERS.get(tag)
    try:
        if reader is None:
            return (_raw(tag, body, sql, f"driftflow has no reading for {tag.removesuffix('Stmt')} statements"),)
        return reader(body, sql)
    except NotUnderstood as fault:
        return (_raw(tag, body, sql, f"not understood: {fault}"),)
    except RecursionError:
        return (RawSql(sql=sql, reason="the statement is nested deeper than can be read"),)


def _raw(tag: str, body: Node, sql: str, reason: str) -> RawSql:
    touched = touches_of({tag: body})
    relations = dict.fromkeys([*touched.reads, *touched.writes])
    if "relname" in body.get("relation", {}):
        from driftflow.dialects.postgresql.parse.node import relation

        target = body["relation"]
        relations.setdefault(relation({"schemaname": target.get("schemaname", ""), "relname": target["relname"]}))
    return RawSql(sql=sql, reason=reason, relations=tuple(relations), transactional=False if tag in NOT_IN_TRANSACTION else None)


def _without_copy_data(sql: str) -> str:
    """COPY's inline data stands behind the terminator and is not SQL."""
    if sql[:4].lower() != "copy":
        return sql
    data = COPY_START.search(sql)
    return sql if data is None else sql[: data.start()]


def _refused(statement: Statement, fault: grammar.SyntaxFault) -> ParseError:
    offset = len(statement.sql.rstrip()) if fault.offset is None else fault.offset
    return ParseError(
        "DF-E201",
        shortened(fault.message),
        where=excerpt_of(statement, offset),
        why="PostgreSQL's own grammar (version 18) rejects the statement",
        hint=hint_for(statement.sql, "postgresql", "correct the statement, then run the command again"),
    )
