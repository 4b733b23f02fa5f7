"""Row-level security."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ACCESS_SHARE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.reads import refuse_unknown
from driftflow.dialects.postgresql.effects.relations import existing
from driftflow.model.catalog import Table
from driftflow.model.operations import AlterPolicy, CreatePolicy, DropPolicy, SetRowSecurity


def create_policy(p: Prediction, operation: CreatePolicy) -> None:
    policy = operation.policy
    table = existing(p, policy.table)
    if policy.table.text in p.catalog.views:
        p.fails("unsupported", f"{policy.table.text} is a view: policies are on tables", relation=policy.table, certain=True)
    if policy.using and policy.command == "INSERT":
        p.fails("unsupported", "a policy FOR INSERT takes WITH CHECK alone", relation=policy.table, certain=True)
    if policy.check and policy.command in ("SELECT", "DELETE"):
        p.fails("unsupported", f"a policy FOR {policy.command} takes no WITH CHECK", relation=policy.table, certain=True)
    for expression in (policy.using, policy.check):
        refuse_unknown(p, table, expression)
    p.lock(operation.policy.table, ACCESS_EXCLUSIVE)
    p.lock_all(operation.reads, ACCESS_SHARE, why="queried by the policy")
    if _has(table, operation.policy.name):
        p.fails(
            "exists",
            f'policy "{operation.policy.name}" of "{operation.policy.table.text}" exists already',
            relation=operation.policy.table,
            certain=True,
        )


def alter_policy(p: Prediction, operation: AlterPolicy) -> None:
    table = existing(p, operation.table)
    p.lock(operation.table, ACCESS_EXCLUSIVE)
    p.lock_all(operation.reads, ACCESS_SHARE, why="queried by the policy")
    if table is not None and not _has(table, operation.name):
        p.fails(
            "missing",
            f'policy "{operation.name}" of "{operation.table.text}" does not exist',
            relation=operation.table,
            certain=True,
        )
    for expression in (operation.using, operation.check):
        refuse_unknown(p, table, expression or "")
    p.breaks(f"who sees which rows of {operation.table.name} changes at once", operation.table)


def drop_policy(p: Prediction, operation: DropPolicy) -> None:
    """IF EXISTS of a policy that is not there takes no lock."""
    table = existing(p, operation.table, if_exists=operation.if_exists)
    if table is not None and not _has(table, operation.name):
        if not operation.if_exists:
            p.fails(
                "missing",
                f'policy "{operation.name}" of "{operation.table.text}" does not exist',
                relation=operation.table,
                certain=True,
            )
        return
    p.lock(operation.table, ACCESS_EXCLUSIVE, ACCESS_SHARE)
    p.loses(f"policy {operation.name} of {operation.table.name}", operation.table, reversible=True)
    p.breaks(f"who sees which rows of {operation.table.name} changes at once", operation.table)


def set_row_security(p: Prediction, operation: SetRowSecurity) -> None:
    existing(p, operation.table)
    p.lock(operation.table, ACCESS_EXCLUSIVE)
    p.breaks(f"who sees which rows of {operation.table.name} changes at once", operation.table)


def _has(table: Table | None, policy: str) -> bool:
    return table is not None and any(known.name == policy for known in table.policies)
