"""Any prefix of a run's events folds without losing a finished step, and folding in two goes is folding at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from driftflow.engine.decide import Limits, Signals, decide
from driftflow.engine.state import fold
from driftflow.model.event import (
    AnyEvent,
    ChunkDone,
    LockWaited,
    Paused,
    Resumed,
    RunStarted,
    StepDone,
    StepFailed,
    StepRepaired,
    StepStarted,
)
from driftflow.model.plan import Plan, RunSql
from driftflow.model.record import decode, encode

AT = "2026-01-01T00:00:00.000000Z"
STEPS = ("a", "b", "c")
PLAN = Plan(
    dialect="postgresql",
    migrations=(),
    catalog_fingerprint="",
    steps=tuple(RunSql(id=id, purpose=id, statements=("SELECT 1",)) for id in STEPS),
)
STEP = some.sampled_from(STEPS)
EVENTS: some.SearchStrategy[AnyEvent] = some.one_of(
    some.just(RunStarted(run="r", at=AT, plan_digest="d")),
    STEP.map(lambda step: StepStarted(run="r", at=AT, step=step)),
    STEP.map(lambda step: StepDone(run="r", at=AT, step=step)),
    STEP.map(lambda step: StepRepaired(run="r", at=AT, step=step, repair="x")),
    STEP.map(lambda step: StepFailed(run="r", at=AT, step=step, error_code="x", error="x")),
    STEP.map(lambda step: LockWaited(run="r", at=AT, step=step, attempt=1, timeout_ms=1, rest_ms=1)),
    STEP.map(lambda step: ChunkDone(run="r", at=AT, step=step, chunk=1, cursor=(), rows=1, rows_total=1)),
    some.just(Paused(run="r", at=AT)),
    some.just(Resumed(run="r", at=AT)),
)


def honest(events: list[AnyEvent]) -> list[AnyEvent]:
    """As an executor writes them: a finished step is never begun, repaired or failed again."""
    done: set[str] = set()
    kept = []
    for event in events:
        step = getattr(event, "step", "")
        if step in done and not isinstance(event, Resumed):
            continue
        if isinstance(event, StepDone):
            done.add(step)
        kept.append(event)
    return kept


@given(some.lists(EVENTS, max_size=30).map(honest), some.integers(0, 30))
def test_no_finished_step_is_lost(events: list[AnyEvent], cut: int) -> None:
    prefix = events[:cut]
    finished = {event.step for event in prefix if isinstance(event, StepDone)}
    state = fold([*prefix, RunStarted(run="r", at=AT, plan_digest="d")])
    assert {step for step in STEPS if state.done(step)} == finished
    assert fold(events[cut:], fold(prefix)) == fold(events)


@given(some.lists(EVENTS, max_size=30).map(honest))
def test_a_finished_step_is_never_decided_again_and_the_state_survives_the_journal(events: list[AnyEvent]) -> None:
    stored = [decode(encode(event), AnyEvent) for event in events]  # type: ignore[arg-type]
    assert fold(stored) == fold(events)
    action = decide(PLAN, fold(events), Signals(), "2027-01-01T00:00:00.000000Z", limits=Limits())
    finished = {event.step for event in events if isinstance(event, StepDone)}
    step = getattr(action, "step", None)
    assert getattr(step, "id", "") not in finished
    assert (step is None) == (finished == set(STEPS))
