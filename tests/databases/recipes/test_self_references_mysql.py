"""A partitioned table of MySQL and MariaDB that points at itself: kept by triggers as a foreign key would keep it, also between two transactions."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Place, PlainSession, Recipe, apply, outcome, show

from driftflow.errors import RefusedError

NODES = """
CREATE TABLE nodes (id bigint AUTO_INCREMENT PRIMARY KEY, parent bigint, word varchar(20), KEY (parent)) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO nodes (id, parent) WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100)
    SELECT n, CASE WHEN n > 10 THEN n % 10 + 1 END FROM s;
UPDATE nodes SET parent = 5 WHERE id = 5;
"""
ADD = "ALTER TABLE nodes ADD CONSTRAINT nodes_parent FOREIGN KEY (parent) REFERENCES nodes (id){more};"
KEPT = "-- driftflow: by-trigger\n" + ADD
WRITES = (
    "INSERT INTO nodes (parent, word) VALUES ({n} % 10 + 1, 'new')",
    "INSERT INTO nodes (id, parent) VALUES (50000 + {n}, 50000 + {n})",
    "UPDATE nodes SET parent = {n} % 10 + 11 WHERE id = {n} % 50 + 41",
    "UPDATE nodes SET word = 'w{n}' WHERE id = {n} % 100 + 1",
    "DELETE FROM nodes WHERE id = 50000 + {n} - 4",
)
REFUSED = "foreign key"


@pytest.mark.on("mysql", "mariadb-10")
def test_a_partitioned_table_that_points_at_itself(place: Place) -> None:
    recipe = Recipe(
        schema=NODES,
        migration=KEPT.format(more=""),
        naive="SELECT 1;",
        old=WRITES,
        expected=lambda database: database.query("SELECT parent, word FROM nodes ORDER BY id"),
    )
    assert {step.strategy for step in show(place, recipe).plan.steps} == {"reference_by_trigger"}


@pytest.mark.on("mariadb-10", "mysql")
def test_it_is_kept_as_by_the_key(place: Place) -> None:
    """Beside the same table without partitions, and with the key. Apart from what MySQL 9.7 takes although it leaves an orphan, and what the keys
    refuse although it leaves none."""
    database, by_key = place.fresh(NODES), place.fresh(NODES.replace(" PARTITION BY HASH (id) PARTITIONS 3", ""))
    assert apply(database.plan(KEPT.format(more="")), database).state == "done"
    by_key.run(ADD.format(more=""))
    for statement in (
        "INSERT INTO nodes (parent) VALUES (777)",
        "INSERT INTO nodes (id, parent) VALUES (200, 200)",
        "INSERT INTO nodes (id, parent) VALUES (202, 203), (203, NULL)",
        "INSERT INTO nodes (id, parent) VALUES (205, NULL), (204, 205)",
        "UPDATE nodes SET parent = 777 WHERE id = 30",
        "UPDATE nodes SET parent = id WHERE id = 30",
        "UPDATE nodes SET parent = NULL WHERE id = 31",
        "UPDATE nodes SET id = 301 WHERE id = 3",
        "UPDATE nodes SET id = 303 WHERE id = 97",
        "DELETE FROM nodes WHERE id = 2",
        "DELETE FROM nodes WHERE id = 5",
        "DELETE FROM nodes WHERE id = 96",
    ):
        assert (REFUSED in outcome(database, statement)) == (REFUSED in outcome(by_key, statement)), statement
    assert database.rows() == by_key.rows()
    for orphan in ("INSERT INTO nodes (parent) VALUES (0)", "UPDATE nodes SET id = 302, parent = 98 WHERE id = 98"):
        assert REFUSED in outcome(database, orphan), orphan
    assert outcome(database, "UPDATE nodes SET id = 300, parent = 300 WHERE id = 200") == ""
    assert outcome(database, "DELETE FROM nodes WHERE id = 300") == ""


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_between_two_transactions(place: Place, isolation: str) -> None:
    """Each has looked at the table before, so that under REPEATABLE READ its snapshot is older than what the other writes."""
    database = place.fresh(NODES)
    assert apply(database.plan(KEPT.format(more="")), database).state == "done"
    with closing(PlainSession(database.url)) as writer, closing(PlainSession(database.url)) as deleter:

        def begin() -> None:
            for session in (writer, deleter):
                session.run(("ROLLBACK",))
                session.run((f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}",))
                session.run(("BEGIN",))
                session.run(("SELECT COUNT(*) FROM nodes",))

        begin()
        writer.run(("INSERT INTO nodes (id, parent) VALUES (2000, 91)",))
        with pytest.raises(Exception, match="Lock wait timeout"):
            deleter.run(("DELETE FROM nodes WHERE id = 91",))
        writer.run(("COMMIT",))
        with pytest.raises(Exception, match=r"kept by triggers|has changed since last read"):
            deleter.run(("DELETE FROM nodes WHERE id = 91",))
        begin()
        deleter.run(("DELETE FROM nodes WHERE id = 92",))
        with pytest.raises(Exception, match="Lock wait timeout"):
            writer.run(("INSERT INTO nodes (id, parent) VALUES (2001, 92)",))
        deleter.run(("COMMIT",))
        with pytest.raises(Exception, match=r"kept by triggers|has changed since last read"):
            writer.run(("INSERT INTO nodes (id, parent) VALUES (2001, 92)",))
    orphans = "SELECT COUNT(*) FROM nodes WHERE parent NOT IN (SELECT id FROM (SELECT id FROM nodes) AS x)"
    assert database.query(orphans) == [(0,)]


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON UPDATE CASCADE"])
def test_rows_that_would_go_along_are_refused(place: Place, action: str) -> None:
    with pytest.raises(RefusedError, match="triggers cannot keep") as refused:
        place.fresh(NODES).plan(KEPT.format(more=f" {action}"))
    assert refused.value.code == "DF-E712" and "1442" in refused.value.why
