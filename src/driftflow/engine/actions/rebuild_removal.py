"""Taking away what an online rebuild leaves: the old table after the swap, or an unfinished copy. Large tables go in chunks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from driftflow.engine import pace as pacing
from driftflow.engine.actions.build_index import quoted
from driftflow.engine.actions.rebuild_parts import REPLACED, ROWIDS, TRIGGER
from driftflow.engine.context import Context
from driftflow.engine.ports import DatabaseFault, Debris, Progress
from driftflow.model.plan import ChunkPolicy, OnlineCopy, RebuildTable

CHUNK = ChunkPolicy(target_ms=35, rest_percent=100)
LOCK_MS = 250
REST_MS = 200


def remove_replaced(context: Context, *, name: str = "") -> None:
    """Old tables that this run set aside: with StepDone they are nobody's. May be interrupted; the next executor goes on."""
    if context.connection.dialect != "sqlite":
        return
    known = context.journal.debris(context.connection, context.run)
    for debris in known:
        if debris.kind == REPLACED and name in {"", debris.name}:
            shields = [other for other in known if other.kind == TRIGGER and other.step == debris.step]
            _remove(context, debris.name, last=shields, pause=partial(context.safe_point, debris.step))


def remove_copy(step: RebuildTable, online: OnlineCopy, context: Context) -> None:
    """An unfinished copy: first what the application runs into, then the rows. What is not there is no error."""
    ours = (*(name for name, _ in online.capture), online.missing, step.temporary_name)
    marks = ", ".join("%s" for _ in ours)
    if not context.connection.query(f"SELECT 1 FROM sqlite_schema WHERE name IN ({marks})", ours):
        _forget(step, ours, context)
        return

    def drop() -> None:
        for name, _ in online.capture:
            context.connection.execute(f"DROP TRIGGER IF EXISTS {quoted(name)}")
        context.connection.execute(f"DROP TABLE IF EXISTS {quoted(online.missing)}")
        for name in ours[:-1]:
            context.journal.unregister(context.connection, context.run, name)
        context.journal.save_progress(context.connection, context.run, Progress(step=step.id, passes=0))

    _patiently(context, drop)
    _remove(context, step.temporary_name, last=[], pause=lambda: None)


def _forget(step: RebuildTable, names: tuple[str, ...], context: Context) -> None:
    """Somebody took it away already (`driftflow clean`)."""
    if context.journal.progress(context.connection, context.run, step.id) is None:
        return

    def forget() -> None:
        for name in names:
            context.journal.unregister(context.connection, context.run, name)
        context.journal.save_progress(context.connection, context.run, Progress(step=step.id, passes=0))

    _patiently(context, forget)


def _remove(context: Context, table: str, *, last: list[Debris], pause: Callable[[], None]) -> None:
    """Rows in chunks, then the table with what names it. Nothing is left to be done when there is no such table."""
    key, pace, over = _key(context, table), pacing.start(CHUNK), False

    def chunk() -> None:
        nonlocal over
        over = not key or context.connection.execute(_delete(table, key, pace.keys)) < pace.keys
        if over:
            for debris in last:
                context.connection.execute(debris.drop_sql)
                context.journal.unregister(context.connection, context.run, debris.name)
            context.connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
            context.journal.unregister(context.connection, context.run, table)

    while not over:
        pause()
        context.breathe()
        begun = context.clock.monotonic()
        _patiently(context, chunk)
        milliseconds = int((context.clock.monotonic() - begun) * 1000)
        pace = pacing.after_chunk(pace, CHUNK, keys=pace.keys, milliseconds=milliseconds)
        if not over:
            context.clock.sleep(pacing.rest_ms(CHUNK, milliseconds) / 1000)


def _delete(table: str, key: tuple[str, ...], rows: int) -> str:
    names = ", ".join(key)
    left = names if len(key) == 1 else f"({names})"
    return f"DELETE FROM {quoted(table)} WHERE {left} IN (SELECT {names} FROM {quoted(table)} ORDER BY {names} LIMIT {int(rows)})"


def _key(context: Context, table: str) -> tuple[str, ...]:
    """By what its rows are told apart, as SQL; empty when there is no such table."""
    columns = context.connection.query("SELECT name, pk FROM pragma_table_info(%s) ORDER BY pk", (table,))
    if not columns:
        return ()
    primary = tuple(quoted(name) for name, place in columns if place)
    free = next((name for name in ROWIDS if name not in {str(column).lower() for column, _ in columns}), "")
    if not free:
        return primary
    try:
        context.connection.query(f"SELECT {free} FROM {quoted(table)} LIMIT 0")
    except DatabaseFault:
        return primary  # WITHOUT ROWID
    return (free,)


def _patiently(context: Context, work: Callable[[], None]) -> None:
    """One transaction; asked for again while another writer has the file."""
    tries = 0
    while True:
        try:
            with context.watched(LOCK_MS), context.fenced(lock_ms=LOCK_MS):
                work()
        except DatabaseFault as fault:
            tries += 1
            if not fault.kind.retryable or tries >= context.limits.lock_tries:
                raise
            context.clock.sleep(context.jitter(REST_MS) / 1000)
        else:
            return
