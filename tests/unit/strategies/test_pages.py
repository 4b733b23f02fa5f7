"""The example on a strategy's page is planned by that strategy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.plugins import discover

PAGES = Path(__file__).parents[3] / "docs" / "strategies"


@pytest.mark.parametrize("entry", discover("strategy").of("strategy"), ids=lambda entry: entry.name)
def test_the_example_of_the_page(entry) -> None:
    text = (PAGES / f"{entry.info['page']}.md").read_text()
    for heading in ("## When", "## Steps", "## Locks", "## Undo", "## What can go wrong", "## Example"):
        assert heading in text
    _, plan = planning.page_examples(entry.info["page"])[0]
    assert entry.name in {step.strategy for step in plan.steps}
