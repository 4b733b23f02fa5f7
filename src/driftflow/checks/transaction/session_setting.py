"""DF706: SET without LOCAL stays on the connection: behind a pooler the application gets it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import SetSetting

_DANGEROUS = frozenset(
    [
        "lock_timeout",
        "statement_timeout",
        "search_path",
        "role",
        "session_authorization",
        "session_replication_role",
        "row_security",
        "timezone",
        "idle_in_transaction_session_timeout",
    ]
)


@check("DF706", on=SetSetting, page="transaction/session-setting", title="SET stays on the connection", dialects=("postgresql",))
def session_setting_stays(operation: SetSetting, at: Situation) -> Iterator[Finding]:
    """The runner sets its own lock and statement timeouts: a migration that sets none is not a finding. Silent when the file resets it."""
    name = operation.name.lower()
    if operation.local or operation.value is None or name not in _DANGEROUS or _reset(at, name):
        return
    off = name == "session_replication_role"
    yield finding(
        at,
        f"SET {operation.name} stays on the connection after this migration",
        axis="breaks",
        severity="warning",
        why="behind a pooler the next client of the connection works with it"
        + ("; and while it is `replica`, foreign keys are not checked" if off else ""),
        remedy=Remedy(summary="limit it to the transaction", sql=f"SET LOCAL {operation.name} = {operation.value};"),
        known_by="rule",
        near=operation.name,
    )


def _reset(at: Situation, name: str) -> bool:
    own = (one for statement in reversed(at.migration.statements) for one in statement.operations if isinstance(one, SetSetting))
    return any(one.name.lower() in (name, "all") and one.value is None for one in own)
