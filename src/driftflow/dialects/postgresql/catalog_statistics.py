"""How big and how busy tables are, from what PostgreSQL keeps about them anyway; nothing is counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from driftflow.dialects.base import Rows
from driftflow.model.catalog import TableStatistics
from driftflow.model.record import replace

Row = Mapping[str, Any]
Place = tuple[str, str]


def table_statistics(rows: Rows) -> dict[Place, TableStatistics]:
    """By (schema, name). A partitioned table has the sums of its partitions."""
    block = rows["database"][0]["block_size"]
    rates = {(row["schema"], row["name"]): row for row in rows.get("rates", ())}
    children: dict[Place, list[Place]] = defaultdict(list)
    found: dict[Place, TableStatistics] = {}
    for row in rows["tables"]:
        place = row["schema"], row["name"]
        found[place] = _own(row, block, rates.get(place))
        if row["partition_bound"] is not None and row["parents"]:
            children[row["parents"][0][0], row["parents"][0][1]].append(place)
    for row in rows["tables"]:
        if row["kind"] == "p":
            place = row["schema"], row["name"]
            found[place] = _sum(place, found, children)
    return found


def _own(row: Row, block: int, rates: Row | None) -> TableStatistics:
    count, basis = _rows(row, block)
    table_bytes = row["table_bytes"]
    return TableStatistics(
        rows=count,
        bytes=row["bytes"],
        table_bytes=table_bytes,
        last_analyze=row["last_analyze"] or "",
        writes_per_second=rates["writes_per_second"] if rates else None,
        reads_per_second=rates["reads_per_second"] if rates else None,
        average_row_bytes=round(table_bytes / count) if count and table_bytes else None,
        basis=basis,
    )


def _rows(row: Row, block: int) -> tuple[int | None, str]:
    """What the server's planner would assume: the last analysed density times the size of now. Never analysed: -1 since 14, 0 pages before. Analysed when
    every row was deleted: a density of none, whatever came into the file since then."""
    if row["kind"] != "r":
        known = row["kind"] == "f" and row["row_estimate"] > 0
        return (round(row["row_estimate"]), "reltuples") if known else (None, "")
    if row["heap_bytes"] == 0:
        return 0, "empty file"
    if row["row_estimate"] > 0 and row["pages"] > 0:
        if row["heap_bytes"] is None:
            return round(row["row_estimate"]), "reltuples; the table is locked now, its size was not asked"
        return round(row["row_estimate"] / row["pages"] * (row["heap_bytes"] / block)), "reltuples, scaled to the size of now"
    if row["live_rows"]:
        return row["live_rows"], "n_live_tup; not analysed"
    return None, ""


def _sum(place: Place, found: Mapping[Place, TableStatistics], children: Mapping[Place, list[Place]]) -> TableStatistics:
    """Unknown as soon as one partition is: half a sum would look like a small table."""
    parts = [_sum(child, found, children) if child in children else found[child] for child in children.get(place, [])]
    counts, sizes = [part.rows for part in parts], [part.bytes for part in parts]
    heaps, writes = [part.table_bytes for part in parts], [part.writes_per_second for part in parts]
    reads = [part.reads_per_second for part in parts]
    total = TableStatistics(
        rows=_all_known(counts),
        bytes=_all_known(sizes),
        table_bytes=_all_known(heaps),
        last_analyze=min((part.last_analyze for part in parts), default=""),
        writes_per_second=_all_known(writes) if parts else None,
        reads_per_second=_all_known(reads) if parts else None,
        basis=f"sum of {len(parts)} partitions",
    )
    if total.rows and total.table_bytes:
        return replace(total, average_row_bytes=round(total.table_bytes / total.rows))
    return total


def _all_known(values: list[Any]) -> Any:
    return None if any(value is None for value in values) else sum(values)
