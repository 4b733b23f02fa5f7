"""What apply, resume and rollback share: who listens, how a signal ends it, what is printed at the end, and the exit code."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftflow.cli.options import FILE, Command
from driftflow.cli.output import color_wanted, is_terminal, quoted
from driftflow.cli.session import Session
from driftflow.config import mask
from driftflow.errors import UsageError

if TYPE_CHECKING:
    from driftflow.engine.ports import Listener
    from driftflow.engine.run import RunReport, StopSignal
    from driftflow.journal.inspect import RunSummary
    from driftflow.model.plan import Plan
    from driftflow.reports.progress import Before


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Where events go beside the terminal."""

    events: str = ""
    metrics: Path | None = None
    webhook: str = ""


def listening(function: Command) -> Command:
    """`--events`, `--metrics`, `--webhook`, gathered into one argument."""

    @functools.wraps(function)
    def called(*positional: Any, events: str, metrics: Path | None, webhook: str, **values: Any) -> Any:
        return function(*positional, listening=Listening(events=events, metrics=metrics, webhook=webhook), **values)

    decorated: Command = called
    for option in (
        click.option("--webhook", metavar="URL", default="", help="Post the turning points of the run as JSON."),
        click.option("--metrics", type=FILE, metavar="FILE", help="Keep an OpenMetrics text file up to date."),
        click.option("--events", metavar="FILE", default="", help="Every event as a line of JSON; - is standard output."),
    ):
        decorated = option(decorated)
    return decorated


def how(function: Command) -> Command:
    """The options of a run that become RunOptions of the same names."""
    for option in (
        click.option(
            "--kill-blockers",
            is_flag=True,
            help="End sessions that hold a lock which a step waits for (never a dump or a replica).",
        ),
        click.option("--adopt", is_flag=True, help="Go on although this is a restored, cloned or failed-over server."),
        click.option(
            "--take-over", is_flag=True, help="Take the run from another executor; its fence keeps that one from writing."
        ),
        click.option("--open-gate", "open_gates", metavar="NAME", multiple=True, help="Open this gate; repeatable."),
        click.option("--accept", metavar="NAME", multiple=True, help="Accept an irreversible step by its name; repeatable."),
    ):
        function = option(function)
    return function


@contextmanager
def listener(run: Session, plan: Plan, wanted: Listening, before: Before) -> Iterator[Listener]:
    """One listener that tells all of them. What one of them could not do is told at the end; the run does not fail for it."""
    from driftflow.reports.event_lines import EventLines
    from driftflow.reports.openmetrics import OpenMetrics
    from driftflow.reports.progress import progress
    from driftflow.reports.webhook import Webhook

    with ExitStack() as stack:
        others: list[Any] = []
        if wanted.events:
            stream = sys.stdout if wanted.events == "-" else stack.enter_context(_opened(Path(wanted.events)))
            others.append(EventLines(stream))
        if wanted.metrics:
            others.append(OpenMetrics(wanted.metrics, plan))
        if wanted.webhook:
            others.append(Webhook(wanted.webhook))
        hear: list[Any] = [*others]
        if not run.out.quiet:
            live = is_terminal(sys.stderr) and not run.out.json and wanted.events != "-"
            told = progress(
                sys.stderr,
                plan,
                before=before,
                live=live,
                color=color_wanted(sys.stderr, disabled=run.out.no_color),
                mask=lambda text: mask(text, run.out.secrets),
            )
            hear.append(stack.enter_context(told))

        def tell(event: Any) -> None:
            for one in hear:
                one(event)

        yield tell
        for other in others:
            for problem in other.problems():
                run.out.note(f"warning: {problem}")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        handle = path.open("a", encoding="utf-8")
    except OSError as fault:
        raise UsageError(
            "DF-E106", f"{path} cannot be written", why=fault.strerror or str(fault), hint="--events FILE"
        ) from fault
    with handle:
        yield handle


EXIT_CODES = {
    "done": 0,
    "phase_done": 0,
    "rolled_back": 0,
    "waiting_at_gate": 4,
    "paused": 4,
    "aborted": 4,
    "failed": 6,
    "unknown": 5,
}
SAID = {
    "done": "done",
    "phase_done": "the phase is done",
    "rolled_back": "rolled back",
    "waiting_at_gate": "waits at a gate",
    "paused": "paused at a safe point",
    "aborted": "stopped for good",
}


def execute(
    run: Session,
    plan: Plan,
    wanted: Listening,
    act: Callable[[Listener, StopSignal], RunReport],
    *,
    accepted: Sequence[str] = (),
    before: Before | None = None,
) -> int:
    """Run it under the ears of everybody who listens. The first Ctrl-C or SIGTERM ends it at a safe point, the second cancels."""
    from driftflow.engine.run import StopSignal
    from driftflow.reports.progress import NOTHING

    stop = StopSignal()
    with stop.listening(), listener(run, plan, wanted, before or NOTHING) as tell:
        report = act(tell, stop)
    if run.out.json:
        run.out.record(report)
    elif wanted.events != "-":
        run.out.result(_told(report))
    join = "then" if ", then: " in report.next_command else "or"
    run.out.next(*_next(report, run.where, accepted), join=join)
    return EXIT_CODES.get(report.state, 6)


def _next(report: RunReport, where: Sequence[str], accepted: Sequence[str]) -> list[str]:
    """The engine's own words, with the database named; who goes on has to accept again what was accepted for this command only."""
    again = [word for name in accepted for word in ("--accept", name)]
    commands = re.split(r", (?:or|then:) ", report.next_command)
    shut = f"    # from {report.not_before} on" if report.not_before else ""
    return [
        f"{one.strip()} {quoted(*where, *(again if ' resume ' in one else ()))}".rstrip() + (shut if " gate open " in one else "")
        for one in commands
    ]


def _told(report: RunReport) -> str:
    steps = f"{report.steps_done} of {report.steps_total} steps done"
    undone = f", {report.steps_undone} taken back" if report.steps_undone else ""
    lines = [f"run {report.run}: {SAID.get(report.state, report.state)}: {steps}{undone}"]
    if report.message and report.state not in {"waiting_at_gate", "paused"}:
        lines.append(report.message)
    if report.not_before:
        lines.append(f"the gate {report.gate} stays shut until {report.not_before}")
    if report.longest_lock_wait_ms:
        lines.append(f"longest wait for a lock: {report.longest_lock_wait_ms} ms")
    return "\n".join(lines)


def the_run(run: Session, id: str) -> RunSummary:
    """The run of that id, or, when none is named, the only one that is not finished."""
    from driftflow import pipeline
    from driftflow.engine.ports import ENDED

    every = pipeline.status(run.connector)
    found = [one for one in every if one.run == id] if id else [one for one in every if one.state not in ENDED]
    if len(found) == 1:
        return found[0]
    if id:
        raise UsageError("DF-E120", f"this database knows no run {id}", where=run.connector.display, hint="driftflow status")
    names = ", ".join(one.run for one in found) or "none"
    raise UsageError(
        "DF-E123", "which run?", where=run.connector.display, why=f"unfinished runs here: {names}", hint="driftflow status"
    )
