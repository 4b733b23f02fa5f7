"""What a migration drops only to make it anew in another form: found by looking at the whole file, so that the new one is built before the old one goes."""

from __future__ import annotations

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, Constraint, ForeignKey, Index, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, DropConstraint, DropIndex, Operation, RequestAlgorithm
from driftflow.strategies.constraints.exchanging import can_exchange
from driftflow.strategies.size import is_new

Replacing = AddConstraint | CreateIndex
Replaced = DropConstraint | DropIndex


def old_of(operation: Replacing, at: Situation) -> Situation | None:
    """Where the file dropped what this operation makes anew; None where it makes something of its own. What has been dropped once is replaced by one thing."""
    table = _table(operation)
    if table is None or not _may_replace(operation, at) or not _dropped_for(operation, at, set()):
        return None
    given: set[int] = set()
    for later in at.file.situations[: at.place]:
        if isinstance(later.operation, Replacing) and _table(later.operation) == table and _may_replace(later.operation, later):
            given |= {before.place for before in _dropped_for(later.operation, later, given)[:1]}
    return next(iter(_dropped_for(operation, at, given)), None)


def _may_replace(operation: Replacing, at: Situation) -> bool:
    table = _table(operation)
    return table is not None and not (is_new(at, table) or at.directives("duplicates") or at.directives("orphans"))


def _dropped_for(operation: Replacing, at: Situation, given: set[int]) -> list[Situation]:
    """What is still to be had, the one of the same name before the nearest."""
    found: list[Situation] = []
    for before in reversed(at.file.situations[: at.place]):
        dropped = before.operation
        if _table(dropped) != _table(operation):
            continue
        if isinstance(dropped, Replaced) and before.place not in given and _stands_for(operation, dropped, before):
            found.append(before)
        elif not isinstance(dropped, Replaced | Replacing | RequestAlgorithm):
            break
    return sorted(found, key=lambda before: _name(before.operation) != _name(operation))


def _name(operation: Operation) -> str:
    match operation:
        case AddConstraint(constraint=constraint):
            return constraint.name
        case CreateIndex(index=index):
            return index.name.name
        case DropConstraint(name=name):
            return name
        case DropIndex(name=name):
            return name.name
        case _:
            return ""


def new_of(operation: Replaced, at: Situation) -> Situation | None:
    """Where the file makes anew what this operation drops."""
    for later in at.file.situations[at.place + 1 :]:
        if (
            isinstance(later.operation, Replacing)
            and (old := old_of(later.operation, later)) is not None
            and old.place == at.place
        ):
            return later
    return None


def _table(operation: Operation) -> Name | None:
    if isinstance(operation, CreateIndex):
        return operation.index.table
    found = getattr(operation, "table", None)
    return found if isinstance(found, Name) else None


def constraint_of(operation: DropConstraint, at: Situation) -> Constraint | None:
    table = at.table(operation.table)
    return table.constraint(operation.name) if table is not None else None


def index_dropped(operation: DropIndex, at: Situation) -> Index | None:
    table: Table | None = at.table(operation.table) if operation.table is not None else None
    return table.index(operation.name.name) if table is not None else None


def _stands_for(operation: Replacing, dropped: Replaced, before: Situation) -> bool:
    """Of one kind, and of one name or over columns that they share."""
    if isinstance(operation, CreateIndex):
        old = index_dropped(dropped, before) if isinstance(dropped, DropIndex) else None
        if old is None or not (old.unique and operation.index.unique) or operation.concurrently:
            return False
        return old.name == operation.index.name or bool(set(old.columns) & set(operation.index.columns))
    if not isinstance(dropped, DropConstraint) or dropped.cascade:
        return False
    match constraint_of(dropped, before), operation.constraint:
        case Unique() as old_key, Unique() as new_key if not new_key.using_index and new_key.name:
            return old_key.name == new_key.name or bool(set(old_key.columns) & set(new_key.columns))
        case ForeignKey() as old_reference, ForeignKey() as reference if reference.validated and reference.enforced:
            return old_reference.name == reference.name or old_reference.columns == reference.columns
        case Check() as old_check, Check() as check if check.validated and check.enforced:
            return old_check.name == check.name
        case _:
            return False


def can_replace(operation: Replacing, at: Situation) -> bool:
    """Whether the server can hold both for a while and swap them in an instant."""
    name = _table(operation)
    table = at.table(name) if name is not None else None
    if table is None or table.partitioning is not None or table.partition_of is not None:
        return False
    if isinstance(operation, CreateIndex):
        return bool(operation.index.name.name) and (at.can(Capability.CONCURRENT_INDEX) or at.can(Capability.TABLE_REBUILD_ONLY))
    if isinstance(operation.constraint, Unique):
        return at.can(Capability.CONCURRENT_INDEX) and at.can(Capability.UNIQUE_USING_INDEX)
    if at.dialect.one_pass:
        return can_exchange(operation, at)
    return at.can(Capability.NOT_VALID_CONSTRAINT)
