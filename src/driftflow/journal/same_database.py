"""The journal in the database that is being changed: what a step did and that it did it commit together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import (
    ENDED,
    ClaimConflict,
    Connection,
    DatabaseFault,
    Debris,
    Lease,
    Progress,
    Request,
    Row,
    RunRow,
    RunStatus,
    ServerIdentity,
    Verb,
)
from driftflow.engine.transactions import transaction
from driftflow.errors import JournalError
from driftflow.journal.install import checked_version, damaged, install
from driftflow.journal.layout import place_of
from driftflow.model.event import AnyEvent, Session
from driftflow.model.record import DecodeError, decode, encode

RUN_COLUMNS = "id, plan_digest, status, identity, fingerprint, executor, message, created_ms, updated_ms"


class SameDatabaseJournal:
    """Stateless: every method works through the connection that it is given."""

    def installed(self, connection: Connection) -> bool:
        return checked_version(connection) > 0

    def install(self, connection: Connection) -> None:
        install(connection)

    def transaction(self, connection: Connection) -> AbstractContextManager[None]:
        return transaction(connection)

    # runs and claims

    def create_run(self, connection: Connection, row: RunRow, claims: Sequence[str]) -> None:
        now = _now(connection)
        with transaction(connection):
            values = (
                row.id,
                row.plan_digest,
                row.status,
                row.plan.decode(),
                encode(row.identity).decode(),
                row.fingerprint,
                row.executor,
            )
            _write(
                connection,
                "INSERT INTO {p}run (id, plan_digest, status, plan, identity, fingerprint, executor, message, created_ms, updated_ms)"
                f" VALUES (%s, %s, %s, %s, %s, %s, %s, '', {now}, {now})",
                values,
            )
            _write(connection, "INSERT INTO {p}fence (run, token) VALUES (%s, 0)", (row.id,))
            _write(
                connection,
                "INSERT INTO {p}lease (run, executor, session_id, session_started, expires_ms) VALUES (%s, '', 0, '', 0)",
                (row.id,),
            )
            self.claim(connection, row.id, claims)

    def claim(self, connection: Connection, run: str, claims: Sequence[str]) -> None:
        with transaction(connection):
            for relation in sorted(set(claims)):
                if _insert_new(connection, "claim (relation, run) VALUES (%s, %s)", "relation", (relation, run)):
                    continue
                owner = _read(connection, "SELECT run FROM {p}claim WHERE relation = %s", (relation,))
                if owner and owner[0][0] != run:
                    raise ClaimConflict(owner[0][0], relation)

    def release_claims(self, connection: Connection, run: str) -> None:
        with transaction(connection):
            _write(connection, "DELETE FROM {p}claim WHERE run = %s", (run,))

    def run(self, connection: Connection, run: str) -> RunRow | None:
        rows = _read(connection, f"SELECT {RUN_COLUMNS}, plan FROM {{p}}run WHERE id = %s", (run,))
        return run_row(rows[0]) if rows else None

    def find(self, connection: Connection, plan_digest: str, *, done: bool = False) -> RunRow | None:
        which = "status = %s" if done else f"status NOT IN ({', '.join('%s' for _ in ENDED)})"
        rows = _read(
            connection,
            f"SELECT {RUN_COLUMNS}, plan FROM {{p}}run WHERE plan_digest = %s AND {which} ORDER BY created_ms DESC, id DESC",
            (plan_digest, *(("done",) if done else ENDED)),
        )
        database = database_here(connection)
        return next((row for row in map(run_row, rows) if began_here(row, database)), None)

    def set_status(self, connection: Connection, run: str, status: RunStatus, message: str = "") -> None:
        with transaction(connection):
            _write(
                connection,
                f"UPDATE {{p}}run SET status = %s, message = %s, updated_ms = {_now(connection)} WHERE id = %s",
                (status, message, run),
            )

    def set_identity(self, connection: Connection, run: str, identity: ServerIdentity) -> None:
        with transaction(connection):
            _write(connection, "UPDATE {p}run SET identity = %s WHERE id = %s", (encode(identity).decode(), run))

    # events

    def events(self, connection: Connection, run: str) -> list[AnyEvent]:
        return [event for _, event in numbered_events(connection, run, 0)]

    def append(self, connection: Connection, event: AnyEvent) -> None:
        """The key (run, seq) makes a second writer fail instead of mixing two histories."""
        with transaction(connection):
            _write(
                connection,
                "INSERT INTO {p}event (run, seq, body) SELECT %s, coalesce(max(seq), 0) + 1, %s FROM {p}event WHERE run = %s",
                (event.run, encode(event).decode(), event.run),
            )

    # fence and lease

    def fence(self, connection: Connection, run: str) -> int:
        share = place_of(connection).share
        rows = _read(connection, f"SELECT token FROM {{p}}fence WHERE run = %s{share}", (run,))
        if not rows:
            raise JournalError("DF-E603", f"the journal has no run {run}", hint="driftflow status")
        return int(rows[0][0])

    def raise_fence(self, connection: Connection, run: str) -> int:
        with transaction(connection):
            _write(connection, "UPDATE {p}fence SET token = token + 1 WHERE run = %s", (run,))
            return int(_read(connection, "SELECT token FROM {p}fence WHERE run = %s", (run,))[0][0])

    def lease(self, connection: Connection, run: str) -> Lease | None:
        rows = _read(
            connection,
            f"SELECT executor, session_id, session_started, expires_ms, expires_ms < {_now(connection)} FROM {{p}}lease WHERE run = %s",
            (run,),
        )
        if not rows or not rows[0][0]:
            return None
        executor, session, started, expires_ms, expired = rows[0]
        return Lease(
            executor=executor, session=Session(id=session, started_at=started), expires_ms=expires_ms, expired=bool(expired)
        )

    def take_lease(
        self, connection: Connection, run: str, executor: str, *, session: Session, seconds: int, force: bool
    ) -> Lease | None:
        with transaction(connection):
            taken = _write(
                connection,
                f"UPDATE {{p}}lease SET executor = %s, session_id = %s, session_started = %s, expires_ms = {_now(connection)} + %s"
                f" WHERE run = %s AND (executor IN ('', %s) OR expires_ms < {_now(connection)} OR %s = 1)",
                (executor, session.id, session.started_at, seconds * 1000, run, executor, int(force)),
            )
            if taken:
                _write(connection, "UPDATE {p}run SET executor = %s WHERE id = %s", (executor, run))
                return None
            return self.lease(connection, run)

    def renew_lease(self, connection: Connection, run: str, executor: str, *, seconds: int) -> bool:
        with transaction(connection):
            sql = f"UPDATE {{p}}lease SET expires_ms = {_now(connection)} + %s WHERE run = %s AND executor = %s"
            return _write(connection, sql, (seconds * 1000, run, executor)) == 1

    def release_lease(self, connection: Connection, run: str, executor: str) -> None:
        with transaction(connection):
            sql = "UPDATE {p}lease SET executor = '', expires_ms = 0 WHERE run = %s AND executor = %s"
            _write(connection, sql, (run, executor))

    # progress, requests, gates, debris

    def progress(self, connection: Connection, run: str, step: str) -> Progress | None:
        rows = _read(connection, "SELECT body FROM {p}progress WHERE run = %s AND step = %s", (run, step))
        return decode(rows[0][0], Progress) if rows else None

    def save_progress(self, connection: Connection, run: str, progress: Progress) -> None:
        with transaction(connection):
            values = (run, progress.step, encode(progress).decode())
            _put(
                connection,
                "progress (run, step, body) VALUES (%s, %s, %s)",
                "(run, step) DO UPDATE SET body = excluded.body",
                values,
            )

    def requests(self, connection: Connection, run: str) -> list[Request]:
        rows = _read(
            connection,
            "SELECT id, verb, arguments, asked_by FROM {p}control WHERE run = %s AND taken_ms IS NULL ORDER BY id",
            (run,),
        )
        return [Request(id=id, verb=_verb(verb), arguments=decode(text, dict[str, str]), by=by) for id, verb, text, by in rows]

    def mark_taken(self, connection: Connection, run: str, ids: Sequence[int]) -> None:
        with transaction(connection):
            for id in ids:
                _write(connection, f"UPDATE {{p}}control SET taken_ms = {_now(connection)} WHERE id = %s AND run = %s", (id, run))

    def open_gate(self, connection: Connection, run: str, gate: str, by: str) -> None:
        with transaction(connection):
            what = f"gate (run, name, opened_by, opened_ms) VALUES (%s, %s, %s, {_now(connection)})"
            _insert_new(connection, what, "run, name", (run, gate, by))

    def opened_gates(self, connection: Connection, run: str) -> dict[str, str]:
        return dict(_read(connection, "SELECT name, opened_by FROM {p}gate WHERE run = %s", (run,)))

    def register(self, connection: Connection, debris: Debris) -> None:
        with transaction(connection):
            _put(
                connection,
                "object (run, step, kind, name, drop_sql) VALUES (%s, %s, %s, %s, %s)",
                "(run, name) DO UPDATE SET drop_sql = excluded.drop_sql",
                (debris.run, debris.step, debris.kind, debris.name, debris.drop_sql),
            )

    def unregister(self, connection: Connection, run: str, name: str) -> None:
        with transaction(connection):
            _write(connection, "DELETE FROM {p}object WHERE run = %s AND name = %s", (run, name))

    def debris(self, connection: Connection, run: str = "") -> tuple[Debris, ...]:
        rows = _read(
            connection,
            "SELECT run, step, kind, name, drop_sql FROM {p}object WHERE %s IN ('', run) ORDER BY run, kind, name",
            (run,),
        )
        return tuple(Debris(run=run, step=step, kind=kind, name=name, drop_sql=drop) for run, step, kind, name, drop in rows)


def _now(connection: Connection) -> str:
    return place_of(connection).now_ms


def _write(connection: Connection, sql: str, parameters: Sequence[Any]) -> int:
    return connection.execute(sql.replace("{p}", place_of(connection).prefix), parameters)


def _insert_new(connection: Connection, what: str, key: str, parameters: Sequence[Any]) -> int:
    """Nothing where the key is there already: 1 or 0."""
    upsert = place_of(connection).upsert
    sql = f"INSERT INTO {{p}}{what} ON CONFLICT ({key}) DO NOTHING" if upsert else f"INSERT IGNORE INTO {{p}}{what}"
    return _write(connection, sql, parameters)


def _put(connection: Connection, what: str, conflict: str, parameters: Sequence[Any]) -> None:
    """In the place of the row with that key, where there is one. `what` names every column: REPLACE writes the whole row."""
    upsert = place_of(connection).upsert
    _write(connection, f"INSERT INTO {{p}}{what} ON CONFLICT {conflict}" if upsert else f"REPLACE INTO {{p}}{what}", parameters)


def database_here(connection: Connection) -> str | None:
    """The database whose runs count, where one journal serves a whole server; else None: all of them do."""
    return connection.identity().database if place_of(connection).shared else None


def began_here(row: RunRow, database: str | None) -> bool:
    """Whether a run is one of this database's."""
    return database is None or row.identity is None or row.identity.database == database


