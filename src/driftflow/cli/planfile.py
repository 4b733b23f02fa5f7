"""Reading a plan file: its digest must still be the digest of what stands in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from driftflow.errors import PlanFileError, RefusedError, UsageError

if TYPE_CHECKING:
    from driftflow.config import Policy
    from driftflow.model.plan import Plan

DIGITS_MIN = 12


def read_plan(path: Path) -> Plan:
    """Raises PlanFileError for a file that is no plan, is of a newer format, or was edited after it was made."""
    from driftflow.model.plan import PLAN_FORMAT, PlanFile
    from driftflow.model.record import DecodeError, decode, encode

    again = f"driftflow plan -o {path}"
    try:
        document = json.loads(path.read_bytes())
        stated = document["plan"].get("format", 1)
        if isinstance(stated, int) and stated > PLAN_FORMAT:
            raise PlanFileError(
                "DF-E392", f"{path} was written by a newer driftflow", where=str(path), hint="pip install --upgrade driftflow"
            )
        file = decode(path.read_bytes(), PlanFile)
    except FileNotFoundError:
        raise UsageError("DF-E132", f"{path} is not there", hint=again) from None
    except (DecodeError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise PlanFileError("DF-E392", f"{path} is not a plan", where=str(path), why=str(fault), hint=again) from fault
    if file.digest != file.plan.digest or document != json.loads(encode(file)):
        raise PlanFileError(
            "DF-E393",
            f"{path} was edited after it was made",
            where=str(path),
            why=f"its digest says {file.digest[:12]}, its content is {file.plan.digest[:12]}"
            if file.digest != file.plan.digest
            else "it holds words that no plan has, or that say nothing",
            hint=f"{again}    (to plan anew; what is approved is the digest)",
        )
    return file.plan


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
            hint=f"driftflow apply FILE --approved {plan.digest[:DIGITS_MIN]}    (after somebody read it)",
        )


def unaccepted(plan: Plan) -> list[str]:
    """The names of irreversible steps that nobody has accepted yet, in the order of the plan."""
    from driftflow.model.plan import Irreversible

    names = [step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible)]
    return [name for name in dict.fromkeys(names) if name not in plan.accepted]
