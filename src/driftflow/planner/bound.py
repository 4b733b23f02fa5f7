"""Transactions whose statements mean something only together: they are not cut into steps."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name
from driftflow.model.operations import (
    CreateTable,
    CreateTableAs,
    CreateView,
    DropTable,
    LockTable,
    Operation,
    RawSql,
    RenameTable,
    SetSetting,
    TransactionControl,
)

BINDING_STARTS = ("declare", "prepare", "create temp", "create temporary", "select pg_advisory_xact_lock")


def bound_transactions(situations: Sequence[Situation]) -> dict[int, str]:
    """Numbers of transactions that must stay whole, with the reason."""
    found: dict[int, str] = {}
    for at in situations:
        reason = _why(at)
        if reason and at.in_transaction and at.transaction not in found:
            found[at.transaction] = reason
    return found


def _why(at: Situation) -> str:
    operation = at.operation
    if _is_temporary(operation):
        return "it makes a temporary table"
    match operation:
        case SetSetting(name="constraints"):
            return "it defers constraints to its end"
        case LockTable():
            return "it takes a lock for what follows"
        case TransactionControl(action="savepoint" | "rollback_to" | "release"):
            return "it uses savepoints"
        case DropTable(name=name) | RenameTable(name=name) if _comes_back(at, name):
            return f"it puts another table in the place of {name.name}"
        case RawSql(sql=sql) if sql.lstrip().lower().startswith(BINDING_STARTS):
            return "it uses what lives only within a transaction"
        case _:
            return ""


def _is_temporary(operation: Operation) -> bool:
    match operation:
        case CreateTable(table=table):
            return table.kind == "temporary"
        case CreateTableAs(temporary=True) | CreateView(temporary=True):
            return True
        case _:
            return False


def _comes_back(at: Situation, name: Name) -> bool:
    """The name is taken again before the transaction ends, and it belonged to a living table before."""
    end: Catalog = at.committed or at.catalog
    found = at.table(name)
    return found is not None and not found.new and end.table(name) is not None
