"""What `convert` says, as SQLite's expressions. It has no types for moments: they are texts as ISO 8601 writes them, or seconds since 1970.

It knows no time zones by name, so a zone is an offset. A format is read by the places of its parts, which all have their full width: strftime
writes it back, and what does not come back the same is no such text.
Source: SQLite documentation, "Date And Time Functions", "Datatypes In SQLite" (section 2.2).
"""

from __future__ import annotations

from collections.abc import Callable

from driftflow.dialects.sqlite.types import affinity
from driftflow.patterns import lazy_regex

OFFSET = lazy_regex(r"^([+-])(\d{2}):(\d{2})$")
WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
MOMENTS = ("TIMESTAMP", "DATETIME", "DATE")


def conversion(
    old: str, new: str, value: str, *, zone: str, format: str, encoding: str, literal: Callable[[str], str]
) -> tuple[str, str]:
    """(there, back), each over `value`; empty where the words do not say how one of these types becomes the other."""
    kinds = _kind(old), _kind(new)
    if format and not zone and not encoding and "text" in kinds:
        return _by_format(kinds, value, format, literal)
    minutes = offset_minutes(zone) if zone else None
    if minutes is not None and not format and not encoding:
        return _by_offset(kinds, value, minutes)
    return "", ""


def offset_minutes(zone: str) -> int | None:
    """None for a name; UTC is +00:00."""
    found = OFFSET.match("+00:00" if zone.upper() in ("UTC", "Z") else zone)
    if found is None:
        return None
    return (-1 if found[1] == "-" else 1) * (int(found[2]) * 60 + int(found[3]))


def _kind(type: str) -> str:
    word = type.upper().partition("(")[0].strip()
    if word in ("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"):
        return "instant"
    if word in MOMENTS:
        return "date" if word == "DATE" else "moment"
    return {"INTEGER": "epoch", "TEXT": "text", "BLOB": "blob"}.get(affinity(type), "")


def _by_offset(kinds: tuple[str, str], value: str, minutes: int) -> tuple[str, str]:
    """A moment without an offset is a local time there; an instant says +00:00, or counts seconds."""
    ahead, behind = f"'{minutes:+d} minutes'", f"'{-minutes:+d} minutes'"
    instant = f"(datetime(substr({value}, 1, 19), {behind}) || substr({value}, 20) || '+00:00')"
    local = f"(datetime(substr({value}, 1, 19), {ahead}) || substr({value}, 20, length({value}) - 25))"
    seconds = f"CAST(strftime('%s', {value}, {behind}) AS INTEGER)"
    from_seconds = f"datetime({value}, 'unixepoch', {ahead})"
    match kinds:
        case ("moment", "instant"):
            return instant, local
        case ("instant", "moment"):
            return local, instant
        case ("moment", "epoch"):
            return seconds, from_seconds
        case ("epoch", "moment"):
            return from_seconds, seconds
        case ("instant", "epoch") if not minutes:
            return f"CAST(strftime('%s', {value}) AS INTEGER)", f"(datetime({value}, 'unixepoch') || '+00:00')"
        case ("epoch", "instant") if not minutes:
            return f"(datetime({value}, 'unixepoch') || '+00:00')", f"CAST(strftime('%s', {value}) AS INTEGER)"
        case _:
            return "", ""


def _by_format(kinds: tuple[str, str], value: str, format: str, literal: Callable[[str], str]) -> tuple[str, str]:
    places = places_of(format)
    other = kinds[1] if kinds[0] == "text" else kinds[0]
    if places is None or other not in ("moment", "date", "epoch"):
        return "", ""

    def part(code: str, otherwise: str) -> str:
        return f"substr({value}, {places[code]}, {WIDTHS[code]})" if code in places else f"'{otherwise}'"

    date = f"{part('%Y', '')} || '-' || {part('%m', '01')} || '-' || {part('%d', '01')}"
    read = f"({date})"
    if other != "date":
        read = f"({date} || ' ' || {part('%H', '00')} || ':' || {part('%M', '00')} || ':' || {part('%S', '00')})"
    written = f"strftime({literal(format)}, {value}, '+0 days')"  # without a modifier the 31st of February stays what it is
    if other == "epoch":
        read = f"CAST(strftime('%s', {read}) AS INTEGER)"
        written = f"strftime({literal(format)}, {value}, 'unixepoch')"
    return (read, written) if kinds[0] == "text" else (written, read)


def places_of(format: str) -> dict[str, int] | None:
    """Where each part begins, counted from one; None for a format with a part that has no width, or without a year."""
    places: dict[str, int] = {}
    at, width = 0, 1
    while at < len(format):
        code = format[at : at + 2]
        if format[at] != "%":
            at, width = at + 1, width + 1
            continue
        if code not in WIDTHS or code in places:
            return None
        places[code] = width
        at, width = at + 2, width + WIDTHS[code]
    return places if "%Y" in places else None
