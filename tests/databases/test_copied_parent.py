"""A copy of a table that foreign keys point at, under writers of those: MariaDB shows them no parent for a moment, and the plan keeps that from them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from engine_rig import Events, apply, arguments, take_back
from mysql_rig import planned, reading, session

import wanted
from driftflow.config import Policy
from driftflow.engine.actions.locked_tables import locked_tables
from driftflow.engine.clock import SystemClock
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.engine.run import resume
from driftflow.errors import LockTimeoutError, RefusedError, StepFailedError
from driftflow.journal import inspect
from driftflow.lab.mysql import Server, database_of
from driftflow.model.event import LockWaited
from driftflow.model.plan import Plan, RunSql
from driftflow.model.record import replace

SCHEMA = (
    "CREATE TABLE parent (id INT PRIMARY KEY, v INT NOT NULL DEFAULT 0)",
    "CREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, p INT NOT NULL, CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (id))",
    "CREATE TABLE grand (id INT AUTO_INCREMENT PRIMARY KEY, c INT NOT NULL, CONSTRAINT grand_c FOREIGN KEY (c) REFERENCES child (id))",
    "INSERT INTO parent (id) VALUES (1), (2), (3), (4), (5)",
    "INSERT INTO child (id, p) VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
    "ANALYZE TABLE parent, child, grand",
)
WIDER = "ALTER TABLE parent MODIFY v BIGINT NOT NULL DEFAULT 0"
NO_PARENT = "1452"
on_mariadb = pytest.mark.parametrize(
    "mysql_family",
    [pytest.param(name, marks=pytest.mark.mariadb) for name in wanted.mysql_family() if name.startswith("mariadb")],
    indirect=True,
)
"""MySQL locks the children by itself."""


@pytest.fixture
def shop(mysql_url: str) -> Iterator[str]:
    with session(mysql_url) as db:
        for statement in SCHEMA:
            db.query(statement)
    yield mysql_url
    with session(mysql_url) as db:
        db.execute("DROP DATABASE IF EXISTS driftflow")


@pytest.fixture
def other(shop: str) -> Iterator[Connection]:
    with session(shop) as connection:
        yield connection


@dataclass
class Written:
    rows: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def writing(url: str, *statements: str, writers: int = 3) -> Iterator[Written]:
    """Sessions that write without a rest, from the first row of each until the end."""
    found, over, begun = Written(), threading.Event(), threading.Barrier(writers + 1)

    def write() -> None:
        with session(url) as mine:
            mine.execute(statements[0])
            begun.wait(10)
            while not over.is_set():
                for statement in statements:
                    try:
                        mine.execute(statement)
                        found.rows += 1
                    except DatabaseFault as fault:
                        found.failed.append(fault.code)

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    try:
        yield found
    finally:
        over.set()
        for thread in threads:
            thread.join()


def copies(plan: Plan) -> list[RunSql]:
    return [step for step in plan.steps if isinstance(step, RunSql) and step.lock_tables]


def test_writers_of_the_children_meet_no_error(shop: str, tmp_path: Path, mysql_server: Server) -> None:
    """There and back several times; the statement by itself makes some of them fail on MariaDB, which shows that the writers would notice."""
    child = ("INSERT INTO child (p) VALUES (3)", "UPDATE child SET p = p % 5 + 1 WHERE id = 2")
    plan = planned(shop, f"{WIDER};\nALTER TABLE child FORCE, ALGORITHM=COPY;\n", tmp_path)
    assert [step.lock_tables.count("WRITE") for step in copies(plan)] == ([2, 2] if mysql_server.flavour == "mariadb" else [])
    with writing(shop, *child, "INSERT INTO grand (c) VALUES (4)") as found:
        for _ in range(3):
            report = apply(shop, plan)
            assert report.state == "done"
            assert take_back(shop, report.run).state == "rolled_back"
    assert found.failed == [] and found.rows > 20
    if mysql_server.flavour == "mariadb":
        with session(shop) as db, writing(shop, *child) as found:
            until = time.monotonic() + 20
            while not found.failed and time.monotonic() < until:
                db.execute("ALTER TABLE parent FORCE, ALGORITHM=COPY")
        assert set(found.failed) == {NO_PARENT}


@on_mariadb
def test_beside_a_large_table_writers_of_the_children_wait_by_triggers(
    shop: str, other: Connection, tmp_path: Path, mysql_server: Server
) -> None:
    """There and back, where a rebuild beside the table is not possible (a trigger that asks for the statement before it cannot come along). MariaDB 11 copies
    while writers of the parent go on, too."""
    other.execute("CREATE TRIGGER own BEFORE INSERT ON parent FOR EACH ROW SET NEW.v = NEW.v + 0 * ROW_COUNT()")
    plan = planned(shop, WIDER, tmp_path, policy=Policy(small_table_rows=0))
    assert (
        copies(plan) == [] and sum("CREATE TRIGGER" in one for step in plan.steps for one in getattr(step, "statements", ())) == 2
    )
    with writing(shop, "INSERT INTO child (p) VALUES (3)", "UPDATE child SET p = p % 5 + 1 WHERE id = 2") as found:
        for _ in range(3):
            report = apply(shop, plan)
            assert report.state == "done" and other.query("SHOW TRIGGERS LIKE 'child'") == []
            assert take_back(shop, report.run).state == "rolled_back" and other.query("SHOW TRIGGERS LIKE 'child'") == []
    assert found.failed == [] and found.rows > 20


@on_mariadb
def test_nobody_queues_for_long_behind_the_locks(shop: str, other: Connection, tmp_path: Path) -> None:
    """A long transaction has written the child: who comes behind the request waits for the stall budget, and the run goes on when it is over."""
    other.begin()
    other.execute("INSERT INTO child (p) VALUES (1)")
    events = Events()
    plan = planned(shop, WIDER, tmp_path)
    policy = Policy(lock_tries=2, lock_rest_ms=300)
    both = "SELECT (SELECT COUNT(*) FROM parent), (SELECT COUNT(*) FROM child)"
    with reading(shop, both) as waits, pytest.raises(LockTimeoutError) as caught:
        apply(shop, plan, clock=SystemClock(), policy=policy, listener=events)
    assert f"KILL {other.session.id}" in caught.value.hint
    assert sum(isinstance(event, LockWaited) for event in events.seen) == 2
    assert 0.1 < max(waits) < 0.9, sorted(waits)[-5:]
    other.rollback()
    assert resume(inspect.runs(other)[0].run, **arguments(shop)).state == "done"


@on_mariadb
def test_a_failure_leaves_nothing_locked(shop: str, other: Connection, tmp_path: Path) -> None:
    """The statement fails behind the guard; the session that keeps the journal goes on, and so does everybody."""
    plan = planned(shop, "ALTER TABLE parent ADD CONSTRAINT v_small CHECK (v < 5)", tmp_path)
    (step,) = copies(plan)
    other.execute("UPDATE parent SET v = 9 WHERE id = 1")
    unguarded = replace(plan, steps=tuple(replace(one, guards=()) if one is step else one for one in plan.steps))
    with pytest.raises(StepFailedError, match="v_small"):
        apply(shop, unguarded)
    other.execute("UPDATE parent SET v = 0 WHERE id = 1")
    other.execute("INSERT INTO child (p) VALUES (5)")
    assert resume(inspect.runs(other)[0].run, **arguments(shop)).state == "done"


@on_mariadb
def test_a_client_that_is_gone_without_a_word_keeps_nothing_locked(
    shop: str, other: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No end of the connection reaches the server: a lost network, a machine that sleeps."""
    monkeypatch.setattr("driftflow.engine.actions.locked_tables.ABSENT_SECONDS", 1)
    lock = "LOCK TABLES parent WRITE, child WRITE"
    with (
        session(shop) as silent,
        suppress(DatabaseFault),
        locked_tables(lock, silent, lambda sql: silent.execute(sql) is not None),
    ):
        other.set_timeouts(lock_ms=10_000)
        begun = time.monotonic()
        other.execute("INSERT INTO child (p) VALUES (5)")
        assert 0.5 < time.monotonic() - begun < 8
        with pytest.raises(DatabaseFault):
            silent.execute("SELECT 1")


