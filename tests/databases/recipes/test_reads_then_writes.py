"""An application that reads a table and then writes it, in one transaction, while a plan changes the table on MySQL and MariaDB. A request for a lock that
waits would stand before the write and wait for the read, and the server ends the transaction then (1213), whoever came first."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from recipes.rig import Database, Place, PlainSession, accepted, edge, gates, outcome, writing
from recipes.test_rebuild_mysql import SCHEMA
from recipes.test_rebuild_raced import Between

from driftflow.engine.run import RunOptions, RunReport, run_plan
from driftflow.model.plan import Plan

TIED = """
CREATE TABLE makers (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
CREATE TABLE models (id int PRIMARY KEY, maker int NOT NULL, n int NOT NULL DEFAULT 0, FOREIGN KEY (maker) REFERENCES makers (id));
INSERT INTO makers (id) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 50) SELECT n FROM s;
INSERT INTO models (id, maker) SELECT id, id FROM makers;
"""
LESS_THAN_A_STALL_SECONDS = 0.1
"""Of a request that waits: it gives up after 250 ms, and who writes behind it then meets nobody."""
BOTH_WIDER = "ALTER TABLE makers MODIFY id bigint NOT NULL; ALTER TABLE models MODIFY maker bigint NOT NULL;"


class ReadsThenWrites:
    """Reads at the first try of a statement, and writes when there is a second one, or when that one has waited for a while."""

    def __init__(self, database: Database, read: str, write: str) -> None:
        self._read, self._write = read, write
        self._session = PlainSession(database.url)
        self._again = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.heard: list[str] = []

    @property
    def acts(self) -> list[Callable[[], object]]:
        return [self._begin, self._again.set]

    def _begin(self) -> None:
        for sql in ("BEGIN", self._read):
            self._session.raw.cursor().execute(sql)
        self._thread.start()

    def _go_on(self) -> None:
        self._again.wait(LESS_THAN_A_STALL_SECONDS)
        try:
            for sql in (self._write, "COMMIT"):
                self._session.raw.cursor().execute(sql)
        except Exception as fault:  # whatever it is: the thread would swallow it, and every test looks at what was heard
            self.heard.append(str(fault))

    def end(self) -> list[str]:
        self._thread.join(30)
        self._session.close()
        return self.heard


def met(database: Database, plan: Plan, begins: str, read: str, write: str) -> RunReport:
    """The plan is carried out; the application reads just before the first statement that begins so, and then writes."""
    application = ReadsThenWrites(database, read, write)
    acts = application.acts
    try:
        report = run_plan(
            plan,
            options=RunOptions(open_gates=gates(plan), accept=accepted(plan)),
            **edge(database) | {"connector": Between(database, begins, acts)},
        )
    finally:
        heard = application.end()
    assert heard == []
    assert acts == [], "the statement was tried once"
    return report


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    ("migration", "begins"),
    [
        ("ALTER TABLE orders ALTER COLUMN total SET DEFAULT 5;", "ALTER TABLE"),
        ("ALTER TABLE orders MODIFY total bigint;", "CREATE TRIGGER"),
        ("ALTER TABLE orders MODIFY total bigint;", "DROP TRIGGER"),
    ],
)
def test_who_has_read_a_table_may_write_it(place: Place, migration: str, begins: str) -> None:
    database = place.fresh(SCHEMA)
    locks_first = place.vendor == "mysql" and "TRIGGER" in begins
    report = met(
        database,
        database.plan(migration),
        "LOCK TABLES" if locks_first else begins,
        "SELECT total FROM orders WHERE id = 7",
        "UPDATE orders SET total = 77 WHERE id = 7",
    )
    assert report.state == "done"
    assert database.query("SELECT total FROM orders WHERE id = 7") == [(77,)]


@pytest.mark.on("mysql", "mariadb-10")
def test_who_has_written_a_child_may_write_the_parent(place: Place) -> None:
    """A key is enough: whoever writes one table has touched the other."""
    database = place.fresh(TIED)
    report = met(
        database,
        database.plan(BOTH_WIDER),
        "LOCK TABLES",
        "INSERT INTO models (id, maker) VALUES (1000, 7)",
        "UPDATE makers SET n = 1 WHERE id = 7",
    )
    assert report.state == "done"
    assert database.query("SELECT maker FROM models WHERE id = 1000") == [(7,)]


@pytest.mark.on("mariadb-10")
@pytest.mark.parametrize(
    "schema, migration, text",
    [
        (
            SCHEMA,
            "ALTER TABLE orders MODIFY total bigint;",
            ("SELECT total FROM orders WHERE id = {n} % 900 + 1", "UPDATE orders SET total = {n} WHERE id = {n} % 900 + 1"),
        ),
        (
            TIED,
            BOTH_WIDER,
            (
                "INSERT INTO models (id, maker) VALUES (1000 + {n}, {n} % 50 + 1)",
                "UPDATE makers SET n = n + 1 WHERE id = {n} % 50 + 1",
            ),
        ),
    ],
)
def test_an_application_that_always_does_so(place: Place, schema: str, migration: str, text: tuple[str, ...]) -> None:
    database = place.fresh(schema)
    plan = database.plan(migration)
    with writing(database, (text,)) as application:
        application.go_on()
        report = run_plan(plan, options=RunOptions(open_gates=gates(plan)), **edge(database))
        application.go_on()
    assert report.state == "done"
    assert application.failures == []


@pytest.mark.on("mysql")
@pytest.mark.parametrize("begins", ["CREATE TRIGGER", "DROP TRIGGER"])
def test_nobody_comes_to_the_table_while_a_trigger_is_made(place: Place, begins: str) -> None:
    """MySQL takes one lock for it and a stronger one a moment later: who has read the table in between, and then writes it, is lost."""
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE orders MODIFY total bigint;")
    seen: list[str] = []
    between = Between(database, begins, [lambda: seen.append(outcome(database, "SELECT total FROM orders WHERE id = 7"))])
    report = run_plan(plan, options=RunOptions(open_gates=gates(plan)), **edge(database) | {"connector": between})
    assert report.state == "done"
    assert ["1205" in one for one in seen] == [True]


@pytest.mark.on("mysql")
def test_nor_to_a_table_that_is_tied_to_it(place: Place) -> None:
    """Of a trigger that somebody has written himself: who writes the parent comes to the child next."""
    database = place.fresh(TIED)
    plan = database.plan("CREATE TRIGGER counted BEFORE INSERT ON models FOR EACH ROW SET NEW.n = NEW.n + 1;")
    seen: list[str] = []
    acts = [lambda: seen.append(outcome(database, "UPDATE makers SET n = 1 WHERE id = 7"))]
    report = run_plan(plan, options=RunOptions(), **edge(database) | {"connector": Between(database, "CREATE TRIGGER", acts)})
    assert report.state == "done"
    assert ["1205" in one for one in seen] == [True]
