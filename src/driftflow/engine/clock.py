"""The real clock. Everything that waits or measures takes a Clock, so that tests need not wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from driftflow.engine.ports import Clock

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(seconds, 0))

    def now(self) -> str:
        return datetime.now(UTC).strftime(STAMP)


class ServerClock:
    """The server's time, asked once and carried on by the local monotonic clock: the events of a run come from one clock, on any machine."""

    def __init__(self, clock: Clock, server_now: str) -> None:
        self._clock = clock
        self._base = datetime.fromisoformat(server_now)
        self._since = clock.monotonic()

    def now(self) -> str:
        return (self._base + timedelta(seconds=self._clock.monotonic() - self._since)).astimezone(UTC).strftime(STAMP)
