"""The engine on SQLite: one writer, no server, and everything that a rebuild must not lose."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_plans import CHUNK, ROWS, SQLITE_SCHEMA, sqlite_plan
from engine_rig import Events, RunOptions, apply, arguments, fingerprinted, sqlite_state, take_back

from driftflow.config import Policy
from driftflow.drivers.urls import connector_for
from driftflow.engine.clock import SystemClock
from driftflow.engine.run import resume
from driftflow.errors import LeaseLostError, LockTimeoutError, RefusedError, StepFailedError
from driftflow.journal import inspect
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, Gate, Plan, RebuildTable, RunSql
from driftflow.model.record import replace

pytestmark = pytest.mark.sqlite
ACCOUNT = Name(schema="main", name="account")
SLOW = Backfill(
    id="slow",
    purpose="Ten rows at a time",
    table=ACCOUNT,
    key=("id",),
    assignments=(("balance", "balance + 1"),),
    chunk=replace(CHUNK, rows_first=1, rows_min=1, rows_max=1),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as db:
        db.executescript(SQLITE_SCHEMA)
    db.close()
    return path


@pytest.fixture
def db(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file, isolation_level=None, timeout=1)
    yield connection
    connection.close()


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def plan_of(file: Path, *steps: Any) -> Plan:
    plan = Plan(
        dialect="sqlite",
        migrations=(),
        relations=(ACCOUNT,),
        catalog_fingerprint="",
        fingerprint_relations=(ACCOUNT,),
        steps=steps,
    )
    return fingerprinted(url(file), plan)


def test_everything_and_back(file: Path, tmp_path: Path) -> None:
    before = sqlite_state(file)
    plan = fingerprinted(url(file), sqlite_plan(tmp_path))
    undoable = replace(plan, steps=tuple(step for step in plan.steps if step.id not in {"delete", "rebuild"}))
    report = apply(url(file), undoable, options=RunOptions(open_gates=("deployed",)))
    assert report.state == "done"
    assert take_back(url(file), report.run).state == "rolled_back"
    assert sqlite_state(file)[1] == before[1]


def rebuild(**changes: Any) -> RebuildTable:
    step = RebuildTable(
        id="rebuild",
        purpose="account may not be NULL",
        table=Name(schema="main", name="ledger"),
        temporary_name="df_new_ledger",
        create_sql="CREATE TABLE df_new_ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account(id), amount INTEGER)",
        copy=(("id", "id"), ("account", "account"), ("amount", "amount")),
        drop_views=("DROP VIEW ledger_view",),
        restore=("CREATE INDEX ledger_account ON ledger (account)", "CREATE VIEW ledger_view AS SELECT id, amount FROM ledger"),
        autoincrement=True,
    )
    return replace(step, **changes)


def test_a_rebuild_keeps_what_hung_on_the_table(file: Path, db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE posting (id INTEGER PRIMARY KEY, ledger INTEGER REFERENCES ledger(id) ON DELETE CASCADE)")
    db.execute("INSERT INTO posting (ledger) SELECT id FROM ledger")
    db.execute("ANALYZE")
    statistics = db.execute("SELECT * FROM sqlite_stat1 WHERE tbl = 'ledger'").fetchall()
    assert apply(url(file), plan_of(file, rebuild())).state == "done"
    assert db.execute("SELECT count(*) FROM posting").fetchone() == (ROWS - 1,), "the cascade ate the children"
    assert db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'ledger'").fetchone() == (ROWS,), "an id would be given twice"
    assert db.execute("SELECT sql FROM sqlite_schema WHERE name = 'posting'").fetchone()[0].count("ledger(id)") == 1
    assert db.execute("SELECT count(*) FROM ledger_view").fetchone() == (ROWS - 1,)
    assert db.execute("SELECT * FROM sqlite_stat1 WHERE tbl = 'ledger'").fetchall() == statistics
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO ledger (amount) VALUES (1)")


def test_a_rebuild_that_would_break_a_reference_is_rolled_back(file: Path, db: sqlite3.Connection) -> None:
    before = sqlite_state(file)
    db.execute("CREATE TABLE posting (ledger INTEGER REFERENCES ledger(id))")
    db.execute("INSERT INTO posting SELECT id FROM ledger")
    with pytest.raises(StepFailedError) as caught:
        apply(url(file), plan_of(file, rebuild(copy=(("id", "id + 1000"), ("account", "account"), ("amount", "amount")))))
    assert caught.value.code == "DF-E539"
    db.execute("DROP TABLE posting")
    assert sqlite_state(file) == before


def test_a_rebuild_of_another_table_is_refused(file: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        apply(url(file), plan_of(file, rebuild(expected_sql="CREATE TABLE ledger (id)")))
    assert caught.value.code == "DF-E315"


def test_a_conflict_clause_may_not_drop_rows(file: Path) -> None:
    create = "CREATE TABLE df_new_ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER, amount INTEGER UNIQUE ON CONFLICT IGNORE)"
    with pytest.raises(StepFailedError) as caught:
        apply(url(file), plan_of(file, rebuild(create_sql=create, copy=(("id", "id"), ("account", "account"), ("amount", "1")))))
    assert caught.value.code == "DF-E538"


def test_a_locked_file_is_told_and_taken_up(file: Path, db: sqlite3.Connection) -> None:
    plan = plan_of(file, RunSql(id="add", purpose="Add", statements=("ALTER TABLE account ADD COLUMN a",), lock_timeout_ms=50))
    apply(url(file), plan_of(file, Gate(id="g", purpose="g", name="g", question="?")))  # the journal is there
    connection = connector_for(url(file)).connect()
    inspect.request(connection, inspect.runs(connection)[0].run, "abort")
    connection.close()
    waits = Events()

    def lock_at_first_step(event: Any) -> None:
        waits(event)
        if type(event).__name__ == "StepStarted":
            db.execute("BEGIN IMMEDIATE")

    free = replace(plan, relations=())
    with pytest.raises((LockTimeoutError, StepFailedError)) as caught:
        apply(url(file), free, policy=Policy(lock_tries=3), listener=lock_at_first_step, clock=SystemClock())
    assert isinstance(caught.value, LockTimeoutError)
    assert [kind for kind in waits.kinds() if kind == "LockWaited"] == ["LockWaited"] * 3
    db.execute("ROLLBACK")
    assert apply(url(file), free).state == "done"


def test_a_writer_is_never_kept_waiting(file: Path, db: sqlite3.Connection) -> None:
    """A writer without retry and with a short busy timeout goes on through a backfill of many rows."""
    db.execute("WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)"
               " INSERT INTO account SELECT i, 'x', i, i * 10, 'n' FROM n")  # fmt: skip
    stalls: list[float] = []
    over = threading.Event()
    errors: list[str] = []

    def writer() -> None:
        mine = sqlite3.connect(file, isolation_level=None, timeout=1)
        number = 0
        while not over.is_set():
            begun = time.monotonic()
            try:
                mine.execute("INSERT INTO log (old) VALUES (1)")
            except sqlite3.Error as error:
                errors.append(str(error))
            stalls.append(time.monotonic() - begun)
            number += 1
            time.sleep(0.002)
        mine.close()

    thread = threading.Thread(target=writer)
    thread.start()
    fill = replace(SLOW, chunk=replace(CHUNK, rows_first=500, rows_max=100_000, rest_percent=20))
    events = Events()
    try:
        report = apply(url(file), plan_of(file, fill), policy=Policy(), clock=SystemClock(), listener=events)
    finally:
        over.set()
        thread.join()
    assert report.state == "done" and errors == []
    assert len(stalls) >= 50
    chunks = [event.milliseconds for event in events.seen if type(event).__name__ == "ChunkDone"]
    assert sorted(chunks)[len(chunks) // 2] <= 50
    assert db.execute("SELECT count(*) FROM account WHERE balance = id * 10 + 1").fetchone()[0] == ROWS + 399_001


def test_a_second_executor_and_an_old_one_that_wakes_up(file: Path) -> None:
    plan = plan_of(file, SLOW)
    asleep, go_on = threading.Event(), threading.Event()

    def sleepy(event: Any) -> None:
        if type(event).__name__ == "ChunkDone" and event.chunk == 3:
            asleep.set()
            go_on.wait(10)

    errors: list[BaseException] = []

    def old() -> None:
        try:
            apply(url(file), plan, listener=sleepy, options=RunOptions(executor="old:1", lease_seconds=2))
        except LeaseLostError as error:
            errors.append(error)

    thread = threading.Thread(target=old)
    thread.start()
    assert asleep.wait(10)
    with pytest.raises(LeaseLostError):
        apply(url(file), plan, clock=SystemClock(), options=RunOptions(executor="new:2", lease_seconds=2))
    assert apply(url(file), plan, options=RunOptions(executor="new:2", take_over=True)).state == "done"
    go_on.set()
    thread.join()
    assert isinstance(errors[0], LeaseLostError) and errors[0].code == "DF-E501"
    with sqlite3.connect(file) as db:
        assert db.execute("SELECT DISTINCT balance - id * 10 FROM account").fetchall() == [(1,)]
    db.close()


def test_a_copied_file_is_refused_until_adopted(file: Path, tmp_path: Path) -> None:
    plan = plan_of(file, Gate(id="gate", purpose="Wait", name="out", question="Out?"), SLOW)
    run = apply(url(file), plan).run
    copy = tmp_path / "restored.db"
    shutil.copy(file, copy)
    with pytest.raises(RefusedError) as caught:
        resume(run, **arguments(url(copy), options=RunOptions(open_gates=("out",))))
    assert caught.value.code == "DF-E607"
    assert resume(run, **arguments(url(copy), options=RunOptions(open_gates=("out",), adopt=True))).state == "done"


def test_pause_acts_within_one_chunk(file: Path) -> None:
    connection = connector_for(url(file)).connect()
    events = Events()

    def slow(event: Any) -> None:
        events(event)
        if type(event).__name__ == "ChunkDone":
            time.sleep(0.02)
        if type(event).__name__ == "ChunkDone" and event.chunk == 2:
            inspect.request(connection, event.run, "pause", by="ann")

    reports: list[Any] = []
    thread = threading.Thread(
        target=lambda: reports.append(apply(url(file), plan_of(file, SLOW), listener=slow, clock=SystemClock()))
    )
    other = None
    connection.close()
    connection = connector_for(url(file)).connect()
    thread.start()
    deadline = time.monotonic() + 10
    other = connector_for(url(file)).connect()
    while "Paused" not in events.kinds() and time.monotonic() < deadline:
        time.sleep(0.02)
    chunks = events.kinds().count("ChunkDone")
    time.sleep(0.3)
    assert events.kinds().count("ChunkDone") == chunks < ROWS
    inspect.request(other, inspect.runs(other)[0].run, "resume")
    thread.join(20)
    assert reports[0].state == "done"
    other.close()
    connection.close()
