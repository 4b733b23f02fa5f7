"""RebuildTable, online: copied in chunks while the application writes, then swapped in one transaction.

1. One short transaction makes the new table (without its secondary indexes), the table of noted keys, and the triggers that keep the copy from
   being stale: from then on, every row of the copy is a row of the table.
2. Chunks along the key, rows and cursor in one transaction. Then the rows whose keys were noted, until few are left.
3. The swap (`rebuild_swap`), with StepDone. 4. The old table goes in chunks (`rebuild_removal`).

A crash at any point leaves the progress row, or nothing: the next executor goes on where the last commit was.
"""

from __future__ import annotations

from dataclasses import dataclass

from driftflow.engine import pace as pacing
from driftflow.engine.actions.rebuild_parts import (
    ROWIDS,
    TRIGGER,
    Rewritten,
    changed,
    check_unchanged,
    definition,
    inserted_columns,
    lost_rows,
    rewritten,
)
from driftflow.engine.actions.rebuild_removal import remove_copy, remove_replaced
from driftflow.engine.actions.rebuild_swap import fill, small_backlog, swap
from driftflow.engine.context import Context, Interrupted
from driftflow.engine.decide import Wait
from driftflow.engine.faults import place
from driftflow.engine.keyset import Keyset, escaped, packed, quoted, shown, unpacked
from driftflow.engine.ports import Debris, Progress, Reading
from driftflow.errors import StepFailedError
from driftflow.model.event import ChunkDone, StepRepaired
from driftflow.model.names import Name
from driftflow.model.plan import OnlineCopy, Outcome, RebuildTable
from driftflow.model.record import replace

STARTS_MOST = 3
"""VACUUM numbers hidden rowids anew; then the copy begins again, but not for ever."""
CHECKPOINT_CHUNKS = 16
WAL_PAGES_MOST = 16_384
"""64 MB of pages that a long reader keeps in the write-ahead log: then the copy waits for it."""


@dataclass
class Work:
    """One executor's way through one rebuild."""

    step: RebuildTable
    online: OnlineCopy
    context: Context
    keys: Keyset
    pace: pacing.Pace
    progress: Progress

    @property
    def copied(self) -> Keyset:
        """The same key in the new table."""
        return replace(self.keys, table=replace(self.keys.table, name=self.step.temporary_name))

    def check(self, condition: str) -> None:
        """The copied rows for which it holds: none of them may point at nothing."""
        _check_orphans(self, condition, [])


def perform(step: RebuildTable, context: Context) -> None:
    begun = context.clock.monotonic()
    assert step.online is not None
    remove_replaced(context, name=step.online.set_aside)
    for _ in range(STARTS_MOST):
        try:
            _through(step, step.online, context, begun)
        except Rewritten:
            remove_copy(step, step.online, context)
            continue
        except Interrupted as interrupted:
            if interrupted.stop.why == "abort":
                remove_copy(step, step.online, context)
            raise
        remove_replaced(context, name=step.online.set_aside)
        return
    raise StepFailedError(
        "DF-E545", f"the rowids of {step.table.name} were numbered anew {STARTS_MOST} times while it was copied", where=place(step),
        why="VACUUM does that, or another change of the schema made it possible", hint=f"when it is over: driftflow resume {context.run}",
    )  # fmt: skip


def _through(step: RebuildTable, online: OnlineCopy, context: Context, begun: float) -> None:
    work = _begin(step, online, context)
    while not work.progress.finished:
        context.safe_point(step.id)
        _one(work)
    while True:
        context.safe_point(step.id)
        if not small_backlog(online, context):
            _refill(work)
        elif swap(step, online, context, begun, keys=work.keys, check=work.check):
            return


