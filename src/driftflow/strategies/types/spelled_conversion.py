"""PostgreSQL expressions for what `convert` says: zones, formats, encodings."""

from __future__ import annotations

import re
from collections.abc import Callable

from driftflow.strategies.types.said_conversion import ConvertRequest

ENCODED = ("base64", "hex", "escape")
_TEXTS = ("text", "character varying", "character")


def reads_time_zone(old: str, new: str) -> bool:
    """Whether a plain change between these types depends on the session's time zone."""
    kinds = {_kind(old), _kind(new)}
    return "timestamptz" in kinds and bool(kinds & {"timestamp", "date"})


def length_of(type: str) -> int | None:
    """How many characters a type takes; None where it says no number."""
    found = re.match(r"(?:varchar|char|character|character varying)\s*\((\d+)\)$", type.strip().lower())
    return int(found[1]) if found else None


def _kind(type: str) -> str:
    bare = re.sub(r"\(\d+(,\d+)?\)", "", type.lower()).strip()
    if bare in ("timestamp with time zone", "timestamptz"):
        return "timestamptz"
    if bare in ("timestamp without time zone", "timestamp"):
        return "timestamp"
    return "text" if bare in _TEXTS else bare


def spelled(request: ConvertRequest, old: str, new: str, value: str, *, literal: Callable[[str], str]) -> tuple[str, str]:
    """(there, back): each over the column's own name. Empty where the words do not fit the types."""
    kinds = (_kind(old), _kind(new))
    zone = f" AT TIME ZONE {literal(request.zone)}"
    if request.format and "text" in kinds:
        return _by_format(request, kinds, value, literal(request.format), zone)
    if request.zone and not request.format:
        if set(kinds) == {"timestamp", "timestamptz"}:
            return f"{value}{zone}", f"{value}{zone}"
        if kinds == ("date", "timestamptz"):
            return f"{value}::timestamp{zone}", f"({value}{zone})::date"
    if request.encoding and set(kinds) == {"bytea", "text"}:
        name = literal(request.encoding)
        if request.encoding.lower() in ENCODED:
            decoded, encoded = f"decode({value}, {name})", f"encode({value}, {name})"
        else:
            decoded, encoded = f"convert_to({value}, {name})", f"convert_from({value}, {name})"
        return (encoded, decoded) if kinds[0] == "bytea" else (decoded, encoded)
    return "", ""


def _by_format(request: ConvertRequest, kinds: tuple[str, str], value: str, format: str, zone: str) -> tuple[str, str]:
    """Texts without an offset are read in UTC and moved to the zone that is said: never in the session's."""
    other = kinds[1] if kinds[0] == "text" else kinds[0]
    match other:
        case "timestamp":
            read, write = f"to_timestamp({value}, {format})::timestamp", f"to_char({value}, {format})"
        case "timestamptz" if request.zone:
            read, write = f"(to_timestamp({value}, {format})::timestamp{zone})", f"to_char({value}{zone}, {format})"
        case "date":
            read, write = f"to_date({value}, {format})", f"to_char({value}, {format})"
        case _:
            return "", ""
    return (read, write) if kinds[0] == "text" else (write, read)
