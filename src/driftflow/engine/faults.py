"""What a server's error means to the person who reads it."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.unsaid_values import without_values
from driftflow.engine.ports import Blocker, DatabaseFault
from driftflow.errors import (
    ConnectError,
    DatabaseError,
    DriftflowError,
    LockTimeoutError,
    OutcomeUnknownError,
    RefusedError,
    RightsError,
    StepFailedError,
)
from driftflow.model.names import Name
from driftflow.model.plan import Irreversible, Stage, Step

HINTS: dict[ErrorKind, str] = {
    ErrorKind.STATEMENT_TIMEOUT: "raise the step's limit in a new plan, or choose a quieter hour",
    ErrorKind.DUPLICATE: "look for what exists already: driftflow doctor",
    ErrorKind.CONSTRAINT: "rows contradict the constraint; the assessment's probe lists how many",
    ErrorKind.DISK_FULL: "make room on the server's disk",
    ErrorKind.READ_ONLY: "the server is a replica, or the file is read-only: connect to the primary",
}
CODES: dict[ErrorKind, str] = {
    ErrorKind.STATEMENT_TIMEOUT: "DF-E511",
    ErrorKind.CANCELLED: "DF-E512",
    ErrorKind.RIGHTS: "DF-E415",
    ErrorKind.DUPLICATE: "DF-E513",
    ErrorKind.CONSTRAINT: "DF-E514",
    ErrorKind.DISK_FULL: "DF-E515",
    ErrorKind.READ_ONLY: "DF-E416",
    ErrorKind.SYNTAX: "DF-E516",
    ErrorKind.CONNECTION_LOST: "DF-E417",
}


def no_key_column(table: Name, missing: Sequence[str]) -> StepFailedError:
    """A table that is walked has not the columns of the walk."""
    return StepFailedError(
        "DF-E531",
        f"{table} has no column {', '.join(missing)}",
        why="the backfill walks by that key",
        hint="make the plan again",
    )


def code_of(fault: DatabaseFault) -> str:
    return CODES.get(fault.kind, "DF-E510")


def place(step: Step) -> str:
    """Where a step comes from: its purpose, and the line of the migration."""
    return f"step {step.id}: {step.purpose}" + (f"\n{step.span}" if step.span else "")


def said(fault: DatabaseFault) -> str:
    """The server's words, but for values of rows."""
    return without_values(fault.code, fault.message)


def why(fault: DatabaseFault) -> str:
    parts = [said(fault), without_values(fault.code, fault.detail), fault.hint]
    return "; ".join(part for part in parts if part) + (f" ({fault.code})" if fault.code else "")


def step_error(fault: DatabaseFault, step: Step, run: str) -> DriftflowError:
    """The step failed and was rolled back."""
    if fault.kind is ErrorKind.RIGHTS:
        return RightsError(
            code_of(fault),
            f"too few rights: {said(fault)}",
            where=place(step),
            why=why(fault),
            hint=f"grant them, then: driftflow resume {run}",
        )
    hint = HINTS.get(fault.kind, "correct the cause")
    return StepFailedError(
        code_of(fault), f"the step failed: {said(fault)}", where=place(step), why=why(fault),
        hint=f"{hint}; then driftflow resume {run}, or driftflow rollback {run}",
    )  # fmt: skip


def lock_error(step: Step, run: str, tries: int, blockers: Sequence[Blocker], *, dialect: str) -> LockTimeoutError:
    held = "\n".join(blocker.text for blocker in blockers)
    return LockTimeoutError(
        "DF-E520",
        f"a lock was not granted in {step.lock_timeout_ms} ms, {tries} times",
        where=place(step) + (f"\nheld by {held}" if held else ""),
        why="the tool never waits longer: everyone who comes after would queue behind it",
        hint=_end(blockers, dialect) + f"driftflow resume {run}",
    )


def _end(blockers: Sequence[Blocker], dialect: str) -> str:
    """What would free the lock, where ending the blocker is allowed at all."""
    free = [blocker for blocker in blockers if not blocker.untouchable]
    if not free:
        return "wait until it is over, then: " if blockers else ""
    end = f"SELECT pg_terminate_backend({free[0].session.id})" if dialect == "postgresql" else f"KILL {free[0].session.id}"
    return f"end it ({end}) or wait, then: "


def general_error(fault: DatabaseFault, where: str) -> DriftflowError:
    """Outside any step."""
    match fault.kind:
        case ErrorKind.CONNECTION_LOST:
            return ConnectError(
                code_of(fault), "the connection to the server was lost", where=where, why=why(fault), hint="driftflow status"
            )
        case ErrorKind.RIGHTS:
            return RightsError(
                code_of(fault), f"too few rights: {said(fault)}", where=where, why=why(fault), hint="driftflow doctor"
            )
        case ErrorKind.LOCK_TIMEOUT:
            return LockTimeoutError(
                "DF-E521",
                "the database stayed locked",
                where=where,
                why=why(fault),
                hint="driftflow status; try again in a moment",
            )
        case _:
            return DatabaseError(
                code_of(fault), f"the database said no: {said(fault)}", where=where, why=why(fault), hint="driftflow doctor"
            )


def not_unique_error(step: Stage, twice: int, empty: int) -> StepFailedError:
    """A source has more than one row for a key, or none that says its key."""
    return StepFailedError(
        "DF-E535",
        f"the key {', '.join(step.key)} of the source is not unique",
        where=place(step),
        why=f"{twice} keys stand in more than one row, {empty} rows have none",
        hint="correct the source and make the plan again",
    )


def irreversible_error(step: Step, run: str, *, backward: bool) -> RefusedError:
    assert isinstance(step.undo, Irreversible)
    what = "cannot be taken back" if backward else "cannot be taken back, and nobody accepted that"
    return RefusedError(
        "DF-E304" if backward else "DF-E303",
        f"the step {what}: {step.undo.name}",
        where=place(step),
        why=step.undo.reason,
        hint=f"driftflow {'rollback ' + run if backward else 'apply'} --accept '{step.undo.name}'",
    )


def unknown_error(step: Step, run: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "DF-E504",
        "nobody can say whether the step happened",
        where=place(step),
        why="it does not run in a transaction and has no probe; the executor ended while it ran",
        hint=f"look at the database; then take it back or finish it by hand, and: driftflow abort {run}",
    )
