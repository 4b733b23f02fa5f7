"""The inventory example with its counts read from another database, the warehouse, by a query that the plan pins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from example_runs import Shop, open_shop

from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connector
from driftflow.errors import DriftflowError
from driftflow.lab import sqlite
from driftflow.lab.servers import AnyServer
from driftflow.model.plan import QuerySource, Stage

COUNTED = 400
"""Of the 500 products; the others are on no shelf yet."""


def fill_warehouse(warehouse: Connector) -> None:
    with closing(warehouse.connect("test")) as connection:
        connection.execute("CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer)")
        rows = [(f"SKU-{number:06d}", number % 50) for number in range(1, COUNTED + 1)]
        connection.execute_many("INSERT INTO stock (sku, on_hand) VALUES (%s, %s)", [*rows, ("SKU-999999", 7)])


@pytest.fixture
def file_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second database, named by the environment as the example says."""
    url = f"sqlite:///{sqlite.create(tmp_path / 'warehouse.db')}"
    fill_warehouse(connector_for(url))
    monkeypatch.setenv("WAREHOUSE_URL", url)


@pytest.fixture
def server_warehouse(postgresql_server: AnyServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    url = postgresql_server.create_database()
    fill_warehouse(connector_for(url))
    monkeypatch.setenv("WAREHOUSE_URL", url)
    yield
    postgresql_server.drop_database(url)


def filled_from_the_warehouse(shop: Shop) -> None:
    before = shop.fingerprint()
    plan = shop.plan("inventory", "enhanced_from_query")
    (stage,) = (step for step in plan.steps if isinstance(step, Stage))
    assert isinstance(stage.source, QuerySource) and stage.source.sql == "SELECT sku, on_hand FROM stock"
    report = shop.apply(plan)
    assert report.state == "done", report
    assert shop.scalar("SELECT count(*) FROM products WHERE inventory_count IS NOT NULL") == COUNTED
    wrong = f"SELECT count(*) FROM products WHERE inventory_count <> id % 50 OR (inventory_count IS NULL) <> (id > {COUNTED})"
    assert shop.scalar(wrong) == 0
    with pytest.raises(Exception, match="inventory_count"), closing(shop.connector.connect("test")) as connection:
        connection.execute("UPDATE products SET inventory_count = -1 WHERE id = 1")
    report = shop.roll_back(report.run)
    assert report.state == "rolled_back", report
    assert shop.fingerprint() == before


@pytest.mark.usefixtures("server_warehouse")
def test_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    filled_from_the_warehouse(open_shop(postgresql_url, tmp_path, mirror=False))


@pytest.mark.usefixtures("file_warehouse")
def test_sqlite(sqlite_file: Path, tmp_path: Path) -> None:
    filled_from_the_warehouse(open_shop(f"sqlite:///{sqlite_file}", tmp_path, mirror=False))


@pytest.mark.usefixtures("server_warehouse")
def test_sqlite_from_a_postgresql_warehouse(sqlite_file: Path, tmp_path: Path) -> None:
    filled_from_the_warehouse(open_shop(f"sqlite:///{sqlite_file}", tmp_path, mirror=False))


def test_a_warehouse_that_does_not_answer_is_found_before_anything_is_changed(
    sqlite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(f"sqlite:///{sqlite_file}", tmp_path, mirror=False)
    before = shop.fingerprint()
    plan = shop.plan("inventory", "enhanced_from_query")
    monkeypatch.delenv("WAREHOUSE_URL", raising=False)
    with pytest.raises(DriftflowError, match="WAREHOUSE_URL"):
        shop.apply(plan)
    monkeypatch.setenv("WAREHOUSE_URL", f"sqlite:///{tmp_path / 'nowhere.db'}")
    with pytest.raises(DriftflowError, match="no such SQLite file"):
        shop.apply(plan)
    assert shop.fingerprint() == before
    assert shop.scalar("SELECT count(*) FROM sqlite_master WHERE name LIKE '%driftflow%'") == 0
