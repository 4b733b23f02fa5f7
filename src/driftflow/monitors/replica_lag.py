"""How far standbys and subscribers are behind. A backfill writes faster than a replica replays, and readers there see old rows."""

from __future__ import annotations

from typing import Self

from driftflow.config import Policy
from driftflow.engine.ports import Connection, Reading, Row
from driftflow.monitors.base import Threshold, monitor

# replay_lag is NULL for a standby that is level and idle, and for a role that may not see it: then state is NULL too.
QUERY = """
SELECT count(*) FILTER (WHERE state IS NULL),
       coalesce(max(extract(epoch FROM replay_lag) * 1000) FILTER (WHERE state IN ('streaming', 'catchup')), 0)::bigint,
       coalesce((array_agg(application_name ORDER BY replay_lag DESC NULLS LAST))[1], '')
FROM pg_catalog.pg_stat_replication
WHERE state IS NULL OR state IN ('streaming', 'catchup')
"""


@monitor("replica_lag", dialects=("postgresql",))
class ReplicaLag:
    name = "replica_lag"

    def __init__(self, limit_ms: int) -> None:
        self._threshold = Threshold(limit_ms)

    @classmethod
    def for_policy(cls, policy: Policy) -> Self | None:
        return cls(policy.replica_lag_ms) if policy.replica_lag_ms else None

    def read(self, connection: Connection) -> Reading:
        return self.reading(connection.query(QUERY)[0])

    def reading(self, row: Row) -> Reading:
        hidden, lag_ms, name = row
        if hidden:
            return Reading(
                signal=self.name, value=f"{hidden} replicas whose lag we may not see: GRANT pg_monitor TO our role", ok=False
            )
        return Reading(
            signal=self.name,
            value=f"{lag_ms} ms{f' ({name})' if name else ''}, limit {self._threshold.limit} ms",
            ok=not self._threshold.over(int(lag_ms)),
        )
