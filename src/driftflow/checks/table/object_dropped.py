"""DF409: a view, function, trigger, type, policy, sequence or extension is dropped: whoever uses it fails or goes unguarded."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import (
    CreateFunction,
    CreateTrigger,
    CreateView,
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
        severity="error" if cascade and lost[1:] else "warning",
        why="; ".join(broken.what for broken in at.effects.breaks)
        or "whatever relies on it fails or goes unguarded from this moment",
        remedy=Remedy(
            summary="name what depends on it instead of CASCADE, and drop it in the contract phase, after the deploy"
            if cascade
            else "drop it in the contract phase, after the deploy of code that no longer needs it"
        ),
    )


def _is_back(operation: _Dropped, at: Situation) -> bool:
    """Whether an object of that name is there when the transaction commits, or was only made earlier in it."""
    made = (CreateView, CreateFunction, CreateTrigger)
    name = operation.name if isinstance(operation.name, str) else (operation.name.text if operation.name is not None else "")
    if any(isinstance(one, made) and _name(one) == name for one in at.earlier):
        return True
    after = at.committed
    if after is None:
        return False
    match operation:
        case DropView():
            return name in after.views
        case DropFunction():
            return any(routine.name.text == name for routine in after.routines.values())
        case DropType():
            return name in after.types
        case DropSequence():
            return name in after.sequences
        case DropTrigger() | DropPolicy() if operation.table is not None:
            table = after.table(operation.table)
            kept = (table.triggers if isinstance(operation, DropTrigger) else table.policies) if table is not None else ()
            return any(one.name == operation.name for one in kept)
        case _:
            return False


def _name(operation: CreateView | CreateFunction | CreateTrigger) -> str:
    match operation:
        case CreateView():
            return operation.view.name.text
        case CreateFunction():
            return operation.routine.name.text
        case CreateTrigger():
            return operation.trigger.name
