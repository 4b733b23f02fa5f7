"""How long a step may take, as a range with its basis; and the longest that anybody may have to wait for it.

The rates are wide on purpose: they are what ordinary machines do, not a promise. Without statistics there is no number.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.model.catalog import Catalog, TableStatistics
from driftflow.model.effects import Estimate, Held, LockClaim
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, ChunkPolicy, Gate, RebuildTable, RunSql, Stage, Step, Verify
from driftflow.model.record import replace

MB = 1_000_000
BYTES_A_SECOND: dict[Held, tuple[int, int]] = {
    "scan": (100 * MB, 1_000 * MB),
    "rewrite": (20 * MB, 200 * MB),
    "index_build": (20 * MB, 200 * MB),
    "copy": (10 * MB, 150 * MB),
}
"""(slowest, fastest) by how long the lock is held."""
ROWS_A_SECOND: dict[Held, tuple[int, int]] = {
    "scan": (500_000, 10_000_000),
    "rewrite": (50_000, 1_000_000),
    "index_build": (100_000, 2_000_000),
    "copy": (50_000, 1_000_000),
    "statement": (20_000, 500_000),
}
"""Where only the number of rows is known."""
CHUNKED_ROWS_A_SECOND = (5_000, 100_000)
INSTANT_MS = (1, 50)


def with_estimates(steps: Sequence[Step], catalog: Catalog, made: frozenset[str]) -> list[Step]:
    return [_with_estimate(step, catalog, made) for step in steps]


def _with_estimate(step: Step, catalog: Catalog, made: frozenset[str]) -> Step:
    if isinstance(step, RebuildTable) and step.online is not None:
        step = replace(step, swap_estimate=_swap(step, catalog))
    return replace(step, estimate=estimate(step, catalog, made))


def estimate(step: Step, catalog: Catalog, made: frozenset[str]) -> Estimate | None:
    """The step's own duration, without waiting for locks."""
    match step:
        case Gate() | Stage():
            return None  # as long as somebody takes to answer, or the source to load
        case Backfill(rows_estimate=rows):
            return None if rows is None else _chunked(rows, step.chunk, catalog, step.table)
        case RebuildTable(rows_estimate=rows) if step.online is not None:
            return None if rows is None else _rebuilt_online(rows, step, catalog)
        case _:
            parts = [_held(claim, catalog, made) for claim in _lasting(step)]
            if any(part is None for part in parts):
                return None
            known = [part for part in parts if part is not None]
            if isinstance(step, Verify) or not known:
                return (
                    None
                    if isinstance(step, Verify)
                    else Estimate(low=1, high=50, unit="ms", basis="a change of the catalog alone")
                )
            return max(known, key=lambda part: part.high)


def _lasting(step: Step) -> Sequence[LockClaim]:
    """The claims that are held for as long as their own relation takes. With LOCK TABLES the first one's table is worked on, and the others wait for it."""
    if not isinstance(step, RunSql) or not step.lock_tables:
        return step.claims
    return [claim for claim in step.claims if claim.relation == step.claims[0].relation]


def _chunked(rows: int, chunk: ChunkPolicy, catalog: Catalog, relation: Name) -> Estimate:
    slowest, fastest = CHUNKED_ROWS_A_SECOND
    rest = 1 + chunk.rest_percent / 100
    table = catalog.table(relation)
    source = table.statistics.basis if table is not None else ""
    return Estimate(
        low=max(1, int(rows / fastest * 1000 * rest)),
        high=max(chunk.target_ms, int(rows / slowest * 1000 * rest)),
        unit="ms",
        basis=f"{rows:,} rows{f' ({source})' if source else ''} in chunks at {slowest:,} to {fastest:,} rows a second, with rests",
    )


