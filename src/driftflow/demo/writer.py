"""The application that keeps writing while a plan runs: no retry, a one-second lock timeout, and its own clock.

It runs as a process of its own: `python -m driftflow.demo.writer URL`. It reads one command a line on its standard input and answers with one
line of JSON: `report` (totals, and the stalls since the last report), `new` and `old` (from now on write as that version of the application),
`stop`.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import IO, Any

from driftflow.lab.plain_driver import plain_connection

LOCK_TIMEOUT_MS = 1000
PAUSE_SECONDS = 0.002


@dataclass
class Tally:
    """What happened since the start, and the longest single statement (milliseconds) since the last report."""

    operations: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    longest_ms: float = 0.0
    longest_operation: str = ""
    longest_ever_ms: float = 0.0
    recent: list[float] = field(default_factory=list)

    def add(self, name: str, seconds: float) -> None:
        self.operations[name] = self.operations.get(name, 0) + 1
        milliseconds = seconds * 1000
        self.recent.append(milliseconds)
        self.longest_ever_ms = max(self.longest_ever_ms, milliseconds)
        if milliseconds > self.longest_ms:
            self.longest_ms, self.longest_operation = milliseconds, name

    def report(self) -> dict[str, Any]:
        ordered = sorted(self.recent)
        answer = {
            "operations": dict(self.operations),
            "failures": list(self.failures),
            "longest_ms": round(self.longest_ms, 1),
            "longest_operation": self.longest_operation,
            "longest_ever_ms": round(self.longest_ever_ms, 1),
            "p99_ms": round(ordered[int(len(ordered) * 0.99)], 1) if ordered else 0.0,
        }
        self.longest_ms, self.longest_operation, self.recent = 0.0, "", []
        return answer


# One operation is one transaction: (name, statements). `:n` values are filled from the counter, so a run can be repeated.
Operation = tuple[str, list[tuple[str, tuple[Any, ...]]]]


def operations(counter: int, *, limits: dict[str, int], new_version: bool, mirror: bool) -> Operation:
    """What the shop does at tick `counter`: mostly orders, some products and users."""
    user = 1 + (counter * 7919) % limits["users"]
    product = 1 + (counter * 104729) % limits["products"]
    order = 1 + (counter * 15485863) % limits["orders"]
    kind = counter % 5
    if kind in (0, 1):
        fresh = limits["orders"] + counter + 1_000_000
        values = (fresh, user, product, 1 + counter % 3, 1000 + counter % 9000, "new")
        columns = "id, user_id, product_id, quantity, total_cents, status"
        if new_version:
            insert = (
                f"INSERT INTO orders ({columns}, created_at, tenant_id) VALUES (%s, %s, %s, %s, %s, %s, CURRENT_TIMESTAMP,"
                " (SELECT tenant_id FROM users WHERE users.id = %s))"
            )
            statements: list[tuple[str, tuple[Any, ...]]] = [(insert, (*values, user))]
        else:
            statements = [
                (f"INSERT INTO orders ({columns}, created_at) VALUES (%s, %s, %s, %s, %s, %s, CURRENT_TIMESTAMP)", values)
            ]
        if mirror:
            statements.append((f"INSERT INTO mirror_orders ({columns}) VALUES (%s, %s, %s, %s, %s, %s)", values))
        return "insert orders", statements
    if kind == 2:
        return "update orders", _twice(
            "UPDATE {}orders SET quantity = quantity + 1, status = 'paid' WHERE id = %s", (order,), mirror
        )
    if kind == 3:
        return "update products", _twice("UPDATE {}products SET price_cents = price_cents + 1 WHERE id = %s", (product,), mirror)
    return "update users", _twice("UPDATE {}users SET name = %s WHERE id = %s", (f"User {counter}", user), mirror)


def _twice(sql: str, values: tuple[Any, ...], mirror: bool) -> list[tuple[str, tuple[Any, ...]]]:
    return [(sql.format(""), values), *([(sql.format("mirror_"), values)] if mirror else [])]


class _Session:
    """The application's own connection, nothing of driftflow's: psycopg, sqlite3 or PyMySQL as any backend would use it."""

    def __init__(self, url: str) -> None:
        self.sqlite = url.startswith("sqlite")
        self.mysql = url.startswith(("mysql", "mariadb"))
        self.raw = plain_connection(url, application="shop", lock_timeout_ms=LOCK_TIMEOUT_MS)

    def run(self, statements: list[tuple[str, tuple[Any, ...]]]) -> None:
        self._execute("BEGIN IMMEDIATE" if self.sqlite else "BEGIN")
        try:
            for sql, values in statements:
                self._execute(sql, values)
            self._execute("COMMIT")
        except BaseException:
            if not self.sqlite or self.raw.in_transaction:
                self._execute("ROLLBACK")
            raise

    def _execute(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        """What can be fetched from."""
        if not self.mysql:
            return self.raw.execute(sql.replace("%s", "?") if self.sqlite else sql, values)
        cursor = self.raw.cursor()
        cursor.execute(sql, values)
        return cursor

    def count(self, table: str) -> int:
        return int(self._execute(f"SELECT max(id) FROM {table}").fetchone()[0])

    def has_table(self, table: str) -> bool:
        catalog = "pg_class WHERE relname"
        if self.sqlite:
            catalog = "sqlite_master WHERE name"
        elif self.mysql:
            catalog = "information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME"
        return bool(self._execute(f"SELECT count(*) FROM {catalog} = %s", (table,)).fetchone()[0])


def _commands(line: str, tally: Tally, new_version: bool) -> tuple[bool, bool]:
    """(go on, write as the new version). Every command is answered with a report, so that the asker knows it was heard."""
    print(json.dumps(tally.report()), flush=True)
    return line not in {"stop", ""}, line == "new" or (new_version and line != "old")


def main(url: str) -> None:
    """Write until told to stop, or until the standard input closes."""
    session = _Session(url)
    limits = {table: session.count(table) for table in ("users", "products", "orders")}
    mirror = session.has_table("mirror_orders")
    tally, counter, going, new_version = Tally(), 0, True, False
    print(json.dumps({"ready": True}), flush=True)
    while going:
        name, statements = operations(counter, limits=limits, new_version=new_version, mirror=mirror)
        started = time.monotonic()
        try:
            session.run(statements)
        except Exception as fault:
            tally.failures.append(f"{name}: {type(fault).__name__}: {fault}"[:300])
        tally.add(name, time.monotonic() - started)
        counter += 1
        time.sleep(PAUSE_SECONDS)
        while going and select.select([sys.stdin], [], [], 0)[0]:
            going, new_version = _commands(sys.stdin.readline().strip(), tally, new_version)


class Writer:
    """The writer process, from outside: start, ask, stop."""

    def __init__(self, url: str) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "driftflow.demo.writer", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._say(url)
        self._answer()

    @property
    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _say(self, line: str) -> None:
        self._stdin.write(line + "\n")
        self._stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the writer process ended with exit code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, command: str = "report") -> dict[str, Any]:
        """The tally so far; `new` and `old` switch the version of the application."""
        self._say(command)
        return self._answer()

    def stop(self) -> dict[str, Any]:
        answer = self.ask("stop")
        self._process.wait(timeout=10)
        return answer

    def kill(self) -> None:
        """Whatever state it is in; never raises."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


if __name__ == "__main__":
    main(sys.stdin.readline().strip() if sys.argv[1] == "-" else sys.argv[1])
