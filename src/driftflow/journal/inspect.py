"""What other commands ask of a journal: status, watch, requests to a run from another terminal, claims, and what is left to clean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from driftflow.engine.begin import plan_in
from driftflow.engine.ports import ENDED, Connection, Debris, RunStatus, Verb
from driftflow.engine.state import fold
from driftflow.engine.transactions import transaction
from driftflow.errors import RefusedError, UsageError
from driftflow.journal.install import checked_version
from driftflow.journal.layout import place_of
from driftflow.journal.same_database import RUN_COLUMNS, SameDatabaseJournal, began_here, database_here, numbered_events, run_row
from driftflow.model.event import Aborted, AnyEvent
from driftflow.model.names import Name
from driftflow.model.plan import Gate, Plan, Step
from driftflow.model.record import Record, encode

JOURNAL = SameDatabaseJournal()


class RunSummary(Record, frozen=True, kw_only=True):
    """One run, for `status`."""

    run: str
    plan_digest: str
    state: RunStatus
    alive: bool
    """Whether an executor's heartbeat is fresh. A `running` run that is not alive was killed: `resume` goes on."""
    executor: str = ""
    direction: str = "forward"
    migrations: tuple[str, ...] = ()
    steps_done: int = 0
    steps_total: int = 0
    step: str = ""
    """Purpose of the step that comes next or is under way."""
    rows: int = 0
    """Rows that its backfill changed."""
    rows_estimate: int | None = None
    gate: str = ""
    not_before: str = ""
    """The day (ISO 8601) until which that gate stays shut."""
    created_at: str = ""
    updated_at: str = ""
    message: str = ""


class ClaimRow(Record, frozen=True, kw_only=True):
    relation: str
    run: str


def runs(connection: Connection, *, unfinished: bool = False) -> tuple[RunSummary, ...]:
    """Every run, the newest first; none where there is no journal."""
    if not checked_version(connection):
        return ()
    database = database_here(connection)
    rows = connection.query(f"SELECT {RUN_COLUMNS} FROM {place_of(connection).prefix}run ORDER BY created_ms DESC, id DESC")
    found = (row for row in map(run_row, rows) if not (unfinished and row.status in ENDED) and began_here(row, database))
    return tuple(_summary(connection, row.id, row.updated_at) for row in found)


def run_summary(connection: Connection, run: str) -> RunSummary:
    """Raises UsageError when there is no such run."""
    if not checked_version(connection) or JOURNAL.run(connection, run) is None:
        raise UsageError("DF-E120", f"this database knows no run {run}", hint="driftflow status")
    return _summary(connection, run, "")


def _summary(connection: Connection, run: str, updated_at: str) -> RunSummary:
    row = JOURNAL.run(connection, run)
    assert row is not None
    plan = plan_in(row)
    state = fold(JOURNAL.events(connection, run))
    lease = JOURNAL.lease(connection, run)
    backward = state.direction == "backward"
    wanted = {"undone", "pending"} if backward else {"done"}
    ordered = tuple(reversed(plan.steps)) if backward else plan.steps
    current = next((step for step in ordered if state.step(step.id).status not in wanted), None)
    progress = JOURNAL.progress(connection, run, current.id) if current is not None else None
    return RunSummary(
        run=run,
        plan_digest=row.plan_digest,
        state=row.status,
        alive=lease is not None and not lease.expired,
        executor=row.executor,
        direction=state.direction,
        migrations=tuple(migration.id for migration in plan.migrations),
        steps_done=sum(state.done(step.id) for step in plan.steps),
        steps_total=len(plan.steps),
        step=current.purpose if current is not None else "",
        rows=progress.rows if progress else 0,
        rows_estimate=getattr(current, "rows_estimate", None),
        gate=_gate_name(current, backward=backward) if row.status == "waiting_at_gate" else "",
        not_before=current.not_before if isinstance(current, Gate) and row.status == "waiting_at_gate" and not backward else "",
        created_at=row.created_at,
        updated_at=updated_at or row.updated_at,
        message=row.message,
    )


def _gate_name(step: Step | None, *, backward: bool) -> str:
    """What opens the gate that the run waits at, in its direction."""
    if not isinstance(step, Gate):
        return ""
    return step.name_back if backward else step.name


def stored_plan(connection: Connection, run: str) -> Plan:
    """The plan that a run carries out."""
    row = JOURNAL.run(connection, run) if checked_version(connection) else None
    if row is None:
        raise UsageError("DF-E120", f"this database knows no run {run}", hint="driftflow status")
    return plan_in(row)


def events_since(connection: Connection, run: str, after: int = 0) -> list[tuple[int, AnyEvent]]:
    """The durable events behind number `after`, each with its number, for `watch`. Chunks are in the progress row, not among them."""
    return numbered_events(connection, run, after)