def _begin(step: RebuildTable, online: OnlineCopy, context: Context) -> Work:
    keys = Keyset(dialect=context.connection.dialect, table=Name(schema="main", name=step.table.name), columns=online.key)
    found = context.journal.progress(context.connection, context.run, step.id)
    if found is None or not found.passes:
        remove_copy(step, online, context)
        found = _set_up(step, online, context, keys)
    else:
        context.started(step)
    return Work(step=step, online=online, context=context, keys=keys, pace=pacing.start(online.chunk), progress=found)


def _set_up(step: RebuildTable, online: OnlineCopy, context: Context, keys: Keyset) -> Progress:
    """New table, noted keys, triggers, and where the copy ends: all at once, and known as ours before it is there."""
    connection = context.connection
    with context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms):
        check_unchanged(step, connection)
        before = {"definition": definition(step, connection)}
        if context.state.step(step.id).before.get("definition", before["definition"]) != before["definition"]:
            raise changed(step, "an index, a trigger or the table itself was changed since the copy was first begun")
        for debris in debris_of(step, online, context.run):
            context.journal.register(connection, debris)
        for statement in (step.create_sql, online.create_missing, *(sql for _, sql in online.capture)):
            connection.execute(statement)
        if online.key[0].lower() in ROWIDS:
            before["schema_version"] = str(connection.query("PRAGMA schema_version")[0][0])
        upper = keys.upper(connection)
        progress = Progress(step=step.id, upper=packed(upper), finished=upper is None)
        context.journal.save_progress(connection, context.run, progress)
        context.started(step, before=before)
    return progress


def debris_of(step: RebuildTable, online: OnlineCopy, run: str) -> tuple[Debris, ...]:
    """All that the copy makes, in the order in which it must go."""
    triggers = [Debris(run=run, step=step.id, kind=TRIGGER, name=name, drop_sql=f"DROP TRIGGER IF EXISTS {quoted(name)}") for name, _ in online.capture]  # fmt: skip
    tables = [
        Debris(run=run, step=step.id, kind="noted keys", name=online.missing, drop_sql=f"DROP TABLE IF EXISTS {quoted(online.missing)}"),
        Debris(run=run, step=step.id, kind="table copy", name=step.temporary_name, drop_sql=f"DROP TABLE IF EXISTS {quoted(step.temporary_name)}"),
    ]  # fmt: skip
    return (*triggers, *tables)


def _one(work: Work) -> None:
    """One chunk, and the rest after it."""
    context = work.context
    context.breathe()
    begun = context.clock.monotonic()
    work.progress = _chunk(work)
    _tell(work, milliseconds=_rested(work, begun, keys=work.pace.keys))


def _rested(work: Work, begun: float, *, keys: int) -> int:
    milliseconds = int((work.context.clock.monotonic() - begun) * 1000)
    chunk = work.online.chunk
    rest = pacing.rest_ms(chunk, milliseconds) + work.context.signals().throttle_ms
    work.pace = pacing.after_chunk(work.pace, chunk, keys=keys, milliseconds=milliseconds, rested_ms=rest)
    work.context.sleep_ms(rest)
    if work.progress.chunk % CHECKPOINT_CHUNKS == 0:
        _checkpoint(work)
    return milliseconds


def _chunk(work: Work) -> Progress:
    context, step, before = work.context, work.step, work.progress
    connection = context.connection
    with context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms):
        rewritten(step, context)
        low, upper = unpacked(before.cursor), unpacked(before.upper)
        assert upper is not None
        high = work.keys.boundary(connection, low=low, upper=upper, keys=work.pace.keys)
        condition, parameters = work.keys.range(low, high)
        columns, expressions = inserted_columns(step)
        rows = connection.execute(
            escaped(f"INSERT INTO {quoted(step.temporary_name)} ({columns}) SELECT {expressions} FROM {work.keys.target}")
            + f" WHERE {condition}",
            parameters,
        )
        _check_rows(work, condition, parameters, rows)
        _check_orphans(work, *work.copied.range(low, high))
        after = replace(
            before, chunk=before.chunk + 1, cursor=packed(high), rows=before.rows + rows, keys=before.keys + work.pace.keys, finished=high == upper
        )  # fmt: skip
        context.journal.save_progress(connection, context.run, after)
    return after


