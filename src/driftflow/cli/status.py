"""`driftflow status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftflow.cli import options, running
from driftflow.cli.output import quoted
from driftflow.cli.session import Session

if TYPE_CHECKING:
    from driftflow.journal.inspect import RunSummary

NEXT = {"waiting_at_gate": "gate open", "aborted": "rollback", "failed": "resume", "unknown": "doctor", "phase_done": "resume"}


@click.command()
@options.session()
@click.argument("id", metavar="[RUN]", default="")
def command(run: Session, *, id: str) -> None:
    """The runs that the journal of this database knows, newest first, or the one that is named: how far it is and whether anybody
    executes it. Writes nothing; without a journal there are no runs."""
    from driftflow import pipeline

    found = (running.the_run(run, id),) if id else pipeline.status(run.connector)
    if run.out.json:
        run.out.record(found)
    else:
        run.out.result("\n\n".join("\n".join(_lines(one)) for one in found) or f"no runs in {run.connector.display}")
    run.out.next(_next(run, next((one for one in found if one.state not in {"done", "rolled_back"}), None)))


def _lines(one: RunSummary) -> list[str]:
    executed = f"executed by {one.executor}" if one.alive else "nobody executes it"
    state = one.state.replace("_", " ") + (", backward" if one.direction == "backward" else "")
    ended = one.state in {"done", "rolled_back"}
    lines = [f"run {one.run}: {state}" + ("" if ended else f"; {executed}")]
    lines.append(f"  plan {one.plan_digest[:12]}, {one.steps_done} of {one.steps_total} steps done, begun {one.created_at}")
    if one.step and not ended:
        of = f" of about {one.rows_estimate:,}" if one.rows_estimate else ""
        lines.append(f"  at: {one.step}" + (f" ({one.rows:,}{of} rows)" if one.rows else ""))
    shut = f", shut until {one.not_before}" if one.not_before else ""
    lines += [f"  gate: {one.gate}{shut}"] if one.gate else []
    lines += [f"  {one.message}"] if one.message and one.message != one.gate else []
    return lines


def _next(run: Session, one: RunSummary | None) -> str:
    if one is None:
        return quoted("driftflow", "plan", *run.where)
    if one.alive:
        return quoted("driftflow", "watch", one.run, *run.where)
    words = NEXT.get(one.state, "resume").split()
    named = [] if words == ["doctor"] else [one.run, *([one.gate] if one.gate else [])]
    day = f"    # from {one.not_before} on" if one.not_before else ""
    return quoted("driftflow", *words, *named, *run.where) + day
