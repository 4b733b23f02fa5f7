"""What takes CREATE, ALTER and DROP STATISTICS back (PostgreSQL), of which the catalog holds the whole statement."""

from __future__ import annotations

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog
from driftflow.model.operations import AlterObject, DropObject, Operation
from driftflow.model.operations.moving import statistics_named
from driftflow.model.plan import UndoNothing
from driftflow.model.record import replace
from driftflow.strategies import said_again


def statistics_back(
    operation: AlterObject | DropObject, before: Catalog, dialect: Dialect
) -> tuple[Operation, ...] | UndoNothing | None:
    """None where it is not known, or has another name or schema now."""
    if operation.kind != "statistics" or operation.name is None:
        return None
    found = statistics_named(before, operation.name)
    if found is None:
        return UndoNothing(reason=f"{operation.name} was not there") if _may_lack(operation) and before.complete else None
    table, known = found
    spelled = known.spelled or dialect.quote_name(known.name)
    match operation:
        case DropObject():
            return tuple(said_again.statistics_again(known, table.name, dialect)) or None
        case AlterObject(action="create"):
            return UndoNothing(reason=f"{known.name} was already there")
        case AlterObject(action="alter"):
            sql = f"ALTER STATISTICS {spelled} SET STATISTICS {-1 if known.target is None else known.target}"
        case AlterObject(action="owner") if known.owner:
            sql = f"ALTER STATISTICS {spelled} OWNER TO {dialect.quote(known.owner)}"
        case _:
            return None
    return (replace(operation, sql=sql),)


def _may_lack(operation: AlterObject | DropObject) -> bool:
    return isinstance(operation, DropObject) and operation.if_exists
