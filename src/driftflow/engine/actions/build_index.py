"""BuildIndex: CREATE INDEX CONCURRENTLY and what it leaves when it does not end well.

PostgreSQL keeps an INVALID index after a failed or killed build: it costs every write, and a unique one still rejects duplicates. IF NOT
EXISTS would take it for done, so the catalog is asked instead.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from driftflow.dialects.base import ErrorKind
from driftflow.engine.context import Context
from driftflow.engine.faults import place
from driftflow.engine.lease import settle_timeouts
from driftflow.engine.ports import Connection, DatabaseFault, Debris
from driftflow.errors import StepFailedError
from driftflow.model.catalog import Index, IndexPart
from driftflow.model.event import StepRepaired
from driftflow.model.names import Name
from driftflow.model.plan import BuildIndex, Outcome

FOUND = """
SELECT i.indisvalid AND i.indisready, pg_catalog.pg_get_indexdef(i.indexrelid), n.nspname, t.relname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE s.nspname = %s AND c.relname = %s
"""
BUILDERS = """
SELECT a.pid, pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
FROM pg_catalog.pg_stat_progress_create_index AS p
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = p.pid
WHERE p.datname = pg_catalog.current_database() AND p.relid = pg_catalog.to_regclass(%s) AND p.pid <> pg_catalog.pg_backend_pid()
"""
State = Literal["absent", "valid", "invalid"]


def perform(step: BuildIndex, context: Context) -> None:
    if context.connection.dialect == "sqlite":
        _in_transaction(step, context)
        return
    begun = context.clock.monotonic()
    state = _state(step, context.connection)
    if state == "valid":
        _same_or_refuse(step, context)
        context.started(step)
        with context.fenced():
            context.finished(step, begun, found_done=True)
        return
    context.started(step, before={"index": "absent"})
    if state == "invalid":
        repair(step, context)
    name = qualified(step.index.name)
    context.journal.register(
        context.connection,
        Debris(run=context.run, step=step.id, kind="index", name=name, drop_sql=f"DROP INDEX CONCURRENTLY IF EXISTS {name}"),
    )
    try:
        _alone(context, step.create_sql, step)
    except DatabaseFault as fault:
        if fault.kind is not ErrorKind.CONNECTION_LOST:
            _take_away(step, context)
        raise
    if _state(step, context.connection) != "valid":
        raise StepFailedError(
            "DF-E518", "the index was built but is not valid", where=place(step), hint=f"driftflow resume {context.run}"
        )
    with context.fenced():
        context.journal.unregister(context.connection, context.run, name)
        context.finished(step, begun)


def _take_away(step: BuildIndex, context: Context) -> None:
    """An invalid index is removed at once when that is quick; else the next run repairs it. The first error is the one to tell."""
    with suppress(DatabaseFault):
        context.connection.set_timeouts(lock_ms=1_000, statement_ms=2_000)
        if _state(step, context.connection) == "invalid":
            context.connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {qualified(step.index.name)}")
        settle_timeouts(context.connection)


def _in_transaction(step: BuildIndex, context: Context) -> None:
    begun = context.clock.monotonic()
    context.started(step)
    with context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms):
        context.connection.execute(step.create_sql)
        context.finished(step, begun)


def _alone(context: Context, statement: str, step: BuildIndex) -> None:
    """Nobody queues behind SHARE UPDATE EXCLUSIVE but other DDL, so there is no lock timeout: the build itself waits for every older
    transaction as for a lock, and would be cut off by it (hazards R-LOCK)."""
    context.check_fence()
    context.connection.set_timeouts(lock_ms=0, statement_ms=step.statement_timeout_ms)
    try:
        with context.watched(0):
            context.connection.execute(statement)
    finally:
        settle_timeouts(context.connection)


def probe(step: BuildIndex, context: Context) -> Outcome:
    """The catalog is the probe. Another session may still be building: that is waited for before."""
    if context.connection.dialect == "sqlite":
        return "not_done"
    if context.connection.query(BUILDERS, (qualified(step.index.table),)):
        return "running"
    match _state(step, context.connection):
        case "absent":
            return "not_done"
        case "invalid":
            return "half_done"
        case "valid":
            _same_or_refuse(step, context)
            return "done"


def repair(step: BuildIndex, context: Context) -> None:
    """The invalid index goes, concurrently; then the step can run again."""
    statement = f"DROP INDEX CONCURRENTLY IF EXISTS {qualified(step.index.name)}"
    _alone(context, statement, step)
    context.record(StepRepaired(run=context.run, at=context.now(), fence=context.fence, step=step.id, repair=statement))


def _state(step: BuildIndex, connection: Connection) -> State:
    rows = connection.query(FOUND, (step.index.name.schema, step.index.name.name))
    if not rows:
        return "absent"
    return "valid" if rows[0][0] else "invalid"


def _same_or_refuse(step: BuildIndex, context: Context) -> None:
    """An index of that name that we did not just build is accepted only when the server itself spells both alike."""
    connection = context.connection
    _, definition, schema, table = connection.query(FOUND, (step.index.name.schema, step.index.name.name))[0]
    wanted = expected_definition(step.index, connection)
    found = _body(definition)
    if Name(schema=schema, name=table) == step.index.table and found == wanted:
        return
    raise StepFailedError(
        "DF-E519",
        f"an index {step.index.name} exists and is another one",
        where=place(step),
        why=f"it is on {schema}.{table}: {found}; the plan wants: {wanted}",
        hint="drop or rename it, or give the new index another name",
    )


def _body(definition: str) -> str:
    """Everything that matters behind the names: `UNIQUE btree (a, lower(b)) WHERE ...`."""
    head, _, tail = definition.partition(" USING ")
    return ("UNIQUE " if head.startswith("CREATE UNIQUE") else "") + tail


def expected_definition(index: Index, connection: Connection) -> str:
    """How the server would spell it: built on an empty temporary copy of the table and rolled back."""
    copy = quoted(index.table.name)
    connection.begin()
    try:
        connection.set_timeouts(lock_ms=1_000, statement_ms=10_000)
        connection.execute(f"CREATE TEMPORARY TABLE {copy} (LIKE {qualified(index.table)} INCLUDING GENERATED) ON COMMIT DROP")
        connection.execute(definition_sql(index, f"pg_temp.{copy}"))
        rows = connection.query(
            "SELECT pg_catalog.pg_get_indexdef(indexrelid) FROM pg_catalog.pg_index WHERE indrelid = pg_catalog.to_regclass(%s)",
            (f"pg_temp.{copy}",),
        )
    finally:
        connection.rollback()
    return _body(rows[0][0])


def definition_sql(index: Index, table: str) -> str:
    """CREATE INDEX on another table, from the record."""
    parts = ", ".join(_part(part) for part in index.parts)
    return (
        f"CREATE {'UNIQUE ' if index.unique else ''}INDEX ON {table} USING {index.method or 'btree'} ({parts})"
        + (f" INCLUDE ({', '.join(map(quoted, index.include))})" if index.include else "")
        + (" NULLS NOT DISTINCT" if index.nulls_not_distinct else "")
        + (f" WITH ({', '.join(index.options)})" if index.options else "")
        + (f" WHERE {index.predicate}" if index.predicate else "")
    )


def _part(part: IndexPart) -> str:
    return (
        (quoted(part.column) if part.column else f"({part.expression})")
        + (f" COLLATE {part.collation}" if part.collation else "")
        + (f" {part.opclass}" if part.opclass else "")
        + (" DESC" if part.descending else "")
        + ("" if part.nulls_first is None else f" NULLS {'FIRST' if part.nulls_first else 'LAST'}")
    )


def quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def qualified(name: Name) -> str:
    return f"{quoted(name.schema)}.{quoted(name.name)}" if name.schema else quoted(name.name)
