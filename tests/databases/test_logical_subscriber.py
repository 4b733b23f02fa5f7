"""A real subscriber keeps replicating through every example, or the run is refused before it begins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from example_runs import EXAMPLES, Shop, give_key, open_shop
from psycopg.conninfo import make_conninfo

from driftflow.demo.shop import Size, create_shop
from driftflow.drivers.urls import connector_for
from driftflow.errors import RefusedError
from driftflow.lab import servers
from driftflow.model.plan import Gate, Plan

LITTLE = Size(orders=1_500, users=300, products=100, tenants=4)
PUBLISHED = ("tenants", "users", "products", "orders")
PATIENCE = 40.0


@dataclass
class Pair:
    """The shop, and a second server that is to follow it."""

    shop: Shop
    subscriber: str

    def publish(self, what: str) -> None:
        """Publish, make the same tables over there, and subscribe."""
        with closing(connector_for(self.subscriber).connect("test")) as connection:
            create_shop(connection, size=Size(orders=10, users=5, products=5, tenants=2), mirror=False)
        with psycopg.connect(self.shop.url, autocommit=True) as here, psycopg.connect(self.subscriber, autocommit=True) as there:
            here.execute(f"CREATE PUBLICATION shop_pub {what}".encode())
            there.execute("TRUNCATE tenants, users, products, orders CASCADE")
            there.execute(
                f"CREATE SUBSCRIPTION shop_sub CONNECTION '{make_conninfo(self.shop.url)}' PUBLICATION shop_pub".encode()
            )
        self.in_step()

    def end(self) -> None:
        with psycopg.connect(self.subscriber, autocommit=True) as there:
            if there.execute("SELECT 1 FROM pg_subscription").fetchone():
                there.execute("DROP SUBSCRIPTION shop_sub")

    def do_there(self, sql: str) -> None:
        with psycopg.connect(self.subscriber, autocommit=True) as there:
            there.execute(sql.encode())

    def in_step(self) -> None:
        """Both hold the same rows: what is written now arrives there, and everything before it did."""
        with psycopg.connect(self.shop.url, autocommit=True) as here:
            here.execute("UPDATE products SET price_cents = price_cents + 1 WHERE id = 1")
        deadline = time.monotonic() + PATIENCE
        while (behind := self.differing()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not behind, f"the subscriber does not follow: {behind}"

    def differing(self) -> list[str]:
        with psycopg.connect(self.shop.url) as here, psycopg.connect(self.subscriber) as there:
            return [table for table in PUBLISHED if digest(here, table) != digest(there, table)]


def digest(connection: psycopg.Connection[Any], table: str) -> Any:
    """Of all rows, column by name: the order of columns may differ."""
    query = f"SELECT count(*), md5(string_agg(j::text, ' ' ORDER BY j::text)) FROM (SELECT to_jsonb(t) AS j FROM {table} AS t) AS rows"
    return connection.execute(query.encode()).fetchone()


@pytest.fixture(scope="module")
def second_server(postgresql_server: Any) -> Iterator[Any]:
    found = servers.server(postgresql_server.version)
    assert found is not None
    with found.open() as server:
        yield server


@pytest.fixture
def pair(postgresql_server: Any, second_server: Any, tmp_path: Path) -> Iterator[Pair]:
    here, there = postgresql_server.create_database(), second_server.create_database()
    made = Pair(shop=open_shop(here, tmp_path, size=LITTLE, mirror=False), subscriber=there)
    yield made
    made.end()
    second_server.drop_database(there)
    postgresql_server.drop_database(here)


def gates(plan: Plan) -> list[Gate]:
    return [step for step in plan.steps if isinstance(step, Gate)]


def asked(plan: Plan) -> Gate:
    return next(gate for gate in gates(plan) if gate.name == "subscribers")


def wanted(gate: Gate) -> list[str]:
    """What is to be done over there before."""
    return [line.partition(", now: ")[2] for line in gate.checklist if ", now: " in line]


@pytest.mark.parametrize("example", EXAMPLES)
def test_published_by_name(example: str, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run waits at a gate that says what the subscriber needs; with it the subscriber follows through the whole run and back."""
    give_key(monkeypatch)
    pair.publish("FOR TABLE tenants, users, products, orders")
    plan = pair.shop.plan(example)
    gate = asked(plan)
    assert wanted(gate)
    assert all(line.startswith("ALTER TABLE public.") and " ADD COLUMN " in line for line in wanted(gate)), gate.checklist
    waiting = pair.shop.apply(plan)
    assert (waiting.state, waiting.gate) == ("waiting_at_gate", "subscribers")
    pair.in_step()
    for statement in wanted(gate):
        pair.do_there(statement)
    done = pair.shop.resume(waiting.run, open_gates=tuple(one.name for one in gates(plan)))
    assert done.state == "done"
    pair.in_step()
    accept = tuple(step.undo.name for step in plan.steps if hasattr(step.undo, "name"))
    back = pair.shop.roll_back(waiting.run, open_gates=tuple(one.name_back for one in gates(plan)), accept=accept)
    assert back.state == "rolled_back"
    for statement in wanted(gate):
        pair.do_there(
            statement.replace(" ADD COLUMN ", " DROP COLUMN ").rpartition(" DROP COLUMN ")[0]
            + " DROP COLUMN "
            + name_of(statement)
        )
    pair.in_step()


def name_of(statement: str) -> str:
    return statement.partition(" ADD COLUMN ")[2].split()[0]


def test_without_the_column_it_would_stop(pair: Pair) -> None:
    """The gate is no ceremony: opened too early, the subscriber stops; once it has the column, it catches up."""
    pair.publish("FOR TABLE tenants, users, products, orders")
    plan = pair.shop.plan("inventory")
    assert pair.shop.apply(plan, open_gates=tuple(one.name for one in gates(plan))).state == "done"
    with psycopg.connect(pair.shop.url, autocommit=True) as here:
        here.execute("UPDATE products SET price_cents = price_cents + 1 WHERE id = 1")
    time.sleep(3)
    assert "products" in pair.differing()
    for statement in wanted(asked(plan)):
        pair.do_there(statement)
    pair.in_step()


@pytest.mark.parametrize("example", EXAMPLES)
def test_published_by_schema(example: str, pair: Pair, postgresql_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    give_key(monkeypatch)
    pair.publish("FOR TABLES IN SCHEMA public")
    plan = pair.shop.plan(example)
    waiting = pair.shop.apply(plan)
    assert (waiting.state, waiting.gate) == ("waiting_at_gate", "subscribers")
    for statement in wanted(asked(plan)):
        pair.do_there(statement)
    assert pair.shop.resume(waiting.run, open_gates=tuple(one.name for one in gates(plan))).state == "done"
    pair.in_step()


@pytest.mark.parametrize("example", EXAMPLES)
def test_everything_published_is_refused(example: str, pair: Pair) -> None:
    """The journal itself would be published: refused before anything is created, and replication goes on."""
    pair.publish("FOR ALL TABLES")
    with pytest.raises(RefusedError) as refused:
        pair.shop.apply(pair.shop.plan(example))
    assert refused.value.code == "DF-E309"
    with closing(pair.shop.connector.connect("test")) as connection:
        assert connection.query("SELECT pg_catalog.to_regnamespace('driftflow') IS NULL")[0][0]
    pair.in_step()
