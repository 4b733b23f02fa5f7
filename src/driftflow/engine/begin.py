"""Every reason to refuse, looked at before anything is written; then the journal, the claims and the row of the run."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driftflow.engine.faults import general_error, irreversible_error
from driftflow.engine.guards import check_guard
from driftflow.engine.parts import Direction, Parts, RunReport
from driftflow.engine.ports import (
    ClaimConflict,
    Connection,
    DatabaseFault,
    RunRow,
)
from driftflow.engine.state import fold
from driftflow.errors import JournalError, RefusedError, UsageError
from driftflow.model.plan import PHASES, Irreversible, Plan, QuerySource, Stage, Step
from driftflow.model.record import DecodeError, decode, encode


def check_plan(plan: Plan, parts: Parts) -> None:
    """What the plan alone, and the files it names, say against running it."""
    if {plan.dialect, parts.connector.dialect} != {"mysql", "mariadb"}:  # Which of these two it is, only the server says.
        check_dialect(plan, parts, parts.connector.dialect)
    ids = [step.id for step in plan.steps]
    if len(set(ids)) != len(ids) or "" in ids:
        raise RefusedError("DF-E316", "two steps of the plan have the same id", hint="make the plan again: driftflow plan")
    accepted = accepted_names(plan, parts, "forward")
    for step in plan.steps:
        if _ahead(step, parts) and isinstance(step.undo, Irreversible) and step.undo.name not in accepted:
            raise irreversible_error(step, "", backward=False)
    for input in plan.inputs:
        _check_input(parts.folder, input.path, input.sha256)


def check_dialect(plan: Plan, parts: Parts, found: str) -> None:
    """Raises RefusedError when the plan is for another kind of server."""
    if plan.dialect != found:
        raise RefusedError(
            "DF-E301", f"the plan is for {plan.dialect}, the database is {found}", where=parts.connector.display,
            hint="driftflow plan with the right --url",
        )  # fmt: skip


def _ahead(step: Step, parts: Parts) -> bool:
    """Whether the step belongs to what this command is to do."""
    return parts.options.phase is None or PHASES.index(step.phase) <= PHASES.index(parts.options.phase)


def check_sources(plan: Plan, parts: Parts) -> None:
    """Another database that the plan reads from must answer now, not when half of the plan is done."""
    for step in plan.steps:
        if _ahead(step, parts) and isinstance(step, Stage) and isinstance(step.source, QuerySource) and parts.sources is not None:
            parts.sources(step.source.url_env).connect("source").close()


def _check_input(folder: Path, path: str, sha256: str) -> None:
    try:
        found = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    except OSError as error:
        raise RefusedError(
            "DF-E312",
            f"an input of the plan cannot be read: {path}",
            why=error.strerror or "",
            hint="put it back where the plan was made",
        ) from error
    if found != sha256:
        raise RefusedError(
            "DF-E313", f"{path} changed since the plan was made", why="its SHA-256 is part of the digest", hint="driftflow plan"
        )


def accepted_names(plan: Plan, parts: Parts, direction: Direction) -> tuple[str, ...]:
    """What was accepted for the way forward says nothing about a rollback that cannot bring it back."""
    return parts.options.accept if direction == "backward" else (*plan.accepted, *parts.policy.accept, *parts.options.accept)


@contextmanager
def connected(parts: Parts) -> Iterator[Connection]:
    connection = parts.connector.connect("apply")
    try:
        yield connection
    except DatabaseFault as fault:
        raise general_error(fault, parts.connector.display) from fault
    finally:
        connection.close()


def stored(run: str, parts: Parts, connection: Connection) -> tuple[RunRow, Plan]:
    """The run and its plan from the journal."""
    row = parts.journal.run(connection, run) if parts.journal.installed(connection) else None
    if row is None:
        raise UsageError("DF-E120", f"this database knows no run {run}", where=parts.connector.display, hint="driftflow status")
    return row, plan_in(row)


def plan_in(row: RunRow) -> Plan:
    """The plan that is stored with a run. Raises JournalError when it is not the one that the run began with."""
    try:
        plan = decode(row.plan, Plan)
    except DecodeError as fault:
        raise _changed(row, str(fault)) from fault
    if plan.digest != row.plan_digest:
        raise _changed(row, "its digest does not fit its content")
    return plan


def _changed(row: RunRow, why: str) -> JournalError:
    return JournalError("DF-E606", f"the plan stored with run {row.id} was changed", why=why, hint="driftflow doctor")


def _unused(parts: Parts, connection: Connection) -> str:
    """A name that no run of the journal has; short enough to be typed, so that chance alone gives one twice."""
    while True:
        name = f"{parts.clock.now()[:10].replace('-', '')}-{secrets.token_hex(3)}"
        if parts.journal.run(connection, name) is None:
            return name


def create(plan: Plan, parts: Parts, connection: Connection) -> RunRow:
    """A new run: every reason to refuse first, then the journal, then the claims."""
    check_dialect(plan, parts, connection.dialect)
    compare(plan.catalog_fingerprint, plan, parts, connection, "since the plan was made", "make the plan again: driftflow plan")
    for guard in plan.requires:
        check_guard(guard, connection, where="before the run", again="driftflow apply")
    check_sources(plan, parts)
    parts.journal.install(connection)
    found = parts.journal.find(connection, plan.digest)
    if found is not None:
        return found  # Another executor began it while we looked.
    row = RunRow(
        id=_unused(parts, connection),
        plan_digest=plan.digest,
        plan=encode(plan),
        identity=connection.identity(),
        fingerprint=plan.catalog_fingerprint,
        executor=parts.executor,
    )
    try:
        parts.journal.create_run(connection, row, [relation.text for relation in plan.relations])
    except ClaimConflict as conflict:
        raise claim_error(conflict) from conflict
    return row


def done_already(plan: Plan, parts: Parts, connection: Connection) -> RunReport | None:
    """A second `apply` of a plan that was carried out, on a schema that is still as it left it, has nothing to do and says so."""
    row = parts.journal.find(connection, plan.digest, done=True) if parts.journal.installed(connection) else None
    if row is None or not plan.fingerprint_relations:
        return None
    left = fold(parts.journal.events(connection, row.id)).fingerprint
    if not left or left == plan.catalog_fingerprint or parts.fingerprint(connection, plan.fingerprint_relations) != left:
        return None
    total = len(plan.steps)
    return RunReport(
        run=row.id, state="done", steps_done=total, steps_total=total, message=f"run {row.id} carried this plan out already",
        next_command=f"driftflow status {row.id}",
    )  # fmt: skip


def claim(plan: Plan, run: str, parts: Parts, connection: Connection) -> None:
    try:
        parts.journal.claim(connection, run, [relation.text for relation in plan.relations])
    except ClaimConflict as conflict:
        raise claim_error(conflict) from conflict


def claim_error(conflict: ClaimConflict) -> RefusedError:
    return RefusedError(
        "DF-E302",
        f"run {conflict.run} is not finished and touches {conflict.relation} too",
        why="two runs never change the same relation at once",
        hint=f"driftflow status {conflict.run}; then resume or roll it back",
    )


def compare(expected: str, plan: Plan, parts: Parts, connection: Connection, since: str, hint: str) -> None:
    if not expected or not plan.fingerprint_relations:
        return
    found = parts.fingerprint(connection, plan.fingerprint_relations)
    if found != expected:
        names = ", ".join(name.text for name in plan.fingerprint_relations)
        raise RefusedError(
            "DF-E300",
            f"the schema changed {since}",
            where=names,
            why=f"its fingerprint is {found[:12]}, expected {expected[:12]}",
            hint=hint,
        )
