"""What the application feels: one writer without retries, lock timeout one second, while an example goes in: naively, and by its plan."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.demo.run import examples_folder
from driftflow.demo.shop import Size, create_shop
from driftflow.demo.writer import Writer
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.urls import connector_for
from driftflow.engine.run import RunOptions

EXAMPLES = ("inventory", "two_factor", "tenants")
WARM_SECONDS = 1.0
AFTER_SECONDS = 0.5
"""The writer goes on a moment: what breaks it afterwards (a column that it does not fill) belongs to the migration."""
Migrate = Callable[[str, Path, Writer], dict[str, Any]]


def naive(url: str, folder: Path, writer: Writer) -> dict[str, Any]:
    """As `psql -f` or `sqlite3 file <` does it: statement by statement, each by itself, until one is refused."""
    (file,) = folder.glob("*.sql")
    with closing(_session(url)) as session:
        for statement in (text.strip() for text in file.read_text().split(";")):
            try:
                session.execute(statement or "SELECT 1")
            except (psycopg.Error, sqlite3.Error) as error:
                return {"refused": f"{statement}: {str(error).splitlines()[0]}"}
    return {"refused": ""}


def _session(url: str) -> Any:
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
    return psycopg.connect(url, autocommit=True)


def planned(url: str, folder: Path, writer: Writer) -> dict[str, Any]:
    """By driftflow, every setting at its default. At a gate the writer becomes the new version of the application."""
    connector = connector_for(url)
    dialect = dialect_named(connector.dialect)
    sources = pipeline.find_sources([folder], dialect=dialect, options={}, root=folder)
    plan = pipeline.make_plan(sources, dialect=dialect, catalog=pipeline.read_catalog(connector), policy=Policy(), root=folder)
    gates: tuple[str, ...] = ()
    while True:
        report = pipeline.apply_plan(
            plan,
            connector=connector,
            policy=Policy(),
            options=RunOptions(open_gates=gates),
            listener=lambda event: None,
            root=folder,
        )
        if report.state != "waiting_at_gate":
            break
        writer.ask("new")
        gates = (report.gate,)
    if report.state != "done":
        raise RuntimeError(f"the run ended as {report.state}: {report.message}")
    return {"steps": len(plan.steps)}


def observed(url: str, folder: Path, migrate: Migrate) -> dict[str, Any]:
    """The writer's transactions from the first statement of the migration to half a second after the last. Its failures are counted, not hidden."""
    writer = Writer(url)
    try:
        time.sleep(WARM_SECONDS)
        before, begun = writer.ask(), time.perf_counter()
        longest = [0.0]
        told = migrate(url, folder, _Listening(writer, longest))  # type: ignore[arg-type]
        seconds = time.perf_counter() - begun
        time.sleep(AFTER_SECONDS)
        after = writer.stop()
    finally:
        writer.kill()
    done = sum(after["operations"].values()) - sum(before["operations"].values())
    return {
        "seconds": round(seconds, 2),
        "transactions": done,
        "failed": len(after["failures"]) - len(before["failures"]),
        "first_failure": next(iter(after["failures"][len(before["failures"]) :]), ""),
        "p99_ms": after["p99_ms"],
        "max_ms": max(after["longest_ms"], *longest),
        **told,
    }


class _Listening:
    """A writer whose every answer is looked at: asking starts its longest time anew."""

    def __init__(self, writer: Writer, longest: list[float]) -> None:
        self._writer = writer
        self._longest = longest

    def ask(self, command: str) -> dict[str, Any]:
        answer = self._writer.ask(command)
        self._longest.append(answer["longest_ms"])
        return answer


def run(empty_database: Callable[[], str], *, size: Size, folder: Path) -> dict[str, Any]:
    """Every example both ways, each on a shop of its own."""
    os.environ.setdefault("TWO_FACTOR_KEY", secrets.token_hex(32))
    shutil.copytree(examples_folder(), folder / "examples", dirs_exist_ok=True)
    found: dict[str, Any] = {"size": vars(size)}
    ways: dict[str, tuple[str, Migrate]] = {"naive": ("naive", naive), "driftflow": ("enhanced", planned)}
    for example in EXAMPLES:
        for way, (form, migrate) in ways.items():
            url = empty_database()
            connector = connector_for(url)
            with closing(connector.connect("benchmark")) as connection:
                create_shop(connection, size=size)
                if connection.dialect == "postgresql":
                    _application_role(connection)
            place = folder / "examples" / example / connector.dialect / form
            found.setdefault(example, {})[way] = observed(url, place, migrate)
    return found


def _application_role(connection: Any) -> None:
    """Whom the isolation tests of the tenants' example speak as."""
    if not connection.query("SELECT 1 FROM pg_roles WHERE rolname = 'shop_app'"):
        connection.execute("CREATE ROLE shop_app LOGIN")
    connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_app")
    connection.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO shop_app")
