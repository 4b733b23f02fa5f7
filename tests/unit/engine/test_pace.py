"""Chunk sizes, rests and the time that is left."""

from __future__ import annotations

from driftflow.engine import pace
from driftflow.model.plan import ChunkPolicy

POLICY = ChunkPolicy(target_ms=100, rows_first=1000, rows_min=10, rows_max=100_000, rest_percent=20)


def walk(now: pace.Pace, microseconds_per_key: int, chunks: int) -> pace.Pace:
    for _ in range(chunks):
        now = pace.after_chunk(now, POLICY, keys=now.keys, milliseconds=max(1, now.keys * microseconds_per_key // 1000))
    return now


def test_it_settles_at_the_target() -> None:
    settled = walk(pace.start(POLICY), 20, 20)
    assert 4_000 <= settled.keys <= 5_600
    slow = walk(pace.start(POLICY), 1000, 20)
    assert 80 <= slow.keys <= 110


def test_it_grows_by_half_at_most_and_keeps_its_bounds() -> None:
    first = pace.start(POLICY)
    assert pace.after_chunk(first, POLICY, keys=1000, milliseconds=0).keys == 1501
    assert walk(first, 0, 40).keys == 100_000
    assert walk(first, 1_000_000, 40).keys == 10


def test_one_very_slow_chunk_shrinks_it_at_once() -> None:
    found = pace.after_chunk(pace.start(POLICY), POLICY, keys=1000, milliseconds=301)
    assert found.keys == 250 and len(found.samples) == 1


def test_a_conflict_shrinks_it() -> None:
    assert pace.after_conflict(pace.start(POLICY), POLICY).keys == 250
    assert pace.after_conflict(pace.Pace(keys=12), POLICY).keys == 10


def test_one_fast_gap_does_not_hide_the_slow_ones() -> None:
    now = pace.Pace(keys=1000, samples=((1000, 100),) * 7)
    assert pace.after_chunk(now, POLICY, keys=1000, milliseconds=1).keys <= 1000


def test_rests() -> None:
    assert pace.rest_ms(POLICY, 100) == 20
    assert pace.rest_ms(POLICY, 100, percent=300) == 300
    assert pace.rest_ms(POLICY, 1_000_000) == 5_000


def test_eta_is_a_range_and_silent_without_a_size() -> None:
    now = walk(pace.start(POLICY), 20, 10)
    assert pace.eta_seconds(now, left=None, rest_percent=20) is None
    assert pace.eta_seconds(pace.start(POLICY), left=1000, rest_percent=20) is None
    likely, pessimistic = pace.eta_seconds(now, left=500_000, rest_percent=20) or (0, 0)
    assert 8 <= likely <= 12 and likely <= pessimistic <= 15
