"""Reading a plan file: its digest must still be the digest of what stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driftflow.cli.output import quoted
from driftflow.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from driftflow.config import Policy
    from driftflow.model.plan import Plan

DIGITS_MIN = 12


def read_plan(path: Path) -> Plan:
    """Raises PlanFileError for a file that is no plan, is of a newer format, or was edited after it was made."""
    from driftflow.model.plan_file import decode_plan

    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise UsageError("DF-E132", f"{path} is not there", hint=f"driftflow plan -o {path}") from None
    return decode_plan(text, where=str(path))


def apply_command(plan: Plan, path: Path, where: Sequence[str]) -> str:
    """What to type to run it: with the database where it is named, and the names that still have to be accepted."""
    asked = [word for name in unaccepted(plan) for word in ("--accept", name)]
    return quoted("driftflow", "apply", path, *where, *asked)


def check_approved(plan: Plan, approved: str, *, policy: Policy, environment: str) -> None:
    """A digest that was given must be the plan's; a protected environment demands one, at least twelve digits of it."""
    if approved and (len(approved) < DIGITS_MIN or not plan.digest.startswith(approved.lower())):
        raise RefusedError(
            "DF-E394",
            "the approved digest is not this plan's",
            why=f"approved {approved[:64]}, the plan is {plan.digest}",
            hint="driftflow show FILE, and have it approved as it is",
        )
    if policy.protected and not approved:
        raise RefusedError(
            "DF-E394",
            f"the environment {environment or 'named here'} is protected and no digest was approved",
            why="what runs there is approved by its digest",
            hint=f"driftflow apply FILE --approved {plan.digest[:DIGITS_MIN]}    # after somebody read it",
        )


def unaccepted(plan: Plan) -> list[str]:
    """The names of irreversible steps that nobody has accepted yet, in the order of the plan."""
    from driftflow.model.plan import Irreversible

    names = [step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible)]
    return [name for name in dict.fromkeys(names) if name not in plan.accepted]
