"""The three examples under an application that never stops: no statement of it fails, nothing that it wrote is lost, and every way back leads home.

The writer has no retry and a lock timeout of one second; its mirror tables hold what it wrote, in the same transactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from example_runs import EXAMPLES, Shop, finished_step, give_key, open_shop, writing

from driftflow.config import Policy
from driftflow.demo.shop import Size
from driftflow.demo.writer import Writer
from driftflow.engine.run import RunReport
from driftflow.errors import RefusedError
from driftflow.model.event import StepDone
from driftflow.model.plan import Backfill, Gate, Plan, RebuildTable


@pytest.fixture
def sqlite_shop(sqlite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    give_key(monkeypatch)
    return open_shop(f"sqlite:///{sqlite_file}", tmp_path)


@pytest.fixture
def postgresql_shop(postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    give_key(monkeypatch)
    yield open_shop(postgresql_url, tmp_path)


def through_gates(shop: Shop, plan: Plan, writer: Writer | None) -> RunReport:
    """Apply; at every gate the application becomes the new version, and the gate is opened."""
    report = shop.apply(plan)
    while report.state == "waiting_at_gate":
        if writer is not None:
            writer.ask("new")
        report = shop.apply(plan, open_gates=(report.gate,))
    return report


def home_again(shop: Shop, run: str, writer: Writer | None) -> RunReport:
    """Roll back; at every gate the application becomes the old version, and the gate is opened."""
    report = shop.roll_back(run)
    while report.state == "waiting_at_gate":
        if writer is not None:
            writer.ask("old")
        report = shop.resume(run, open_gates=(report.gate,))
    return report


def forward_and_back(shop: Shop, example: str) -> None:
    before = shop.fingerprint()
    with writing(shop) as writer:
        plan = shop.plan(example)
        report = through_gates(shop, plan, writer)
        assert report.state == "done", report
        indivisible = {step.id for step in plan.steps if not isinstance(step, (Backfill, Gate))}
        longest = max(event.milliseconds for event in shop.events if isinstance(event, StepDone) and event.step in indivisible)
        tally = writer.ask()
        assert tally["failures"] == []
        # A waiting lock request of ours may make the writer queue for the stall budget, and then for the step itself.
        bound = 1.2 * longest + plan_budget(plan)
        print(f"{example}: longest stall {tally['longest_ms']} ms, longest indivisible step {longest} ms, bound {bound:.0f} ms")
        assert tally["longest_ms"] <= bound
        assert shop.differing() == {"orders": 0, "products": 0, "users": 0}
        assert shop.fingerprint() != before

        report = home_again(shop, report.run, writer)
        assert report.state == "rolled_back", report
        assert writer.stop()["failures"] == []
    assert shop.differing() == {"orders": 0, "products": 0, "users": 0}
    assert shop.fingerprint() == before


def plan_budget(plan: Plan) -> int:
    """The longest that any of its lock requests may wait, and a second of a busy machine's own."""
    return max(step.lock_timeout_ms for step in plan.steps) + 1000


@pytest.mark.parametrize("example", EXAMPLES)
def test_sqlite_forward_and_back_under_a_writer(example: str, sqlite_shop: Shop) -> None:
    forward_and_back(sqlite_shop, example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_postgresql_forward_and_back_under_a_writer(example: str, postgresql_shop: Shop) -> None:
    forward_and_back(postgresql_shop, example)


def from_every_step(shop: Shop, example: str) -> int:
    """Stop after step 1, 2, 3, ... and roll back each time: always the schema and the data of the start. How many steps were tried."""
    before = shop.fingerprint()
    for number in range(1, 100):
        plan = shop.plan(example)
        done = 0
        report = shop.apply(plan, after=finished_step(number), open_gates=gates(plan))
        done = report.steps_done
        ended = report.state == "done"
        assert ended or report.state == "paused", report
        report = shop.roll_back(report.run, open_gates=gates(plan))
        assert report.state == "rolled_back", (number, done, report)
        assert shop.fingerprint() == before, f"after step {number}"
        assert shop.differing() == {"orders": 0, "products": 0, "users": 0}, f"after step {number}"
        if ended:
            return number
    raise AssertionError("the plan has no end")


def gates(plan: Plan) -> tuple[str, ...]:
    return tuple(name for step in plan.steps if isinstance(step, Gate) for name in (step.name, step.name_back))


@pytest.mark.parametrize("example", EXAMPLES)
def test_sqlite_rolls_back_from_every_step(example: str, sqlite_shop: Shop) -> None:
    print(f"{example}: rolled back from {from_every_step(sqlite_shop, example)} points")


@pytest.mark.parametrize("example", EXAMPLES)
def test_postgresql_rolls_back_from_every_step(example: str, postgresql_shop: Shop) -> None:
    print(f"{example}: rolled back from {from_every_step(postgresql_shop, example)} points")


@pytest.mark.parametrize("example", EXAMPLES)
def test_two_jobs_run_one_plan(example: str, sqlite_shop: Shop) -> None:
    """One CI job applies the expand phase before the deploy, another one the rest after it."""
    plan = sqlite_shop.plan(example)
    report = sqlite_shop.apply(plan, phase="expand")
    assert report.state in {"phase_done", "done"}
    report = sqlite_shop.apply(plan, phase="contract", open_gates=gates(plan))
    assert report.state == "done", report


@pytest.mark.slow
def test_sqlite_full_size_under_a_writer(sqlite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """200,000 orders: the table is rebuilt forward and back while the application writes with a second of patience, and no statement fails."""
    give_key(monkeypatch)
    shop = open_shop(f"sqlite:///{sqlite_file}", tmp_path, size=Size())
    with writing(shop) as writer:
        plan = shop.plan("tenants", policy=Policy())
        assert any(isinstance(step, RebuildTable) and step.online is not None for step in plan.steps)
        report = through_gates(shop, plan, writer)
        assert report.state == "done", report
        forward = writer.ask()
        assert shop.differing() == {"orders": 0, "products": 0, "users": 0}
        report = home_again(shop, report.run, writer)
        assert report.state == "rolled_back", report
        backward = writer.stop()
    swaps = [int(event.details["swap_ms"]) for event in shop.events if isinstance(event, StepDone) and "swap_ms" in event.details]
    print(f"longest forward {forward['longest_ms']} ms, back {backward['longest_ms']} ms; the swaps took {swaps} ms")
    assert backward["failures"] == []
    assert len(swaps) == 2
    assert shop.differing() == {"orders": 0, "products": 0, "users": 0}


def test_a_rollback_is_not_turned_around_by_apply(sqlite_shop: Shop) -> None:
    """A run that waits at its gate on the way back stays on its way back."""
    plan = sqlite_shop.plan("tenants")
    run = through_gates(sqlite_shop, plan, None).run
    assert sqlite_shop.roll_back(run).state == "waiting_at_gate"
    with pytest.raises(RefusedError) as refused:
        sqlite_shop.apply(plan)
    assert refused.value.code == "DF-E319"
    assert home_again(sqlite_shop, run, None).state == "rolled_back"
    assert sqlite_shop.apply(plan, phase="expand").state == "phase_done"