def _read(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    try:
        return connection.query(sql.replace("{p}", place_of(connection).prefix), parameters)
    except DatabaseFault as fault:
        if missing_journal(fault):
            raise damaged("one of its tables is gone", fault.message) from fault
        raise


def _verb(text: str) -> Verb:
    match text:
        case "pause" | "resume" | "throttle" | "abort" | "gate":
            return text
        case _:
            raise JournalError(
                "DF-E604", f"the journal holds a request that we do not know: {text!r}", hint="pip install --upgrade driftflow"
            )


def run_row(row: Row) -> RunRow:
    """From RUN_COLUMNS, with or without the plan behind them."""
    id, plan_digest, status, identity, fingerprint, executor, message, created_ms, updated_ms, *plan = row
    return RunRow(
        id=id,
        plan_digest=plan_digest,
        status=status,
        plan=plan[0].encode() if plan else b"",
        identity=_identity(id, identity),
        fingerprint=fingerprint,
        executor=executor,
        message=message,
        created_at=iso(created_ms),
        updated_at=iso(updated_ms),
    )


def _identity(run: str, text: str) -> ServerIdentity | None:
    try:
        return decode(text, ServerIdentity | None)  # type: ignore[arg-type]  # A union is no class.
    except DecodeError as fault:
        raise damaged(f"nobody can read on which server run {run} began", str(fault)) from fault


def iso(milliseconds: int) -> str:
    """Milliseconds since 1970 as UTC text."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def numbered_events(connection: Connection, run: str, after: int) -> list[tuple[int, AnyEvent]]:
    """Events behind number `after`. An event of a kind that we do not know is never skipped: JournalError."""
    rows = _read(connection, "SELECT seq, body FROM {p}event WHERE run = %s AND seq > %s ORDER BY seq", (run, after))
    try:
        return [(int(seq), decode(body, AnyEvent)) for seq, body in rows]  # type: ignore[arg-type]
    except DecodeError as fault:
        raise JournalError(
            "DF-E605",
            f"the journal of run {run} holds an event that we cannot read",
            why=str(fault),
            hint="pip install --upgrade driftflow",
        ) from fault


def missing_journal(fault: DatabaseFault) -> bool:
    """Whether the fault says that there is no journal (yet)."""
    return fault.code in {"42P01", "3F000", "1146", "1049"} or (
        fault.kind is ErrorKind.SYNTAX and "no such table" in fault.message
    )
