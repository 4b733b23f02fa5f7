"""Reading a proof file: it must be of the plan that is about to run, and leave nothing open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from driftflow.cli.planfile import DIGITS_MIN
from driftflow.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from driftflow.engine.ports import Connector
    from driftflow.model.names import Version
    from driftflow.model.plan import Plan


def check_proof(plan: Plan, file: Path | None, *, required: bool, connector: Callable[[], Connector]) -> None:
    """A proof that is given must be of this plan, leave nothing open, and have been made on the server's major version; some environments
    demand one. Raises RefusedError."""
    if file is None:
        if required:
            raise RefusedError(
                "DF-E675", "this environment takes no plan without a proof", why="require_proof is set for it",
                hint="driftflow prove FILE -o proof.json, then: driftflow apply FILE --proof proof.json",
            )  # fmt: skip
        return
    from driftflow.model.names import Version as Parsed
    from driftflow.model.proof import decode_proof

    try:
        proof = decode_proof(file.read_bytes(), where=str(file))
    except FileNotFoundError:
        raise UsageError("DF-E132", f"{file} is not there", hint=f"driftflow prove -o {file}") from None
    again = f"driftflow prove PLAN -o {file}"
    if proof.plan != plan.digest:
        raise RefusedError(
            "DF-E676", "the proof is of another plan", where=str(file),
            why=f"it is of {proof.plan[:DIGITS_MIN]}, this plan is {plan.digest[:DIGITS_MIN]}", hint=again,
        )  # fmt: skip
    if not proof.green:
        raise RefusedError("DF-E677", "the proof leaves something open", where=str(file), why="it is not green", hint=again)
    with closing(connector().connect("proof")) as connection:
        server = connection.version
    if major_of(proof.dialect, Parsed.parse(proof.server_version)) != major_of(plan.dialect, server):
        raise RefusedError(
            "DF-E678", "the proof was made on another major version", where=str(file),
            why=f"it was made on {proof.server_version}, the server is {server}", hint=again,
        )  # fmt: skip


def major_of(dialect: str, version: Version) -> tuple[int, ...]:
    """What counts as one: PostgreSQL's first number, the first two of MySQL and MariaDB; every SQLite is a 3."""
    return (version.major,) if dialect in ("postgresql", "sqlite") else (version.major, version.minor)
