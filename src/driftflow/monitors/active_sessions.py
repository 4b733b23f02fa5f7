"""How busy the server is: sessions that run a statement now, ours not counted."""

from __future__ import annotations

from typing import Self

from driftflow.config import Policy
from driftflow.engine.ports import Connection, Reading, Row
from driftflow.monitors.base import Threshold, monitor

QUERY = """
SELECT count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state IS NULL)
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid() AND application_name NOT LIKE 'driftflow%%'
   OR backend_type IS NULL
"""


@monitor("active_sessions", dialects=("postgresql",))
class ActiveSessions:
    name = "active_sessions"

    def __init__(self, limit: int) -> None:
        self._threshold = Threshold(limit)

    @classmethod
    def for_policy(cls, policy: Policy) -> Self | None:
        return cls(policy.active_sessions) if policy.active_sessions else None

    def read(self, connection: Connection) -> Reading:
        return self.reading(connection.query(QUERY, ())[0])

    def reading(self, row: Row) -> Reading:
        active, hidden = row
        if hidden:
            return Reading(
                signal=self.name, value=f"{hidden} sessions that we may not see: GRANT pg_monitor TO our role", ok=False
            )
        over = self._threshold.over(int(active))
        return Reading(signal=self.name, value=f"{active} active sessions, limit {self._threshold.limit}", ok=not over)
