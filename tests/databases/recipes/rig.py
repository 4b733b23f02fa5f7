"""A recipe shown on a real server: the naive migration on one database, the plan on another under an application that never stops, then compared.

The application is one session of the plain driver, without retry and with a lock timeout of one second. What it committed is replayed, in its order, on
the database that takes the naive migration: the statements of the old application before the migration, those of the new one after it. So both
databases hold the same rows, or the plan lost or changed one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from compared import ours, structure_of

import planning
from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.drivers.catalogs import catalog_of
from driftflow.drivers.details import POSITION, details_of
from driftflow.drivers.urls import connector_for
from driftflow.engine.clock import SystemClock
from driftflow.engine.ports import Connection
from driftflow.engine.run import RunOptions, RunReport, resume, roll_back, run_plan
from driftflow.errors import RefusedError
from driftflow.journal.same_database import SameDatabaseJournal
from driftflow.lab.plain_driver import plain_connection
from driftflow.lab.proof.state import Found, State, detailed, left_among
from driftflow.model.catalog import Catalog, Table
from driftflow.model.plan import Gate, Irreversible, Plan
from driftflow.planner.compose import compose_plan
from driftflow.readers.inputs import external_inputs

POLICY = Policy(small_table_rows=0)
"""Every table counts as large: the safe form is what is shown."""
LOCK_TIMEOUT_MS = 1000
ENOUGH = 20
"""Transactions that the application must have committed before and after each part of the plan."""
PATIENCE_SECONDS = 60

Texts = Sequence[str | tuple[str, ...]]
"""What the application runs, one transaction each, in turn; `{n}` is the number of the transaction."""


@dataclass(frozen=True)
class Place:
    """One server, by the name that the tables of the documentation give it: `postgresql-16`, `sqlite`, ..."""

    server: str
    make: Callable[[], str]
    """A new, empty database; its URL."""

    @property
    def dialect(self) -> Dialect:
        return dialect_named(self.server.partition("-")[0])

    @property
    def vendor(self) -> str:
        return self.dialect.name

    def pick(self, text: str | Mapping[str, str]) -> str:
        """The text for this server's dialect. A key may be a dialect (`mysql` stands for MariaDB too, where it has none of its own)."""
        if isinstance(text, str):
            return text
        return text["mysql" if self.vendor == "mariadb" and "mariadb" not in text else self.vendor]

    def fresh(self, schema: str | Mapping[str, str] = "") -> Database:
        database = Database(self.make(), self.dialect)
        database.run(self.pick(schema))
        return database


@dataclass(frozen=True)
class Seen:
    structure: Any
    details: dict[str, dict[str, str]]
    left: list[str]
    """What is ours among the application's objects."""
    rows: dict[str, list[str]]
    """Every row of every table but ours, sorted."""


class Database:
    """One database, as a test wants to see it."""

    def __init__(self, url: str, dialect: Dialect) -> None:
        self.url, self.dialect = url, dialect
        self.connector = connector_for(url)

    def run(self, sql: str) -> None:
        """Each statement of the text by itself, as a person at a prompt would."""
        with closing(PlainSession(self.url)) as session:
            for statement in self.dialect.split(SourceText(sql, file="text.sql")):
                session.run((statement.sql,))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self.connector.connect("look")) as connection:
            return connection.query(sql)

    def catalog(self) -> Catalog:
        return pipeline.read_catalog(self.connector)

    def plan(self, migration: str, *, folder: Path = Path(), policy: Policy = POLICY) -> Plan:
        migrations = [planning.migration_of(migration, self.dialect)]
        inputs = external_inputs(migrations, folder)
        return compose_plan(migrations, catalog=self.catalog(), dialect=self.dialect, policy=policy, folder=folder, inputs=inputs)

    def seen(self, without: Sequence[str] = ()) -> Seen:
        """Everything that two databases must have in common, from one reading of the catalog; `without` are columns whose values differ from run to run."""
        with closing(self.connector.connect("look")) as connection:
            catalog = catalog_of(connection)
            details = details_of(connection, catalog)
            return Seen(
                # Columns by name, since a plan may add them in another order; nothing of ours.
                structure=self._bare(structure_of(catalog)),
                # How far a sequence has counted is left out: it says when a row was written, not which rows there are.
                details={
                    self._bare(name): {fact: self._bare(value) for fact, value in facts.items() if fact != POSITION}
                    for name, facts in details.items()
                },
                left=sorted(left_among(catalog)),
                rows={
                    self._bare(str(table.name)): self._rows(table, connection, without)
                    for table in catalog.tables.values()
                    if not ours(table.name)
                },
            )

    def _rows(self, table: Table, connection: Connection, without: Sequence[str]) -> list[str]:
        names = sorted(column.name for column in table.columns if column.name not in without)
        columns = ", ".join(self.dialect.quote(name) for name in names) or "1"
        return sorted(map(repr, connection.query(f"SELECT {columns} FROM {self.dialect.quote_name(table.name)}")))

    def structure(self) -> Any:
        return self.seen().structure

    def left(self) -> list[str]:
        return self.seen().left

    def rows(self, without: Sequence[str] = ()) -> dict[str, list[str]]:
        return self.seen(without).rows

    def _bare(self, value: Any) -> Any:
        """Without the database's own name, which on MySQL and MariaDB is the schema of everything in it."""
        if self.dialect.name not in ("mysql", "mariadb"):
            return value
        name = self.url.partition("?")[0].rpartition("/")[2]
        return (value if isinstance(value, str) else repr(value)).replace(name, "database")


