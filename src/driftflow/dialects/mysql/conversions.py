"""What `convert` says, as expressions of MySQL and MariaDB that give the same in every session: none of them reads its time zone or its locale.

A TIMESTAMP is asked for its seconds (UNIX_TIMESTAMP), and becomes one again by an offset (MySQL 8.0.19) or FROM_UNIXTIME.
Source: MySQL 8.4 manual, "Date and Time Functions", "Date and Time Literals", "String Functions and Operators"; measured on MySQL 9.7 and MariaDB 10.11.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from driftflow.dialects.mysql.fitting import BINARIES, STRINGS, bounds_of, kind_of, scale_of
from driftflow.dialects.mysql.types import INTEGERS, base_word, length_of
from driftflow.model.catalog import Column
from driftflow.patterns import lazy_regex

OFFSET = lazy_regex(r"^[+-]\d{2}:\d{2}$")
OF_THE_LOCALE = lazy_regex(r"%[aWbM]")
"""Parts of a format that are names: which, lc_time_names of the session says."""
ENCODED: Mapping[str, tuple[str, str]] = {
    "base64": ("REPLACE(TO_BASE64({0}), '\\n', '')", "FROM_BASE64({0})"),
    "hex": ("LOWER(HEX({0}))", "UNHEX({0})"),
}
"""(bytes to text, text to bytes)"""
GO_BACK_MINUTES = (60, -60, 30, -30, 120, -120)
"""By how much clocks go back: an hour nearly everywhere, half of one on Lord Howe Island, two at Troll. Source: the tz database."""
Literal = Callable[[str], str]


def conversion(
    old: Column, new: Column, value: str, *, zone: str, format: str, encoding: str, mariadb: bool, literal: Literal
) -> tuple[str, str]:
    """(there, back), each over `value`; empty where the words do not say how one of these columns becomes the other."""
    kinds = kind_of(old, mariadb=mariadb), kind_of(new, mariadb=mariadb)
    moments = _Moments(zone=literal(zone_name(zone)), offsets=not mariadb, literal=literal)
    if encoding and not zone and not format:
        return _by_encoding(kinds, value, encoding, new if kinds[1] in STRINGS else old)
    if format and not encoding:
        return moments.by_format(kinds, value, format, zoned=bool(zone))
    if zone and not encoding:
        if kinds == ("timestamp", "datetime"):
            return moments.local(value), moments.instant(value)
        if kinds == ("datetime", "timestamp"):
            return moments.instant(value), moments.local(value)
    return "", ""


def zone_name(zone: str) -> str:
    return "+00:00" if zone.upper() in ("UTC", "Z") else zone


def unknown_zone(zone: str, literal: Literal) -> str:
    """A query: 1 where the server does not know the zone by its name; empty for an offset."""
    name = zone_name(zone)
    if not zone or OFFSET.match(name):
        return ""
    return f"SELECT CONVERT_TZ('2026-01-01 00:00:00', '+00:00', {literal(name)}) IS NULL"


def out_of_reach(old: Column, new: Column, value: str, *, zone: str, format: str, literal: Literal, mariadb: bool) -> str:
    """A condition: a local time that the zone does not have, or that a TIMESTAMP does not reach; empty where none can be."""
    local = _local_time(old, new, value, zone=zone, format=format, literal=literal, mariadb=mariadb)
    if not local or kind_of(new, mariadb=mariadb) != "timestamp":
        return ""
    name = literal(zone_name(zone))
    utc = f"CONVERT_TZ({local}, {name}, '+00:00')"
    back = f"CONVERT_TZ({utc}, '+00:00', {name})"
    reach = f"{utc} NOT BETWEEN '1970-01-01 00:00:01' AND '2038-01-19 03:14:07.999999'"
    return f"{value} IS NOT NULL AND ({utc} IS NULL OR {reach} OR NOT ({back} <=> {local}))"


def comes_twice(old: Column, new: Column, value: str, *, zone: str, format: str, literal: Literal, mariadb: bool) -> str:
    """A condition: a local time that the zone's clocks show twice, once before they go back and once after it; empty where none can be."""
    local = _local_time(old, new, value, zone=zone, format=format, literal=literal, mariadb=mariadb)
    if not local or OFFSET.match(zone_name(zone)):
        return ""
    name = literal(zone_name(zone))
    utc = f"CONVERT_TZ({local}, {name}, '+00:00')"
    others = (f"CONVERT_TZ({utc} + INTERVAL {minutes} MINUTE, '+00:00', {name}) <=> {local}" for minutes in GO_BACK_MINUTES)
    return f"{utc} IS NOT NULL AND ({' OR '.join(others)})"


