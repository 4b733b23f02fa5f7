"""How long a statement may wait for its lock, where the server counts in whole seconds and the watcher decides."""

from __future__ import annotations

import pytest

from driftflow.engine.watch import LAST_WAIT_SECONDS, patience


@pytest.mark.parametrize(
    ("worked", "allowed"),
    [(0.0, 0.25), (1.0, 0.25), (20.0, 1.0), (60.0, 3.0), (36_000.0, LAST_WAIT_SECONDS)],
)
def test_what_would_be_lost_buys_patience_up_to_a_limit(worked: float, allowed: float) -> None:
    assert patience(worked, 250) == pytest.approx(allowed)


def test_a_longer_budget_is_kept() -> None:
    assert patience(0.0, 10_000) == 10.0
