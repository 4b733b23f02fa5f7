"""Starting a run, taking it up again, and taking it back. What the pipeline calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from driftflow.config import Policy
from driftflow.engine.begin import accepted_names, check_plan, claim, connected, create, done_already, stored
from driftflow.engine.context import FingerprintOf
from driftflow.engine.control import StopSignal
from driftflow.engine.decide import past_no_return
from driftflow.engine.execute import execute
from driftflow.engine.faults import irreversible_error
from driftflow.engine.parts import NO_REPLICAS, Parts, Replicas, RunOptions, RunReport
from driftflow.engine.ports import (
    ENDED,
    Clock,
    Connector,
    JournalStore,
    Listener,
    Signal,
)
from driftflow.engine.state import fold
from driftflow.errors import RefusedError
from driftflow.model.plan import Irreversible, Plan

DEFAULTS = RunOptions()
HERE = Path()


def run_plan(
    plan: Plan,
    *,
    connector: Connector,
    journal: JournalStore,
    fingerprint: FingerprintOf,
    clock: Clock,
    listener: Listener,
    policy: Policy,
    signals: Sequence[Signal] = (),
    options: RunOptions = DEFAULTS,
    sources: Callable[[str], Connector] | None = None,
    stop: StopSignal | None = None,
    folder: Path = HERE,
    replicas: Replicas = NO_REPLICAS,
) -> RunReport:
    """Begin a run of the plan, or go on with its unfinished one. Nothing is written before every reason to refuse was looked at."""
    parts = Parts(
        connector,
        journal,
        fingerprint,
        clock,
        listener,
        policy,
        signals,
        options,
        sources,
        stop or StopSignal(),
        folder,
        replicas,
    )
    check_plan(plan, parts)
    with connected(parts) as connection:
        row = journal.find(connection, plan.digest) if journal.installed(connection) else None
        if row is not None and row.status == "aborted":
            raise RefusedError(
                "DF-E307",
                f"run {row.id} of this plan was aborted",
                hint=f"driftflow resume {row.id}, or driftflow rollback {row.id}",
            )
        if row is None and (report := done_already(plan, parts, connection)) is not None:
            return report
        if row is not None and fold(journal.events(connection, row.id)).direction == "backward":
            raise RefusedError(
                "DF-E319",
                f"run {row.id} of this plan is being taken back",
                why="applying it now would turn it around halfway, while the old application may be back already",
                hint=f"driftflow resume {row.id} goes on taking it back; then driftflow apply begins anew",
            )
        row = row or create(plan, parts, connection)
        return execute(plan, row, parts, connection, "forward")


def resume(
    run: str,
    *,
    connector: Connector,
    journal: JournalStore,
    fingerprint: FingerprintOf,
    clock: Clock,
    listener: Listener,
    policy: Policy,
    signals: Sequence[Signal] = (),
    options: RunOptions = DEFAULTS,
    sources: Callable[[str], Connector] | None = None,
    stop: StopSignal | None = None,
    folder: Path = HERE,
    replicas: Replicas = NO_REPLICAS,
) -> RunReport:
    """Go on where the journal says that the run stands, in the direction that it had."""
    parts = Parts(
        connector,
        journal,
        fingerprint,
        clock,
        listener,
        policy,
        signals,
        options,
        sources,
        stop or StopSignal(),
        folder,
        replicas,
    )
    with connected(parts) as connection:
        row, plan = stored(run, parts, connection)
        if row.status in ENDED:
            raise RefusedError("DF-E308", f"run {run} is over ({row.status.replace('_', ' ')})", hint="driftflow status")
        direction = fold(journal.events(connection, run)).direction
        if direction == "forward":
            check_plan(plan, parts)
        return execute(plan, row, parts, connection, direction)


def roll_back(
    run: str,
    *,
    connector: Connector,
    journal: JournalStore,
    fingerprint: FingerprintOf,
    clock: Clock,
    listener: Listener,
    policy: Policy,
    signals: Sequence[Signal] = (),
    options: RunOptions = DEFAULTS,
    sources: Callable[[str], Connector] | None = None,
    stop: StopSignal | None = None,
    folder: Path = HERE,
    replicas: Replicas = NO_REPLICAS,
) -> RunReport:
    """Take the run back, step by step in reverse order, journaled like the way forward. Refuses before it begins when a finished step cannot
    be taken back and is not accepted by name."""
    parts = Parts(
        connector,
        journal,
        fingerprint,
        clock,
        listener,
        policy,
        signals,
        options,
        sources,
        stop or StopSignal(),
        folder,
        replicas,
    )
    with connected(parts) as connection:
        row, plan = stored(run, parts, connection)
        if row.status == "rolled_back":
            # Killed after its last commit, or asked twice: there is nothing left to do, and that is what was wanted.
            undone, message = len(plan.steps), f"run {run} was rolled back already"
            return RunReport(
                run=run,
                state="rolled_back",
                steps_undone=undone,
                steps_total=undone,
                message=message,
                next_command="driftflow clean",
            )
        state = fold(journal.events(connection, run))
        final = past_no_return(plan, state)
        if (
            final is not None
            and isinstance(final.undo, Irreversible)
            and final.undo.name not in accepted_names(plan, parts, "backward")
        ):
            raise irreversible_error(final, run, backward=True)
        if row.status in ENDED:
            claim(plan, row.id, parts, connection)
        return execute(plan, row, parts, connection, "backward")


__all__ = ["RunOptions", "RunReport", "StopSignal", "resume", "roll_back", "run_plan"]
