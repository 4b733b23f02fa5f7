"""What a run is, and what comes next: pure functions over records."""

from __future__ import annotations

import pytest

from driftflow.engine.decide import (
    AwaitGate,
    DoStep,
    Finish,
    Limits,
    OpenGate,
    PauseRun,
    ProbeStep,
    Signals,
    Stop,
    UndoStep,
    Wait,
    decide,
    past_no_return,
    undo_steps,
)
from driftflow.engine.ports import Reading
from driftflow.engine.state import RunState, fold, later, looked_at, milliseconds_until
from driftflow.model.event import (
    Aborted,
    GateOpened,
    GateReached,
    LockWaited,
    OutcomeUnknown,
    Paused,
    Resumed,
    RunDone,
    RunStarted,
    StepDone,
    StepFailed,
    StepRepaired,
    StepStarted,
    StepUndone,
)
from driftflow.model.plan import Gate, Irreversible, Plan, RunSql, UndoSteps

AT = "2026-01-01T00:00:00.000000Z"
LIMITS = Limits(lock_tries=3)
QUIET = Signals()


def sql(id: str, **changes: object) -> RunSql:
    return RunSql(id=id, purpose=id, statements=("SELECT 1",), **changes)  # type: ignore[arg-type]


def plan(*steps: object) -> Plan:
    return Plan(dialect="postgresql", migrations=(), catalog_fingerprint="", steps=steps)  # type: ignore[arg-type]


def started(**changes: object) -> RunStarted:
    return RunStarted(run="r", at=AT, plan_digest="d", **changes)  # type: ignore[arg-type]


def begun(step: str) -> StepStarted:
    return StepStarted(run="r", at=AT, step=step)


def done(step: str, **details: str) -> StepDone:
    return StepDone(run="r", at=AT, step=step, details=details)


def waited(step: str, rest_ms: int = 1000) -> LockWaited:
    return LockWaited(run="r", at=AT, step=step, attempt=1, timeout_ms=250, rest_ms=rest_ms)


def next_of(the_plan: Plan, *events: object, signals: Signals = QUIET, now: str = AT, limits: Limits = LIMITS) -> object:
    return decide(the_plan, fold(events), signals, now, limits=limits)  # type: ignore[arg-type]


def test_steps_are_done_in_order_and_then_it_is_finished() -> None:
    two = plan(sql("a"), sql("b"))
    assert next_of(two, started()) == DoStep(step=two.steps[0], attempt=1)
    assert next_of(two, started(), begun("a"), done("a")) == DoStep(step=two.steps[1], attempt=1)
    assert next_of(two, started(), begun("a"), done("a"), begun("b"), done("b")) == Finish()


def test_a_step_that_was_under_way_is_looked_at_first() -> None:
    two = plan(sql("a"), sql("b"))
    assert next_of(two, started(), begun("a"), started(resumed=True)) == ProbeStep(step=two.steps[0])
    state = looked_at(fold([started(), begun("a"), started(resumed=True)]), "a")
    assert decide(two, state, Signals(), AT, limits=LIMITS) == DoStep(step=two.steps[0], attempt=1 + 1)
    repaired = StepRepaired(run="r", at=AT, step="a", repair="DROP INDEX x")
    assert isinstance(next_of(two, started(), begun("a"), started(), repaired), DoStep)


def test_a_failed_or_unknown_step_is_looked_at_when_the_run_is_taken_up() -> None:
    one = plan(sql("a"))
    failed = StepFailed(run="r", at=AT, step="a", error_code="DF-E510", error="no")
    unknown = OutcomeUnknown(run="r", at=AT, step="a", reason="no probe")
    assert isinstance(next_of(one, started(), begun("a"), failed, started()), ProbeStep)
    assert next_of(one, started(), begun("a"), started(), unknown) == Stop(why="unknown", step=one.steps[0])
    assert isinstance(next_of(one, started(), begun("a"), started(), unknown, started()), ProbeStep)


def test_a_lock_is_rested_for_and_not_asked_for_ever() -> None:
    one = plan(sql("a"))
    assert next_of(one, started(), begun("a"), waited("a")) == Wait(milliseconds=1000, step="a")
    assert isinstance(next_of(one, started(), begun("a"), waited("a"), now=later(AT, 1000)), DoStep)
    limit = next_of(one, started(), begun("a"), waited("a"), waited("a"), waited("a"), now=later(AT, 9000))
    assert limit == Stop(why="lock_limit", step=one.steps[0])
    again = next_of(one, started(), begun("a"), waited("a"), waited("a"), waited("a"), started(), now=later(AT, 9000))
    assert isinstance(again, ProbeStep), "a resumed run counts anew"


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (Signals(stop=True), Stop(why="stop")),
        (Signals(abort="ann"), Stop(why="abort", by="ann")),
        (Signals(pause="ann"), PauseRun(by="ann")),
        (Signals(pause="ann", stop=True), Stop(why="stop")),
        (Signals(readings=(Reading(signal="x", value="bad", ok=False, critical=True),)), Stop(why="abort", by="signal x: bad")),
    ],
)
def test_what_people_ask_comes_first(signals: Signals, expected: object) -> None:
    assert next_of(plan(sql("a")), started(), begun("a"), started(), signals=signals) == expected