@on_mariadb
@pytest.mark.parametrize("missing", ["right", "elsewhere"])
def test_what_stands_in_the_way_is_said_before_the_run(
    shop: str, other: Connection, tmp_path: Path, mysql_server: Server, missing: str
) -> None:
    url, undo = {"right": _without_right, "elsewhere": _child_elsewhere}[missing](shop, mysql_server)
    try:
        plan = planned(shop, WIDER, tmp_path)
        with pytest.raises(RefusedError) as caught:
            apply(url, plan)
        assert ("LOCK TABLES" if missing == "right" else "1 more tables") in caught.value.summary
        assert not inspect.runs(other)
    finally:
        undo()


def _without_right(shop: str, server: Server) -> tuple[str, Callable[[], None]]:
    database = database_of(shop)
    with server.administration() as run:
        run("CREATE USER 'poor'@'127.0.0.1' IDENTIFIED BY 'a-word'")
        rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER"
        run(f"GRANT {rights} ON `{database}`.* TO 'poor'@'127.0.0.1'")
        run("GRANT ALL ON driftflow.* TO 'poor'@'127.0.0.1'")

    def undo() -> None:
        with server.administration() as run:
            run("DROP USER 'poor'@'127.0.0.1'")

    return server.tcp_url(database, user="poor", password="a-word"), undo


def _child_elsewhere(shop: str, server: Server) -> tuple[str, Callable[[], None]]:
    far = server.create_database()
    with session(far) as db:
        db.execute(
            f"CREATE TABLE far (id INT PRIMARY KEY, p INT, CONSTRAINT far_p FOREIGN KEY (p) REFERENCES `{database_of(shop)}`.parent (id))"
        )
    return shop, lambda: server.drop_database(far)
