"""Following a run from another terminal: its durable events, and the progress rows between them as chunk events."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.engine.ports import Clock, Connection
from driftflow.journal.inspect import JOURNAL, RunSummary, events_since, run_summary
from driftflow.model.event import AnyEvent, ChunkDone, StepStarted

POLL_SECONDS = 0.5
QUIET_SECONDS = 3.0
"""How long a run that nobody seems to execute is waited for: a heartbeat may just be late."""


def follow(connection: Connection, run: str, *, clock: Clock) -> Iterator[AnyEvent]:
    """Every event so far, then each as it comes. Ends a moment after nobody executes the run any more."""
    seen, step, chunk, quiet_since = 0, "", 0, clock.monotonic()
    while True:
        fresh = events_since(connection, run, seen)
        for number, event in fresh:
            seen = number
            step = event.step if isinstance(event, StepStarted) else step
            yield event
        summary = run_summary(connection, run)
        if step and (progress := _progress(connection, summary, step, chunk)) is not None:
            chunk = progress.chunk
            yield progress
        if summary.alive or fresh:
            quiet_since = clock.monotonic()
        elif summary.state != "running" or clock.monotonic() - quiet_since > QUIET_SECONDS:
            return
        clock.sleep(POLL_SECONDS)


def _progress(connection: Connection, summary: RunSummary, step: str, chunk: int) -> ChunkDone | None:
    """The step's progress row as an event, when it moved on."""
    row = JOURNAL.progress(connection, summary.run, step)
    if row is None or row.chunk == chunk:
        return None
    per_second = round(row.rows * 1000 / row.milliseconds) if row.milliseconds else None
    return ChunkDone(
        run=summary.run,
        at=connection.server_now(),
        step=step,
        chunk=row.chunk,
        cursor=(row.cursor,),
        rows=0,
        rows_total=row.rows,
        rows_estimate=summary.rows_estimate,
        rows_per_second=per_second,
    )
