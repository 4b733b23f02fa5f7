"""How long the work takes, as a range with its basis; nothing is said when a size is unknown."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.model.catalog import Catalog
from driftflow.model.effects import Estimate, Work

_MEGABYTE = 1_000_000

# Megabytes per second, slowest and fastest, of one backend on ordinary storage: a sequential scan with a predicate, a heap and its
# indexes written anew with WAL, a B-tree built from a scan. They bound, they do not promise: a range of four is honest.
_RATES = {"scan": (100, 400), "rewrite": (25, 120), "index_build": (30, 150), "rows": (5, 50)}


def duration_of(work: Sequence[Work], catalog: Catalog) -> Estimate | None:
    """The sum over all work, or None as soon as one size is unknown. Instant work has no estimate either."""
    low = high = total = 0
    sources: list[str] = []
    for item in work:
        size, basis = _size(item, catalog)
        if size is None:
            return None
        slow, fast = _RATES[item.kind]
        low += size * 1000 // (fast * _MEGABYTE)
        high += -(-size * 1000 // (slow * _MEGABYTE))
        total += size
        if size:
            sources.append(f"{item.kind.replace('_', ' ')} {_megabytes(size)} at {slow}–{fast} MB/s{basis}")
    if not sources:
        return None
    return Estimate(low=low, high=max(high, 1), unit="ms", basis="; ".join(dict.fromkeys(sources)))


def _size(work: Work, catalog: Catalog) -> tuple[int | None, str]:
    """(bytes, ", from where"). What is not a table is an index, which counts with its table, or a materialized view, whose size nobody read."""
    table = catalog.table(work.relation)
    if table is None:
        return (None, "") if work.relation.text in catalog.views else (0, "")
    if table.new:
        return 0, ""
    statistics = table.statistics
    size = statistics.bytes if work.kind == "rewrite" else statistics.table_bytes
    if size is None:
        size = statistics.bytes if statistics.table_bytes is None else statistics.table_bytes
    return size, f", from {statistics.basis}" if statistics.basis else ""


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.0f} MB" if size >= _MEGABYTE else f"{-(-size // 1000)} kB"
