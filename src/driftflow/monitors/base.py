"""What a signal is: one question to the server, and what its answer means. A signal that cannot be read means wait, and says why."""

from __future__ import annotations

from typing import Any, Protocol, Self

from driftflow.config import Policy
from driftflow.engine.ports import Connection, Reading
from driftflow.plugins import register

RESUME_PERCENT = 70
"""Hysteresis: who waited at the limit goes on below this part of it, or the run would flutter."""


class Monitor(Protocol):
    name: str

    @classmethod
    def for_policy(cls, policy: Policy) -> Self | None:
        """The signal under this policy; None where the policy does not ask for it."""

    def read(self, connection: Connection) -> Reading: ...


def monitor(name: str, *, dialects: tuple[str, ...]) -> Any:
    """Class decorator: `@monitor("replica_lag", dialects=("postgresql",))`."""
    return register("monitor", name, dialects=dialects)


class Threshold:
    """A limit with hysteresis."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._over = False

    def over(self, value: int) -> bool:
        self._over = value > (self.limit * RESUME_PERCENT // 100 if self._over else self.limit)
        return self._over
