"""The engine on MySQL and MariaDB: plans run, wait for nobody, go on after a crash, and are taken back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_rig import Events, RunOptions, apply, arguments, take_back
from mysql_rig import make_shop, planned, reading, rows, session, structure

from driftflow.config import Policy
from driftflow.engine.clock import SystemClock
from driftflow.engine.ports import Connection
from driftflow.engine.run import resume
from driftflow.errors import LockTimeoutError, OutcomeUnknownError, RefusedError, StepFailedError
from driftflow.journal import inspect
from driftflow.lab import mysql, mysql_programs
from driftflow.lab.mysql import Server, database_of
from driftflow.model.event import LockWaited, StepDone
from driftflow.model.plan import Backfill, Irreversible
from driftflow.model.record import replace

CHANGE = """
ALTER TABLE account ADD COLUMN stock INT, ADD INDEX account_balance (balance);
CREATE TABLE note (id INT PRIMARY KEY, body VARCHAR(20));
INSERT INTO note VALUES (1, 'one');
"""


@pytest.fixture
def shop(mysql_url: str) -> Iterator[str]:
    make_shop(mysql_url)
    yield mysql_url
    with session(mysql_url) as db:
        db.execute("DROP DATABASE IF EXISTS driftflow")


@pytest.fixture
def other(shop: str) -> Iterator[Connection]:
    with session(shop) as connection:
        yield connection


def test_a_plan_is_carried_out_and_taken_back(shop: str, tmp_path: Path) -> None:
    before = structure(shop)
    plan = planned(shop, CHANGE, tmp_path)
    report = apply(shop, plan)
    assert report.state == "done" and report.steps_done == len(plan.steps)
    after = structure(shop)
    assert {"stock"} <= {column.name for column in after.tables[key(after, "account")].columns}
    assert rows(shop, "note") == [(1, "one")] and len(rows(shop, "_driftflow_migration")) == 1
    assert apply(shop, plan).message.endswith("carried this plan out already")
    assert take_back(shop, report.run).state == "rolled_back"
    assert structure(shop) == before and rows(shop, "_driftflow_migration") == []


def key(catalog: object, table: str) -> str:
    return next(name for name in catalog.tables if name.endswith(f".{table}"))  # type: ignore[attr-defined]


def test_the_journal_has_a_database_of_its_own(shop: str, other: Connection, tmp_path: Path) -> None:
    apply(shop, planned(shop, CHANGE, tmp_path))
    assert other.query("SELECT COUNT(*) FROM driftflow.run WHERE status = 'done'")[0][0] == 1
    assert [name for (name,) in other.query("SHOW TABLES")] == ["_driftflow_migration", "account", "note"]


def test_the_blocker_is_named_and_nobody_queues_for_long(shop: str, other: Connection, tmp_path: Path) -> None:
    """An open transaction has read the table; a reader behind us waits for the stall budget, though the server counts in seconds."""
    other.begin()
    other.query("SELECT * FROM account LIMIT 1")
    events = Events()
    plan = planned(shop, "ALTER TABLE account ADD COLUMN stock INT;\n", tmp_path)
    policy = Policy(lock_tries=3, lock_rest_ms=300)
    with reading(shop, "SELECT COUNT(*) FROM account") as waits, pytest.raises(LockTimeoutError) as caught:
        apply(shop, plan, clock=SystemClock(), policy=policy, listener=events, options=RunOptions())
    assert caught.value.code == "DF-E520" and f"KILL {other.session.id}" in caught.value.hint
    waited = [event for event in events.seen if isinstance(event, LockWaited)]
    assert len(waited) == 3 and all(event.rest_ms >= 2_500 for event in waited)
    # Were it the server's own limit, it would be a second.
    assert 0.1 < max(waits) < 0.9, sorted(waits)[-5:]
    other.rollback()
    run = inspect.runs(other)[0].run
    assert resume(run, **arguments(shop)).state == "done"


def test_the_lock_is_taken_as_soon_as_it_is_free(shop: str, other: Connection, tmp_path: Path) -> None:
    other.begin()
    other.query("SELECT * FROM account LIMIT 1")
    plan = planned(shop, "ALTER TABLE account ADD COLUMN stock INT;\n", tmp_path)
    tries: list[LockWaited] = []

    def listener(event: object) -> None:
        if isinstance(event, LockWaited):
            tries.append(event)
            other.rollback()

    assert apply(shop, plan, policy=Policy(lock_rest_ms=100), listener=listener).state == "done"
    assert len(tries) == 1


def test_a_statement_that_happened_is_not_done_again(shop: str, other: Connection, tmp_path: Path) -> None:
    """As after a crash between the ALTER and its entry: the catalog tells."""
    plan = planned(shop, "ALTER TABLE account ADD COLUMN stock INT;\n", tmp_path)
    events = Events()
    run = interrupted(shop, plan, other)
    other.execute("ALTER TABLE account ADD COLUMN stock INT")
    assert resume(run, **arguments(shop, listener=events)).state == "done"
    assert next(event.found_done for event in events.seen if isinstance(event, StepDone))


def interrupted(shop: str, plan: object, other: Connection) -> str:
    """A run whose ALTER began and did not get its lock."""
    other.begin()
    other.query("SELECT * FROM account LIMIT 1")
    with pytest.raises(LockTimeoutError):
        apply(shop, plan, clock=SystemClock(), policy=Policy(lock_tries=1, lock_rest_ms=10))  # type: ignore[arg-type]
    other.rollback()
    return inspect.runs(other)[0].run


def test_somebody_elses_change_is_seen(shop: str, other: Connection, tmp_path: Path) -> None:
    plan = planned(shop, "ALTER TABLE account ADD COLUMN stock INT;\n", tmp_path)
    run = interrupted(shop, plan, other)
    other.execute("ALTER TABLE account ADD COLUMN somebody INT")
    with pytest.raises(RefusedError) as caught:
        resume(run, **arguments(shop))
    assert caught.value.code == "DF-E300"


def test_what_only_a_person_can_say_is_left_to_a_person(shop: str, other: Connection, tmp_path: Path) -> None:
    """No fact of the catalog tells whether a partition was reorganized."""
    other.execute("CREATE TABLE part (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))")
    plan = planned(shop, "ALTER TABLE part ADD PARTITION (PARTITION p1 VALUES LESS THAN (20));\n", tmp_path)
    other.begin()
    other.query("SELECT * FROM part LIMIT 1")
    options = RunOptions(accept=(f"alter_partitions {plan.relations[0]} add",))
    with pytest.raises(LockTimeoutError):
        apply(shop, plan, clock=SystemClock(), policy=Policy(lock_tries=1, lock_rest_ms=10), options=options)
    other.rollback()
    with pytest.raises(OutcomeUnknownError):
        resume(inspect.runs(other)[0].run, **arguments(shop, options=options))


def test_the_settings_of_the_migration_hold_for_its_statements_alone(shop: str, other: Connection, tmp_path: Path) -> None:
    """As a dump writes it."""
    text = "SET @OLD=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0;\nCREATE TABLE c (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES later (id));\nSET FOREIGN_KEY_CHECKS=@OLD;\nCREATE TABLE later (id INT PRIMARY KEY);\n"
    assert apply(shop, planned(shop, text, tmp_path)).state == "done"
    assert {"c", "later"} <= {name for (name,) in other.query("SHOW TABLES")}


def test_two_databases_of_a_server_share_the_journal_and_not_the_runs(shop: str, mysql_server: object, tmp_path: Path) -> None:
    second = mysql_server.create_database()  # type: ignore[attr-defined]
    make_shop(second)
    first_run = apply(shop, planned(shop, CHANGE, tmp_path)).run
    with session(second) as db:
        assert inspect.runs(db) == ()
    second_run = apply(second, planned(second, CHANGE, tmp_path)).run
    with session(second) as db:
        assert [one.run for one in inspect.runs(db)] == [second_run]
    with pytest.raises(RefusedError) as caught:
        take_back(second, first_run)
    assert caught.value.code == "DF-E607"
    mysql_server.drop_database(second)  # type: ignore[attr-defined]


BACKFILL = """
UPDATE account SET balance = balance + 1 WHERE region <> 'r1';
"""


def test_a_backfill_waits_for_no_row_while_it_holds_another(shop: str, other: Connection, tmp_path: Path) -> None:
    """Who does not wait is in no deadlock: InnoDB would end the transaction that changed fewer rows, which is the application's."""
    plan = planned(shop, BACKFILL, tmp_path, policy=Policy(small_table_rows=0))
    (step,) = [step for step in plan.steps if isinstance(step, Backfill)]
    other.begin()
    other.execute("UPDATE account SET region = 'rx' WHERE id = 150")
    tries: list[LockWaited] = []

    def listener(event: object) -> None:
        if isinstance(event, LockWaited):
            tries.append(event)
            if len(tries) == 2:
                other.commit()

    options = RunOptions(accept=tuple(one.undo.name for one in plan.steps if isinstance(one.undo, Irreversible)))
    assert apply(shop, plan, options=options, listener=listener, clock=SystemClock()).state == "done"
    assert len(tries) == 2
    assert other.query("SELECT SUM(balance - id * 10), COUNT(*) FROM account WHERE region <> 'r1'")[0] == (133, 133)
    assert step.key == ("id",)


