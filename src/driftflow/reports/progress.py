"""A run as it happens: plain lines for a log, or rich's bars on a terminal. Both read events and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from driftflow.model import event as events
from driftflow.model.event import AnyEvent
from driftflow.model.plan import Irreversible, UndoSteps
from driftflow.model.record import Record
from driftflow.reports.style import fold

if TYPE_CHECKING:
    from driftflow.model.plan import Plan

LINE_SECONDS = 2.0
"""A chunk is only worth a line of a log this often."""


class Before(Record, frozen=True, kw_only=True):
    """What the journal said before a run was taken up again: the basis of what is said about repeating."""

    steps: int = 0
    rows: int | None = None
    """Rows that the unfinished backfill had committed; None when nobody looked."""


NOTHING = Before()


class Story:
    """Events as sentences. Knows the plan's steps by their ids, and what has been said; nothing about terminals."""

    def __init__(self, plan: Plan | None = None, before: Before = NOTHING) -> None:
        self._before = before
        self._resumed = False
        self._undoing = ""
        steps = plan.steps if plan else ()
        self._besides = {step.id: step.undo.besides for step in steps if isinstance(step.undo, UndoSteps)}
        self._stays = {step.id for step in steps if isinstance(step.undo, Irreversible) and not step.undo.steps}
        self.purposes = {step.id: step.purpose for step in steps}
        self.numbers = {step.id: number for number, step in enumerate(steps, start=1)}

    def title(self, step: str) -> str:
        """`[3/12] Add orders.tenant_id`; an undo step, which no plan numbers, goes by its id."""
        if step not in self.numbers:
            return f"[{step}]"
        return f"[{self.numbers[step]}/{len(self.numbers)}] {self.purposes[step]}"

    def _started(self, event: events.StepStarted) -> Iterator[str]:
        """A step of the plan, or the first step of what takes one back."""
        again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
        if not is_undo(event.step):
            yield self.title(event.step) + again
            return
        base = event.step.partition(UNDO)[0]
        if base != self._undoing or again:
            yield f"taking back {self.title(base)}{again}"
        self._undoing = base

    def _undone(self, event: events.StepUndone) -> str:
        if self._undoing == event.step:
            took = f" in {seconds(event.milliseconds)}" if event.milliseconds else ""
            return f"    taken back{took}" + (f"; nothing else of it: {why}" if (why := self._besides.get(event.step)) else "")
        what = "stays as it is, as was accepted:" if event.step in self._stays else "nothing to take back of"
        return f"{what} {self.title(event.step)}"

    def continued(self, event: events.ChunkDone) -> Iterator[str]:
        """For the first chunk after a run was taken up again: where it goes on, and how many rows were done a second time."""
        if self._resumed and event.chunk > 1:
            repeated = ""
            if self._before.rows is not None:
                # The count goes on from the committed one: a chunk that was begun again below it would show here.
                repeated = f"; {max(0, self._before.rows - event.rows):,} rows repeated"
            yield f"    continued at chunk {event.chunk}{repeated}"
        self._resumed = False

    def lines(self, event: AnyEvent) -> Iterator[str]:
        """What one event has to say to a person."""
        match event:
            case events.RunStarted():
                self._resumed = event.resumed
                doing = "rolling back" if event.direction == "backward" else "running"
                again = "again, " if event.resumed and event.direction == "forward" else ""
                yield f"run {event.run}: {again}{doing} plan {event.plan_digest[:12]}{_phase(event.phase)}"
            case events.StepStarted():
                yield from self._started(event)
            case events.ChunkDone():
                yield f"    {chunk(event)}"
            case events.Throttled():
                yield f"    waiting {seconds(event.wait_ms)}: {event.signal} {event.reading}"
            case events.Counted():
                yield f"    {event.text}" + (f" (key {', '.join(event.keys)})" if event.keys else "")
            case events.LockWaited():
                yield f"    lock not granted in {event.timeout_ms} ms (try {event.attempt}); next try in {seconds(event.rest_ms)}"
                yield from (f"      held by {blocker}" for blocker in event.blockers)
            case events.Retried():
                yield f"    {event.reason} (try {event.attempt}); next try in {seconds(event.rest_ms)}"
            case events.StepDone() if is_undo(event.step):
                pass  # The step that it takes back says when all of its undo is done.
            case events.StepDone():
                rows = f", {event.rows:,} rows" if event.rows and event.rows > 1 else ""
                yield "    had already happened" if event.found_done else f"    done in {seconds(event.milliseconds)}{rows}"
            case events.StepUndone():
                yield self._undone(event)
            case events.StepFailed():
                yield f"    failed [{event.error_code}] {event.error}"
            case events.StepRepaired():
                yield f"    found half done and repaired: {event.repair}"
            case events.OutcomeUnknown():
                yield f"    nobody can say whether this happened: {event.reason}"
            case _:
                yield from _turning_point(event)


UNDO = "/undo"
"""Between the id of a step and the number of a step that takes it back."""


def is_undo(step: str) -> bool:
    """Whether the id is of a step that takes another one back."""
    return UNDO in step


def _turning_point(event: AnyEvent) -> Iterator[str]:
    """The events that concern the run as a whole."""
    match event:
        case events.GateReached():
            yield f"    waiting at a gate: {event.question}"
        case events.GateOpened():
            yield f"    gate opened{_by(event.by)}"
        case events.Paused():
            yield f"paused{_by(event.by)}" + (f": {event.reason}" if event.reason else "")
        case events.Resumed():
            yield f"continued{_by(event.by)}"
        case events.Aborted():
            yield f"aborted{_by(event.by)}" + (f": {event.reason}" if event.reason else "")
        case events.TakenOver():
            yield f"{event.by} goes on where {event.previous or 'an earlier process'} stopped"
        case events.RunDone():
            done = "rolled back" if event.direction == "backward" else "done"
            took = f" in {seconds(event.milliseconds)}" if event.milliseconds else ""
            yield f"run {event.run}: {done}{_phase(event.phase)}{took}"
        case _:
            yield type(event).__name__


