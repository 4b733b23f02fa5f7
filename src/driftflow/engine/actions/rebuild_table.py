"""RebuildTable: SQLite's own recipe for what its ALTER TABLE cannot do, in one transaction.

The order matters: new table, copy, drop the old, rename the new. Renaming the old one first moves other tables' foreign keys and views along
with it (measured). Foreign keys are off meanwhile, or DROP TABLE would delete the rows of referencing tables; the pragma does nothing inside
a transaction, so it comes before. Source: SQLite documentation, "Making Other Kinds Of Table Schema Changes".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from driftflow.engine.actions.build_index import quoted
from driftflow.engine.context import Context
from driftflow.engine.faults import place
from driftflow.engine.ports import Connection, Row
from driftflow.errors import RefusedError, StepFailedError
from driftflow.model.plan import Outcome, RebuildTable


def perform(step: RebuildTable, context: Context) -> None:
    begun = context.clock.monotonic()
    context.started(step)
    with _pragmas(context.connection), context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms):
        rows = _rebuild(step, context)
        context.finished(step, begun, rows=rows)


@contextmanager
def _pragmas(connection: Connection) -> Iterator[None]:
    """foreign_keys off and legacy_alter_table on; afterwards as they were. The latter keeps RENAME from rewriting, and from failing on, views
    and triggers that mention the table (hazards section 4)."""
    names = ("foreign_keys", "legacy_alter_table")
    before = {name: connection.query(f"PRAGMA {name}")[0][0] for name in names}
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA legacy_alter_table = ON")
    try:
        yield
    finally:
        if not connection.in_transaction:
            for name in names:
                connection.execute(f"PRAGMA {name} = {before[name]}")


def _rebuild(step: RebuildTable, context: Context) -> int:
    connection = context.connection
    table, new = quoted(step.table.name), quoted(step.temporary_name)
    _check_unchanged(step, connection)
    broken = _violations(connection)
    statistics = _statistics(step, connection)
    for statement in step.drop_views:
        connection.execute(statement)
    connection.execute(step.create_sql)
    columns, expressions = (", ".join(part) for part in zip(*((_column(to), source) for to, source in step.copy), strict=True))
    copied = connection.execute(f"INSERT INTO {new} ({columns}) SELECT {expressions} FROM {table}")
    _check_count(step, connection, table, new)
    if step.autoincrement:
        _keep_sequence(step, connection)
    connection.execute(f"DROP TABLE {table}")
    connection.execute(f"ALTER TABLE {new} RENAME TO {table}")
    for statement in step.restore:
        connection.execute(statement)
    _restore_statistics(connection, statistics)
    _check_after(step, connection, broken)
    return copied


def _column(name: str) -> str:
    return name if name.lower() in {"rowid", "_rowid_", "oid"} else quoted(name)


def _check_unchanged(step: RebuildTable, connection: Connection) -> None:
    rows = connection.query("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = %s", (step.table.name,))
    found = rows[0][0] if rows else ""
    if not rows or (step.expected_sql and found != step.expected_sql):
        raise RefusedError(
            "DF-E315",
            f"the table {step.table.name} is not the one that the plan was made for",
            where=place(step),
            why="its CREATE TABLE text changed" if rows else "there is no such table",
            hint="make the plan again: driftflow plan",
        )


def _violations(connection: Connection) -> frozenset[Row]:
    """Foreign keys broken already: not ours to judge, but none may be added."""
    return frozenset(connection.query("PRAGMA foreign_key_check"))


def _check_count(step: RebuildTable, connection: Connection, table: str, new: str) -> None:
    old_rows, new_rows = connection.query(f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {new})")[0]
    if old_rows != new_rows:
        raise StepFailedError(
            "DF-E538", f"{new_rows} of {old_rows} rows would be left", where=place(step),
            why="a conflict clause of the new table dropped rows", hint="remove ON CONFLICT from the new form, or clean the rows first",
        )  # fmt: skip


def _keep_sequence(step: RebuildTable, connection: Connection) -> None:
    """The highest id ever given, not the highest that is left: else an id would be given twice."""
    rows = connection.query("SELECT seq FROM sqlite_sequence WHERE name = %s", (step.table.name,))
    if not rows:
        return
    if not connection.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", (rows[0][0], step.temporary_name)):
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", (step.temporary_name, rows[0][0]))


def _statistics(step: RebuildTable, connection: Connection) -> list[Row]:
    """ANALYZE's rows, which DROP TABLE deletes: without them the query planner may turn to another plan."""
    if not connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"):
        return []
    return connection.query("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE tbl = %s", (step.table.name,))


def _restore_statistics(connection: Connection, rows: list[Row]) -> None:
    for table, index, statistic in rows:
        if index is None or connection.query("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = %s", (index,)):
            connection.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", (table, index, statistic))


def _check_after(step: RebuildTable, connection: Connection, broken: frozenset[Row]) -> None:
    fresh = [row for row in _violations(connection) if row not in broken]
    if fresh:
        tables = ", ".join(sorted({str(row[0]) for row in fresh}))
        raise StepFailedError(
            "DF-E539", f"{len(fresh)} rows would reference nothing (in {tables})", where=place(step),
            why="PRAGMA foreign_key_check after the rebuild", hint="correct those rows first",
        )  # fmt: skip
    said = connection.query(f"PRAGMA integrity_check({quoted(step.table.name)})")
    if said != [("ok",)]:
        raise StepFailedError(
            "DF-E540", "the rebuilt table does not pass SQLite's integrity check", where=place(step), why=str(said[0][0]),
            hint="rows contradict the new form's constraints; correct them first",
        )  # fmt: skip


def probe(step: RebuildTable, context: Context) -> Outcome:
    """One transaction, with its StepDone."""
    return "not_done"