def _check_rows(work: Work, condition: str, parameters: list[object], rows: int) -> None:
    """Only a conflict clause of the new table can drop a row without an error."""
    if "ON CONFLICT" not in work.step.create_sql.upper():
        return
    found = work.context.connection.query(f"SELECT count(*) FROM {escaped(work.keys.target)} WHERE {condition}", parameters)[0][0]
    if found != rows:
        raise lost_rows(work.step, rows, found)


def _check_orphans(work: Work, condition: str, parameters: list[object]) -> None:
    """New foreign keys, for the rows just copied. From now on SQLite itself keeps them, in sessions where foreign keys are on."""
    step, target = work.step, quoted(work.step.temporary_name)
    for sentence, orphan in work.online.orphans:
        count = work.context.connection.query(
            f"SELECT count(*) FROM {escaped(work.copied.target)} WHERE {condition} AND {escaped(orphan)}", parameters
        )[0][0]
        if count:
            raise StepFailedError(
                "DF-E539", f"{count} rows would reference nothing: {sentence}", where=place(step),
                why=f"found while the rows were copied into {target}", hint=f"correct those rows, then: driftflow resume {work.context.run}",
            )  # fmt: skip


def _refill(work: Work) -> None:
    """Noted keys, as many as one chunk may take."""
    context, step = work.context, work.step
    context.breathe()
    begun = context.clock.monotonic()
    with context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms):
        rewritten(step, context)
        keys = fill(step, work.online, context.connection, keys=work.keys, most=work.pace.keys, check=work.check)
        work.progress = replace(work.progress, chunk=work.progress.chunk + 1)
        context.journal.save_progress(context.connection, context.run, work.progress)
    _tell(work, milliseconds=_rested(work, begun, keys=max(keys, 1)))


def _tell(work: Work, *, milliseconds: int) -> None:
    context, progress, step = work.context, work.progress, work.step
    left = None if step.rows_estimate is None else max(step.rows_estimate - progress.rows, 0)
    eta = pacing.eta_seconds(work.pace, left=left, rest_percent=work.online.chunk.rest_percent)
    context.emit(
        ChunkDone(
            run=context.run,
            at=context.now(),
            fence=context.fence,
            step=step.id,
            chunk=progress.chunk,
            cursor=shown(unpacked(progress.cursor)),
            rows=progress.rows,
            rows_total=progress.rows,
            rows_estimate=step.rows_estimate,
            milliseconds=milliseconds,
            eta_seconds=None if eta is None else eta[0],
            eta_high_seconds=None if eta is None else eta[1],
            rows_per_second=work.pace.rate or None,
        )
    )


def _checkpoint(work: Work) -> None:
    """In WAL mode the log only shrinks behind the last reader. While one keeps too much of it, the copy adds no more."""
    context = work.context
    while True:
        _, pages, moved = context.connection.query("PRAGMA wal_checkpoint(PASSIVE)")[0]
        if pages - moved <= WAL_PAGES_MOST:
            return
        context.safe_point(work.step.id)
        reading = Reading(signal="wal", value=f"{pages - moved} pages are kept by a reader", ok=False)
        context.rest(Wait(milliseconds=1_000, step=work.step.id, reading=reading))


def probe(step: RebuildTable, context: Context) -> Outcome:
    """Swapped with its StepDone, or not. On the way back, what an unfinished one made is half done: it is taken away."""
    backward = context.state.direction == "backward" and any(step.id == planned.id for planned in context.plan.steps)
    return "half_done" if backward else "not_done"


def repair(step: RebuildTable, context: Context) -> None:
    assert step.online is not None
    remove_copy(step, step.online, context)
    said = f"remove {step.temporary_name} and its triggers"
    context.record(StepRepaired(run=context.run, at=context.now(), fence=context.fence, step=step.id, repair=said))
