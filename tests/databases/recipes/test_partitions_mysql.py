"""What is done to single partitions of a large table on MySQL and MariaDB: where ALGORITHM and LOCK may stand, and what comes back."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Place, Recipe, accepted, apply, gates, show, take_back, there_and_back

SCHEMA = """
CREATE TABLE years (id int NOT NULL, y int NOT NULL, v varchar(20), PRIMARY KEY (id, y), KEY by_v (v))
    PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN (2010), PARTITION p2 VALUES LESS THAN (2020));
INSERT INTO years VALUES (1, 1999, 'a'), (2, 2005, 'b'), (3, 2015, 'c');
CREATE TABLE kinds (id int NOT NULL, k int NOT NULL, PRIMARY KEY (id, k)) PARTITION BY LIST (k) (PARTITION a VALUES IN (1, 2), PARTITION b VALUES IN (3, 4));
INSERT INTO kinds VALUES (1, 1), (2, 3);
CREATE TABLE spread (id int PRIMARY KEY, v varchar(20)) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO spread VALUES (1, 'a'), (2, 'b'), (3, 'c');
CREATE TABLE beside (id int NOT NULL, y int NOT NULL, v varchar(20), PRIMARY KEY (id, y), KEY by_v (v));
INSERT INTO beside VALUES (9, 2006, 'z');
ANALYZE TABLE years, kinds, spread, beside;
"""
KEPT = (
    "ALTER TABLE years ADD PARTITION (PARTITION p3 VALUES LESS THAN (2030));",
    "ALTER TABLE years REORGANIZE PARTITION p1 INTO (PARTITION p1a VALUES LESS THAN (2003), PARTITION p1b VALUES LESS THAN (2010));",
    "ALTER TABLE years EXCHANGE PARTITION p1 WITH TABLE beside;",
    "ALTER TABLE years REMOVE PARTITIONING;",
    "ALTER TABLE years REBUILD PARTITION p0, p1;",
    "ALTER TABLE kinds REORGANIZE PARTITION a, b INTO (PARTITION ab VALUES IN (1, 2, 3, 4));",
    "ALTER TABLE spread COALESCE PARTITION 1;",
    "ALTER TABLE spread ADD PARTITION PARTITIONS 2;",
    "ALTER TABLE spread PARTITION BY KEY (id) PARTITIONS 4;",
    "ALTER TABLE beside PARTITION BY RANGE (y) (PARTITION q0 VALUES LESS THAN (2020));",
)
LOST = ("ALTER TABLE years DROP PARTITION p0;", "ALTER TABLE years TRUNCATE PARTITION p2;")


@pytest.mark.on("mysql", "mariadb-10", "mariadb-11")
@pytest.mark.parametrize("change", KEPT)
def test_it_is_done_and_comes_back(place: Place, change: str) -> None:
    """MySQL wants ALGORITHM and LOCK before it, MariaDB takes neither: every one of these was refused (1064). Where no row is lost the partitions come back."""
    shown = show(place, Recipe(schema=SCHEMA, migration=change))
    assert accepted(shown.plan) == ()


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("change", LOST)
def test_rows_that_go_with_a_partition_have_to_be_accepted(place: Place, change: str) -> None:
    database, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    naive.run(change)
    plan = there_and_back(database, change, policy=POLICY)
    assert len(accepted(plan)) == 1
    assert (database.structure(), database.rows()) == (naive.structure(), naive.rows())


@pytest.mark.on("mysql", "mariadb-10")
def test_a_row_for_which_the_old_partitions_have_no_place_stops_the_way_back(place: Place) -> None:
    """The server says so, and nothing has changed: nobody's row is lost."""
    database = place.fresh(SCHEMA)
    plan = database.plan(KEPT[0])
    report = apply(plan, database, open_gates=gates(plan))
    database.run("INSERT INTO years VALUES (4, 2025, 'd');")
    with pytest.raises(Exception, match="no partition for a value"):
        take_back(report.run, database)
    database.run("DELETE FROM years WHERE id = 4;")
    assert len(database.rows()["database.years"]) == 3
