"""MariaDB: a statement that lets go of its tables and begins anew, since somebody locked them in another order, and the triggers that came meanwhile.

It opens the tables again that the triggers wrote at its first attempt, and no others: without these the application fails with 1146.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from fnmatch import fnmatch

import pytest
from recipes.rig import POLICY, Database, Place, PlainSession, edge, gates, outcome
from recipes.test_tied_rebuild import CHANGE, SCHEMA, together

from driftflow.engine.run import RunOptions, roll_back, run_plan
from driftflow.model.event import StepDone
from driftflow.model.plan import Plan, UndoSteps
from driftflow.model.record import replace

pytestmark = pytest.mark.on("mariadb-10")
PATIENCE_SECONDS = 20
PATIENT = replace(POLICY, stall_budget_ms=PATIENCE_SECONDS * 1000)
"""The tool waits until the other two do."""


class StartedOver:
    """Somebody has read a parent when the tool asks for it and for its child, so the tool waits; then a statement that holds the child waits behind the tool. When the
    parent is read no more the tool has it and wants the child: the server lets the statement begin anew."""

    def __init__(self, database: Database, read: str, statement: str) -> None:
        self.database, self.read, self.statement = database, read, statement
        self.said: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.has_read = threading.Event()

    def __call__(self) -> None:
        self.reader.start()
        assert self.has_read.wait(PATIENCE_SECONDS)

    def _read(self) -> None:
        with closing(PlainSession(self.database.url)) as session:
            session.raw.begin()
            with session.raw.cursor() as cursor:
                cursor.execute(self.read)
            self.has_read.set()
            self._until_one_waits("LOCK TABLES", "RENAME TABLE")
            writer = threading.Thread(target=lambda: self.said.append(outcome(self.database, self.statement)))
            writer.start()
            self._until_one_waits(self.statement)
            session.raw.commit()
            writer.join(PATIENCE_SECONDS)

    def _until_one_waits(self, *begins: str) -> None:
        like = " OR ".join(f"INFO LIKE '{one}%'" for one in begins)
        query = (
            f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'Waiting for table metadata lock' AND ({like})"
        )
        ends = time.monotonic() + PATIENCE_SECONDS
        while self.database.query(query) == [(0,)] and time.monotonic() < ends:
            time.sleep(0.005)


def before(plan: Plan, purpose: str) -> str:
    """The step before the first of this purpose, on the way forward or on the way back."""
    found = [(step.id, step.purpose) for step in plan.steps]
    found += [
        (f"{one.id}/undo{number}", step.purpose)
        for one in plan.steps
        if isinstance(one.undo, UndoSteps) and len(one.undo.steps) > len(plan.steps) // 4
        for number, step in enumerate(one.undo.steps, 1)
    ]
    (at, *_) = [number for number, (_, said) in enumerate(found) if fnmatch(said, f"{purpose}*")]
    return found[at - 1][0]


JOINED = "models ON models.id = parts.model"
DELETED = f"DELETE parts FROM parts JOIN {JOINED} WHERE parts.id = 5"
INSERTED = "INSERT INTO parts (model, maker) SELECT id, 7 FROM models WHERE id = 5"


@pytest.mark.parametrize(
    ("purpose", "statement"),
    [
        ("Write rows of parts to zzz_driftflow_new3_parts_* too (trigger on DELETE)", DELETED),
        ("Write rows of parts to zzz_driftflow_new3_parts_* too (trigger on INSERT)", INSERTED),
        ("Swap: ", DELETED),
        ("Write rows of parts to zzz_driftflow_old3_parts_* too (trigger on INSERT)", INSERTED),
    ],
)
def test_a_statement_that_starts_over_meets_other_triggers(place: Place, purpose: str, statement: str) -> None:
    database, untouched = place.fresh(SCHEMA), place.fresh(SCHEMA)
    plan = database.plan(CHANGE, policy=PATIENT)
    assert together(plan)
    started_over = StartedOver(database, "SELECT COUNT(*) FROM models", statement)
    last = [before(plan, purpose)]

    def listener(event: object) -> None:
        if isinstance(event, StepDone) and event.step in last:
            last.clear()
            started_over()

    edges = edge(database) | {"listener": listener, "policy": PATIENT}
    report = run_plan(plan, options=RunOptions(), **edges)
    assert report.state == "waiting_at_gate"
    assert roll_back(report.run, options=RunOptions(open_gates=gates(plan)), **edges).state == "rolled_back"
    started_over.reader.join(PATIENCE_SECONDS)
    assert started_over.said == [""]
    untouched.run(statement)
    assert database.rows() == untouched.rows()
