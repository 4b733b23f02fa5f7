"""The guided run: a shop under a writer that never stops, three migrations assessed, planned, run, verified, and one of them taken back."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftflow import pipeline
from driftflow.config import Policy, SourceOptions
from driftflow.demo.shop import Size, create_shop
from driftflow.demo.writer import Writer
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connector
from driftflow.engine.run import RunOptions, RunReport
from driftflow.model.plan import Gate, Plan
from driftflow.plugins import discover
from driftflow.reports.progress import PlainProgress

Say = Callable[[str], None]
SCENARIOS = (
    ("inventory", "a stock count for every product, from the warehouse's CSV file"),
    ("two_factor", "two-factor sign-in: ciphertext and key id, never the secret"),
    ("tenants", "every order belongs to a tenant"),
)


def examples_folder() -> Path:
    """The example migrations: beside this package in a wheel, at the top of the project in a checkout."""
    inside = Path(__file__).with_name("examples")
    return inside if inside.is_dir() else Path(__file__).parents[3] / "examples"


@dataclass(frozen=True)
class Stage:
    """What the whole demo works on."""

    connector: Connector
    writer: Writer
    root: Path
    say: Say
    color: bool


FULL = Size()


def demo(server: str = "sqlite", *, say: Say, color: bool = False, size: Size = FULL, durable: bool = True) -> int:
    """The whole run on `sqlite`, `postgresql`, `mariadb` or `mysql`. 0 when the writer never failed and every check holds, else 1.

    `durable` is whether a throw-away server waits for the disk at every commit, as a real one does.
    """
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="driftflow-demo-") as folder, _database(server, Path(folder), durable) as url:
        root = Path(folder)
        shutil.copytree(examples_folder(), root / "examples")
        os.environ.setdefault("TWO_FACTOR_KEY", secrets.token_hex(32))  # the key service of this shop
        connector = connector_for(url)
        say(
            f"A shop on {server}: {size.orders:,} orders, {size.users:,} users, {size.products:,} products, {size.tenants} tenants."
        )
        _fill(connector, server, size)
        writer = Writer(url)
        try:
            stage = Stage(connector, writer, root, say, color)
            runs = [_scenario(stage, name, title) for name, title in SCENARIOS]
            _take_back(stage, runs[-1])
            sound = _compare_with_mirror(stage)
            total = writer.stop()
        finally:
            writer.kill()
    failures = total["failures"]
    say(
        f"\nThe writer did {sum(total['operations'].values()):,} transactions through all of it: {len(failures)} failed,"
        f" the longest took {total['longest_ever_ms']:.0f} ms. ({time.monotonic() - begun:.0f} s)"
    )
    for failure in failures[:3]:
        say(f"  {failure}")
    return 0 if sound and not failures else 1


@contextmanager
def _database(server: str, folder: Path, durable: bool) -> Iterator[str]:
    """An empty database; gone afterwards."""
    if server == "sqlite":
        file = folder / "shop.db"
        file.touch()
        yield f"sqlite:///{file}"
        return
    if server in ("mariadb", "mysql"):
        from driftflow.lab import mysql, mysql_programs

        programs = mysql_programs.find("mysql" if server == "mysql" else "mariadb")
        with mysql.begun(programs, folder=None, settings=None, durable=durable) as own:
            yield own.create_database("shop")
        return
    from driftflow.lab.postgresql import start

    with start(18, durable=durable) as throw_away:
        yield throw_away.create_database("shop")


def _fill(connector: Connector, server: str, size: Size) -> None:
    with closing(connector.connect("demo")) as connection:
        create_shop(connection, size=size, mirror=True)
        if server == "postgresql":
            connection.execute("CREATE ROLE shop_app LOGIN")
            connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_app")
            connection.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO shop_app")


def _scenario(stage: Stage, name: str, title: str) -> str:
    """Assess the naive form, plan and run the enhanced one. The id of its run."""
    stage.say(f"\n━━ {name}: {title}\n")
    folder = stage.root / "examples" / name / stage.connector.dialect
    _assess(stage, folder / "naive")
    plan = _plan(stage, folder / "enhanced")
    stage.writer.ask()
    report = _run(stage, plan)
    while report.state == "waiting_at_gate":
        gate = next(step for step in plan.steps if isinstance(step, Gate) and step.name == report.gate)
        stage.say(f"  → {gate.question}\n    In this demo: yes. The writer becomes the new version of the application.")
        stage.writer.ask("new")
        report = _run(stage, plan, open_gates=(report.gate,))
    tally = stage.writer.ask()
    stage.say(
        f"  {name}: {report.state}, {report.steps_done} of {report.steps_total} steps."
        f" The writer's longest transaction: {tally['longest_ms']:.0f} ms ({tally['longest_operation']}); failed: {len(tally['failures'])}."
    )
    if report.state != "done":
        raise SystemExit(f"the demo stopped at {report.state}: {report.message}")
    return report.run


def _assess(stage: Stage, folder: Path) -> None:
    """What the migration, as a team would write it, does to this database."""
    dialect = dialect_named(stage.connector.dialect)
    sources = pipeline.find_sources([folder], dialect=dialect, options={}, root=stage.root)
    catalog = pipeline.read_catalog(stage.connector)
    found = pipeline.assess(sources, dialect=dialect, catalog=catalog, policy=Policy(), root=stage.root)
    stage.say("As a team would write it:\n")
    stage.say(_report("text", found, color=stage.color))


def _plan(stage: Stage, folder: Path) -> Plan:
    """The enhanced form, planned on the live catalog."""
    dialect = dialect_named(stage.connector.dialect)
    sources = pipeline.find_sources([folder], dialect=dialect, options={str(folder): SourceOptions()}, root=stage.root)
    catalog = pipeline.read_catalog(stage.connector)
    assessment = pipeline.assess(sources, dialect=dialect, catalog=catalog, policy=Policy(), root=stage.root)
    facts = pipeline.with_distributions(assessment, connector=stage.connector).facts
    plan = pipeline.make_plan(sources, dialect=dialect, catalog=catalog, policy=Policy(), root=stage.root)
    stage.say("Enhanced, and planned:\n")
    for fact in facts:
        stage.say(f"  fact: {fact}")
    stage.say(_report("plan", plan, color=stage.color))
    return plan


def _run(stage: Stage, plan: Plan, *, back: str = "", open_gates: tuple[str, ...] = ()) -> RunReport:
    """Apply the plan, or take the run `back`, with its progress as it happens."""
    with PlainProgress(sys.stdout, plan) as listener:
        edge: dict[str, Any] = {
            "connector": stage.connector,
            "policy": Policy(),
            "options": RunOptions(open_gates=open_gates),
            "listener": listener,
            "root": stage.root,
        }
        return pipeline.roll_back(back, **edge) if back else pipeline.apply_plan(plan, **edge)


def _take_back(stage: Stage, run: str) -> None:
    """Roll the last migration back while the writer goes on, as the old application again."""
    stage.say(
        "\n━━ rollback: the release is taken back: first what only the new application needs, then the gate, then the rest\n"
    )
    plan = pipeline.plan_of_run(run, connector=stage.connector)
    report = _run(stage, plan, back=run)
    while report.state == "waiting_at_gate":
        stage.say("    In this demo: yes. The writer becomes the old version of the application again.")
        stage.writer.ask("old")
        report = _run(stage, plan, back=run, open_gates=(report.gate,))
    tally = stage.writer.ask()
    stage.say(
        f"  {report.state}: the writer's longest transaction meanwhile: {tally['longest_ms']:.0f} ms; failed: {len(tally['failures'])}."
    )
    if report.state != "rolled_back":
        raise SystemExit(f"the demo stopped at {report.state}: {report.message}")


MIRRORED = {
    "orders": "id, user_id, product_id, quantity, total_cents, status",
    "products": "id, sku, price_cents",
    "users": "id, email, name",
}


def _compare_with_mirror(stage: Stage) -> bool:
    """Every row that the writer wrote, against what it wrote into the mirror in the same transaction."""
    sound = True
    with closing(stage.connector.connect("demo")) as connection:
        for table, columns in MIRRORED.items():
            differing = connection.query(
                f"SELECT count(*) FROM (SELECT * FROM (SELECT {columns} FROM {table} EXCEPT SELECT {columns} FROM mirror_{table}) a"
                f" UNION ALL SELECT * FROM (SELECT {columns} FROM mirror_{table} EXCEPT SELECT {columns} FROM {table}) b) d"
            )[0][0]
            sound = sound and differing == 0
            stage.say(f"  {table}: {differing} rows differ from what the writer wrote")
    return sound


def _report(name: str, record: object, **options: Any) -> str:
    entry = discover("report").get("report", name)
    assert entry is not None, name
    text: str = entry.value(record, **options)
    return text