class PlainSession:
    """The application's own session, nothing of driftflow's."""

    def __init__(self, url: str) -> None:
        self.vendor = url.partition(":")[0]
        self.raw = plain_connection(url, application="application", lock_timeout_ms=LOCK_TIMEOUT_MS)

    def _execute(self, sql: str) -> None:
        cursor = self.raw.cursor()
        try:
            cursor.execute(sql)
        finally:
            cursor.close()

    def run(self, statements: Sequence[str]) -> None:
        """One transaction, or one statement by itself."""
        if len(statements) == 1:
            self._execute(statements[0])
            return
        self._execute("BEGIN IMMEDIATE" if self.vendor == "sqlite" else "BEGIN")
        try:
            for statement in statements:
                self._execute(statement)
            self._execute("COMMIT")
        except BaseException:
            self._execute("ROLLBACK")
            raise

    def close(self) -> None:
        self.raw.close()


def outcome(database: Database, sql: str) -> str:
    """What an application sees of its statement: nothing, or the server's words, whatever its driver makes of them."""
    with closing(PlainSession(database.url)) as session:
        try:
            session.run((sql,))
        except Exception as fault:
            return str(fault)
    return ""


@dataclass
class Application:
    """Writes without a pause worth the name, in a thread with a session of its own, until it is stopped."""

    url: str
    texts: Texts
    pause_seconds: float = 0.002
    committed: list[tuple[str, ...]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    longest_ms: float = 0.0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._change = threading.Lock()
        self._number = 0
        self._thread = threading.Thread(target=self._write, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.go_on()

    def switch(self, texts: Texts) -> list[tuple[str, ...]]:
        """From now on these; what was committed until now, in order."""
        with self._change:
            self.texts, before, self.committed = texts, self.committed, []
        return before

    def go_on(self, enough: int = ENOUGH) -> None:
        """Wait until it has committed (or failed at) that many more, so that each state of the schema is written to."""
        if not self.texts:
            return
        until, end = self._number + enough, time.monotonic() + PATIENCE_SECONDS
        while self._number < until:
            assert self._thread.is_alive(), "the application died"
            assert time.monotonic() < end, f"the application is stuck: {self.failures[-3:]}"
            time.sleep(0.01)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the application did not end"

    def _write(self) -> None:
        with closing(PlainSession(self.url)) as session:
            while not self._stop.is_set():
                with self._change:
                    self._one(session)
                time.sleep(self.pause_seconds)

    def _one(self, session: PlainSession) -> None:
        if not self.texts:
            return
        text = self.texts[self._number % len(self.texts)]
        statements = tuple(one.replace("{n}", str(self._number)) for one in ((text,) if isinstance(text, str) else text))
        begun = time.monotonic()
        try:
            session.run(statements)
        except Exception as fault:
            self.failures.append(f"{statements}: {type(fault).__name__}: {fault}")
        else:
            self.committed.append(statements)
        self.longest_ms = max(self.longest_ms, (time.monotonic() - begun) * 1000)
        self._number += 1


@contextmanager
def writing(database: Database, texts: Texts, *, pause_seconds: float = 0.002) -> Iterator[Application]:
    application = Application(database.url, texts, pause_seconds=pause_seconds)
    application.start()
    try:
        yield application
    finally:
        application.stop()


def replay(database: Database, committed: Sequence[tuple[str, ...]]) -> None:
    with closing(PlainSession(database.url)) as session:
        for statements in committed:
            session.run(statements)


def edge(database: Database, folder: Path = Path()) -> dict[str, Any]:
    return {
        "connector": database.connector,
        "journal": SameDatabaseJournal(),
        "fingerprint": pipeline.fingerprint,
        "clock": SystemClock(),
        "listener": lambda event: None,
        "policy": POLICY,
        "folder": folder,
        "sources": lambda variable: connector_for(os.environ[variable]),
    }


def accepted(plan: Plan) -> tuple[str, ...]:
    return tuple(step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible))


def gates(plan: Plan) -> tuple[str, ...]:
    return tuple(name for step in plan.steps if isinstance(step, Gate) for name in (step.name, step.name_back))


def apply(plan: Plan, database: Database, *, open_gates: tuple[str, ...] = (), folder: Path = Path()) -> RunReport:
    return run_plan(plan, options=RunOptions(open_gates=open_gates, accept=accepted(plan)), **edge(database, folder))


def take_back(run: str, database: Database, *, open_gates: tuple[str, ...] = (), folder: Path = Path()) -> RunReport:
    return roll_back(run, options=RunOptions(open_gates=open_gates), **edge(database, folder))


def go_on_back(run: str, database: Database, *, open_gates: tuple[str, ...] = (), folder: Path = Path()) -> RunReport:
    return resume(run, options=RunOptions(open_gates=open_gates), **edge(database, folder))


def there_and_back_beside(database: Database, plan: Plan, *sessions: Texts) -> None:
    """Nobody's statement fails in any of these sessions, which write all the while."""
    with ExitStack() as stack:
        applications = [stack.enter_context(writing(database, texts)) for texts in sessions]
        report = run_plan(plan, options=RunOptions(), **edge(database))
        for one in applications:
            one.go_on()
        assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
        for one in applications:
            one.go_on()
    failures = [failure for one in applications for failure in one.failures]
    assert failures == [], failures[:3]


def there_and_back(database: Database, migration: str, *, policy: Policy = POLICY) -> Plan:
    """Carried out, and taken back although something of it is lost for good."""
    plan = database.plan(migration, policy=policy)
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done", report
    options = RunOptions(open_gates=gates(plan), accept=accepted(plan))
    report = roll_back(report.run, options=options, **edge(database))
    while report.state == "waiting_at_gate":
        report = resume(report.run, options=options, **edge(database))
    assert report.state == "rolled_back", report
    return plan


def changed_and_back(database: Database, change: str, look: Callable[[], object], *, policy: Policy = POLICY) -> None:
    """Something has changed, and then nothing."""
    before = look()
    plan = database.plan(change, policy=policy)
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done" and look() != before
    report = roll_back(report.run, options=RunOptions(open_gates=gates(plan), accept=accepted(plan)), **edge(database))
    assert report.state == "rolled_back" and look() == before


def refused(database: Database, migration: str, *, folder: Path = Path()) -> RefusedError:
    """What applying it says; nothing has changed then."""
    before = database.seen()
    with pytest.raises(RefusedError) as error:
        apply(database.plan(migration, folder=folder), database, folder=folder)
    after = database.seen()
    assert (after.structure, after.rows) == (before.structure, before.rows)
    return error.value


@dataclass(frozen=True)
class Recipe:
    """What is shown: texts may differ by dialect. `old` and `new` are the application before and after the first gate of the last phase."""

    schema: str | Mapping[str, str]
    """Tables and rows, before."""
    migration: str | Mapping[str, str]
    """With directives."""
    naive: str | Mapping[str, str] = ""
    """What the naive migration is where it is not the same text (a directive asks for what no single statement says)."""
    old: Texts = ()
    new: Texts | None = None
    """None: the old application goes on behind the gate."""
    without: tuple[str, ...] = ()
    """Columns whose values differ from run to run."""
    folder: Path = Path()
    expected: Callable[[Database], Any] | None = None
    """Where the naive migration ends elsewhere on purpose: what to compare instead of catalog and rows, asked of both databases."""


@dataclass
class Shown:
    """For what a test wants to say beyond equality."""

    plan: Plan
    naive: Database
    planned: Database
    longest_ms: float


def show(place: Place, recipe: Recipe, *, back: bool = True) -> Shown:
    """Forward under the application and compared with the naive migration; with `back`, also back from the first gate under the old application,
    and back from the end."""
    shown = forward(place, recipe)
    if back and not shown.plan.point_of_no_return:
        if gates(shown.plan):
            back_from_gate(place, recipe)
        back_from_end(place, recipe)
    return shown


def forward(place: Place, recipe: Recipe) -> Shown:
    planned, naive = place.fresh(recipe.schema), place.fresh(recipe.schema)
    plan = planned.plan(place.pick(recipe.migration), folder=recipe.folder)
    before: list[tuple[str, ...]] = []
    switched = False
    with writing(planned, recipe.old) as application:
        report = apply(plan, planned, folder=recipe.folder)
        opened: tuple[str, ...] = ()
        while report.state == "waiting_at_gate":
            application.go_on()
            if recipe.new is not None and not switched and _deployed_at(report.gate, plan):
                before, switched = application.switch(recipe.new), True
                application.go_on()
            opened = (*opened, report.gate)
            report = apply(plan, planned, open_gates=opened, folder=recipe.folder)
        assert report.state == "done", report
        application.go_on()
    assert application.failures == [], application.failures[:3]
    replay(naive, before if switched else application.committed)
    naive.run(place.pick(recipe.naive or recipe.migration))
    if switched:
        replay(naive, application.committed)
    _equal(planned, naive, recipe)
    return Shown(plan=plan, naive=naive, planned=planned, longest_ms=application.longest_ms)


def _deployed_at(gate: str, plan: Plan) -> bool:
    """Whether the new application comes at this gate. Before the last phase a gate only asks whether something old may go."""
    return all(step.phase == "contract" for step in plan.steps if isinstance(step, Gate) and step.name == gate)


def back_from_gate(place: Place, recipe: Recipe) -> None:
    planned, start = place.fresh(recipe.schema), place.fresh(recipe.schema)
    plan = planned.plan(place.pick(recipe.migration), folder=recipe.folder)
    with writing(planned, recipe.old) as application:
        report = apply(plan, planned, folder=recipe.folder)
        assert report.state == "waiting_at_gate", report
        application.go_on()
        report = _home(take_back(report.run, planned, open_gates=gates(plan), folder=recipe.folder), plan, planned, recipe)
        application.go_on()
    assert application.failures == [], application.failures[:3]
    replay(start, application.committed)
    _equal_start(planned, start, recipe)


def back_from_end(place: Place, recipe: Recipe) -> None:
    planned, start = place.fresh(recipe.schema), place.fresh(recipe.schema)
    plan = planned.plan(place.pick(recipe.migration), folder=recipe.folder)
    report = apply(plan, planned, open_gates=gates(plan), folder=recipe.folder)
    assert report.state == "done", report
    _home(take_back(report.run, planned, open_gates=gates(plan), folder=recipe.folder), plan, planned, recipe)
    with writing(planned, recipe.old) as application:
        application.go_on()
    assert application.failures == [], application.failures[:3]
    replay(start, application.committed)
    _equal_start(planned, start, recipe)


def _home(report: RunReport, plan: Plan, planned: Database, recipe: Recipe) -> RunReport:
    while report.state == "waiting_at_gate":
        report = go_on_back(report.run, planned, open_gates=gates(plan), folder=recipe.folder)
    assert report.state == "rolled_back", report
    return report


def _equal(planned: Database, naive: Database, recipe: Recipe) -> None:
    if recipe.expected is not None:
        assert recipe.expected(planned) == recipe.expected(naive)
        return
    _same(planned.seen(recipe.without), naive.seen(recipe.without))


def _equal_start(planned: Database, start: Database, recipe: Recipe) -> None:
    found, expected = planned.seen(recipe.without), start.seen(recipe.without)
    _same(found, expected)
    assert found.left == expected.left == []


def _same(found: Seen, expected: Seen) -> None:
    assert found.structure == expected.structure
    assert _details_apart(expected, found) == []
    assert found.rows == expected.rows


def _details_apart(expected: Seen, found: Seen) -> list[Found]:
    """Owners, rights, rules and the like: what the catalog does not hold."""
    one, other = (State(objects={}, rows={}, details=seen.details) for seen in (expected, found))
    return list(detailed(one, other, first="the naive migration", second="the plan"))