def test_a_row_that_somebody_always_writes_is_waited_for(shop: str, tmp_path: Path) -> None:
    """It is never free at once; the chunk is that row alone then, and takes its turn."""
    plan = planned(shop, BACKFILL, tmp_path, policy=Policy(small_table_rows=0))
    ended = threading.Event()
    writers = [threading.Thread(target=write_without_a_pause, args=(shop, ended)) for _ in range(6)]
    for writer in writers:
        writer.start()
    options = RunOptions(accept=tuple(one.undo.name for one in plan.steps if isinstance(one.undo, Irreversible)))
    try:
        report = apply(shop, plan, options=options, clock=SystemClock(), policy=Policy(lock_tries=4))
    finally:
        ended.set()
        for writer in writers:
            writer.join(30)
    assert report.state == "done"
    with session(shop) as db:
        assert db.query("SELECT SUM(balance - id * 10), COUNT(*) FROM account WHERE region <> 'r1'")[0] == (133, 133)


def write_without_a_pause(url: str, ended: threading.Event) -> None:
    with session(url) as db:
        number = 0
        while not ended.is_set():
            number += 1
            db.begin()
            db.execute("UPDATE account SET region = %s WHERE id = 150", (f"x{number}",))
            db.query("SELECT SLEEP(0.01)")
            db.commit()


