"""Backfill: many small transactions, each with its rows, its cursor and the fence. A crash repeats no row and leaves none out."""

from __future__ import annotations

from dataclasses import dataclass

from driftflow.dialects.base import ErrorKind
from driftflow.engine import pace as pacing
from driftflow.engine.actions import misfit
from driftflow.engine.actions.acting import acting_as
from driftflow.engine.actions.chunk import Change, change_for
from driftflow.engine.actions.judge import Judgement
from driftflow.engine.context import Context
from driftflow.engine.decide import Wait
from driftflow.engine.faults import lock_error, place
from driftflow.engine.keyset import Keyset, keyset, packed, shown, unpacked
from driftflow.engine.ports import DatabaseFault, Progress
from driftflow.errors import StepFailedError
from driftflow.model.event import ChunkDone, LockWaited, Retried
from driftflow.model.plan import Backfill, ChunkPolicy, Outcome
from driftflow.model.record import replace

PASSES_MOST = 5
"""Rows that appear behind the cursor (a writer that does not yet set the new column) are done in another pass; if they keep coming, stop."""
COMES_AND_GOES = 5
"""How often a chunk of noted keys is tried again when its row is there already, before a row is to blame."""
SQLITE_TARGET_MS = 35
SQLITE_REST_PERCENT = 100


@dataclass
class Walk:
    """One executor's way through the table."""

    step: Backfill
    context: Context
    keys: Keyset
    change: Change
    chunk: ChunkPolicy
    pace: pacing.Pace
    progress: Progress
    rested_ms: int = 0
    misses: int = 0


def perform(step: Backfill, context: Context) -> None:
    begun = context.clock.monotonic()
    walk = _begin(step, context)
    while True:
        while not walk.progress.finished:
            context.safe_point(step.id)
            _one(walk)
        if not _again(walk):
            break
    if isinstance(walk.change, Judgement) and walk.progress.rows:
        raise walk.change.failure(walk.progress.rows, context.run)
    details = {"passes": str(walk.progress.passes), "chunks": str(walk.progress.chunk)}
    if context.connection.dialect == "postgresql" and step.action != "judge":
        details["hint"] = f"VACUUM (ANALYZE) {walk.keys.target}"
    with context.fenced():
        context.finished(step, begun, rows=walk.progress.rows, structural=False, details=details)


def _begin(step: Backfill, context: Context) -> Walk:
    keys = keyset(context.connection, step.table, step.key)
    change = change_for(step, keys, context.folder, context.connection)
    chunk = policy_for(step, context)
    found = context.journal.progress(context.connection, context.run, step.id)
    context.started(step)
    if found is not None and step.action == "judge" and found.finished:
        found = None  # It failed, and the rows may have been corrected since.
    if found is None:
        # The upper bound is fixed once: rows that come later are right by their default or trigger.
        upper = keys.upper(context.connection)
        found = Progress(step=step.id, upper=packed(upper), finished=upper is None)
        with context.fenced():
            context.journal.save_progress(context.connection, context.run, found)
    return Walk(step=step, context=context, keys=keys, change=change, chunk=chunk, pace=pacing.start(chunk), progress=found)


def policy_for(step: Backfill, context: Context) -> ChunkPolicy:
    """The step's own, with the environment's target; SQLite has one writer and no queue, so its chunks are short and its rests long."""
    chunk = step.chunk
    target, rest = context.policy.chunk_target_ms, context.policy.rest_percent
    if context.connection.dialect == "sqlite":
        standard = ChunkPolicy()
        target = target or (SQLITE_TARGET_MS if chunk.target_ms == standard.target_ms else chunk.target_ms)
        rest = rest or (SQLITE_REST_PERCENT if chunk.rest_percent == standard.rest_percent else chunk.rest_percent)
    return replace(chunk, target_ms=target or chunk.target_ms, rest_percent=rest or chunk.rest_percent)


