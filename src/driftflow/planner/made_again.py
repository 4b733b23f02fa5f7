"""What a release drops only to make it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftflow.model.catalog import Column
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterIdentity,
    ChangeColumn,
    CreateFunction,
    CreatePolicy,
    CreateTrigger,
    CreateType,
    CreateView,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropFunction,
    DropPolicy,
    DropTrigger,
    DropType,
    DropView,
    Operation,
    RenameColumn,
    SetDefault,
)
from driftflow.model.operations.left_naming import says
from driftflow.model.operations.rules import texts_read_by_name
from driftflow.planner.draft import Draft

NEVER_WITHOUT = ("trigger", "policy", "view", "routine")
"""Kinds of objects that the release must not leave away while it waits for the new application: rows would pass unseen, or somebody find nothing."""


def out_of_the_way(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts in their order, but for a DROP TRIGGER behind the rename of a column that the trigger says by its old name (MySQL, MariaDB): it goes just before that.
    In between each write would fail on it, and taken back it could not be made again while the column is still called otherwise."""
    ordered = list(drafts)
    for draft in drafts:
        match draft.operations:
            case (DropTrigger(table=Name() as table, name=name),) if draft.whole is None and texts_read_by_name(draft.at.catalog):
                held = draft.at.catalog.table(table)
                text = next((one.definition for one in held.triggers if one.name == name), "") if held is not None else ""
                before = [one for one in ordered[: ordered.index(draft)] if _takes_the_name(one, table, text, draft)]
                if before:
                    ordered.remove(draft)
                    ordered.insert(ordered.index(before[0]), draft)
            case _:
                pass
    return ordered


def _takes_the_name(draft: Draft, table: Name, text: str, drop: Draft) -> bool:
    if draft.whole is not None or draft.at.migration.id != drop.at.migration.id:
        return False
    for one in draft.operations:
        match one:
            case RenameColumn(table=changed, column=old, to=new):
                pass
            case ChangeColumn(table=changed, column=old, definition=Column(name=new)):
                pass
            case _:
                continue
        if changed == table and old.lower() != new.lower() and says(text, old):
            return True
    return False


def made_again_later(drafts: Sequence[Draft], levels: Mapping[int, int]) -> dict[int, int]:
    """By position, the phase in which a draft has to stand that drops what a later draft makes again: that of the later one. `levels` are the first phases of all drafts."""
    found: dict[int, int] = {}
    dropped: dict[tuple[str, str] | tuple[()], int] = {}
    for draft in drafts:
        for operation in draft.operations:
            identity, drops = identity_of(operation)
            if not identity or identity[0] not in NEVER_WITHOUT:
                continue
            if drops:
                dropped[identity] = draft.position
            elif identity in dropped and levels[dropped[identity]] < levels[draft.position]:
                found[dropped[identity]] = levels[draft.position]
    return found


def identity_of(operation: Operation) -> tuple[tuple[str, str] | tuple[()], bool]:
    """What is dropped or made, and whether it is dropped: two drafts mean the same object when this is equal."""
    match operation:
        case DropView(name=name):
            return ("view", name.text), True
        case CreateView(view=view):
            return ("view", view.name.text), False
        case DropFunction(name=name):
            return ("routine", name.text), True
        case CreateFunction(routine=routine):
            return ("routine", routine.name.text), False
        case DropConstraint(table=table, name=constraint_name):
            return ("constraint", f"{table} {constraint_name}"), True
        case AddConstraint(table=table, constraint=constraint):
            return ("constraint", f"{table} {constraint.name}"), False
        case DropPolicy(table=table, name=policy_name):
            return ("policy", f"{table} {policy_name}"), True
        case CreatePolicy(policy=policy):
            return ("policy", f"{policy.table} {policy.name}"), False
        case DropTrigger(table=table, name=trigger_name):
            return ("trigger", f"{table} {trigger_name}"), True
        case CreateTrigger(trigger=trigger):
            return ("trigger", f"{trigger.table} {trigger.name}"), False
        case DropColumn(table=table, column=column_name):
            return ("column", f"{table} {column_name}"), True
        case AddColumn(table=table, column=column):
            return ("column", f"{table} {column.name}"), False
        case DropDefault(table=table, column=column_name):
            return ("numbers", f"{table} {column_name}"), True
        case AlterIdentity(table=table, column=column_name, action="add" | "drop"):
            return ("numbers", f"{table} {column_name}"), operation.action == "drop"
        case SetDefault(table=table, column=column_name):
            return ("numbers", f"{table} {column_name}"), False
        case DropType(name=name):
            return ("type", name.text), True
        case CreateType(type=made):
            return ("type", made.name.text), False
        case _:
            return (), False