def test_the_journal_is_beside_the_data_where_no_database_may_be_made(
    mysql_url: str, mysql_server: Server, tmp_path: Path
) -> None:
    make_shop(mysql_url)
    database = database_of(mysql_url)
    with mysql_server.administration() as execute:
        execute("DROP DATABASE IF EXISTS driftflow")
        execute("CREATE USER 'small'@'127.0.0.1' IDENTIFIED BY 'a-word'")
        execute(f"GRANT ALL ON `{database}`.* TO 'small'@'127.0.0.1'")
    url = mysql_server.tcp_url(database, user="small", password="a-word")
    try:
        before = structure(url)
        plan = planned(url, CHANGE, tmp_path)
        report = apply(url, plan)
        assert report.state == "done"
        with session(url) as db:
            names = [name for (name,) in db.query("SHOW TABLES")]
            assert "_driftflow_run" in names and "_driftflow_fence" in names
            assert db.query("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'driftflow'") == [(0,)]
            assert [one.run for one in inspect.runs(db)] == [report.run]
        assert take_back(url, report.run).state == "rolled_back"
        assert structure(url) == before
    finally:
        with mysql_server.administration() as execute:
            execute("DROP USER 'small'@'127.0.0.1'")


def test_a_statement_that_runs_for_too_long_is_ended(shop: str, other: Connection, tmp_path: Path) -> None:
    """MySQL's own limit ends SELECT alone."""
    plan = planned(shop, "UPDATE account SET balance = balance + SLEEP(0.1) WHERE id > 0;\n", tmp_path)
    (step,) = [one for one in plan.steps if isinstance(one.undo, Irreversible)]
    quick = replace(plan, steps=tuple(replace(one, statement_timeout_ms=700) if one is step else one for one in plan.steps))
    assert isinstance(step.undo, Irreversible)
    with pytest.raises(StepFailedError) as caught:
        apply(shop, quick, clock=SystemClock(), options=RunOptions(accept=(step.undo.name,)))
    assert caught.value.code == "DF-E511"
    assert other.query("SELECT SUM(balance - id * 10) FROM account") == [(0,)]


def test_a_binary_log_of_statements_is_written_to(tmp_path: Path) -> None:
    """READ COMMITTED is refused there (1665), so the session keeps the servers' own isolation."""
    settings = {"log-bin": "log", "binlog-format": "STATEMENT", "server-id": "7"}
    with mysql.begun(mysql_programs.find("mariadb", 10), folder=None, settings=settings, durable=False) as server:
        url = server.create_database()
        make_shop(url)
        report = apply(url, planned(url, CHANGE, tmp_path))
        assert report.state == "done" and take_back(url, report.run).state == "rolled_back"