def request(connection: Connection, run: str, verb: Verb, arguments: Mapping[str, str] | None = None, *, by: str = "") -> str:
    """Ask something of a run, from any machine that reaches the database; obeyed within one chunk. Returns what happens now.

    `gate` takes `name`, `throttle` takes `milliseconds` (an extra rest after each chunk; 0 ends it).
    """
    if verb not in get_args(Verb):
        raise UsageError("DF-E121", f"not a request: {verb}", hint=f"one of {', '.join(get_args(Verb))}")
    summary = run_summary(connection, run)
    if summary.state in ENDED:
        raise RefusedError("DF-E308", f"run {run} is over ({summary.state.replace('_', ' ')})", hint="driftflow status")
    if verb == "gate":
        _open_gate(connection, run, (arguments or {}).get("name", ""), by)
    if verb == "abort" and not summary.alive:
        return _abort_without_executor(connection, run, by)
    _ask(connection, run, verb, arguments or {}, by)
    if verb == "gate":
        return "open"
    if summary.alive:
        return "asked; it is obeyed within one chunk"
    raise RefusedError(
        "DF-E318", f"nobody executes run {run}", why=f"it is {summary.state.replace('_', ' ')}", hint=f"driftflow resume {run}"
    )


def _open_gate(connection: Connection, run: str, name: str, by: str) -> None:
    steps = [step for step in stored_plan(connection, run).steps if isinstance(step, Gate)]
    gates = [step.name for step in steps] + [step.name_back for step in steps if step.question_back]
    if name not in gates:
        raise UsageError("DF-E122", f"run {run} has no gate {name!r}", hint=f"its gates: {', '.join(gates) or 'none'}")
    day = next((step.not_before for step in steps if step.name == name), "")
    if connection.server_now()[:10] < day:
        raise RefusedError(
            "DF-E645",
            f"the gate {name} stays shut until {day}",
            where=f"run {run}",
            why="a deprecation period ends on that day, and whoever still uses the column was promised it",
            hint=f"from {day} on: driftflow gate open {run} {name}",
        )
    JOURNAL.open_gate(connection, run, name, by)


def _ask(connection: Connection, run: str, verb: Verb, arguments: Mapping[str, str], by: str) -> None:
    place = place_of(connection)
    with transaction(connection):
        connection.execute(
            f"INSERT INTO {place.prefix}control (id, run, verb, arguments, asked_by, asked_ms)"
            f" SELECT coalesce(max(id), 0) + 1, %s, %s, %s, %s, {place.now_ms} FROM {place.prefix}control",
            (run, verb, encode(dict(arguments)).decode(), by),
        )


def _abort_without_executor(connection: Connection, run: str, by: str) -> str:
    with transaction(connection):
        fence = JOURNAL.raise_fence(connection, run)
        JOURNAL.append(
            connection, Aborted(run=run, at=connection.server_now(), fence=fence, by=by, reason="nobody was executing")
        )
        JOURNAL.set_status(connection, run, "aborted", f"aborted by {by}" if by else "aborted")
    return f"aborted; what it did stays until: driftflow rollback {run}"


def claims(connection: Connection) -> tuple[ClaimRow, ...]:
    """Which relation is claimed by which unfinished run."""
    if not checked_version(connection):
        return ()
    rows = connection.query(f"SELECT relation, run FROM {place_of(connection).prefix}claim ORDER BY relation")
    return tuple(ClaimRow(relation=relation, run=run) for relation, run in rows)


def leftover(connection: Connection) -> tuple[Debris, ...]:
    """Objects of ours that no unfinished run still needs."""
    if not checked_version(connection):
        return ()
    found, database = [], database_here(connection)
    for debris in JOURNAL.debris(connection):
        row = JOURNAL.run(connection, debris.run)
        if row is None or (row.status in ENDED and began_here(row, database)):
            found.append(debris)
    return tuple(found)


def clean(connection: Connection, *, dry_run: bool) -> tuple[str, ...]:
    """Remove what the journal says is ours and no unfinished run needs; the statements, as they were (or would be) run."""
    statements = []
    for debris in leftover(connection):
        statements.append(debris.drop_sql)
        if not dry_run:
            connection.set_timeouts(lock_ms=2_000, statement_ms=60_000)
            connection.execute(debris.drop_sql)
            JOURNAL.unregister(connection, debris.run, debris.name)
    return tuple(statements)


def relations_of_journal(dialect: str) -> tuple[Name, ...]:
    """What is ours and no part of anybody's schema, on PostgreSQL and SQLite."""
    tables = ("meta", "run", "event", "fence", "lease", "progress", "claim", "control", "gate", "object")
    if dialect == "postgresql":
        return tuple(Name(schema="driftflow", name=table) for table in tables)
    return tuple(Name(schema="main", name=f"_driftflow_{table}") for table in tables)
