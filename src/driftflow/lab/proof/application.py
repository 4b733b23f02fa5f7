"""The application that writes while a plan is tried: a process of its own with the plain driver, no retry and a lock timeout of one second.

`python -m driftflow.lab.proof.application` reads lines of JSON on its standard input and answers each with one: `{"begin": URL}`, then
`{"write": [operations]}` to write those from now on in turn, `{"pause": true}`, `{"report": true}` and `{"stop": true}`.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from driftflow.lab.plain_driver import plain_connection

LOCK_TIMEOUT_MS = 1000
PAUSE_SECONDS = 0.001
KEPT = 2
"""Inserted rows that stay for each that is deleted again."""


@dataclass(frozen=True)
class Operation:
    """One transaction of the application. `values` is used once each, in turn; an update and a delete without any left do nothing."""

    name: str
    sql: str
    values: list[list[Any]]
    inserts: str = ""
    """The table, where it inserts: the key that comes back can be deleted by `deletes` of the same table."""
    deletes: str = ""
    key: list[int] = field(default_factory=list)
    """Where no row comes back from an INSERT (MySQL): the places of its key in the values, -1 for the number that the server makes."""


Done = tuple[str, list[Any], list[Any]]


@dataclass
class Tally:
    done: list[Done] = field(default_factory=list)
    """(operation, values, key that came back) of each transaction that was committed, in order."""
    failures: list[tuple[float, str]] = field(default_factory=list)
    """(wall time, words)."""
    stalls: list[tuple[float, float]] = field(default_factory=list)
    """(wall time at the end, milliseconds) of what took longer than 50 ms."""
    longest_ms: float = 0.0


class Session:
    """One connection of the plain driver."""

    def __init__(self, url: str) -> None:
        self.sqlite = url.startswith("sqlite")
        self.raw = plain_connection(url, application="application", lock_timeout_ms=LOCK_TIMEOUT_MS)

    def run(self, operation: Operation, values: Sequence[Any]) -> list[Any]:
        """The key that comes back, if one does."""
        given = [unpacked(value) for value in values]
        cursor = self.raw.cursor()
        try:
            cursor.execute(operation.sql.replace("%s", "?") if self.sqlite else operation.sql, given)
            if operation.key:
                return [values[place] if place >= 0 else cursor.lastrowid for place in operation.key]
            row = cursor.fetchone() if cursor.description else None
        finally:
            cursor.close()
        return [packed(value) for value in row] if row is not None else []


def packed(value: Any) -> Any:
    """As JSON takes it."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def unpacked(value: Any) -> Any:
    return bytes.fromhex(value["bytes"]) if isinstance(value, Mapping) else value


class Writing:
    """The process's own side."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.session: Session | None = None
        self.operations: list[Operation] = []
        self.used: dict[str, int] = {}
        self.made: dict[str, list[list[Any]]] = {}
        self.turn = 0

    def answer(self, command: Mapping[str, Any]) -> dict[str, Any]:
        if "begin" in command:
            self.session = Session(command["begin"])
        if "write" in command or "pause" in command:
            self.operations = [Operation(**one) for one in command.get("write", ())]
            self.used, self.made = {}, {}
        return asdict(self.tally) if "report" in command or "stop" in command else {"transactions": len(self.tally.done)}

    def step(self) -> None:
        operation = self.operations[self.turn % len(self.operations)]
        self.turn += 1
        values = self._values(operation)
        if values is None or self.session is None:
            return
        begun = time.monotonic()
        try:
            back = self.session.run(operation, values)
        except Exception as fault:
            words = next(iter(str(fault).splitlines()), "")  # the rest may name values
            self.tally.failures.append((time.time(), f"{operation.name}: {type(fault).__name__}: {words}"[:200]))
        else:
            self.tally.done.append((operation.name, values, back))
            if operation.inserts and back:
                self.made.setdefault(operation.inserts, []).append(back)
        milliseconds = (time.monotonic() - begun) * 1000
        self.tally.longest_ms = max(self.tally.longest_ms, milliseconds)
        if milliseconds > 50:
            self.tally.stalls.append((time.time(), milliseconds))

    def _values(self, operation: Operation) -> list[Any] | None:
        if operation.deletes:
            # The newest of every few, so that what was inserted early stays to be missed.
            made, gone = self.made.get(operation.deletes, []), self.used.get(operation.name, 0)
            if len(made) <= KEPT * (gone + 1):
                return None
            self.used[operation.name] = gone + 1
            return made.pop()
        used = self.used.get(operation.name, 0)
        if not operation.values or (operation.inserts and used >= len(operation.values)):
            return None
        self.used[operation.name] = used + 1
        return operation.values[used % len(operation.values)]


def main() -> None:
    """Until told to stop, or until the standard input closes."""
    writing = Writing()
    while True:
        waiting = select.select([sys.stdin], [], [], PAUSE_SECONDS if writing.operations else None)[0]
        if waiting:
            line = sys.stdin.readline()
            command = json.loads(line) if line else {"stop": True}
            print(json.dumps(writing.answer(command)), flush=True)
            if "stop" in command:
                return
        elif writing.operations:
            writing.step()


class Application:
    """The process, from outside. Commands may come from any thread."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "driftflow.lab.proof.application"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()
        self.ask({"begin": url})

    def ask(self, command: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            stdin, stdout = self._streams()
            stdin.write(json.dumps(command) + "\n")
            stdin.flush()
            line = stdout.readline()
            if not line:
                raise RuntimeError(f"the application's process ended with exit code {self._process.wait()}")
            answer: dict[str, Any] = json.loads(line)
            return answer

    def write(self, operations: Sequence[Operation]) -> None:
        """These from now on; none is a pause."""
        self.ask({"write": [asdict(one) for one in operations]} if operations else {"pause": True})

    @property
    def transactions(self) -> int:
        """How many it has committed so far."""
        return int(self.ask({})["transactions"])

    def stop(self) -> Tally:
        answer = self.ask({"stop": True})
        self._process.wait(timeout=10)
        return Tally(**answer)

    def kill(self) -> None:
        """Whatever state it is in; never raises."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _streams(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None and self._process.stdout is not None
        return self._process.stdin, self._process.stdout


if __name__ == "__main__":
    main()
