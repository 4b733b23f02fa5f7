"""Foreign keys of MySQL and MariaDB that go, or come beside another one over the same column: the key is gone indeed, and the server's own index is what it was."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Place, apply, gates, take_back

from driftflow.config import Policy

SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY, d int, UNIQUE KEY both_of (id, d));
CREATE TABLE child (id int PRIMARY KEY, c int, d int, v int, CONSTRAINT one FOREIGN KEY (c) REFERENCES parent (id));
INSERT INTO parent VALUES (1, 1);
INSERT INTO child VALUES (1, 1, 1, 1);
ANALYZE TABLE child, parent;
"""
CHANGES = (
    "DROP FOREIGN KEY one, ADD CONSTRAINT again FOREIGN KEY (c) REFERENCES parent (id) ON DELETE CASCADE",
    "DROP FOREIGN KEY one, MODIFY v varchar(20)",
    "DROP CONSTRAINT one",
    "ADD CONSTRAINT again FOREIGN KEY (c) REFERENCES parent (id)",
    "ADD CONSTRAINT again FOREIGN KEY (c, d) REFERENCES parent (id, d)",
)


@pytest.mark.on("mysql", "mariadb-10", "mariadb-11")
@pytest.mark.parametrize("policy", [Policy(), POLICY])
@pytest.mark.parametrize("change", CHANGES)
def test_forth_and_back(place: Place, change: str, policy: Policy) -> None:
    """MariaDB leaves a key that DROP CONSTRAINT names where it copies the table, without a word. An index that the server makes for a key takes the place of
    one that it made for another: that one is made again before the key goes."""
    planned, naive, start = (place.fresh(SCHEMA) for _ in range(3))
    naive.run(f"ALTER TABLE child {change};")
    plan = planned.plan(f"ALTER TABLE child {change};", policy=policy)
    report = apply(plan, planned, open_gates=gates(plan))
    assert planned.structure() == naive.structure()
    assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    assert planned.structure() == start.structure()
