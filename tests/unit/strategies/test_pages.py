"""The example on a strategy's page is planned by that strategy."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.plugins import discover

PAGES = Path(__file__).parents[3] / "docs" / "strategies"
EVENTS = """
CREATE TABLE events (id bigint, kind text, at date) PARTITION BY RANGE (at);
CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
"""


BESIDE_THE_SHOP = {
    "postgresql": EVENTS,
    "mariadb": "CREATE TABLE visits (id bigint PRIMARY KEY, page varchar(200) NOT NULL, seconds int);",
}


@pytest.mark.parametrize("entry", discover("strategy").of("strategy"), ids=lambda entry: entry.name)
def test_the_example_of_the_page(entry) -> None:
    text = (PAGES / f"{entry.info['page']}.md").read_text()
    for heading in ("## When", "## Steps", "## Locks", "## Undo", "## What can go wrong", "## Example"):
        assert heading in text
    name, sql = re.search(r"```sql (postgresql|sqlite|mysql|mariadb)\n(.*?)```", text, re.DOTALL).groups()
    dialect = planning.named(name)
    schema = (planning.EXAMPLES / "shop" / f"{name}.sql").read_text()
    catalog = planning.catalog_of(schema + BESIDE_THE_SHOP.get(name, ""), dialect)
    plan = planning.plan_of(sql, dialect, catalog=catalog)
    assert entry.name in {step.strategy for step in plan.steps}
