"""Which rows a partition takes, as a condition on them."""

from __future__ import annotations

import re

from driftflow.dialects.postgresql.names import quote
from driftflow.model.catalog import Table
from driftflow.patterns import lazy_regex

RANGE = lazy_regex(r"FOR VALUES FROM \((?P<low>.+)\) TO \((?P<high>.+)\)", re.IGNORECASE)
LIST = lazy_regex(r"FOR VALUES IN \((?P<values>.+)\)", re.IGNORECASE)
VALUE = lazy_regex(r"\s*((?:'(?:[^']|'')*'|[^,'])+)(?:,|\Z)")
NUMBER = lazy_regex(r"-?\d+")
DAY = lazy_regex(r"\d{4}-\d\d-\d\d")
OPEN = ("MINVALUE", "MAXVALUE")


def strategy_of(bound: str) -> str:
    """RANGE, LIST or HASH; nothing for DEFAULT."""
    words = " ".join(bound.split()).upper()
    kinds = {"FOR VALUES FROM": "RANGE", "FOR VALUES IN": "LIST", "FOR VALUES WITH": "HASH"}
    return next((kind for start, kind in kinds.items() if words.startswith(start)), "")


def inside(parent: Table, bound: str) -> str:
    """Of FROM ... TO and IN; empty for what is not read: expressions as keys, several of them up to no limit, and rows that a hash divides."""
    key = parent.partitioning.key if parent.partitioning is not None else ()
    columns = [quote(name) for name in key if parent.column(name) is not None]
    text = " ".join(bound.split())
    if not columns or len(columns) < len(key):
        return ""
    if (listed := LIST.fullmatch(text)) is not None:
        return _listed(columns[0], VALUE.findall(listed["values"]))
    ranged = RANGE.fullmatch(text)
    return _ranged(columns, VALUE.findall(ranged["low"]), VALUE.findall(ranged["high"])) if ranged is not None else ""


def _listed(column: str, values: list[str]) -> str:
    said = [value.strip() for value in values if value.strip().upper() != "NULL"]
    parts = [f"{column} IN ({', '.join(said)})"] if said else []
    return " OR ".join([*parts, *([f"{column} IS NULL"] if len(said) < len(values) else [])])


def _ranged(columns: list[str], low: list[str], high: list[str]) -> str:
    parts = []
    for sign, values in ((">=", low), ("<", high)):
        said = [value.strip() for value in values]
        limits = [value.upper() for value in said if value.upper() in OPEN]
        if limits and len(columns) > 1:
            return ""
        if not limits:
            parts.append(f"({', '.join(columns)}) {sign} ({', '.join(said)})")
    return " AND ".join([*parts, *(f"{column} IS NOT NULL" for column in columns)])


def meets(parent: Table, one: str, other: str) -> bool:
    """Whether a row may belong to both: of lists by their values as they are written, of ranges over one column of whole numbers or days."""
    listed = [LIST.fullmatch(" ".join(bound.split())) for bound in (one, other)]
    if listed[0] is not None and listed[1] is not None:
        first, second = ({value.strip() for value in VALUE.findall(found["values"])} for found in listed if found is not None)
        return bool(first & second)
    ranged = [RANGE.fullmatch(" ".join(bound.split())) for bound in (one, other)]
    if ranged[0] is None or ranged[1] is None or parent.partitioning is None or len(parent.partitioning.key) != 1:
        return False
    places = [_place(found[side]) for found in ranged if found is not None for side in ("low", "high")]
    if None in places or len({kind for kind, _ in filter(None, places) if kind}) > 1:
        return False
    low, high, other_low, other_high = (place for place in places if place is not None)
    return _before(low, other_high) and _before(other_low, high)


_Place = tuple[str, str | int]
"""The kind (none for no limit), and where on it."""


def _place(text: str) -> _Place | None:
    said = text.strip()
    if said.upper() in OPEN:
        return "", said.upper()
    bare = said.strip("'")
    if NUMBER.fullmatch(bare):
        return "number", int(bare)
    return ("day", bare) if DAY.fullmatch(bare) else None


def _before(one: _Place, other: _Place) -> bool:
    if not one[0] or not other[0]:
        return one[1] == "MINVALUE" or other[1] == "MAXVALUE"
    return (one[1] < other[1]) if isinstance(one[1], int) and isinstance(other[1], int) else str(one[1]) < str(other[1])