def test_load_outside_makes_it_wait() -> None:
    high = Reading(signal="load", value="9", ok=False)
    found = next_of(plan(sql("a")), started(), signals=Signals(readings=(high,)))
    assert found == Wait(milliseconds=1000, step="a", reading=high)


def test_gates() -> None:
    gate = Gate(id="g", purpose="g", name="deployed", question="?")
    two = plan(gate, sql("a"))
    assert next_of(two, started()) == AwaitGate(step=gate, name="deployed", question="?")
    assert next_of(two, started(), signals=Signals(opened_gates={"deployed": "ann"})) == OpenGate(step=gate, by="ann")
    reached = GateReached(run="r", at=AT, step="g")
    assert fold([started(), reached]).stopped == "waiting_at_gate"
    assert isinstance(next_of(two, started(), reached, started(), GateOpened(run="r", at=AT, step="g")), DoStep)


def test_phases_end_before_the_next_one() -> None:
    two = plan(sql("a"), sql("b", phase="contract"))
    expand = Limits(phase="expand")
    assert next_of(two, started(), done("a"), limits=expand) == Finish(phase="expand")
    assert isinstance(next_of(two, started(), done("a"), limits=Limits(phase="contract")), DoStep)


def test_nothing_irreversible_without_being_accepted() -> None:
    final = sql("a", undo=Irreversible(reason="gone", name="drop x"))
    assert next_of(plan(final), started()) == Stop(why="irreversible", step=final)
    assert isinstance(next_of(plan(final), started(), limits=Limits(accepted=("drop x",))), DoStep)


def test_the_way_back() -> None:
    undo = UndoSteps(steps=(sql(""), sql("")))
    two = plan(sql("a", undo=undo), sql("b"))
    back = started(direction="backward")
    first, second = undo_steps(two.steps[0])
    assert (first.id, second.id) == ("a/undo1", "a/undo2")
    so_far = [started(), begun("a"), done("a"), begun("b"), done("b"), back]
    assert next_of(two, *so_far) == UndoStep(step=two.steps[1])
    so_far.append(StepUndone(run="r", at=AT, step="b"))
    assert next_of(two, *so_far) == DoStep(step=first, attempt=1)
    so_far += [begun("a/undo1"), done("a/undo1")]
    assert next_of(two, *so_far) == DoStep(step=second, attempt=1)
    so_far += [begun("a/undo2"), started(direction="backward")]
    assert next_of(two, *so_far) == ProbeStep(step=second), "killed while taking back"
    so_far += [done("a/undo2")]
    assert next_of(two, *so_far) == UndoStep(step=two.steps[0])
    so_far.append(StepUndone(run="r", at=AT, step="a"))
    assert next_of(two, *so_far) == Finish()


def test_a_step_that_never_happened_needs_no_undo() -> None:
    undo = UndoSteps(steps=(sql(""),))
    one = plan(sql("a", undo=undo), sql("b", undo=undo))
    assert next_of(one, started(), begun("a"), started(direction="backward")) == ProbeStep(step=one.steps[0])
    assert next_of(one, started(), started(direction="backward")) == Finish()


def test_past_the_point_of_no_return() -> None:
    final = sql("a", undo=Irreversible(reason="gone", name="drop x"))
    both = plan(final, sql("b"))
    assert past_no_return(both, fold([started()])) is None
    assert past_no_return(both, fold([started(), done("a")])) == final
    back = [started(), done("a"), started(direction="backward")]
    assert next_of(both, *back) == Stop(why="irreversible", step=final)
    assert next_of(both, *back, limits=Limits(accepted=("drop x",))) == UndoStep(step=final)


def test_the_fingerprint_is_that_of_the_last_structural_step() -> None:
    state = fold([started(), done("a", fingerprint="f1"), done("b"), done("c", fingerprint="f2"), done("d")])
    assert state.fingerprint == "f2"


def test_why_it_is_not_going_on() -> None:
    assert fold([started(), Paused(run="r", at=AT)]).stopped == "paused"
    assert fold([started(), Paused(run="r", at=AT), Resumed(run="r", at=AT)]).stopped == ""
    assert fold([started(), Aborted(run="r", at=AT)]).stopped == "aborted"
    assert fold([started(), RunDone(run="r", at=AT)]).stopped == "done"
    assert fold([started(), RunDone(run="r", at=AT, phase="expand")]).stopped == "phase_done"
    assert fold([started(), RunDone(run="r", at=AT, direction="backward")]).stopped == "rolled_back"
    assert RunState().step("nobody").status == "pending"


def test_time_is_text() -> None:
    assert later("2026-02-28T23:59:59.500000Z", 600) == "2026-03-01T00:00:00.100000Z"
    assert milliseconds_until(later(AT, 1500), AT) == 1500
    assert milliseconds_until(AT, later(AT, 1)) == 0
    assert milliseconds_until("", AT) == 0
