"""DF409: a view, function, trigger, type, policy, sequence or extension is dropped: whoever uses it fails or goes unguarded."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import (
    DropFunction,
    DropObject,
    DropPolicy,
    DropSequence,
    DropTrigger,
    DropType,
    DropView,
)

_Dropped = DropView | DropFunction | DropTrigger | DropType | DropPolicy | DropSequence | DropObject


@check(
    "DF409",
    on=(DropView, DropFunction, DropTrigger, DropType, DropPolicy, DropSequence, DropObject),
    page="table/object-dropped",
    title="A dropped view, function, trigger, type or policy",
)
def object_dropped(operation: _Dropped, at: Situation) -> Iterator[Finding]:
    """Silent where the same transaction makes the object again, and for what this release made."""
    lost = [loss.what for loss in at.effects.loses]
    if not lost or at.conflict or _is_back(operation, at) or any(condition.certain for condition in at.effects.fails_if):
        return
    cascade = getattr(operation, "cascade", False)
    yield finding(
        at,
        f"{lost[0]} is gone" + (f", and with it {', '.join(lost[1:])}" if lost[1:] else ""),
        axis="loses",
        severity="error" if cascade and lost[1:] else "info" if _perhaps(operation, at) else "warning",
        why="; ".join(broken.what for broken in at.effects.breaks)
        or "whatever relies on it fails or goes unguarded from this moment",
        remedy=Remedy(
            summary="name what depends on it instead of CASCADE, and drop it in the contract phase, after the deploy"
            if cascade
            else "drop it in the contract phase, after the deploy of code that no longer needs it"
        ),
    )


def _is_back(operation: _Dropped, at: Situation) -> bool:
    """Whether an object of that name is there when the transaction (or the release) is through, or was only made by this release."""
    if not _was_there(operation, at):
        return True
    end = at.final if at.effects.implicit_commit else at.committed  # where each DDL commits, the release is the nearest thing
    return end is not None and _has(end, operation)


def _was_there(operation: _Dropped, at: Situation) -> bool:
    """What a pending migration has made is nobody's loss. What is not known to be made counts as being there."""
    table = getattr(operation, "table", None)
    if isinstance(table, Name) and is_new(at, table):
        return False
    return at.start is None or _has(at.start, operation) or not _has(at.catalog, operation)


def _perhaps(operation: _Dropped, at: Situation) -> bool:
    """IF EXISTS of something that nobody has seen: most likely there is nothing to drop."""
    return operation.if_exists and not at.catalog.complete and not _has(at.catalog, operation)


def _has(catalog: Catalog, operation: _Dropped) -> bool:
    match operation:
        case DropView():
            return operation.name.text in catalog.views
        case DropFunction():
            return any(routine.name == operation.name for routine in catalog.routines.values())
        case DropType():
            return operation.name.text in catalog.types
        case DropSequence():
            return operation.name.text in catalog.sequences
        case DropTrigger() | DropPolicy() if operation.table is not None:
            table = catalog.table(operation.table)
            kept = (table.triggers if isinstance(operation, DropTrigger) else table.policies) if table is not None else ()
            return any(one.name == operation.name for one in kept)
        case _:
            return False
