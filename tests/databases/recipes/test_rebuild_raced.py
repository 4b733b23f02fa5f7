"""The online rebuild on MySQL and MariaDB: what the application does between two statements of one of the tool's own transactions."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from recipes.rig import POLICY, Database, Place, PlainSession, edge, gates
from recipes.test_rebuild_cascades import CHANGE
from recipes.test_rebuild_cascades import SCHEMA as CASCADES
from recipes.test_rebuild_mysql import SCHEMA, Once

from driftflow.engine.ports import DatabaseFault
from driftflow.engine.run import RunOptions, roll_back, run_plan
from driftflow.errors import DriftflowError
from driftflow.model.event import Retried
from driftflow.model.plan import Backfill
from driftflow.model.record import replace

pytestmark = pytest.mark.on("mysql", "mariadb-10")


class Between:
    """A connector whose `apply` session lets somebody act just before a statement that begins like this, while there is something to do."""

    def __init__(self, database: Database, begins: str, acts: list[Callable[[], object]]) -> None:
        self._inner, self.begins, self.acts = database.connector, begins, acts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def connect(self, purpose: str = "apply") -> Any:
        connection = self._inner.connect(purpose)
        if purpose == "apply":
            execute = connection.execute

            def hooked(sql: str, *arguments: Any, **named: Any) -> Any:
                if self.acts and sql.replace("`", "").startswith(self.begins):
                    self.acts.pop(0)()
                return execute(sql, *arguments, **named)

            connection.execute = hooked
        return connection


GONE = "DELETE FROM orders WHERE id = 77"
MADE = "INSERT INTO orders (id, total, code, state) VALUES (77, 7, 'again', 'new')"


def test_a_noted_row_that_is_made_again_between_two_statements(place: Place) -> None:
    """The tool found no row to lock, and then there was one, which a trigger had written to the copy: the next try finds and locks it."""
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE orders MODIFY total bigint;")
    copy = next(step.into for step in plan.steps if getattr(step, "fresh", False))
    acts: list[Callable[[], object]] = []

    def go() -> None:
        database.run(GONE)
        acts.append(lambda: database.run(MADE))

    seen: list[Any] = []
    once = Once(plan, "too (trigger on INSERT)", go)

    def listener(event: object) -> None:
        seen.append(event)
        once(event)

    connector = Between(database, f"INSERT INTO {database.dialect.quote_name(copy).replace('`', '')} (", acts)
    report = run_plan(
        plan, options=RunOptions(open_gates=gates(plan)), **edge(database) | {"listener": listener, "connector": connector}
    )
    assert report.state == "done"
    assert not acts
    assert [event.reason for event in seen if isinstance(event, Retried)] == ["a row was made again while it was copied"]
    assert database.query("SELECT total, code FROM orders WHERE id = 77") == [(7, "again")]


def test_a_row_that_can_never_be_copied_ends_the_tries(place: Place) -> None:
    """Two rows whose values are the same under the new collation: tried a few times, then named."""
    database = place.fresh(
        f"{SCHEMA} ALTER TABLE orders MODIFY code varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;"
    )
    plan = database.plan(
        "ALTER TABLE orders MODIFY total bigint, MODIFY code varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL;"
    )
    assert any(getattr(step, "fresh", False) for step in plan.steps), plan.notes
    seen: list[Any] = []
    once = Once(plan, "Copy orders into", lambda: database.run("UPDATE orders SET code = 'C6' WHERE id = 5"))

    def listener(event: object) -> None:
        seen.append(event)
        once(event)

    with pytest.raises(DriftflowError, match="a row does not fit into the new form") as error:
        run_plan(plan, options=RunOptions(), **edge(database) | {"listener": listener})
    assert "another row has its unique value" in error.value.why
    assert len([event for event in seen if isinstance(event, Retried)]) == 5


def test_rows_that_follow_a_parent_while_they_are_taken_out_of_the_old_form(place: Place) -> None:
    """The server comes to them by the foreign key's index and then to the row, a DELETE the other way. Neither may wait for the other: MariaDB would end the
    application's statement, MySQL 9.7 too, or say that all went well and have done nothing."""
    database = place.fresh(CASCADES)
    plan = database.plan(CHANGE)
    # Rows of other parents come first, so that the tool's transaction is the heavier one: the server ends the other.
    moves = (
        "DELETE FROM marks",
        "UPDATE visits SET seconds = 5 WHERE shop > 50",
        "UPDATE visits SET shop = shop + 1, number = number + 50 WHERE shop = 20",
    )
    acts: list[Callable[[], object]] = []
    deleted: list[object] = []
    running: list[threading.Thread] = []

    def delete() -> None:
        with closing(database.connector.connect("app")) as application:
            try:
                deleted.append(application.execute("DELETE FROM shops WHERE id = 20"))
            except DatabaseFault as fault:
                deleted.append(str(fault))

    def begin() -> None:
        thread = threading.Thread(target=delete)
        running.append(thread)
        thread.start()
        thread.join(0.5)

    report = run_plan(plan, options=RunOptions(), **edge(database))
    assert report.state == "waiting_at_gate"
    for move in moves:
        database.run(move)
    acts.append(begin)
    copy = next(step.into.name for step in plan.steps if isinstance(step, Backfill) and step.into is not None and step.fresh)
    (here,) = database.query("SELECT DATABASE()")[0]
    between = Between(database, f"DELETE {here}.{copy.replace('_new_', '_old_')} FROM", acts)
    options = RunOptions(open_gates=gates(plan))
    assert roll_back(report.run, options=options, **edge(database) | {"connector": between}).state == "rolled_back"
    assert not acts
    for thread in running:
        thread.join(30)
    assert deleted == [1]
    assert database.query("SELECT COUNT(*) FROM shops WHERE id = 20") == [(0,)]
    assert database.query("SELECT COUNT(*) FROM visits WHERE shop = 20") == [(0,)]


def test_a_row_that_somebody_always_holds(place: Place) -> None:
    """A counter that several sessions write without a pause: it is waited for among them, forth and back, and none of its changes is lost."""
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE orders MODIFY total bigint;")
    named = edge(database) | {"policy": replace(POLICY, lock_tries=4)}
    ((before,),) = database.query("SELECT total FROM orders WHERE id = 7")
    ended = threading.Event()
    counted: list[int] = []

    def count() -> None:
        with closing(PlainSession(database.url)) as session:
            for number in itertools.count():
                if ended.is_set():
                    counted.append(number)
                    return
                session.run(("UPDATE orders SET total = total + 1 WHERE id = 7",))

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        report = run_plan(plan, options=RunOptions(), **named)
        assert report.state == "waiting_at_gate"
        assert roll_back(report.run, options=RunOptions(open_gates=gates(plan)), **named).state == "rolled_back"
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)
    assert len(counted) == len(threads)
    assert database.query("SELECT total FROM orders WHERE id = 7") == [(before + sum(counted),)]
