"""Locks on a real server: never awaited long, blockers named, the tool always the one who gives up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from engine_plans import POSTGRESQL_SCHEMA
from engine_rig import Events, RunOptions, apply, fingerprinted

from driftflow.config import Policy
from driftflow.errors import LockTimeoutError
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, ChunkPolicy, Plan, RunSql

pytestmark = pytest.mark.postgresql
ACCOUNT = Name(schema="public", name="account")


@pytest.fixture
def shop(postgresql_url: str) -> str:
    with psycopg.connect(postgresql_url, autocommit=True) as db:
        db.execute(POSTGRESQL_SCHEMA)
    return postgresql_url


@pytest.fixture
def session(shop: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(shop, application_name="the reporting job") as other:
        yield other


def plan_of(url: str, *steps: Any) -> Plan:
    return fingerprinted(
        url,
        Plan(
            dialect="postgresql",
            migrations=(),
            relations=(ACCOUNT,),
            catalog_fingerprint="",
            fingerprint_relations=(ACCOUNT,),
            steps=steps,
        ),
    )


def add_column(**changes: Any) -> RunSql:
    return RunSql(id="add", purpose="Add a column", statements=("ALTER TABLE account ADD COLUMN stock integer",), **changes)


def columns(url: str) -> set[str]:
    with psycopg.connect(url) as db:
        found = db.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'account'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        return {name for (name,) in found.fetchall()}


def wait_until_driftflow_waits(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as looker:
        for _ in range(500):
            waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'driftflow apply' AND wait_event_type = 'Lock'"
            if looker.execute(waiting).fetchone():
                return
            time.sleep(0.01)
    raise AssertionError("driftflow never waited for a lock")


def test_the_blocker_is_named_and_nobody_queues_for_long(shop: str, session: psycopg.Connection[Any]) -> None:
    """An idle transaction holds the table; we try a few times for 100 ms each, a reader behind us never waits longer than that."""
    session.execute("SELECT * FROM account LIMIT 1")
    waits: list[float] = []
    over = threading.Event()

    def reader() -> None:
        with psycopg.connect(shop, autocommit=True) as mine:
            while not over.is_set():
                begun = time.monotonic()
                mine.execute("SELECT count(*) FROM account")
                waits.append(time.monotonic() - begun)
                time.sleep(0.005)

    thread = threading.Thread(target=reader)
    thread.start()
    events = Events()
    try:
        with pytest.raises(LockTimeoutError) as caught:
            apply(
                shop,
                plan_of(shop, add_column(lock_timeout_ms=100)),
                policy=Policy(lock_tries=4, lock_rest_ms=1000),
                listener=events,
            )
    finally:
        over.set()
        thread.join()
    text = str(caught.value)
    assert "DF-E520" in text and "4 times" in text
    assert "the reporting job" in text and "idle in transaction" in text and "SELECT * FROM account LIMIT 1" in text
    assert f"pg_terminate_backend({session.info.backend_pid})" in text and "driftflow resume" in text
    assert events.kinds().count("LockWaited") == 4 and events.kinds()[-1] == "StepFailed"
    assert all(event.rest_ms >= 1000 for event in events.seen if type(event).__name__ == "LockWaited")
    assert "stock" not in columns(shop)
    assert max(waits) < 1.0
    session.rollback()
    assert apply(shop, plan_of(shop, add_column(lock_timeout_ms=100))).state == "done"
    assert "stock" in columns(shop)


def test_the_lock_is_taken_as_soon_as_it_is_free(shop: str, session: psycopg.Connection[Any]) -> None:
    session.execute("SELECT * FROM account LIMIT 1")

    def release() -> None:
        wait_until_driftflow_waits(shop)
        time.sleep(0.3)
        session.rollback()

    thread = threading.Thread(target=release)
    thread.start()
    report = apply(shop, plan_of(shop, add_column(lock_timeout_ms=100)), policy=Policy(lock_tries=30, lock_rest_ms=50))
    thread.join()
    assert report.state == "done"
    assert 80 <= report.longest_lock_wait_ms < 1000


def test_a_blocker_is_ended_only_when_asked(shop: str, session: psycopg.Connection[Any]) -> None:
    session.execute("SELECT * FROM account LIMIT 1")
    report = apply(
        shop,
        plan_of(shop, add_column(lock_timeout_ms=100)),
        policy=Policy(lock_tries=10, lock_rest_ms=50),
        options=RunOptions(kill_blockers=True),
    )
    assert report.state == "done"
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")


def test_a_dump_is_never_ended(shop: str) -> None:
    with psycopg.connect(shop, application_name="pg_dump") as dump:
        dump.execute("LOCK TABLE account IN ACCESS SHARE MODE")
        with pytest.raises(LockTimeoutError) as caught:
            apply(
                shop,
                plan_of(shop, add_column(lock_timeout_ms=50)),
                policy=Policy(lock_tries=5, lock_rest_ms=10),
                options=RunOptions(kill_blockers=True),
            )
        assert "pg_terminate_backend" not in str(caught.value) and "wait until it is over" in str(caught.value)
        assert dump.execute("SELECT 1").fetchone() == (1,)


def test_hot_rows_shrink_the_chunk_and_are_done_later(shop: str, session: psycopg.Connection[Any]) -> None:
    session.execute("UPDATE account SET name = 'hot' WHERE id = 20")

    def release() -> None:
        wait_until_driftflow_waits(shop)
        time.sleep(0.3)
        session.commit()

    thread = threading.Thread(target=release)
    thread.start()
    events = Events()
    step = Backfill(
        id="count", purpose="Count", table=ACCOUNT, key=("id",), assignments=(("balance", "balance + 1"),), lock_timeout_ms=50,
        chunk=ChunkPolicy(rows_first=40, rows_min=5, rest_percent=1),
    )  # fmt: skip
    assert apply(shop, plan_of(shop, step), listener=events).state == "done"
    thread.join()
    waited = [event for event in events.seen if type(event).__name__ == "LockWaited"]
    assert any("the reporting job" in blocker for event in waited for blocker in event.blockers)
    with psycopg.connect(shop) as db:
        assert db.execute("SELECT sum(balance - id * 10), count(*) FROM account").fetchone() == (25, 25)
        assert db.execute("SELECT count(*) FROM account WHERE name = 'hot'").fetchone() == (1,)


def test_the_tool_is_the_deadlock_victim(shop: str, session: psycopg.Connection[Any]) -> None:
    """The application holds row 20 and then wants row 1, which our chunk holds while it waits for row 20."""
    session.execute("UPDATE account SET name = 'a' WHERE id = 20")
    done: list[str] = []

    def application() -> None:
        wait_until_driftflow_waits(shop)
        session.execute("UPDATE account SET name = 'b' WHERE id = 1")
        session.commit()
        done.append("committed")

    thread = threading.Thread(target=application)
    thread.start()
    step = Backfill(
        id="count", purpose="Count", table=ACCOUNT, key=("id",), assignments=(("balance", "balance + 1"),), lock_timeout_ms=5_000,
        chunk=ChunkPolicy(rows_first=100, rows_min=100, rest_percent=1),
    )  # fmt: skip
    events = Events()
    assert apply(shop, plan_of(shop, step), listener=events).state == "done"
    thread.join()
    assert done == ["committed"], "the application lost"
    assert "LockWaited" in events.kinds()
    with psycopg.connect(shop) as db:
        assert db.execute("SELECT sum(balance - id * 10) FROM account").fetchone() == (25,)
