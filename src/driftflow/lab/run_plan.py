"""A plan carried out in the lab, by the engine that would carry it out, on a schema without rows; somebody looks after each step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.catalogs import fingerprint
from driftflow.engine.clock import SystemClock
from driftflow.engine.ports import DatabaseFault
from driftflow.engine.run import RunOptions, run_plan
from driftflow.errors import DatabaseError, DriftflowError
from driftflow.journal.same_database import SameDatabaseJournal
from driftflow.lab.scratch import UNKNOWN_ROLE, Scratch
from driftflow.model.event import AnyEvent, GateOpened, StepDone
from driftflow.model.plan import Backfill, Gate, Irreversible, Plan, RebuildTable, RunSql, Stage, Step, Verify
from driftflow.model.record import replace

Look = Callable[[Step], None]
"""Called when a step is done and committed; with a gate, when it is passed."""


def run_in_lab(plan: Plan, place: Scratch, look: Look) -> str:
    """Why it ended early; empty when every step was carried out. What moves rows has none to move, and changes no schema."""
    steps = {step.id: step for step in plan.steps}

    def listen(event: AnyEvent) -> None:
        if isinstance(event, StepDone | GateOpened) and event.step in steps:
            try:
                look(steps[event.step])
            except DatabaseFault as fault:
                raise DatabaseError(
                    "DF-E480", "the throw-away server is gone", why=fault.message, hint="driftflow compat, once more"
                ) from fault

    run = partial(
        run_plan,
        for_lab(plan),
        connector=place.connector,
        journal=SameDatabaseJournal(),
        fingerprint=fingerprint,
        clock=SystemClock(),
        listener=listen,
        policy=Policy(),
        options=RunOptions(open_gates=tuple(step.name for step in plan.steps if isinstance(step, Gate))),
        folder=Path(),
    )
    made: set[str] = set()
    while True:
        try:
            report = run()
        except DriftflowError as error:
            if error.code == "DF-E480":
                raise
            missing = UNKNOWN_ROLE.search(error.why or error.summary)
            if missing is None or missing["name"] in made or not place.make_role(missing["name"]):
                return error.why or error.summary
            made.add(missing["name"])  # then the engine goes on with the same run
        else:
            return "" if report.state == "done" else f"the run ended: {report.message or report.state}"


def for_lab(plan: Plan) -> Plan:
    """The plan as far as it changes a schema: no rows, no files, no other database, no roles, no comparison with the
    database that it was made for."""
    names = tuple(step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible))
    dialect = dialect_named(plan.dialect)
    return replace(
        plan,
        steps=tuple(_for_lab(step, dialect) for step in plan.steps),
        accepted=names,
        catalog_fingerprint="",
        requires=(),
        inputs=(),
        tool_lock=None,
    )


def moves_rows_only(step: Step) -> bool:
    """Whether the schema is the same before and after it."""
    return isinstance(step, Backfill | Verify | Gate)


def _for_lab(step: Step, dialect: Dialect) -> Step:
    match step:
        case Backfill() | Verify():
            return _bare(step, ())
        case Stage():
            columns = ", ".join(f"{dialect.quote(name)} {type}" for name, type in step.columns)
            return _bare(step, (f"CREATE TABLE {dialect.quote_name(step.table)} ({columns})",))
        case RebuildTable():
            return replace(step, guards=(), expected_sql="")
        case RunSql():
            return replace(step, guards=(), role="")
        case _:
            return replace(step, guards=())


def _bare(step: Step, statements: tuple[str, ...]) -> RunSql:
    return RunSql(id=step.id, purpose=step.purpose, phase=step.phase, migration=step.migration, statements=statements)
