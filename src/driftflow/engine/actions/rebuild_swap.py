"""The swap of an online rebuild: the old table aside, the copy in its place, everything that hung on it restored, and StepDone, at once.

SQLite cannot rename an index, so the old table's are dropped and the new one's are built inside; unique ones must be there before a writer
returns. That is the longest that a writer waits, and the plan names it. The keys that are noted still are copied first: nobody else writes now.
Old table aside first, then the copy to its name: with legacy_alter_table on and foreign_keys off neither rename touches what mentions the name.
"""

from __future__ import annotations

from collections.abc import Callable

from driftflow.engine.actions.as_held import as_held
from driftflow.engine.actions.rebuild_parts import (
    REPLACED,
    TRIGGER,
    changed,
    check_unchanged,
    column,
    definition,
    hanging,
    inserted_columns,
    keep_sequence,
    lost_rows,
    pragmas,
    restore_statistics,
    rewritten,
    statistics_of,
)
from driftflow.engine.context import Context
from driftflow.engine.keyset import Keyset, quoted
from driftflow.engine.ports import Connection, Debris
from driftflow.model.plan import OnlineCopy, RebuildTable

SWAP_KEYS_MOST = 200
"""Noted keys that the swap itself may copy: some milliseconds."""


def small_backlog(online: OnlineCopy, context: Context) -> bool:
    rows = context.connection.query(f"SELECT 1 FROM {quoted(online.missing)} LIMIT 1 OFFSET {SWAP_KEYS_MOST}")
    return not rows


def fill(
    step: RebuildTable, online: OnlineCopy, connection: Connection, *, keys: Keyset, most: int, check: Callable[[str], None]
) -> int:
    """Copy the rows of the oldest noted keys again, as they are now; how many keys. What is no longer there stays away."""
    missing = quoted(online.missing)
    noted = connection.query(f"SELECT max(seq), count(*) FROM (SELECT seq FROM {missing} ORDER BY seq LIMIT {int(most)})")[0]
    if noted[0] is None:
        return 0
    last = int(noted[0])
    names = ", ".join(column(name) for name in online.key)
    left = names if len(online.key) == 1 else f"({names})"
    kept = ", ".join(f"key_{number}" for number in range(1, len(online.key) + 1))
    these = f"{left} IN (SELECT {kept} FROM {missing} WHERE seq <= {last})"
    columns, expressions = inserted_columns(step)
    connection.execute(f"DELETE FROM {quoted(step.temporary_name)} WHERE {these}")
    connection.execute(
        f"INSERT INTO {quoted(step.temporary_name)} ({columns}) SELECT {expressions} FROM {keys.target} WHERE {these}"
    )
    check(these.replace("%", "%%"))
    connection.execute(f"DELETE FROM {missing} WHERE seq <= {last}")
    return int(noted[1])


def swap(
    step: RebuildTable, online: OnlineCopy, context: Context, begun: float, *, keys: Keyset, check: Callable[[str], None]
) -> bool:
    """False when more keys were noted meanwhile than may be copied while writers wait."""
    connection = context.connection
    context.breathe()
    with pragmas(connection), context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms):
        entered = context.clock.monotonic()
        if not small_backlog(online, context):
            return False
        _check(step, online, context)
        fill(step, online, connection, keys=keys, most=SWAP_KEYS_MOST + 1, check=check)
        rows = _counted(step, connection)
        _exchange(step, online, context)
        held = int((context.clock.monotonic() - entered) * 1000)
        context.finished(step, begun, rows=rows, details={"swap_ms": str(held)})
    return True


def _check(step: RebuildTable, online: OnlineCopy, context: Context) -> None:
    """The table is the one that the copy was begun from, and nobody took our triggers away."""
    connection = context.connection
    rewritten(step, context)
    check_unchanged(step, connection)
    expected = context.state.step(step.id).before.get("definition")
    if expected is not None and definition(step, connection) != expected:
        raise changed(step, "an index, a trigger or the table itself was changed while it was copied")
    for name, _ in online.capture:
        if not connection.query(
            "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = %s AND tbl_name = %s", (name, step.table.name)
        ):
            raise changed(step, f"the trigger {name}, which keeps the copy true, is gone")


def _counted(step: RebuildTable, connection: Connection) -> int:
    table, new = quoted(step.table.name), quoted(step.temporary_name)
    old_rows, new_rows = connection.query(f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {new})")[0]
    if old_rows != new_rows:
        raise lost_rows(step, int(new_rows), int(old_rows))
    return int(new_rows)


def _exchange(step: RebuildTable, online: OnlineCopy, context: Context) -> None:
    connection = context.connection
    own, aside, new = quoted(step.table.name), quoted(online.set_aside), quoted(step.temporary_name)
    statistics, restore = statistics_of(step, connection), as_held(step.restore, connection)
    for name, _ in online.capture:
        connection.execute(f"DROP TRIGGER {quoted(name)}")
    for statement in step.drop_views:
        connection.execute(statement)
    for kind, name in hanging(step, connection):
        connection.execute(f"DROP {kind.upper()} {quoted(name)}")
    if step.autoincrement:
        keep_sequence(step, connection)
    connection.execute(f"ALTER TABLE {own} RENAME TO {aside}")
    connection.execute(f"ALTER TABLE {new} RENAME TO {own}")
    connection.execute(f"DROP TABLE {quoted(online.missing)}")
    for statement in restore:
        connection.execute(statement)
    if statistics:
        connection.execute("DELETE FROM sqlite_stat1 WHERE tbl IN (%s, %s)", (step.table.name, online.set_aside))
        restore_statistics(connection, statistics)
    for _, statement in online.shield:
        connection.execute(statement)
    _register(step, online, context)


def _register(step: RebuildTable, online: OnlineCopy, context: Context) -> None:
    """What was ours is the application's now; the old table is ours."""
    connection, journal, run = context.connection, context.journal, context.run
    for name in (*(name for name, _ in online.capture), online.missing, step.temporary_name):
        journal.unregister(connection, run, name)
    for name, _ in online.shield:
        journal.register(connection, Debris(run=run, step=step.id, kind=TRIGGER, name=name, drop_sql=f"DROP TRIGGER IF EXISTS {quoted(name)}"))  # fmt: skip
    drop = f"DROP TABLE IF EXISTS {quoted(online.set_aside)}"
    journal.register(connection, Debris(run=run, step=step.id, kind=REPLACED, name=online.set_aside, drop_sql=drop))
