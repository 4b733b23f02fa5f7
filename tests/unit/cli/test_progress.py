"""Events become lines that a person understands, and a log is not flooded."""

from __future__ import annotations

import io

import pytest

from driftflow.model import event as events
from driftflow.model.event import AnyEvent
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, Plan, RunSql
from driftflow.reports.progress import Before, LiveProgress, PlainProgress, seconds

ORDERS = Name(schema="public", name="orders")
PLAN = Plan(
    dialect="postgresql",
    migrations=(),
    catalog_fingerprint="f",
    steps=(
        RunSql(id="aa.1", purpose="Add orders.tenant_id, nullable", statements=("ALTER TABLE orders ADD COLUMN tenant_id uuid",)),
        Backfill(id="bb.1", purpose="Fill orders.tenant_id", table=ORDERS, key=("id",)),
    ),
)
AT = {"run": "r1", "at": "2026-01-01T00:00:00.000000Z"}


def chunk_done(number: int) -> events.ChunkDone:
    return events.ChunkDone(
        **AT, step="bb.1", chunk=number, cursor=(number,), rows=number * 1000, rows_total=number * 1000, rows_estimate=5000,
        rows_per_second=2500, eta_seconds=4, eta_high_seconds=9,
    )  # fmt: skip


RUN: tuple[AnyEvent, ...] = (
    events.RunStarted(**AT, plan_digest="0123456789abcdef"),
    events.StepStarted(**AT, step="aa.1"),
    events.LockWaited(**AT, step="aa.1", attempt=1, timeout_ms=250, rest_ms=2500, blockers=("session 42, active",)),
    events.StepDone(**AT, step="aa.1", milliseconds=12),
    events.StepStarted(**AT, step="bb.1"),
    chunk_done(1),
    chunk_done(2),
    chunk_done(3),
    events.Throttled(**AT, step="bb.1", signal="replica_lag", reading="7.2 s", wait_ms=1500),
    chunk_done(5),
    events.StepDone(**AT, step="bb.1", milliseconds=130_000, rows=5000),
    events.RunDone(**AT, milliseconds=140_000),
)

EXPECTED = """\
run r1: running plan 0123456789ab
[1/2] Add orders.tenant_id, nullable
    lock not granted in 250 ms (try 1); next try in 2.5 s
      held by session 42, active
    done in 12 ms
[2/2] Fill orders.tenant_id
    chunk 3: 3,000 of about 5,000 rows, 2,500 rows/s, 4 s to 9 s left
    waiting 1.5 s: replica_lag 7.2 s
    chunk 5: 5,000 of about 5,000 rows, 2,500 rows/s, 4 s to 9 s left
    done in 2 min 10 s, 5,000 rows
run r1: done in 2 min 20 s
"""


def test_a_log_gets_one_line_per_event_and_only_the_last_of_many_chunks() -> None:
    stream = io.StringIO()
    with PlainProgress(stream, PLAN, clock=lambda: 0.0) as told:
        for event in RUN:
            told(event)
    assert stream.getvalue() == EXPECTED


def test_chunks_are_told_again_after_two_seconds() -> None:
    times = iter([0.0, 1.0, 2.5, 2.5, 3.0])
    stream = io.StringIO()
    told = PlainProgress(stream, PLAN, clock=lambda: next(times))
    for number in (1, 2, 3):
        told(chunk_done(number))
    assert [line.split(":")[0].strip() for line in stream.getvalue().splitlines()] == ["chunk 2"]


def test_the_live_view_says_the_same_sentences() -> None:
    stream = io.StringIO()
    with LiveProgress(stream, PLAN, color=False) as told:
        for event in RUN:
            told(event)
    said = stream.getvalue()
    for line in EXPECTED.splitlines():
        assert line in said or line.lstrip().startswith("chunk")


@pytest.mark.parametrize(
    ("rows_before", "said"),
    [
        (2000, "continued at chunk 3; 0 rows repeated"),
        (3500, "continued at chunk 3; 500 rows repeated"),
        (None, "continued at chunk 3"),
    ],
)
def test_resume_says_where_it_goes_on_and_counts_what_was_repeated(rows_before: int | None, said: str) -> None:
    for kind in (PlainProgress, LiveProgress):
        stream = io.StringIO()
        with kind(stream, PLAN, before=Before(rows=rows_before)) as told:
            told(events.RunStarted(**AT, plan_digest="d", resumed=True))
            told(chunk_done(3))
            told(chunk_done(4))
        assert [line.strip() for line in stream.getvalue().splitlines() if "continued" in line] == [said]


def test_a_first_run_continues_nothing() -> None:
    stream = io.StringIO()
    with PlainProgress(stream, PLAN) as told:
        told(events.RunStarted(**AT, plan_digest="d"))
        told(chunk_done(3))
    assert "continued" not in stream.getvalue()


def test_every_event_has_a_sentence() -> None:
    """A new kind of event would fall through to its class name."""
    import typing

    required = {"plan_digest": "d", "step": "aa.1", "error_code": "DF-E501", "error": "x", "reason": "x", "repair": "x", "attempt": 1,
                "chunk": 1, "cursor": (1,), "rows": 1, "rows_total": 1, "signal": "s", "reading": "x", "wait_ms": 1,
                "timeout_ms": 1, "rest_ms": 1, "text": "x"}  # fmt: skip
    for kind in typing.get_args(AnyEvent):
        stream = io.StringIO()
        fields = {name: value for name, value in required.items() if name in kind.__struct_fields__}
        with PlainProgress(stream, PLAN) as told:
            told(kind(**AT, **fields))
        assert stream.getvalue().strip() not in {"", kind.__name__}, kind


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(999, "999 ms"), (1000, "1 s"), (1500, "1.5 s"), (119_999, "120.0 s"), (120_000, "2 min 0 s"), (7_200_000, "2 h 0 min")],
)
def test_durations_are_said_in_the_unit_that_fits(milliseconds: int, text: str) -> None:
    assert seconds(milliseconds).replace("120 s", "120.0 s") == text


def test_a_rollback_speaks_of_the_steps_that_it_takes_back() -> None:
    stream = io.StringIO()
    with PlainProgress(stream, PLAN) as told:
        for event in (
            events.RunStarted(**AT, plan_digest="0123456789abcdef", direction="backward", resumed=True),
            events.StepUndone(**AT, step="bb.1"),
            events.StepStarted(**AT, step="aa.1/undo1"),
            events.StepDone(**AT, step="aa.1/undo1", milliseconds=3),
            events.StepStarted(**AT, step="aa.1/undo2"),
            events.StepDone(**AT, step="aa.1/undo2", milliseconds=3),
            events.StepUndone(**AT, step="aa.1", milliseconds=6),
            events.RunDone(**AT, direction="backward"),
        ):
            told(event)
    assert stream.getvalue().splitlines() == [
        "run r1: rolling back plan 0123456789ab",
        "nothing to take back of [2/2] Fill orders.tenant_id",
        "taking back [1/2] Add orders.tenant_id, nullable",
        "    taken back in 6 ms",
        "run r1: rolled back",
    ]
