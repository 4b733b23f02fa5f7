"""The online rebuild on MySQL and MariaDB while somebody does, at the worst moment, what no trigger tells of: nothing is lost, and the application
never fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
from recipes.rig import Database, Place, PlainSession, accepted, edge, gates, writing

from driftflow.engine.decide import undo_steps
from driftflow.engine.run import RunOptions, RunReport, resume, roll_back, run_plan
from driftflow.errors import DriftflowError
from driftflow.model.event import AnyEvent
from driftflow.model.plan import Plan
from driftflow.strategies.rebuild import swap_guards

pytestmark = pytest.mark.on("mysql", "mariadb-10")
SCHEMA = """
CREATE TABLE digits (n integer PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE orders (id bigint PRIMARY KEY, total integer, code varchar(40) NOT NULL, UNIQUE KEY orders_code (code));
INSERT INTO orders SELECT a.n + 10 * b.n + 100 * c.n + 1, a.n, concat('c', a.n + 10 * b.n + 100 * c.n + 1)
    FROM digits AS a JOIN digits AS b JOIN digits AS c;
"""
LONGER = "ALTER TABLE orders MODIFY total bigint;"
CHECKED = "ALTER TABLE orders ADD CONSTRAINT total_ok CHECK (total >= 0);"
COPIED = "Copy orders into"
COMPARED = "Verify that zzz_driftflow_new"
SWAP = "Swap:"
Moment = tuple[str, str, Callable[[], object]]
"""The kind of an event, how the purpose of its step begins, and what somebody does then, once."""


class Trial:
    """One database, one plan, and sessions of other people."""

    def __init__(self, place: Place, migration: str, schema: str = SCHEMA) -> None:
        self.database: Database = place.fresh(schema)
        self.plan: Plan = self.database.plan(migration)
        self.run = ""
        self.purposes = {step.id: step.purpose for step in self.plan.steps}
        for step in self.plan.steps:
            self.purposes |= {inner.id: f"back: {inner.purpose}" for inner in undo_steps(step)}

    def _edge(self, moments: tuple[Moment, ...]) -> dict[str, Any]:
        left = list(moments)

        def listen(event: AnyEvent) -> None:
            self.run = event.run
            purpose = self.purposes.get(getattr(event, "step", ""), "")
            for moment in [one for one in left if one[0] == type(event).__name__ and purpose.startswith(one[1])]:
                left.remove(moment)
                moment[2]()

        return edge(self.database) | {"listener": listen}

    def forward(self, *moments: Moment) -> RunReport:
        return run_plan(self.plan, options=RunOptions(accept=accepted(self.plan)), **self._edge(moments))

    def on(self, *moments: Moment) -> RunReport:
        return resume(self.run, options=RunOptions(accept=accepted(self.plan)), **self._edge(moments))

    def back(self, *moments: Moment) -> RunReport:
        return roll_back(self.run, options=RunOptions(open_gates=gates(self.plan)), **self._edge(moments))

    @contextmanager
    def session(self, isolation: str = "REPEATABLE READ") -> Iterator[Callable[..., list[Any]]]:
        with closing(PlainSession(self.database.url)) as session:

            def run(*statements: str) -> list[Any]:
                cursor = session.raw.cursor()
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())

            run(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")
            yield run

    def left(self) -> list[Any]:
        return self.database.query(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%\\_driftflow\\_%' "
            "UNION ALL SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()"
        )


@pytest.fixture
def waits_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap_guards, "SNAPSHOT_WAIT_MS", 1_000)


@pytest.mark.parametrize(
    "moves",
    [
        ("UPDATE orders SET code = 'moved' WHERE id = 1", "UPDATE orders SET code = 'c1' WHERE id = 990"),
        ("DELETE FROM orders WHERE id = 920", "UPDATE orders SET id = 920 WHERE id = 1"),
    ],
)
def test_a_unique_value_moves_to_a_row_that_is_not_copied_yet(place: Place, moves: tuple[str, ...]) -> None:
    trial = Trial(place, LONGER)
    with trial.session() as other:
        assert trial.forward(("ChunkDone", COPIED, lambda: other(*moves))).state == "waiting_at_gate"
        assert other("SELECT id FROM orders WHERE code = 'c1'") == [(990,) if "990" in moves[1] else (920,)]


def test_an_older_snapshot_sees_all_rows_or_the_swap_waits(place: Place, waits_shortly: None) -> None:
    trial = Trial(place, LONGER)
    with trial.session() as reader:

        def begin() -> None:
            reader("START TRANSACTION", "SELECT COUNT(*) FROM digits")

        with pytest.raises(DriftflowError, match="would see a part of orders"):
            trial.forward(("ChunkDone", COPIED, begin))
        assert reader("SELECT COUNT(*) FROM orders", "COMMIT", "SELECT COUNT(*) FROM orders") == [(1000,)]
        assert trial.on().state == "waiting_at_gate"
        reader("UPDATE orders SET total = 777 WHERE id = 7", "START TRANSACTION", "SELECT COUNT(*) FROM digits")
        with pytest.raises(DriftflowError, match="would see a part of orders"):
            trial.back()
        assert reader("SELECT total FROM orders WHERE id = 7") == [(777,)]
        reader("COMMIT")
        assert trial.back().state == "rolled_back"
        assert reader("SELECT total FROM orders WHERE id = 7") == [(777,)]
    assert trial.left() == []


def test_the_swap_goes_on_by_itself_when_the_snapshot_has_ended(place: Place) -> None:
    trial = Trial(place, LONGER)
    with trial.session() as reader:
        begin = ("ChunkDone", COPIED, lambda: reader("START TRANSACTION", "SELECT COUNT(*) FROM digits"))
        assert trial.forward(begin, ("Counted", "Wait for", lambda: reader("COMMIT"))).state == "waiting_at_gate"


def test_what_is_rejected_while_the_swap_waits_for_its_lock_is_seen_before_it(place: Place) -> None:
    trial = Trial(place, CHECKED)
    with trial.session("READ COMMITTED") as holder, trial.session() as writer:

        def reject() -> None:
            writer("UPDATE orders SET total = 6 WHERE id = 7", "UPDATE orders SET total = -5 WHERE id = 7")
            writer("DELETE FROM orders WHERE id = 8", "INSERT INTO orders VALUES (8, -8, 'again')")
            holder("ROLLBACK")

        hold = ("StepDone", "Wait for", lambda: holder("BEGIN", "SELECT COUNT(*) FROM orders"))
        with pytest.raises(DriftflowError, match="do not fit"):
            trial.forward(hold, ("LockWaited", SWAP, reject))
        assert trial.back().state == "rolled_back"
        assert writer("SELECT id, total FROM orders WHERE id IN (7, 8) ORDER BY id") == [(7, -5), (8, -8)]
    assert trial.left() == []


@pytest.mark.on("mariadb")
def test_no_write_of_a_crowd_fails_while_the_tables_change_places(place: Place) -> None:
    """Many are in the middle of a statement at that moment: it has the table, and is about to write the copy too."""
    trial = Trial(place, LONGER)
    with ExitStack() as stack:
        writes = [f"UPDATE orders SET total = total + 1 WHERE id = 4 * ({{n}} % 100) + {mine}" for mine in range(1, 5)]
        crowd = [stack.enter_context(writing(trial.database, (write,), pause_seconds=0)) for write in writes]
        trial.forward()
        for one in crowd:
            one.go_on()
        assert trial.back().state == "rolled_back"
    assert [failure for one in crowd for failure in one.failures] == []
    added = sum(len(one.committed) for one in crowd)
    assert trial.database.query("SELECT sum(total) FROM orders") == [(4500 + added,)]
    assert trial.left() == []


def test_a_swap_that_was_refused_is_not_taken_back(place: Place) -> None:
    """Its way back would put triggers on the table that write to one that is not there: every write of the application would fail."""
    trial = Trial(place, LONGER)
    with trial.session() as writer:
        with pytest.raises(DriftflowError, match="somebody has changed"):
            trial.forward(("StepDone", COMPARED, lambda: writer("ALTER TABLE orders ADD COLUMN more int")))
        writes = tuple(
            ("StepDone", f"back: {begin}", lambda n=n: writer(f"INSERT INTO orders (id, total, code) VALUES (500{n}, 1, 'w{n}')"))
            for n, begin in enumerate(("Take away", "Write rows", "Write the last", "Remove"))
        )
        assert trial.back(*writes).state == "rolled_back"
        writer("INSERT INTO orders (id, total, code) VALUES (6000, 1, 'behind')")
    assert trial.left() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("TRUNCATE orders", "was emptied"),
        ("ALTER TABLE orders ADD CONSTRAINT later CHECK (total < 100000)", "somebody has changed"),
        ("CREATE TRIGGER mine BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = 1", "a trigger or a foreign key"),
        ("CREATE TABLE parts (o bigint, FOREIGN KEY (o) REFERENCES orders (id))", "a trigger or a foreign key"),
    ],
)
def test_what_a_stranger_does_behind_the_comparison_stops_the_swap(place: Place, change: str, said: str) -> None:
    trial = Trial(place, LONGER)
    with trial.session() as stranger:

        def strike() -> None:
            stranger(change, "INSERT INTO orders (id, total, code) VALUES (5000, 5, 'after')")

        with pytest.raises(DriftflowError, match=said):
            trial.forward(("StepDone", COMPARED, strike))
        assert trial.back().state == "rolled_back"


def test_rows_that_were_truncated_behind_the_swap_do_not_come_back(place: Place) -> None:
    trial = Trial(place, LONGER)
    trial.forward()
    with trial.session() as stranger:
        stranger("TRUNCATE orders", "INSERT INTO orders (id, total, code) VALUES (5000, 5, 'after')")
        with pytest.raises(DriftflowError, match="was emptied"):
            trial.back()
        old = next(name for (name,) in trial.left() if name.startswith("zzz_driftflow_old"))
        stranger(f"DELETE FROM {old} WHERE id NOT IN (SELECT id FROM orders)")
        assert trial.back().state == "rolled_back"
        assert stranger("SELECT id FROM orders") == [(5000,)]


def test_an_engine_without_transactions_is_not_made_beside_the_table(place: Place) -> None:
    """A transaction that rolls back would leave its rows in the copy."""
    plan = place.fresh(SCHEMA).plan("ALTER TABLE orders ENGINE = MyISAM;")
    assert "rebuild_online" not in {step.strategy for step in plan.steps}


ZONE = (
    "DELETE FROM mysql.time_zone WHERE Time_zone_id = 4711",
    "DELETE FROM mysql.time_zone_name WHERE Time_zone_id = 4711",
    "DELETE FROM mysql.time_zone_transition_type WHERE Time_zone_id = 4711",
    "DELETE FROM mysql.time_zone_transition WHERE Time_zone_id = 4711",
    "INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (4711, 'N')",
    "INSERT INTO mysql.time_zone_name VALUES ('Test/Berlin', 4711)",
    "INSERT INTO mysql.time_zone_transition_type VALUES (4711, 0, 3600, 0, 'CET'), (4711, 1, 7200, 1, 'CEST')",
    "INSERT INTO mysql.time_zone_transition VALUES (4711, 1711846800, 1), (4711, 1729990800, 0)",
)
"""Central European time in 2024: its clocks go back at 01:00 UTC on October 27."""


def test_a_moment_stays_where_clocks_go_back(place: Place) -> None:
    """The trigger runs in the time zone of the application's session, in which an hour comes twice."""
    trial = Trial(place, LONGER)
    with trial.session() as application, trial.session() as plain:
        application(*ZONE, "ALTER TABLE orders ADD COLUMN at timestamp(3) NULL", "SET time_zone = '+00:00'")
        application("UPDATE orders SET at = '2024-10-27 00:30:00.25' WHERE id <= 500")
        application("UPDATE orders SET at = '2024-10-27 01:30:00.75' WHERE id > 500", "SET time_zone = 'Test/Berlin'")
        trial.plan = trial.database.plan(LONGER)
        trial.purposes = {step.id: step.purpose for step in trial.plan.steps}

        def write() -> None:
            application(
                "UPDATE orders SET total = 5 WHERE id IN (7, 507)", "UPDATE orders SET id = id + 5000 WHERE id IN (8, 508)"
            )

        trial.forward(("StepDone", COPIED, write), ("StepDone", COMPARED, write))
        plain("SET time_zone = '+00:00'")
        found = plain("SELECT CAST(at AS CHAR), COUNT(*) FROM orders GROUP BY at ORDER BY at")
        assert found == [("2024-10-27 00:30:00.250", 500), ("2024-10-27 01:30:00.750", 500)]