def chunk(event: events.ChunkDone) -> str:
    """`chunk 14: 70,000 of about 200,000 rows, 21,300 rows/s, 6 s left`."""
    of = f" of about {event.rows_estimate:,}" if event.rows_estimate else ""
    rate = f", {event.rows_per_second:,} rows/s" if event.rows_per_second else ""
    return f"chunk {event.chunk}: {event.rows_total:,}{of} rows{rate}{_left(event)}"


def _left(event: events.ChunkDone) -> str:
    if event.eta_seconds is None or not (event.eta_high_seconds or event.eta_seconds):
        return ""
    if event.eta_high_seconds is not None and event.eta_high_seconds > event.eta_seconds:
        return f", {_eta(event.eta_seconds)} to {_eta(event.eta_high_seconds)} left"
    return f", {_eta(event.eta_seconds)} left"


def _eta(value: int) -> str:
    """Minutes are precise enough for what takes minutes."""
    return f"{value} s" if value < 120 else f"{round(value / 60)} min" if value < 7200 else f"{round(value / 3600)} h"


def _phase(phase: str) -> str:
    return f", phase {phase}" if phase else ""


def _by(who: str) -> str:
    return f" by {who}" if who else ""


def seconds(milliseconds: int) -> str:
    """A duration in the unit that a person would say."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 120_000:
        return f"{milliseconds / 1000:.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(milliseconds // 1000, 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


class PlainProgress:
    """One line per event; chunks at most every two seconds, the last one of a step always."""

    def __init__(
        self,
        stream: TextIO,
        plan: Plan | None = None,
        *,
        before: Before = NOTHING,
        clock: Callable[[], float] = time.monotonic,
        mask: Callable[[str], str] = str,
    ) -> None:
        self._stream = stream
        self._story = Story(plan, before)
        self._clock = clock
        self._mask = mask
        self._told_at = clock()
        self._held: events.ChunkDone | None = None

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self._tell_held()

    def __call__(self, event: AnyEvent) -> None:
        if isinstance(event, events.ChunkDone):
            self._say(self._story.continued(event))
            self._held = event
            if self._clock() - self._told_at >= LINE_SECONDS:
                self._tell_held()
            return
        self._tell_held()
        self._tell(event)

    def _tell_held(self) -> None:
        if self._held is not None:
            self._tell(self._held)
            self._held = None
            self._told_at = self._clock()

    def _tell(self, event: AnyEvent) -> None:
        self._say(self._story.lines(event))

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            print(self._mask(line), file=self._stream, flush=True)


class LiveProgress:
    """Bars on a terminal: one for the steps of the plan, one for the rows of the step that runs; sentences scroll above them."""

    def __init__(
        self,
        stream: TextIO,
        plan: Plan | None = None,
        *,
        before: Before = NOTHING,
        color: bool = True,
        mask: Callable[[str], str] = str,
    ) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(file=stream, no_color=not color, highlight=False, soft_wrap=True)
        columns: tuple[Any, ...] = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[said]}"),
        )
        self._progress = Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True, refresh_per_second=8)
        self._mask = mask
        self._done_before = before.steps
        self._story = Story(plan, before)
        self._last: events.ChunkDone | None = None
        self._steps = self._progress.add_task(
            "steps", total=len(plan.steps) if plan else None, completed=before.steps, said=self._count(before.steps)
        )
        self._rows: Any = None
        self._finished: set[str] = set()

    def __enter__(self) -> LiveProgress:
        """The bars come with the first event: a run that is refused shows none."""
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, event: AnyEvent) -> None:
        self._progress.start()
        if isinstance(event, events.ChunkDone):
            self._say(self._story.continued(event))
            self._advance(event)
            return
        if isinstance(event, (events.StepDone, events.StepUndone, events.StepFailed, events.OutcomeUnknown)):
            self._end_rows()
        if isinstance(event, (events.StepDone, events.StepUndone)) and not is_undo(event.step):
            self._finished.add(event.step)
            done = len(self._finished) + self._done_before
            self._progress.update(self._steps, completed=done, said=self._count(done))
        if isinstance(event, (events.Paused, events.Aborted)) and self._last is not None:
            self._say([f"    {chunk(self._last)}"])
        self._say(self._story.lines(event))

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            hang = len(line) - len(line.lstrip()) + 2
            for part in fold(self._mask(line), hang=hang, width=self._console.width):
                self._console.print(part, markup=False)

    def _advance(self, event: events.ChunkDone) -> None:
        if self._rows is None:
            self._rows = self._progress.add_task("rows", total=event.rows_estimate, said="")
        total = max(event.rows_estimate, event.rows_total) if event.rows_estimate else None
        self._last = event
        self._progress.update(self._rows, completed=event.rows_total, total=total, said=chunk(event))

    def _count(self, done: int) -> str:
        total = len(self._story.numbers)
        return f"{done} of {total}" if total else f"{done} done"

    def _end_rows(self) -> None:
        self._last = None
        if self._rows is not None:
            self._progress.remove_task(self._rows)
            self._rows = None


def progress(
    stream: TextIO,
    plan: Plan | None = None,
    *,
    live: bool,
    before: Before = NOTHING,
    color: bool = True,
    mask: Callable[[str], str] = str,
) -> PlainProgress | LiveProgress:
    """What listens to a run: bars where a person watches, lines elsewhere."""
    if live:
        return LiveProgress(stream, plan, before=before, color=color, mask=mask)
    return PlainProgress(stream, plan, before=before, mask=mask)
