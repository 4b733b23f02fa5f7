"""How big the next chunk is, how long to rest after it, and when it will be over. Integer arithmetic, no clock."""

from __future__ import annotations

from driftflow.model.plan import ChunkPolicy
from driftflow.model.record import Record, replace

SAMPLES = 8
GROWTH_PERCENT = 150
"""The most that a chunk may grow in one step: one fast chunk (a gap in the keys) must not make a huge one."""
SHRINK = 4
TROUBLE = 3
"""A chunk of more than three times the target shrinks the next one at once."""
REST_LONGEST_MS = 5_000


class Pace(Record, frozen=True, kw_only=True):
    """`samples` are (keys, milliseconds) of the last chunks that ended well."""

    keys: int
    samples: tuple[tuple[int, int], ...] = ()
    rate: int = 0
    """Keys per second, rests included, smoothed (the last chunk counts for a fifth)."""


def start(policy: ChunkPolicy) -> Pace:
    return Pace(keys=_clamp(policy.rows_first, policy))


def after_chunk(pace: Pace, policy: ChunkPolicy, *, keys: int, milliseconds: int, rested_ms: int = 0) -> Pace:
    """The next size from the ninetieth percentile of the last chunks' times, each scaled to the present size."""
    samples = (*pace.samples, (max(keys, 1), max(milliseconds, 1)))[-SAMPLES:]
    rate = _smooth(pace.rate, keys * 1000 // max(milliseconds + rested_ms, 1))
    if milliseconds > TROUBLE * policy.target_ms:
        return Pace(keys=_clamp(pace.keys // SHRINK, policy), samples=samples[-1:], rate=rate)
    slow = _percentile_ms(samples, pace.keys)
    wanted = pace.keys * policy.target_ms // max(slow, 1)
    return Pace(keys=_clamp(min(wanted, pace.keys * GROWTH_PERCENT // 100 + 1), policy), samples=samples, rate=rate)


def after_conflict(pace: Pace, policy: ChunkPolicy) -> Pace:
    """A lock was not granted, or we were the deadlock's victim: fewer rows meet fewer locks."""
    return replace(pace, keys=_clamp(pace.keys // SHRINK, policy))


def rest_ms(policy: ChunkPolicy, milliseconds: int, *, percent: int | None = None) -> int:
    """How long to leave the server alone after a chunk."""
    return min(milliseconds * (policy.rest_percent if percent is None else percent) // 100, REST_LONGEST_MS)


def eta_seconds(pace: Pace, *, left: int | None, rest_percent: int) -> tuple[int, int] | None:
    """(likely, pessimistic) seconds to go: the smoothed rate, and the rate of the slowest recent chunk. None when the size is not known."""
    if left is None or not pace.samples or pace.rate <= 0:
        return None
    slowest = min(keys * 1000 * 100 // (ms * (100 + rest_percent)) for keys, ms in pace.samples)
    likely = max(left, 0) // pace.rate
    return likely, max(likely, max(left, 0) // max(slowest, 1))


def _percentile_ms(samples: tuple[tuple[int, int], ...], keys: int) -> int:
    times = sorted(milliseconds * keys // sampled for sampled, milliseconds in samples)
    return times[min(len(times) - 1, len(times) * 9 // 10)]


def _smooth(before: int, now: int) -> int:
    return now if before == 0 else (before * 4 + now) // 5


def _clamp(keys: int, policy: ChunkPolicy) -> int:
    return max(policy.rows_min, min(policy.rows_max, keys))
