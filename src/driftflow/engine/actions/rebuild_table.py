"""RebuildTable: SQLite's own recipe for what its ALTER TABLE cannot do, in one transaction.

The order matters: new table, copy, drop the old, rename the new. Renaming the old one first moves other tables' foreign keys and views along
with it (measured), unless both pragmas below are set. Foreign keys are off meanwhile, or DROP TABLE would delete the rows of referencing tables;
the pragma does nothing inside a transaction, so it comes before. Source: SQLite documentation, "Making Other Kinds Of Table Schema Changes".

The copy itself enforces NOT NULL, CHECK, UNIQUE and STRICT types, so no integrity check follows; foreign keys are checked where one changed.
A step with `online` is copied in chunks instead: `rebuild_online`.
"""

from __future__ import annotations

from driftflow.engine.actions import rebuild_online
from driftflow.engine.actions.as_held import as_held
from driftflow.engine.actions.build_index import quoted
from driftflow.engine.actions.rebuild_parts import (
    check_unchanged,
    inserted_columns,
    keep_sequence,
    lost_rows,
    pragmas,
    restore_statistics,
    statistics_of,
)
from driftflow.engine.context import Context
from driftflow.engine.faults import place
from driftflow.engine.ports import Connection, Row
from driftflow.errors import StepFailedError
from driftflow.model.plan import Outcome, RebuildTable


def perform(step: RebuildTable, context: Context) -> None:
    if step.online is not None:
        rebuild_online.perform(step, context)
        return
    begun = context.clock.monotonic()
    context.started(step)
    with pragmas(context.connection), context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms):
        rows = _rebuild(step, context)
        context.finished(step, begun, rows=rows)


def _rebuild(step: RebuildTable, context: Context) -> int:
    connection = context.connection
    table, new = quoted(step.table.name), quoted(step.temporary_name)
    check_unchanged(step, connection)
    broken = _violations(connection) if step.foreign_keys_change else frozenset()
    statistics, restore = statistics_of(step, connection), as_held(step.restore, connection)
    for statement in step.drop_views:
        connection.execute(statement)
    connection.execute(step.create_sql)
    columns, expressions = inserted_columns(step)
    copied = connection.execute(f"INSERT INTO {new} ({columns}) SELECT {expressions} FROM {table}")
    _check_count(step, connection, table, new)
    if step.autoincrement:
        keep_sequence(step, connection)
    connection.execute(f"DROP TABLE {table}")
    connection.execute(f"ALTER TABLE {new} RENAME TO {table}")
    for statement in restore:
        connection.execute(statement)
    restore_statistics(connection, statistics)
    if step.foreign_keys_change:
        _check_foreign_keys(step, connection, broken)
    return copied


def _violations(connection: Connection) -> frozenset[Row]:
    """Foreign keys broken already: not ours to judge, but none may be added."""
    return frozenset(connection.query("PRAGMA foreign_key_check"))


def _check_count(step: RebuildTable, connection: Connection, table: str, new: str) -> None:
    old_rows, new_rows = connection.query(f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {new})")[0]
    if old_rows != new_rows:
        raise lost_rows(step, new_rows, old_rows)


def _check_foreign_keys(step: RebuildTable, connection: Connection, broken: frozenset[Row]) -> None:
    fresh = [row for row in _violations(connection) if row not in broken]
    if fresh:
        tables = ", ".join(sorted({str(row[0]) for row in fresh}))
        raise StepFailedError(
            "DF-E539", f"{len(fresh)} rows would reference nothing (in {tables})", where=place(step),
            why="PRAGMA foreign_key_check after the rebuild", hint="correct those rows first",
        )  # fmt: skip


def probe(step: RebuildTable, context: Context) -> Outcome:
    """One transaction, with its StepDone; online, what there is to see is told by the progress row."""
    return "not_done" if step.online is None else rebuild_online.probe(step, context)


def repair(step: RebuildTable, context: Context) -> None:
    rebuild_online.repair(step, context)
