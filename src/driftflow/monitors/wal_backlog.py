"""Pages in SQLite's write-ahead log that are not yet in the file: a long reader keeps them there, and every read gets slower.

Reading the signal also checkpoints, passively: while the run rests, nobody else may be writing who would do it.
"""

from __future__ import annotations

from typing import Self

from driftflow.config import Policy
from driftflow.engine.ports import Connection, Reading
from driftflow.monitors.base import Threshold, monitor

LIMIT_BYTES = 256 << 20


@monitor("wal_backlog", dialects=("sqlite",))
class WalBacklog:
    name = "wal_backlog"

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._threshold = Threshold(limit_bytes)

    @classmethod
    def for_policy(cls, policy: Policy) -> Self | None:
        return cls()

    def read(self, connection: Connection) -> Reading:
        page = connection.query("PRAGMA page_size")[0][0]
        _, frames, done = connection.query("PRAGMA wal_checkpoint(PASSIVE)")[0]
        return self.reading(max(frames - done, 0) * page)

    def reading(self, waiting: int) -> Reading:
        """`waiting` is 0 in the other journal modes."""
        over = self._threshold.over(waiting)
        return Reading(
            signal=self.name,
            value=f"{waiting >> 20} MiB not yet in the file, limit {self._threshold.limit >> 20} MiB",
            ok=not over,
        )
