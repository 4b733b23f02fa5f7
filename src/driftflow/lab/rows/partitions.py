"""Which values of a partition key have a partition to go to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.model.catalog import Catalog, Table
from driftflow.patterns import lazy_regex

RANGE = lazy_regex(r"FROM \((?P<low>.*?)\) TO \(", re.IGNORECASE | re.DOTALL)
LIST = lazy_regex(r"\bIN \((?P<values>.*)\)\s*$", re.IGNORECASE | re.DOTALL)
LITERAL = lazy_regex(r"'(?:[^']|'')*'|-?\d+(?:\.\d+)?|MINVALUE|MAXVALUE|NULL|TRUE|FALSE", re.IGNORECASE)
OPEN = frozenset({"MINVALUE", "MAXVALUE", "NULL"})


def partition_values(table: Table, column: str, catalog: Catalog) -> tuple[str, ...]:
    """SQL literals, one or more of each leaf; nothing where the column is no key of a partitioned table, or any value will do."""
    if table.partitioning is None or column not in table.partitioning.key:
        return ()
    if any(child.partition_bound.upper().strip() == "DEFAULT" for child in catalog.partitions(table.name)):
        return ()
    return tuple(dict.fromkeys(_values(table, column, catalog)))


def _values(table: Table, column: str, catalog: Catalog) -> Iterator[str]:
    assert table.partitioning is not None
    place = table.partitioning.key.index(column) if column in table.partitioning.key else 0
    for child in catalog.partitions(table.name):
        if child.partitioning is not None and column in child.partitioning.key:
            yield from _values(child, column, catalog)
        elif found := RANGE.search(child.partition_bound):
            lows = LITERAL.findall(found["low"])
            if place < len(lows) and lows[place].upper() not in OPEN:
                yield lows[place]
        elif found := LIST.search(child.partition_bound):
            yield from (one for one in LITERAL.findall(found["values"]) if one.upper() not in OPEN)
