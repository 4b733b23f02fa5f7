"""Triggers."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ACCESS_SHARE, SHARE_ROW_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import existing, lock_tree
from driftflow.model.names import Name
from driftflow.model.operations import AlterTrigger, CreateTrigger, DropTrigger, EnableTrigger


def create_trigger(p: Prediction, operation: CreateTrigger) -> None:
    """Writers wait for the transaction to end, readers do not."""
    trigger = operation.trigger
    table = existing(p, trigger.table)
    lock_tree(p, trigger.table, SHARE_ROW_EXCLUSIVE, only=not trigger.per_row)
    p.lock_all(operation.touches, ACCESS_SHARE, why="named by the constraint trigger")
    if trigger.table.text in p.catalog.views and trigger.timing != "INSTEAD OF" and (trigger.per_row or trigger.constraint):
        p.fails(
            "unsupported", f"{trigger.table.text} is a view: row triggers are INSTEAD OF", relation=trigger.table, certain=True
        )
    if table is not None and trigger.timing == "INSTEAD OF":
        p.fails("unsupported", f'"{table.name.text}" is a table: INSTEAD OF is for views', relation=table.name, certain=True)
    if table is not None and not operation.or_replace and any(known.name == trigger.name for known in table.triggers):
        p.fails("exists", f'trigger "{trigger.name}" of "{table.name.text}" exists already', relation=table.name, certain=True)
    if table is not None and table.partitioning is not None and trigger.timing == "BEFORE" and trigger.per_row:
        p.needs_version(13, "a BEFORE row trigger on a partitioned table")
    if operation.or_replace:
        p.needs_version(14, "CREATE OR REPLACE TRIGGER")


def drop_trigger(p: Prediction, operation: DropTrigger) -> None:
    if operation.table is None:
        return
    table = existing(p, operation.table, if_exists=operation.if_exists)
    holder = table or p.catalog.views.get(operation.table.text)
    if holder is not None and operation.if_exists and operation.name not in {trigger.name for trigger in holder.triggers}:
        return  # nothing to drop, nothing locked
    lock_tree(p, operation.table, ACCESS_EXCLUSIVE)
    p.lock(operation.table, ACCESS_SHARE)
    p.loses(f"trigger {operation.name} of {operation.table.name}", operation.table, reversible=True)
    _must_have(
        p,
        table and operation.name in {trigger.name for trigger in table.triggers},
        operation.name,
        operation.table,
        if_exists=operation.if_exists,
    )


def alter_trigger(p: Prediction, operation: AlterTrigger) -> None:
    table = existing(p, operation.table) or p.catalog.views.get(operation.table.text)
    p.lock(operation.table, ACCESS_EXCLUSIVE)
    _must_have(
        p,
        table and operation.name in {trigger.name for trigger in table.triggers},
        operation.name,
        operation.table,
        if_exists=False,
    )


def enable_trigger(p: Prediction, operation: EnableTrigger) -> None:
    """DISABLE TRIGGER ALL switches foreign key checks off as well."""
    table = existing(p, operation.table)
    cloned = table is not None and any(trigger.per_row for trigger in table.triggers)
    lock_tree(p, operation.table, SHARE_ROW_EXCLUSIVE, only=not cloned)
    if operation.name not in ("ALL", "USER"):
        _must_have(
            p,
            table and operation.name in {trigger.name for trigger in table.triggers},
            operation.name,
            operation.table,
            if_exists=False,
        )
    if operation.state == "D":
        p.loses(
            "foreign key checks while it is off" if operation.name == "ALL" else f"what {operation.name} does, while it is off",
            operation.table,
            reversible=True,
        )


def _must_have(p: Prediction, has: object, name: str, table: Name, *, if_exists: bool) -> None:
    if has is False and not if_exists:
        p.fails("missing", f'trigger "{name}" of "{table.text}" does not exist', relation=table, certain=True)