def _local_time(old: Column, new: Column, value: str, *, zone: str, format: str, literal: Literal, mariadb: bool) -> str:
    """What the zone's clocks show, before or after the conversion; empty where no zone takes part in it."""
    kinds = kind_of(old, mariadb=mariadb), kind_of(new, mariadb=mariadb)
    moments = _Moments(zone=literal(zone_name(zone)), offsets=not mariadb, literal=literal)
    if not zone or "timestamp" not in kinds:
        return ""
    if kinds[0] == "timestamp":
        return moments.local(value)
    return _valid(f"STR_TO_DATE({value}, {literal(format)})") if format else value


class _Moments:
    def __init__(self, *, zone: str, offsets: bool, literal: Literal) -> None:
        self.zone, self.offsets, self.literal = zone, offsets, literal

    def local(self, instant: str) -> str:
        """What a clock in the zone shows."""
        utc = f"DATE_ADD(CAST('1970-01-01 00:00:00' AS DATETIME(6)), INTERVAL UNIX_TIMESTAMP({instant}) SECOND)"
        return f"CONVERT_TZ(CAST({utc} AS DATETIME(6)), '+00:00', {self.zone})"

    def instant(self, local: str) -> str:
        """For a TIMESTAMP column, whatever the session's zone is."""
        utc = f"CONVERT_TZ({local}, {self.zone}, '+00:00')"
        if self.offsets:
            return f"CONCAT(DATE_FORMAT({utc}, '%Y-%m-%d %H:%i:%s.%f'), '+00:00')"
        return f"FROM_UNIXTIME(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', {utc}) / 1000000)"

    def by_format(self, kinds: tuple[str, str], value: str, format: str, *, zoned: bool) -> tuple[str, str]:
        if OF_THE_LOCALE.search(format):
            return "", ""
        other = kinds[1] if kinds[0] in STRINGS else kinds[0]
        text = self.literal(format)
        read, write = f"STR_TO_DATE({value}, {text})", f"DATE_FORMAT({value}, {text})"
        match other:
            case "date" if not zoned:
                read = f"DATE_ADD(CAST({read} AS DATE), INTERVAL 0 DAY)"
            case "datetime" if not zoned:
                read = _valid(read)
            case "time" if not zoned:
                read, write = f"CAST({read} AS TIME(6))", f"TIME_FORMAT({value}, {text})"
            case "timestamp" if zoned:
                read = self.instant(_valid(read))
                write = f"DATE_FORMAT({self.local(value)}, {text})"
            case _:
                return "", ""
        if kinds[0] in STRINGS and kinds[1] not in STRINGS:
            return read, write
        return (write, read) if kinds[1] in STRINGS and kinds[0] not in STRINGS else ("", "")


def _valid(read: str) -> str:
    """MariaDB reads the 31st of February, and cannot count from it."""
    return f"DATE_ADD(CAST({read} AS DATETIME(6)), INTERVAL 0 SECOND)"


def _by_encoding(kinds: tuple[str, str], value: str, encoding: str, text: Column) -> tuple[str, str]:
    if not (kinds[0] in BINARIES and kinds[1] in STRINGS) and not (kinds[0] in STRINGS and kinds[1] in BINARIES):
        return "", ""
    word = encoding.lower().replace("-", "")
    if word in ENCODED:
        encoded, decoded = (pattern.format(value) for pattern in ENCODED[word])
    elif re.fullmatch(r"[a-z][a-z0-9_]*", word):
        charset = {"utf8": "utf8mb4", "latin1": "latin1", "iso88591": "latin1"}.get(word, word)
        encoded = f"CONVERT(CONVERT(CAST({value} AS BINARY) USING {charset}) USING {text.charset or 'utf8mb4'})"
        decoded = f"CAST(CONVERT({value} USING {charset}) AS BINARY)"
    else:
        return "", ""
    return (encoded, decoded) if kinds[0] in BINARIES else (decoded, encoded)


def mapping(pairs: Mapping[str, str], value: str, literal: Literal) -> str:
    """Each of the values by the one that takes its place, and every other one as it is."""
    cases = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in pairs.items())
    return f"CASE {_plain(value)} {cases} ELSE {_plain(value)} END"


def _plain(value: str) -> str:
    """Compared to the letter, and no number of a member."""
    return f"(CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin)"


def cut(new: Column, value: str) -> str:
    """The longest text, or the nearest number, that the column holds."""
    word = base_word(new.type)
    if word in {"char", "varchar"}:
        return f"LEFT({value}, {length_of(new.type)})"
    if word in {"binary", "varbinary"}:
        return f"LEFT({value}, {length_of(new.type)})"
    if word in INTEGERS | {"decimal"}:
        low, high = bounds_of(new)
        return f"LEAST(GREATEST(ROUND({value}, {scale_of(new)}), {low}), {high})"
    return ""
