"""DF710 and DF711: the team's own tool applies the migration, and nothing limits its wait for locks, or how long a statement runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_old, tables_named
from driftflow.dialects.situation import Situation
from driftflow.model.effects import LockClaim
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation

_LOCK: Mapping[str, tuple[str, str]] = {
    "postgresql": ("lock_timeout", "SET LOCAL lock_timeout = '2s';"),
    "mysql": ("lock_wait_timeout", "SET SESSION lock_wait_timeout = 2;"),
    "mariadb": ("lock_wait_timeout", "SET SESSION lock_wait_timeout = 2;"),
    "sqlite": ("busy_timeout", "PRAGMA busy_timeout = 2000;"),
}
_STATEMENT: Mapping[str, tuple[str, str]] = {
    "postgresql": ("statement_timeout", "SET LOCAL statement_timeout = '30s';"),
    "mariadb": ("max_statement_time", "SET SESSION max_statement_time = 30;"),
}
"""MySQL limits SELECT alone, and SQLite nothing."""


@check(
    "DF710",
    on=BaseOperation,
    page="transaction/no-lock-timeout",
    title="Nothing limits the wait for a lock",
    only=("applied_by_tool", "first_clause"),
)
def no_lock_timeout(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Said once per file, and only where `applied_by_tool` says that driftflow does not apply it: its engine limits every wait by itself.
    Silent where the file, the role or the server sets a limit, and where nothing that is in use is locked."""
    claim = _waits(at)
    name, sql = _LOCK[at.dialect.name]
    if claim is None or _limited(at, name):
        return
    single = at.dialect.name == "sqlite"
    yield finding(
        at,
        f"nothing limits how long this waits for {claim.relation.name}, and everybody behind it"
        if not single
        else "nothing lets this wait for the write lock: it fails as soon as somebody else writes",
        axis="breaks" if single else "blocks",
        severity="warning",
        why="busy_timeout is 0 unless the connection sets it"
        if single
        else f"one long query or idle transaction is enough: {claim.mode} queues behind it, and every later query of the table queues behind that",
        remedy=Remedy(
            summary="set a limit first, and try again when it is reached; driftflow apply does both", sql=_session(at, sql)
        ),
        known_by="rule",
    )


@check(
    "DF711",
    on=BaseOperation,
    page="transaction/no-statement-timeout",
    title="Nothing limits how long a statement runs",
    dialects=("postgresql", "mariadb"),
    only=("applied_by_tool", "first_clause"),
)
def no_statement_timeout(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """As DF710. A statement that cannot be limited in a sensible way (an index built beside the traffic) needs none."""
    claim = _waits(at)
    name, sql = _STATEMENT[at.dialect.name]
    if claim is None or _limited(at, name):
        return
    yield finding(
        at,
        f"nothing limits how long {claim.relation.name} stays locked",
        axis="blocks",
        severity="info",
        why="a statement that turns out slow goes on with its lock until somebody cancels it by hand",
        remedy=Remedy(summary="limit the short statements of a migration", sql=_session(at, sql)),
        known_by="rule",
    )


def _session(at: Situation, sql: str) -> str:
    """Outside a transaction SET LOCAL does nothing: the setting stays on the connection until the file takes it back."""
    if at.in_transaction or " LOCAL " not in sql:
        return sql
    name = sql.split()[2]
    return f"{sql.replace(' LOCAL', '')}\n-- at the end of the file:\nRESET {name};"


def _waits(at: Situation) -> LockClaim | None:
    """The lock of a table in use, where this is the first statement of its file that takes one."""
    claim = _claim(at)
    return claim if claim is not None and not at.file.locked_before(at) else None


def _claim(at: Situation) -> LockClaim | None:
    named = tables_named(at.operation)
    return next((one for one in at.effects.locks if "writes" in one.blocks and is_old(at, one.relation, named)), None)


def _limited(at: Situation, name: str) -> bool:
    value = at.catalog.settings.get(name, "").strip("'\" ")
    before = at.start.settings.get(name, "") if at.start is not None else ""
    if not re.match(r"[1-9]|0\.[0-9]*[1-9]", value):
        return False
    # MySQL's and MariaDB's own defaults are a year and a day: no limit that anybody chose.
    return name != "lock_wait_timeout" or at.catalog.settings.get(name) != before or float(value) < 3600
