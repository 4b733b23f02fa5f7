"""A plan as a file: pretty-printed JSON with its digest. What was edited, damaged or made by a newer driftflow is refused."""

from __future__ import annotations

from typing import Any

from driftflow.errors import PlanFileError
from driftflow.model.plan import PLAN_FORMAT, Plan, PlanFile
from driftflow.model.record import DecodeError, decode, pretty, to_builtins


def encode_plan(plan: Plan) -> str:
    """The text of the plan file; ends with a newline."""
    return pretty(PlanFile(digest=plan.digest, plan=plan))


def decode_plan(text: str | bytes, *, where: str = "") -> Plan:
    """The plan in the text. Raises PlanFileError: DF-E340 unreadable, DF-E341 edited, DF-E342 too new, DF-E343 unknown field."""
    raw = _json(text, where)
    _check_format(raw, where)
    try:
        file = decode(text, PlanFile)
    except DecodeError as fault:
        raise _unreadable(where, str(fault)) from fault
    unknown = _unknown(raw, to_builtins(file), "")
    if unknown:
        raise PlanFileError(
            "DF-E343",
            f"the plan file has a field that this driftflow does not know: {unknown}",
            where=where,
            why="a field that is not understood could change what the plan does",
            hint="make the plan again with this version: driftflow plan",
        )
    if file.digest != file.plan.digest:
        raise PlanFileError(
            "DF-E341",
            "the plan file was edited: its digest does not fit its content",
            where=where,
            why=f"the file says {file.digest[:12]}, its content is {file.plan.digest[:12]}",
            hint="make the plan again: driftflow plan; what should be different belongs into the migration or the policy",
        )
    return file.plan


def _json(text: str | bytes, where: str) -> Any:
    try:
        raw = decode(text, dict)
    except DecodeError as fault:
        raise _unreadable(where, str(fault)) from fault
    if not isinstance(raw.get("plan"), dict) or not isinstance(raw.get("digest"), str):
        raise _unreadable(where, "it has no `digest` and `plan`")
    return raw


def _check_format(raw: Any, where: str) -> None:
    found = raw["plan"].get("format", PLAN_FORMAT)
    if not isinstance(found, int) or found > PLAN_FORMAT:
        raise PlanFileError(
            "DF-E342",
            f"the plan file has format {found}, this driftflow reads up to {PLAN_FORMAT}",
            where=where,
            hint="upgrade driftflow, or make the plan again with this version: driftflow plan",
        )


def _unreadable(where: str, why: str) -> PlanFileError:
    return PlanFileError(
        "DF-E340", "this is not a plan file", where=where, why=why, hint="make a plan: driftflow plan -o plan.json"
    )


def _unknown(raw: Any, known: Any, path: str) -> str:
    """The path of the first field in the file that is not in the record. Our own encoder leaves defaults out, so what is written is known."""
    if isinstance(raw, dict) and isinstance(known, dict):
        for key, value in raw.items():
            here = f"{path}.{key}" if path else key
            if key not in known:
                return here
            if found := _unknown(value, known[key], here):
                return found
    if isinstance(raw, list) and isinstance(known, list | tuple):  # to_builtins leaves tuples as they are
        for index, (left, right) in enumerate(zip(raw, known, strict=False)):
            if found := _unknown(left, right, f"{path}[{index}]"):
                return found
    return ""
