"""The loop without a database: what it waits for, and for how long. The journal is in memory and the clock is turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from driftflow.config import Policy
from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import DatabaseFault, ServerIdentity
from driftflow.engine.run import RunOptions, run_plan
from driftflow.errors import ConnectError, LockTimeoutError, StepFailedError
from driftflow.journal.memory import MemoryJournal
from driftflow.model.event import Session
from driftflow.model.names import Version
from driftflow.model.plan import Plan, RunSql

Answer = Callable[[], None]


class HandClock:
    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def now(self) -> str:
        return "2026-01-01T00:00:00.000000Z"


class Scripted:
    """A session whose ALTER TABLE statements answer as the script says; everything else succeeds."""

    dialect = "postgresql"
    display = "postgresql://scripted"
    version = Version(major=16)

    def __init__(self, script: Iterator[ErrorKind | None]) -> None:
        self.script = script
        self.in_transaction = False
        self.session = Session(id=7, started_at="then")
        self.sent: list[str] = []

    def connect(self, purpose: str = "apply") -> Scripted:
        return self if purpose == "apply" else Scripted(iter(()))

    def begin(self, *, write: bool = True) -> None:
        self.in_transaction = True

    def commit(self) -> None:
        self.sent.append("COMMIT")
        self.in_transaction = False

    def rollback(self) -> None:
        self.in_transaction = False

    def execute(self, sql: str, parameters: Any = None) -> int:
        self.sent.append(sql)
        if sql.startswith("ALTER") and (kind := next(self.script, None)) is not None:
            raise DatabaseFault(kind, kind.value, code="XX000")
        return 0

    def query(self, sql: str, parameters: Any = None) -> list[Any]:
        return [(1000,)]

    def set_timeouts(self, *, lock_ms: int | None = None, statement_ms: int | None = None) -> None:
        self.sent.append(f"lock {lock_ms}")

    def identity(self) -> ServerIdentity:
        return ServerIdentity(vendor="postgresql", system="s", database="d")

    def server_now(self) -> str:
        return "2026-01-01T00:00:00.000000Z"

    def notices(self) -> tuple[str, ...]:
        return ()

    def session_state(self, session: Session) -> str:
        return "gone"

    def end_session(self, session: Session, *, force: bool) -> None: ...

    def blockers(self, session: Session) -> tuple[()]:
        return ()

    def cancel(self) -> None: ...

    def close(self) -> None: ...


PLAN = Plan(
    dialect="postgresql",
    migrations=(),
    catalog_fingerprint="",
    steps=(RunSql(id="a", purpose="Alter", statements=("ALTER TABLE t ADD COLUMN c integer",), lock_timeout_ms=250),),
)


def run(*script: ErrorKind | None, policy: Policy = Policy(), plan: Plan = PLAN) -> tuple[Any, list[Any], HandClock, Scripted]:  # noqa: B008
    clock, session, events = HandClock(), Scripted(iter(script)), []
    report: Any = None
    try:
        report = run_plan(
            plan,
            connector=session,  # type: ignore[arg-type]
            journal=MemoryJournal(),
            fingerprint=lambda connection, names: "",
            clock=clock,
            listener=events.append,
            policy=policy,
            options=RunOptions(executor="test:1"),
        )
    except Exception as error:
        report = error
    return report, events, clock, session


def test_between_two_tries_it_rests_ten_times_as_long_as_it_waited() -> None:
    report, events, clock, session = run(ErrorKind.LOCK_TIMEOUT, ErrorKind.LOCK_TIMEOUT)
    rests = [event.rest_ms for event in events if type(event).__name__ == "LockWaited"]
    assert report.state == "done" and len(rests) == 2
    assert all(2500 <= rest <= 2500 * 5 // 4 for rest in rests)
    assert clock.time >= sum(rests) / 1000 - 1e-6  # sums of fractions
    assert session.sent.count("lock 250") == 3


def test_a_longer_lock_timeout_means_a_longer_rest() -> None:
    long = Plan(
        dialect="postgresql",
        migrations=(),
        catalog_fingerprint="",
        steps=(RunSql(id="a", purpose="x", statements=("ALTER",), lock_timeout_ms=700),),
    )
    _, events, _, _ = run(ErrorKind.LOCK_TIMEOUT, plan=long)
    assert [event.rest_ms >= 7000 for event in events if type(event).__name__ == "LockWaited"] == [True]


def test_the_lock_timeout_stays_below_the_deadlock_timeout() -> None:
    long = Plan(
        dialect="postgresql",
        migrations=(),
        catalog_fingerprint="",
        steps=(RunSql(id="a", purpose="x", statements=("ALTER",), lock_timeout_ms=9000),),
    )
    _, _, _, session = run(plan=long)
    assert "lock 800" in session.sent and "lock 9000" not in session.sent


def test_the_tries_are_counted_and_the_limit_is_an_error() -> None:
    report, events, _, _ = run(*[ErrorKind.LOCK_TIMEOUT] * 50, policy=Policy(lock_tries=5))
    assert isinstance(report, LockTimeoutError)
    assert sum(type(event).__name__ == "LockWaited" for event in events) == 5


@pytest.mark.parametrize("kind", [ErrorKind.DEADLOCK, ErrorKind.SERIALIZATION])
def test_a_lost_deadlock_is_tried_again(kind: ErrorKind) -> None:
    report, events, _, _ = run(kind)
    assert report.state == "done"
    assert [event.reason.split(":")[0] for event in events if type(event).__name__ == "Retried"] == [kind.value]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ErrorKind.STATEMENT_TIMEOUT, "DF-E511"),
        (ErrorKind.CANCELLED, "DF-E512"),
        (ErrorKind.DUPLICATE, "DF-E513"),
        (ErrorKind.CONSTRAINT, "DF-E514"),
        (ErrorKind.DISK_FULL, "DF-E515"),
        (ErrorKind.SYNTAX, "DF-E516"),
        (ErrorKind.OTHER, "DF-E510"),
    ],
)
def test_what_the_server_refuses_is_not_tried_again(kind: ErrorKind, code: str) -> None:
    report, events, _, session = run(kind)
    assert isinstance(report, StepFailedError) and report.code == code
    assert type(events[-1]).__name__ == "StepFailed" and events[-1].error_code == code
    assert sum(sent.startswith("ALTER") for sent in session.sent) == 1


def test_a_lost_connection_is_taken_up_like_a_crash() -> None:
    report, events, _, _ = run(ErrorKind.CONNECTION_LOST)
    assert report.state == "done"
    assert [type(event).__name__ for event in events] == ["RunStarted", "StepStarted", "RunStarted", "StepDone", "RunDone"]
    assert [event.fence for event in events] == [1, 1, 2, 2, 2], "the fence is raised before anything is done again"


def test_a_connection_that_is_always_lost_ends_the_run() -> None:
    report, _, _, _ = run(*[ErrorKind.CONNECTION_LOST] * 100)
    assert isinstance(report, ConnectError)
