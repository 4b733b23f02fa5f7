"""One frozen Config: flags > environment > driftflow.toml > defaults. Each value knows where it came from."""

from __future__ import annotations

from driftflow.model.record import Record


class Policy(Record, frozen=True, kw_only=True):
    """How careful to be: the knobs of one environment that checks, strategies, planner and engine read."""

    stall_budget_ms: int = 250
    """The longest that a waiting lock request of ours may make others queue."""
    lock_tries: int = 30
    lock_rest_ms: int = 2_500
    """Rest between two tries of a lock, at least ten times the stall budget; jitter is added."""
    statement_timeout_ms: int = 10_000
    small_table_rows: int = 10_000
    """At or below this (known) size the direct form under a lock timeout is chosen."""
    chunk_target_ms: int = 0
    """0: 150 on PostgreSQL, 35 on SQLite."""
    rest_percent: int = 0
    """0: 20 on PostgreSQL, 100 on SQLite."""
    replica_lag_ms: int = 5_000
    active_sessions: int = 0
    """Pause a backfill above this many active sessions; 0 is no limit."""
    disk_free_bytes: int = 1 << 30
    soak_hours: int = 0
    protected: bool = False
    """A protected environment demands an approved digest before `apply`."""
    accept: tuple[str, ...] = ()
    """Names of irreversible steps accepted beforehand."""
