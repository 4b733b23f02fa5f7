"""How many rows a query would read, from what each server's EXPLAIN says before it reads any. An estimate, and as good as the server's statistics.

Sources: PostgreSQL manual 14.1 (EXPLAIN), MySQL 8.4 manual 10.8.2 (EXPLAIN output format), MariaDB Knowledge Base (EXPLAIN), sqlite.org/eqp.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from driftflow.patterns import lazy_regex

SizeOf = Callable[[str, str], float | None]
"""(schema, relation) to its rows as the server knows them; None where it does not."""
EXPLAIN = {
    "postgresql": "EXPLAIN (VERBOSE, FORMAT JSON) ",
    "mysql": "EXPLAIN FORMAT=TRADITIONAL ",
    "mariadb": "EXPLAIN ",
    "sqlite": "EXPLAIN QUERY PLAN ",
}
SEARCHED = 10.0
"""Rows that SQLite finds by an index, where it has no statistics: its own assumption (sqlite.org/fileformat2.html, sqlite_stat1)."""
_LOOK = lazy_regex(r"^(SCAN|SEARCH) (?:TABLE )?(\S+)(?: AS (\S+))?")


def postgresql(rows: Sequence[Mapping[str, Any]], size_of: SizeOf) -> float:
    """From EXPLAIN (VERBOSE, FORMAT JSON). A LIMIT ends the scans below it early, as far as the planner expects that."""
    document = next(iter(rows[0].values()))
    plans = json.loads(document) if isinstance(document, str) else document
    return sum(_node(one["Plan"], 1.0, size_of) for one in plans)


def _node(node: Mapping[str, Any], share: float, size_of: SizeOf) -> float:
    """`share`: how much of what it gives is asked of it."""
    below = list(node.get("Plans", ()))
    own = share * _scanned(node, size_of) if "Relation Name" in node else 0.0
    if node["Node Type"] == "Limit" and below:
        share *= _part(node, below[0])
    if node["Node Type"] == "Nested Loop" and len(below) == 2:
        outer, inner = below
        return own + _node(outer, share, size_of) + _node(inner, share * max(1.0, float(outer["Plan Rows"])), size_of)
    return own + sum(_node(one, share, size_of) for one in below)


def _scanned(node: Mapping[str, Any], size_of: SizeOf) -> float:
    """A scan without a condition on an index reads all there is, whatever its filter lets through."""
    found = float(node["Plan Rows"]) * (int(node.get("Workers Planned", 0)) + 1)
    if "Index Cond" in node or "TID Cond" in node or node["Node Type"] == "Bitmap Heap Scan":
        return found
    return max(found, size_of(str(node.get("Schema", "")), str(node["Relation Name"])) or 0.0)


def _part(limit: Mapping[str, Any], child: Mapping[str, Any]) -> float:
    begun, whole = float(child["Startup Cost"]), float(child["Total Cost"])
    return 1.0 if whole <= begun else min(1.0, max(0.0, (float(limit["Total Cost"]) - begun) / (whole - begun)))


def mysql(rows: Sequence[Mapping[str, Any]], size_of: SizeOf) -> float:
    """From EXPLAIN in the form of a table: those of one SELECT are joined in the order of the rows, each read for every row before it."""
    seen: dict[Any, float] = {}
    total, outer = 0.0, 1.0
    for row in rows:
        told = {str(name).lower(): value for name, value in row.items()}
        number = told.get("id")
        before = seen.get(number)
        if before is None:
            before = outer if "DEPENDENT" in str(told.get("select_type", "")).upper() else 1.0
        read = before * float(told.get("rows") or 0)
        if not str(told.get("table") or "").startswith("<"):  # `<derived2>` is what was read already
            total += read
        seen[number] = max(1.0, read * float(told.get("filtered") or 100) / 100)
        if number == 1:
            outer = seen[number]
    return total


def sqlite(rows: Sequence[Mapping[str, Any]], size_of: SizeOf) -> float:
    """From EXPLAIN QUERY PLAN: the loops of one SELECT stand one below the other, and each runs for every row of those above it."""
    below: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        below.setdefault(int(row["parent"]), []).append(row)
    return _loops(below, 0, 1.0, size_of)


def _loops(below: Mapping[int, list[Mapping[str, Any]]], parent: int, times: float, size_of: SizeOf) -> float:
    total = 0.0
    for row in below.get(parent, ()):
        detail = str(row["detail"])
        if look := _LOOK.match(detail):
            known = size_of("", look[2])
            whole = look[1] == "SCAN" or (
                "=?" not in detail and ("<?" in detail or ">?" in detail)
            )  # of a range nothing is known
            read = (known or 0.0) if whole else min(SEARCHED, known) if known is not None else SEARCHED
            total += times * read
            times *= max(1.0, read)
        nested = times if detail.startswith("CORRELATED") else 1.0
        total += _loops(below, int(row["id"]), nested, size_of)
    return total


def relations(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What SQLite's plan scans or searches, by name or alias."""
    for row in rows:
        if look := _LOOK.match(str(row["detail"])):
            yield look[2]


COUNT: Mapping[str, Callable[[Sequence[Mapping[str, Any]], SizeOf], float]] = {
    "postgresql": postgresql,
    "mysql": mysql,
    "mariadb": mysql,
    "sqlite": sqlite,
}