def _one(walk: Walk) -> None:
    """One chunk, or one try of it."""
    context = walk.context
    context.breathe()
    begun = context.clock.monotonic()
    try:
        done, keys = _chunk(walk)
    except DatabaseFault as fault:
        if fault.kind is ErrorKind.DUPLICATE and _takes_noted_keys(walk.step) and walk.misses < COMES_AND_GOES:
            _made_again(walk)
            return
        if not fault.kind.retryable:
            _blame(walk, fault)
            raise
        _conflict(walk, fault)
        return
    milliseconds = int((context.clock.monotonic() - begun) * 1000)
    if not _alone(walk):
        walk.pace = pacing.after_chunk(walk.pace, walk.chunk, keys=keys, milliseconds=milliseconds, rested_ms=walk.rested_ms)
    walk.misses = 0
    walk.progress = done
    _tell(walk, milliseconds)
    walk.rested_ms = pacing.rest_ms(walk.chunk, milliseconds) + context.signals().throttle_ms
    if not done.finished:
        context.sleep_ms(walk.rested_ms)


def _blame(walk: Walk, fault: DatabaseFault) -> None:
    """Where a row is to blame, the run stops with its key."""
    low, upper = unpacked(walk.progress.cursor), unpacked(walk.progress.upper)
    assert upper is not None
    with walk.context.watched(walk.step.lock_timeout_ms):
        misfit.check_data(fault, walk.step, walk.context, walk.keys, walk.change, low, upper)


def _chunk(walk: Walk) -> tuple[Progress, int]:
    """Rows and cursor in one transaction. Returns the new progress and how many keys the chunk spanned at most."""
    context, step, before = walk.context, walk.step, walk.progress
    begun = context.clock.monotonic()
    lock_ms = step.lock_timeout_ms
    change, wanted = (walk.change.alone(), 1) if _alone(walk) else (walk.change, walk.pace.keys)
    with context.watched(lock_ms), context.fenced(lock_ms=lock_ms, statement_ms=step.statement_timeout_ms):
        connection = context.connection
        if connection.dialect == "postgresql":
            # With row-level security in force an owner that is subject to it would silently see fewer rows; off, it is an error.
            connection.execute("SET LOCAL row_security = off")
        low, upper = unpacked(before.cursor), unpacked(before.upper)
        assert upper is not None
        high = walk.keys.boundary(connection, low=low, upper=upper, keys=wanted)
        with acting_as(step, connection):
            rows = change.apply(connection, low=low, high=high)
        last = high == upper
        after = replace(
            before,
            chunk=before.chunk + 1,
            cursor=packed(high),
            rows=before.rows + rows,
            keys=before.keys + wanted,
            milliseconds=before.milliseconds + int((context.clock.monotonic() - begun) * 1000),
            finished=last,
        )
        context.journal.save_progress(connection, context.run, after)
    return after, wanted


def _alone(walk: Walk) -> bool:
    """Whether the next chunk is one row, which is waited for: the last one was refused a lock, and a row that somebody always holds is never locked at
    once. Where each chunk asks for its locks at once (`lock_rows`): who holds nothing is in no deadlock either."""
    step = walk.step
    joined = step.action == "delete" and bool(step.from_clause)
    return walk.misses > 0 and walk.keys.on_mysql and step.action != "judge" and not joined


def _tell(walk: Walk, milliseconds: int) -> None:
    context, progress, step = walk.context, walk.progress, walk.step
    left = None if step.rows_estimate is None else max(step.rows_estimate - progress.keys, 0)
    eta = pacing.eta_seconds(walk.pace, left=left, rest_percent=walk.chunk.rest_percent)
    context.emit(
        ChunkDone(
            run=context.run,
            at=context.now(),
            fence=context.fence,
            step=step.id,
            chunk=progress.chunk,
            cursor=shown(unpacked(progress.cursor)),
            rows=progress.rows,
            rows_total=progress.keys if step.rows_estimate is None else min(progress.keys, step.rows_estimate),
            rows_estimate=step.rows_estimate,
            milliseconds=milliseconds,
            eta_seconds=None if eta is None else eta[0],
            eta_high_seconds=None if eta is None else eta[1],
            rows_per_second=walk.pace.rate or None,
        )
    )


