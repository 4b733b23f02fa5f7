"""DF304: the server refuses CONCURRENTLY (and VACUUM, and some more) inside a transaction, and the tool runs the file in one."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation, Pragma

_HOW = {
    "dbmate": "-- migrate:up transaction:false   (and this one statement alone in the file)",
    "goose": "-- +goose NO TRANSACTION",
    "flyway": "executeInTransaction=false   (in the script's .conf file)",
    "diesel": "run_in_transaction = false   (in the migration's metadata.toml)",
    "golang-migrate": "the statement alone in its file: a file of several statements is one implicit transaction",
    "drizzle": "a transaction over all pending files is the only way of Drizzle: run this one by hand, or with driftflow apply",
    "prisma": "the statement alone in its migration: a file of several statements is one implicit transaction",
}


@check(
    "DF304",
    on=BaseOperation,
    page="index/concurrently-in-transaction",
    title="Refused inside a transaction",
    only=("refused_in_transactions", "in_transaction"),
)
def concurrently_in_transaction(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    if at.effects.implicit_commit or isinstance(operation, Pragma):  # pragmas: DF653
        return
    several = at.migration.transaction == "implicit"
    why = (
        "several statements in one string are one implicit transaction"
        if several
        else f"{at.migration.source} runs {'all pending files' if at.migration.together else 'the file'} in one transaction"
    )
    how = _HOW.get(at.migration.source)
    yield finding(
        at,
        "will fail: the server refuses this statement inside a transaction",
        axis="breaks",
        severity="error",
        why=why,
        remedy=Remedy(summary="give the statement a migration of its own that runs without a transaction", sql=how or ""),
        known_by="rule",
    )
