"""Indexes built outside a transaction: what a crash, a failure, or somebody else leaves under the same name."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest
from engine_plans import POSTGRESQL_SCHEMA
from engine_rig import Events, Killed, Meter, apply, fingerprinted

from driftflow.drivers.urls import connector_for
from driftflow.engine.actions.build_index import expected_definition
from driftflow.errors import StepFailedError
from driftflow.model.catalog import Index, IndexPart
from driftflow.model.names import Name
from driftflow.model.plan import BuildIndex, Plan
from driftflow.model.record import replace

pytestmark = pytest.mark.postgresql
ACCOUNT = Name(schema="public", name="account")
INDEX = Index(name=Name(schema="public", name="by_name"), table=ACCOUNT, parts=(IndexPart(column="name"),), unique=True)
STEP = BuildIndex(
    id="index",
    purpose="Index the name",
    index=INDEX,
    create_sql="CREATE UNIQUE INDEX CONCURRENTLY by_name ON public.account (name)",
    drop_sql="DROP INDEX CONCURRENTLY IF EXISTS public.by_name",
    statement_timeout_ms=0,
)


@pytest.fixture
def shop(postgresql_url: str) -> str:
    with psycopg.connect(postgresql_url, autocommit=True) as db:
        db.execute(POSTGRESQL_SCHEMA)
    return postgresql_url


def plan_of(url: str, step: BuildIndex = STEP) -> Plan:
    plan = Plan(
        dialect="postgresql",
        migrations=(),
        relations=(ACCOUNT,),
        catalog_fingerprint="",
        fingerprint_relations=(ACCOUNT,),
        steps=(step,),
    )
    return fingerprinted(url, plan)


def indexes(url: str) -> list[tuple[str, bool]]:
    with psycopg.connect(url) as db:
        return db.execute(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE 'by%' ORDER BY 1"
        ).fetchall()


def test_an_invalid_one_is_taken_away_and_built_anew(shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("UPDATE account SET name = 'same'")
        with pytest.raises(psycopg.errors.UniqueViolation):
            db.execute(STEP.create_sql)  # type: ignore[arg-type]
        db.execute("UPDATE account SET name = id::text")
    assert indexes(shop) == [("by_name", False)]
    events = Events()
    assert apply(shop, plan_of(shop), listener=events).state == "done"
    assert "StepRepaired" in events.kinds()
    assert indexes(shop) == [("by_name", True)]


def test_a_failed_build_leaves_no_invalid_index(shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("UPDATE account SET name = 'same'")
        with pytest.raises(StepFailedError) as caught:
            apply(shop, plan_of(shop))
        assert caught.value.code == "DF-E513"
        assert indexes(shop) == []
        db.execute("UPDATE account SET name = id::text")
    assert apply(shop, plan_of(shop)).state == "done"


def test_another_index_of_that_name_stops_the_run(shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("CREATE INDEX by_name ON account (region)")
    with pytest.raises(StepFailedError) as caught:
        apply(shop, plan_of(shop))
    assert caught.value.code == "DF-E519" and "btree (region)" in str(caught.value)


def test_the_same_index_is_taken_for_done(shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("CREATE UNIQUE INDEX by_name ON account USING btree (name ASC NULLS LAST)")
    events = Events()
    assert apply(shop, plan_of(shop), listener=events).state == "done"
    assert [event.found_done for event in events.seen if type(event).__name__ == "StepDone"] == [True]


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (INDEX, "UNIQUE btree (name)"),
        (
            replace(INDEX, unique=False, parts=(IndexPart(expression="lower(name)"), IndexPart(column="id", descending=True))),
            "btree (lower(name), id DESC)",
        ),
        (
            replace(INDEX, predicate="balance>5 and name is not null", unique=False),
            "btree (name) WHERE ((balance > 5) AND (name IS NOT NULL))",
        ),
        (replace(INDEX, include=("balance",)), "UNIQUE btree (name) INCLUDE (balance)"),
        (replace(INDEX, unique=False, method="hash"), "hash (name)"),
    ],
)
def test_the_server_spells_the_definition(shop: str, index: Index, expected: str) -> None:
    connection = connector_for(shop).connect()
    assert expected_definition(index, connection) == expected
    connection.close()


def test_a_build_that_goes_on_after_its_client_died_is_waited_for(shop: str) -> None:
    """Measured: the server does not notice that the client is gone while it builds, and the index becomes valid."""
    plan = plan_of(shop)
    meter = Meter()
    with psycopg.connect(shop) as holder:
        holder.execute("UPDATE account SET balance = balance WHERE id = 1")  # CREATE INDEX CONCURRENTLY waits for it
        dying = threading.Thread(target=lambda: kill_while_building(shop, plan, meter))
        dying.start()
        dying.join()
        resumed: list[Any] = []
        events = Events()
        second = threading.Thread(target=lambda: resumed.append(apply(shop, plan, listener=events)))
        second.start()
        time.sleep(0.5)
        assert not resumed, "it did not wait for the session that still builds"
        holder.commit()
        second.join(30)
    assert resumed[0].state == "done"
    assert [event.found_done for event in events.seen if type(event).__name__ == "StepDone"] == [True]
    assert indexes(shop) == [("by_name", True)]


def kill_while_building(url: str, plan: Plan, meter: Meter) -> None:
    """The executor sends CREATE INDEX CONCURRENTLY and dies without reading the answer."""
    from engine_rig import MeteredConnection, MeteredConnector, arguments, sever

    from driftflow.engine.run import run_plan

    class Dying(MeteredConnection):
        def execute(self, sql: str, parameters: Any = None) -> int:
            if not sql.startswith("CREATE UNIQUE INDEX CONCURRENTLY"):
                return self._inner.execute(sql, parameters)
            self._inner.raw.pgconn.send_query(sql.encode())
            self._inner.raw.pgconn.flush()
            time.sleep(0.3)
            self._dead = True
            sever(self._inner)
            raise Killed

    class DyingConnector(MeteredConnector):
        def connect(self, purpose: str = "apply") -> Any:
            inner = self._inner.connect(purpose)
            return Dying(inner, self._meter) if purpose == "apply" else inner

    with pytest.raises(Killed):
        run_plan(plan, **{**arguments(url), "connector": DyingConnector(connector_for(url), meter)})
