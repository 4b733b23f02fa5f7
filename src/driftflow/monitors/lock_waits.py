"""Who waits for us: sessions that stand behind a lock which driftflow holds, for longer than the stall budget."""

from __future__ import annotations

from typing import Self

from driftflow.config import Policy
from driftflow.engine.ports import Connection, Reading, Row
from driftflow.monitors.base import monitor

# The waiters are few, so pg_blocking_pids is asked only for them.
QUERY = """
SELECT count(*), coalesce(max(extract(epoch FROM pg_catalog.clock_timestamp() - waiter.state_change) * 1000), 0)::bigint
FROM pg_catalog.pg_stat_activity AS waiter
WHERE waiter.wait_event_type = 'Lock' AND waiter.datname = pg_catalog.current_database()
  AND waiter.application_name NOT LIKE 'driftflow%%'
  AND EXISTS (
    SELECT 1 FROM pg_catalog.pg_stat_activity AS holder
    WHERE holder.pid = ANY (pg_catalog.pg_blocking_pids(waiter.pid)) AND holder.application_name LIKE 'driftflow%%')
"""


@monitor("lock_waits", dialects=("postgresql",))
class LockWaits:
    name = "lock_waits"

    def __init__(self, budget_ms: int) -> None:
        self._budget_ms = budget_ms

    @classmethod
    def for_policy(cls, policy: Policy) -> Self | None:
        return cls(policy.stall_budget_ms)

    def read(self, connection: Connection) -> Reading:
        return self.reading(connection.query(QUERY, ())[0])

    def reading(self, row: Row) -> Reading:
        waiters, longest_ms = row
        return Reading(
            signal=self.name,
            value=f"{waiters} sessions wait for us, the longest for {longest_ms} ms (budget {self._budget_ms} ms)",
            ok=not waiters or int(longest_ms) <= self._budget_ms,
        )