def _conflict(walk: Walk, fault: DatabaseFault) -> None:
    """A lock that was not granted, or a deadlock that we lost: smaller, and later. Hot rows are met again until the tries are used up."""
    context, step = walk.context, walk.step
    walk.misses += 1
    if walk.misses >= context.limits.lock_tries:
        raise lock_error(step, context.run, walk.misses, context.blockers, dialect=context.connection.dialect)
    walk.pace = pacing.after_conflict(walk.pace, walk.chunk)
    rest = context.jitter(min(50 * 2 ** min(walk.misses, 7), 5_000))
    context.emit(
        LockWaited(
            run=context.run,
            at=context.now(),
            fence=context.fence,
            step=step.id,
            attempt=walk.misses,
            timeout_ms=step.lock_timeout_ms if fault.kind is ErrorKind.LOCK_TIMEOUT else 0,
            rest_ms=rest,
            blockers=tuple(blocker.text for blocker in context.blockers),
        )
    )
    context.rest(Wait(milliseconds=rest, step=step.id))


def _takes_noted_keys(step: Backfill) -> bool:
    """Whether it takes keys from a log and then copies the rows that have them."""
    return step.action == "insert" and step.fresh and bool(step.after)


def _made_again(walk: Walk) -> None:
    """A noted row was not there to be locked, and was made between two of our statements: a trigger has written it to the copy already. The next try finds
    and locks it; a smaller chunk leaves less time for another. A row that cannot be copied is there at every try."""
    context, step = walk.context, walk.step
    walk.misses += 1
    walk.pace = pacing.after_conflict(walk.pace, walk.chunk)
    rest = context.jitter(20 * 2**walk.misses)
    context.emit(
        Retried(
            run=context.run,
            at=context.now(),
            fence=context.fence,
            step=step.id,
            attempt=walk.misses,
            reason="a row was made again while it was copied",
            rest_ms=rest,
        )
    )
    context.rest(Wait(milliseconds=rest, step=step.id))


def _again(walk: Walk) -> bool:
    """Whether rows are left and another pass may reach them. Raises when they must not be left, or when they keep coming."""
    step, context = walk.step, walk.context
    left = remaining(step, context)
    if left == 0 or step.partial:
        return False
    if not step.predicate or walk.progress.passes >= PASSES_MOST:
        raise StepFailedError(
            "DF-E532",
            f"{left} rows are left after {walk.progress.passes} passes",
            where=place(step),
            why="rows keep appearing that the step should have changed: something still writes the old form, or no source row fits them",
            hint=f"deploy what writes the new form (or add a trigger), then: driftflow resume {context.run}",
        )
    upper = walk.keys.upper(context.connection)
    walk.progress = replace(
        walk.progress, passes=walk.progress.passes + 1, cursor="", upper=packed(upper), finished=upper is None
    )
    with context.fenced():
        context.journal.save_progress(context.connection, context.run, walk.progress)
    return True


def remaining(step: Backfill, context: Context) -> int:
    """What the step's own query still counts; 0 where it has none."""
    if not step.remaining_query:
        return 0
    context.connection.begin(write=False)
    try:
        context.connection.set_timeouts(statement_ms=0)
        if context.connection.dialect == "postgresql":
            context.connection.execute("SET LOCAL row_security = off")
        with context.watched(0), acting_as(step, context.connection):
            return int(context.connection.query(step.remaining_query)[0][0])
    finally:
        context.connection.rollback()


def probe(step: Backfill, context: Context) -> Outcome:
    """The progress row goes with the rows, so it can simply be continued."""
    return "not_done"
