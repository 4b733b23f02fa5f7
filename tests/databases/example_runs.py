"""What the tests of the three examples share: a shop with mirror and writer, plans made on the live catalog, and runs that stop anywhere."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.demo.run import MIRRORED, examples_folder
from driftflow.demo.shop import Size, create_shop
from driftflow.demo.writer import Writer
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connector
from driftflow.engine.run import RunOptions, RunReport, StopSignal
from driftflow.model.catalog import Catalog
from driftflow.model.event import AnyEvent, StepDone, StepUndone
from driftflow.model.plan import Plan

EXAMPLES = ("inventory", "two_factor", "tenants")
POLICY = Policy(small_table_rows=0)
"""Every table counts as large: the safe form is what is tested."""
SMALL = Size(orders=12_000, users=2_000, products=500, tenants=12)
TABLES = ("orders", "users", "products", "tenants")


@dataclass
class Shop:
    """One database with the shop in it."""

    connector: Connector
    url: str
    root: Path
    events: list[AnyEvent] = field(default_factory=list)

    def catalog(self) -> Catalog:
        return pipeline.read_catalog(self.connector)

    def fingerprint(self) -> str:
        """Of the shop's own tables: ours and the version tables apart."""
        catalog = self.catalog()
        return catalog.fingerprint([table.name for table in catalog.tables.values() if table.name.name in TABLES])

    def plan(self, example: str, form: str = "enhanced", *, policy: Policy = POLICY) -> Plan:
        dialect = dialect_named(self.connector.dialect)
        folder = self.root / "examples" / example / self.connector.dialect / form
        sources = pipeline.find_sources([folder], dialect=dialect, options={}, root=self.root)
        return pipeline.make_plan(sources, dialect=dialect, catalog=self.catalog(), policy=policy, root=self.root)

    def apply(self, plan: Plan, *, after: Callable[[AnyEvent], bool] | None = None, **options: object) -> RunReport:
        """Apply; with `after`, pull the rope at the event for which it says so."""
        return self._run(lambda **edge: pipeline.apply_plan(plan, **edge), after, options)

    def resume(self, run: str, **options: object) -> RunReport:
        return self._run(lambda **edge: pipeline.resume_run(run, **edge), None, options)

    def roll_back(self, run: str, **options: object) -> RunReport:
        return self._run(lambda **edge: pipeline.roll_back(run, **edge), None, options)

    def _run(
        self, act: Callable[..., RunReport], after: Callable[[AnyEvent], bool] | None, options: dict[str, object]
    ) -> RunReport:
        stop = StopSignal()

        def listen(event: AnyEvent) -> None:
            self.events.append(event)
            if after is not None and after(event):
                stop.stop()

        return act(
            connector=self.connector,
            policy=POLICY,
            options=RunOptions(**options),  # type: ignore[arg-type]
            listener=listen,
            stop=stop,
            root=self.root,
        )

    def differing(self) -> dict[str, int]:
        """Rows of each table that are not what the writer wrote into its mirror."""
        with closing(self.connector.connect("test")) as connection:
            return {
                table: connection.query(
                    f"SELECT (SELECT count(*) FROM (SELECT {columns} FROM {table} EXCEPT SELECT {columns} FROM mirror_{table}) a)"
                    f" + (SELECT count(*) FROM (SELECT {columns} FROM mirror_{table} EXCEPT SELECT {columns} FROM {table}) b)"
                )[0][0]
                for table, columns in MIRRORED.items()
            }

    def scalar(self, sql: str) -> object:
        with closing(self.connector.connect("test")) as connection:
            return connection.query(sql)[0][0]


def open_shop(url: str, root: Path, *, size: Size = SMALL, mirror: bool = True) -> Shop:
    """Create and fill it; the examples are copied beside it."""
    shutil.copytree(examples_folder(), root / "examples", dirs_exist_ok=True)
    connector = connector_for(url)
    with closing(connector.connect("test")) as connection:
        create_shop(connection, size=size, mirror=mirror)
        if connection.dialect == "postgresql":
            if not connection.query("SELECT 1 FROM pg_roles WHERE rolname = 'shop_app'"):
                connection.execute("CREATE ROLE shop_app LOGIN")
            connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_app")
            connection.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO shop_app")
    return Shop(connector=connector, url=url, root=root)


@contextmanager
def writing(shop: Shop) -> Iterator[Writer]:
    """The application, as a process of its own, for as long as the body lasts."""
    writer = Writer(shop.url)
    try:
        while sum(writer.ask()["operations"].values()) < 50:
            time.sleep(0.05)
        yield writer
    finally:
        writer.kill()


def give_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop's key service."""
    monkeypatch.setenv("TWO_FACTOR_KEY", secrets.token_hex(32))


def finished_step(number: int) -> Callable[[AnyEvent], bool]:
    """True for the event that ends the n-th step of the run."""
    seen = 0

    def here(event: AnyEvent) -> bool:
        nonlocal seen
        if isinstance(event, StepDone):
            seen += 1
        return isinstance(event, StepDone) and seen == number

    return here


def durations(events: list[AnyEvent]) -> list[int]:
    """Milliseconds of every step that was done or undone."""
    return [event.milliseconds for event in events if isinstance(event, (StepDone, StepUndone))]