def _swap(step: RebuildTable, catalog: Catalog) -> Estimate | None:
    """The indexes, one after the other: each costs about what reading and sorting the table costs."""
    low, high = INSTANT_MS
    indexes = sum(statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")) for statement in step.restore)
    if not indexes:
        return Estimate(low=low, high=high, unit="ms", basis="a change of the catalog alone: the table has no index to make anew")
    held = next((claim for claim in step.claims if claim.held == "index_build"), None)
    one = None if held is None else _held(held, catalog, frozenset())
    if one is None:
        return None
    many = f"{indexes} indexes, each over " if indexes > 1 else "1 index over "
    return Estimate(low=one.low * indexes, high=one.high * indexes, unit="ms", basis=many + one.basis)


def _rebuilt_online(rows: int, step: RebuildTable, catalog: Catalog) -> Estimate:
    """Copied, and later deleted, in chunks; the swap between."""
    assert step.online is not None
    copied = _chunked(rows, step.online.chunk, catalog, step.table)
    swap = step.swap_estimate or Estimate(low=0, high=0, unit="ms", basis="")
    return Estimate(low=copied.low + swap.low, high=2 * copied.high + swap.high, unit="ms", basis=copied.basis)


def _held(claim: LockClaim, catalog: Catalog, made: frozenset[str]) -> Estimate | None:
    """As long as the lock of one claim is held; None where the size is not known."""
    low, high = INSTANT_MS
    if claim.held == "instant" or claim.relation.text in made:
        return Estimate(low=low, high=high, unit="ms", basis="a change of the catalog alone")
    statistics = _statistics(claim.relation, catalog)
    if statistics is None:
        return None
    size = statistics.table_bytes or statistics.bytes
    basis = f" ({statistics.basis})" if statistics.basis else ""
    if size is not None and claim.held in BYTES_A_SECOND:
        slowest, fastest = BYTES_A_SECOND[claim.held]
        amount, words = size, f"{readable_bytes(size)} of {claim.relation.name} at {slowest // MB} to {fastest // MB} MB a second"
    elif statistics.rows is not None:
        slowest, fastest = ROWS_A_SECOND[claim.held]
        amount, words = (
            statistics.rows,
            f"{statistics.rows:,} rows of {claim.relation.name}{basis} at {slowest:,} to {fastest:,} a second",
        )
    else:
        return None
    return Estimate(low=max(low, amount * 1000 // fastest), high=max(high, amount * 1000 // slowest), unit="ms", basis=words)


def _statistics(relation: Name, catalog: Catalog) -> TableStatistics | None:
    table = catalog.table(relation)
    if table is not None and table.partitioning is not None:
        parts = [_statistics(child.name, catalog) for child in catalog.partitions(relation)]
        return _summed([part for part in parts if part is not None])
    if table is not None:
        return table.statistics
    owner = next((found for found in catalog.tables.values() for index in found.indexes if index.name == relation), None)
    return owner.statistics if owner is not None else None


def _summed(parts: list[TableStatistics]) -> TableStatistics:
    def total(values: list[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    return TableStatistics(
        rows=total([part.rows for part in parts]),
        bytes=total([part.bytes for part in parts]),
        table_bytes=total([part.table_bytes for part in parts]),
        basis="its partitions together",
    )


def total(steps: Sequence[Step]) -> Estimate | None:
    """All steps together; the basis says how many could not be estimated."""
    wanted = [step for step in steps if not isinstance(step, Gate | Verify)]
    known = [step.estimate for step in wanted if step.estimate is not None]
    if not known:
        return None
    unknown = len(wanted) - len(known)
    missing = f"; {unknown} more step{'s' if unknown > 1 else ''} of unknown size" if unknown else ""
    return Estimate(
        low=sum(part.low for part in known),
        high=sum(part.high for part in known),
        unit="ms",
        basis=f"the sum of {len(known)} step{'s' if len(known) != 1 else ''}{missing}",
    )


def longest_stall(steps: Sequence[Step], made: frozenset[str]) -> tuple[Estimate | None, list[str]]:
    """What the longest step that blocks readers or writers may cost them, named; and the steps whose stall is not known."""
    worst: Estimate | None = None
    unknown: list[str] = []
    for step in steps:
        found = _stall(step, made)
        if isinstance(found, str):
            unknown.append(found)
        elif found is not None and (worst is None or found.high > worst.high):
            worst = found
    return worst, unknown


def _stall(step: Step, made: frozenset[str]) -> Estimate | str | None:
    blocking = [claim for claim in step.claims if {"reads", "writes"} & set(claim.blocks) and claim.relation.text not in made]
    if not blocking:
        return None
    claim = max(blocking, key=lambda one: (one.held != "instant", len(one.blocks)))
    whom = "readers and writers" if "reads" in claim.blocks else "writers"
    named = f"step {step.id} ({step.purpose}): {claim.mode} on {claim.relation} stops {whom}"
    if isinstance(step, Backfill):
        return Estimate(low=1, high=step.chunk.target_ms, unit="ms", basis=f"{named} for one chunk at a time")
    if isinstance(step, RebuildTable) and step.online is not None:
        if step.swap_estimate is None:
            return f"how long {named} is not known: there are no statistics of {claim.relation}"
        chunks = f"chunks of {step.online.chunk.target_ms} ms, then {claim.why}"
        high = max(step.swap_estimate.high, step.online.chunk.target_ms) + step.lock_timeout_ms
        return Estimate(low=step.swap_estimate.low, high=high, unit="ms", basis=f"{named}: {chunks}; {step.swap_estimate.basis}")
    if claim.held == "instant":
        high = step.lock_timeout_ms + INSTANT_MS[1]
        return Estimate(
            low=INSTANT_MS[0],
            high=high,
            unit="ms",
            basis=f"{named} for a moment, after waiting {step.lock_timeout_ms} ms at most",
        )
    if step.estimate is None:
        return f"how long {named} is not known: there are no statistics of {claim.relation}"
    return Estimate(
        low=step.estimate.low, high=step.estimate.high + step.lock_timeout_ms, unit="ms", basis=f"{named}; {step.estimate.basis}"
    )


def readable_bytes(size: int) -> str:
    amount, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if amount >= 100 or units[0] == "B" else f"{amount:.1f} {units[0]}"
