"""What the tests of the online rebuild share: a file, a change that ALTER TABLE cannot make, and its step in both forms."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from driftflow.config import Policy
from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.online import foreign_keys_change, online_copy, why_not_online
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.rebuild import rebuild_step_parts
from driftflow.drivers.sqlite_catalog import read_catalog
from driftflow.drivers.urls import connector_for
from driftflow.engine.clock import SystemClock
from driftflow.engine.run import RunOptions, RunReport, roll_back, run_plan
from driftflow.journal.inspect import relations_of_journal
from driftflow.journal.same_database import SameDatabaseJournal
from driftflow.model.catalog import Catalog
from driftflow.model.plan import ChunkPolicy, Plan, RebuildTable, UndoSteps
from driftflow.model.record import replace

SMALL_CHUNKS = ChunkPolicy(target_ms=35, rows_first=10, rows_min=2, rows_max=10, rest_percent=100)
LARGE_CHUNKS = ChunkPolicy(target_ms=35, rest_percent=100)


def read(url: str) -> Catalog:
    with closing(connector_for(url).connect("test")) as connection:
        return read_catalog(connection)


def fingerprint(connection: Any, names: Any) -> str:
    return read_catalog(connection, relations=names).fingerprint(names)


def rebuild_step(
    url: str, sql: str, *, online: bool, chunk: ChunkPolicy = SMALL_CHUNKS, expressions: dict[str, str] | None = None
) -> RebuildTable:
    """The step that carries out an ALTER TABLE which SQLite does not have, and its undo."""
    catalog = read(url)
    dialect = SQLite()
    operation = dialect.resolve(parse_sql(sql)[0], catalog)
    changed = catalog.after(operation)
    name = operation.table
    undo = _step(changed, catalog, name, online=online, chunk=chunk, id="", expressions={})
    step = _step(catalog, changed, name, online=online, chunk=chunk, id="rebuild", expressions=expressions or {})
    return replace(step, undo=UndoSteps(steps=(undo,)))


def _step(
    before: Catalog, after: Catalog, name: Any, *, online: bool, chunk: ChunkPolicy, id: str, expressions: dict[str, str]
) -> RebuildTable:
    old, new = before.table(name), after.table(name)
    assert old is not None
    assert new is not None
    parts = rebuild_step_parts(old, new, before, expressions=expressions)
    copy = online_copy(old, new, before, temporary_name=parts.temporary_name, copy=parts.copy, chunk=chunk) if online else None
    assert (copy is not None) == online, why_not_online(old, new, before, copy=parts.copy)
    return RebuildTable(
        id=id,
        purpose=f"Rebuild {name.name}",
        table=name,
        create_sql=parts.create_sql,
        temporary_name=parts.temporary_name,
        copy=parts.copy,
        drop_views=parts.drop_views,
        restore=parts.restore,
        autoincrement=parts.autoincrement,
        expected_sql=parts.expected_sql,
        foreign_keys_change=foreign_keys_change(old, new, before, copy=parts.copy),
        online=copy,
        statement_timeout_ms=0,
    )


def plan_of(url: str, *steps: RebuildTable) -> Plan:
    tables = tuple(sorted({step.table for step in steps}))
    catalog = read(url)
    return Plan(
        dialect="sqlite",
        migrations=(),
        relations=tables,
        catalog_fingerprint=catalog.fingerprint(tables),
        fingerprint_relations=tables,
        steps=steps,
    )


def edge(url: str, **changes: Any) -> dict[str, Any]:
    return {
        "connector": connector_for(url),
        "journal": SameDatabaseJournal(),
        "fingerprint": fingerprint,
        "clock": SystemClock(),
        "listener": lambda event: None,
        "policy": Policy(),
        **changes,
    }


def apply(url: str, plan: Plan, **changes: Any) -> RunReport:
    return run_plan(plan, **edge(url, **changes))


def take_back(url: str, run: str, **changes: Any) -> RunReport:
    return roll_back(run, **edge(url, options=changes.pop("options", RunOptions()), **changes))


def leftovers(file: Path) -> list[str]:
    """Objects of ours beside the journal's own tables."""
    own = {name.name for name in relations_of_journal("sqlite")}
    with opened(file) as db:
        ours = "SELECT name, tbl_name FROM sqlite_schema WHERE name LIKE '\\_driftflow\\_%' ESCAPE '\\'"
        found = [name for name, table in db.execute(ours) if table not in own]
        registered = [row[0] for row in db.execute("SELECT name FROM _driftflow_object")]
    return sorted(name for name in found if name != "_driftflow_migration") + registered


@contextmanager
def opened(file: Path, *, busy_ms: int = 1000) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(file, isolation_level=None, timeout=busy_ms / 1000)
    try:
        yield db
    finally:
        db.close()


def contents(file: Path) -> list[Any]:
    """Schema, rows with their rowids, counters and statistics; without ours."""
    with opened(file) as db:
        ours = "name NOT LIKE '\\_driftflow%' ESCAPE '\\' AND tbl_name NOT LIKE '\\_driftflow%' ESCAPE '\\'"
        schema = db.execute(f"SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE {ours} ORDER BY 1, 2").fetchall()
        rows = []
        for kind, name, _, sql in schema:
            if kind == "table" and not str(sql).upper().startswith("CREATE VIRTUAL"):
                hidden = "" if "WITHOUT ROWID" in str(sql).upper() or name.startswith("sqlite_") else "rowid, "
                rows.append((name, sorted(db.execute(f"SELECT {hidden}* FROM {quote(name)}").fetchall(), key=repr)))
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        # A counter of 0 says the same as none: nothing was ever inserted.
        rows = [(name, [row for row in found if name != "sqlite_sequence" or row[-1]]) for name, found in rows]
        return [schema, [entry for entry in rows if entry[0] != "sqlite_sequence" or entry[1]]]
