"""What both forms of a rebuild do to the table: what is copied, what is checked first, what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from driftflow.engine.actions.build_index import quoted
from driftflow.engine.context import Context
from driftflow.engine.faults import place
from driftflow.engine.ports import Connection, Row
from driftflow.errors import RefusedError, StepFailedError
from driftflow.model.plan import RebuildTable

ROWIDS = ("rowid", "_rowid_", "oid")
TRIGGER = "capture trigger"
REPLACED = "replaced table"
"""Kinds of debris. They sort in the order in which they must go: triggers first, or the application's writes would miss their tables."""


class Rewritten(Exception):
    """The schema changed under a copy that walks by hidden rowids, as VACUUM does, which numbers them anew."""


def rewritten(step: RebuildTable, context: Context) -> None:
    """Raises Rewritten. Only a key that no column holds is watched."""
    known = context.state.step(step.id).before.get("schema_version")
    if step.online is None or step.online.key[0].lower() not in ROWIDS or known is None:
        return
    if str(context.connection.query("PRAGMA schema_version")[0][0]) != known:
        raise Rewritten


@contextmanager
def pragmas(connection: Connection) -> Iterator[None]:
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


def inserted_columns(step: RebuildTable) -> tuple[str, str]:
    """The new table's columns, and the expressions over the old one that fill them."""
    columns, expressions = (", ".join(part) for part in zip(*((column(to), source) for to, source in step.copy), strict=True))
    return columns, expressions


def column(name: str) -> str:
    return name if name.lower() in ROWIDS else quoted(name)


def check_unchanged(step: RebuildTable, connection: Connection) -> None:
    rows = connection.query("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = %s", (step.table.name,))
    found = rows[0][0] if rows else ""
    if not rows or (step.expected_sql and found != step.expected_sql):
        raise changed(step, "its CREATE TABLE text changed" if rows else "there is no such table")


def changed(step: RebuildTable, why: str) -> RefusedError:
    return RefusedError(
        "DF-E315", f"the table {step.table.name} is not the one that the plan was made for", where=place(step), why=why,
        hint="make the plan again: driftflow plan",
    )  # fmt: skip


def lost_rows(step: RebuildTable, left: int, of: int) -> StepFailedError:
    return StepFailedError(
        "DF-E538", f"{left} of {of} rows would be left", where=place(step),
        why="a conflict clause of the new table, or the action of a new foreign key, dropped rows",
        hint="remove ON CONFLICT from the new form, or clean the rows first",
    )  # fmt: skip


def hanging(step: RebuildTable, connection: Connection) -> list[tuple[str, str]]:
    """(index or trigger, name) of all that was created on the table; the indexes of its keys go with it."""
    rows = connection.query(
        "SELECT type, name FROM sqlite_schema WHERE tbl_name = %s COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL",
        (step.table.name,),
    )
    return [(str(kind), str(name)) for kind, name in rows]


def definition(step: RebuildTable, connection: Connection) -> str:
    """Of all that hangs on the table, without ours: a hash."""
    rows = connection.query(
        "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = %s COLLATE NOCASE AND substr(name, 1, 11) <> '_driftflow_' ORDER BY 1, 2",
        (step.table.name,),
    )
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def keep_sequence(step: RebuildTable, connection: Connection) -> None:
    """The highest id ever given, not the highest that is left: else an id would be given twice."""
    rows = connection.query("SELECT seq FROM sqlite_sequence WHERE name = %s", (step.table.name,))
    if not rows:
        return
    if not connection.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", (rows[0][0], step.temporary_name)):
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", (step.temporary_name, rows[0][0]))


def statistics_of(step: RebuildTable, connection: Connection) -> list[Row]:
    """ANALYZE's rows, which DROP TABLE deletes: without them the query planner may turn to another plan."""
    if not connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"):
        return []
    return connection.query("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE tbl = %s", (step.table.name,))


def restore_statistics(connection: Connection, rows: list[Row]) -> None:
    for table, index, statistic in rows:
        if index is None or connection.query("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = %s", (index,)):
            connection.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", (table, index, statistic))
