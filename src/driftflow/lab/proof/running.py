"""The plan on a scratch database, by the engine that would carry it out, all of it: rows, guards, gates, checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from driftflow.config import Policy
from driftflow.drivers.catalogs import fingerprint
from driftflow.engine.clock import SystemClock
from driftflow.engine.ports import Connector, DatabaseFault, Listener
from driftflow.engine.run import RunOptions, RunReport, StopSignal, resume, roll_back, run_plan
from driftflow.errors import DriftflowError
from driftflow.journal.same_database import SameDatabaseJournal
from driftflow.lab.scratch import UNKNOWN_ROLE, Scratch
from driftflow.model.event import AnyEvent
from driftflow.model.plan import Gate, Irreversible, Plan, Step
from driftflow.model.record import replace

POLICY = Policy(lock_rest_ms=50, lock_tries=200, rest_percent=1)
"""Nobody waits for this database: short rests."""


def nothing(event: AnyEvent) -> None:
    """A listener for whom nothing matters."""


@dataclass(frozen=True, kw_only=True)
class Executor:
    """Who carries out one plan on one scratch database, forward and back."""

    plan: Plan
    place: Scratch
    folder: Path
    connector: Connector | None = None
    """Where it is not the place's own: one that watches, or that breaks."""

    def apply(
        self,
        *,
        gates: tuple[str, ...] | None = None,
        listener: Listener = nothing,
        stop: StopSignal | None = None,
        take_over: bool = False,
    ) -> RunReport:
        """With every gate open, or these. Raises DriftflowError as the engine does."""
        opened = gates if gates is not None else tuple(step.name for step in self.plan.steps if isinstance(step, Gate))
        options = RunOptions(open_gates=opened, accept=irreversible(self.plan), take_over=take_over)
        return self._with_roles(partial(run_plan, self.plan, **self._edge(listener, options, stop)))

    def take_back(self, run: str, *, listener: Listener = nothing) -> RunReport:
        opened = tuple(name for step in self.plan.steps if isinstance(step, Gate) for name in (step.name, step.name_back))
        return self._with_roles(partial(roll_back, run, **self._edge(listener, RunOptions(open_gates=opened), None)))

    def resume(self, run: str, *, gates: tuple[str, ...], listener: Listener = nothing) -> RunReport:
        return self._with_roles(
            partial(
                resume,
                run,
                **self._edge(listener, RunOptions(open_gates=gates, accept=irreversible(self.plan), take_over=True), None),
            )
        )

    def _edge(self, listener: Listener, options: RunOptions, stop: StopSignal | None) -> dict[str, Any]:
        return {
            "connector": self.connector or self.place.connector,
            "journal": SameDatabaseJournal(),
            "fingerprint": fingerprint,
            "clock": SystemClock(),
            "listener": listener,
            "policy": POLICY,
            "options": options,
            "stop": stop,
            "folder": self.folder,
        }

    def _with_roles(self, run: Callable[[], RunReport]) -> RunReport:
        """A role that the plan names and the lab has not is made; then the engine goes on with the same run."""
        made: set[str] = set()
        while True:
            try:
                return run()
            except DriftflowError as error:
                missing = UNKNOWN_ROLE.search(error.why or error.summary)
                if missing is None or missing["name"] in made or not self.place.make_role(missing["name"]):
                    raise
                made.add(missing["name"])


def irreversible(plan: Plan) -> tuple[str, ...]:
    return tuple(step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible))


def without_the_database(plan: Plan) -> Plan:
    """The plan as far as it does not speak of the one database that it was made for: no comparison with its fingerprint (which is held
    against the lab's schema by itself), no requirement of its rights and publications, no lock of a tool that nobody runs here. Nor of the calendar: the
    day until which a gate stays shut has come, or the plan would wait for it in the lab. Nor of the queries that the database's servers have recorded."""
    return replace(plan, steps=tuple(map(_anywhere, plan.steps)), catalog_fingerprint="", requires=(), tool_lock=None)


def _anywhere(step: Step) -> Step:
    if isinstance(step, Gate):
        step = replace(step, not_before="")
    return replace(step, guards=tuple(guard for guard in step.guards if not guard.everywhere))


def unasked(plan: Plan) -> tuple[Step, ...]:
    """Steps some of whose guards are about what servers have recorded: nobody asks them in the lab."""
    return tuple(step for step in plan.steps if any(guard.everywhere for guard in step.guards))


def named(plan: Plan, step: Step | str) -> str:
    """`step 3: Add orders.tenant_id, nullable`."""
    id = step if isinstance(step, str) else step.id
    base = id.partition("/undo")[0]
    for number, one in enumerate(plan.steps, start=1):
        if one.id == base:
            back = "the way back of " if base != id else ""
            return f"{back}step {number}: {one.purpose}"
    return ""


def why(error: DriftflowError | DatabaseFault) -> str:
    """What an error says, in one line."""
    if isinstance(error, DatabaseFault):
        return error.message
    lines = [error.summary, *([f"because {error.why}"] if error.why else [])]
    return ", ".join(lines).replace("\n", " ")
