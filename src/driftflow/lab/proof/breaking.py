"""An executor that dies at one of its commits: its session is cut without a word, and nothing that it still does reaches the server."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from driftflow.engine.ports import Connector
from driftflow.model.event import AnyEvent, StepDone

Moment = Literal["before", "after"]
"""Before the server got the COMMIT, or after it carried it out and nobody heard."""


class Killed(BaseException):
    """kill -9, as far as one process can play it to itself."""


class BreakingConnector:
    """The engine's own session dies at commit number `at`, counted from 0 when the step `after` is done (from the beginning where that is empty),
    for how many commits a step has may depend on how fast the machine is. Its background thread's lives on. Also a listener."""

    def __init__(
        self, inner: Connector, at: int, moment: Moment, *, after: str = "", die: Callable[[], None] | None = None
    ) -> None:
        self._inner, self.at, self.moment, self.die, self.after = inner, at, moment, die, after
        self.dialect, self.display = inner.dialect, inner.display
        self.commits = 0
        self.armed = not after
        self.dead = False

    def __call__(self, event: AnyEvent) -> None:
        if isinstance(event, StepDone) and event.step == self.after:
            self.armed = True

    def connect(self, purpose: str = "apply") -> Any:
        if self.dead and purpose == "apply":
            raise Killed
        connection = self._inner.connect(purpose)
        return _BreakingConnection(connection, self) if purpose == "apply" else connection


class _BreakingConnection:
    def __init__(self, inner: Any, meter: BreakingConnector) -> None:
        self._inner, self._meter = inner, meter

    def __getattr__(self, name: str) -> Any:
        if self._meter.dead:
            raise Killed
        return getattr(self._inner, name)

    def commit(self) -> None:
        if self._meter.dead:
            raise Killed
        number = self._meter.commits
        self._meter.commits += self._meter.armed
        if number != self._meter.at or not self._meter.armed:
            self._inner.commit()
            return
        if self._meter.moment == "after":
            self._inner.commit()
        if self._meter.die is not None:
            self._meter.die()
        self._meter.dead = True
        _sever(self._inner)
        raise Killed

    def cancel(self) -> None:
        """From the background thread, which lives on."""
        if not self._meter.dead:
            self._inner.cancel()

    def rollback(self) -> None:
        if not self._meter.dead:
            self._inner.rollback()

    def close(self) -> None:
        if not self._meter.dead:
            self._inner.close()


def _sever(connection: Any) -> None:
    if connection.dialect != "sqlite":
        number = connection.raw.fileno() if connection.dialect == "postgresql" else connection.raw._sock.fileno()
        with socket.socket(fileno=os.dup(number)) as wire:
            wire.shutdown(socket.SHUT_RDWR)
    connection.close()


def main() -> None:
    """A process that carries out a plan and is killed by the system at one commit. Its standard input says all it needs, as one line of JSON."""
    from driftflow.drivers.urls import connector_for
    from driftflow.lab.proof.running import Executor
    from driftflow.lab.scratch import Scratch
    from driftflow.model.plan_file import decode_plan

    said = json.loads(sys.stdin.readline())
    inner = connector_for(said["url"], pooler_check=False)
    breaking = BreakingConnector(
        inner, said["at"], said["moment"], after=said["after"], die=lambda: os.kill(os.getpid(), signal.SIGKILL)
    )
    place = Scratch(connector=inner, server="", url=said["url"])
    Executor(plan=decode_plan(said["plan"]), place=place, folder=Path(said["folder"]), connector=breaking).apply(
        listener=breaking
    )


if __name__ == "__main__":
    main()
