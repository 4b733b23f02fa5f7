"""The online rebuild on MySQL and MariaDB of a table whose rows its own foreign keys change: parents are deleted and change their keys all the while."""

from __future__ import annotations

from typing import Any

import pytest
from recipes.rig import (
    Database,
    Place,
    Recipe,
    apply,
    edge,
    gates,
    outcome,
    show,
    take_back,
    there_and_back,
    there_and_back_beside,
    writing,
)
from recipes.test_rebuild_mysql import Once

from driftflow.engine.run import RunOptions, run_plan
from driftflow.errors import DriftflowError
from driftflow.model.plan import Backfill, Plan, RunSql

SCHEMA = """
CREATE TABLE digits (n int PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE regions (id int PRIMARY KEY);
CREATE TABLE shops (id int PRIMARY KEY, region int, CONSTRAINT shops_region FOREIGN KEY (region) REFERENCES regions (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE staff (id int PRIMARY KEY);
CREATE TABLE places (id int PRIMARY KEY, code varchar(20) NOT NULL, UNIQUE KEY places_code (code));
CREATE TABLE visits (nr bigint PRIMARY KEY, shop int NOT NULL, number int NOT NULL, staff int, place varchar(20), seconds int, UNIQUE KEY visits_number (shop, number), KEY named_by_hand (staff),
    CONSTRAINT visits_shop FOREIGN KEY (shop) REFERENCES shops (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT visits_staff FOREIGN KEY (staff) REFERENCES staff (id) ON DELETE SET NULL ON UPDATE SET NULL,
    CONSTRAINT visits_place FOREIGN KEY (place) REFERENCES places (code) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE marks (id int PRIMARY KEY, shop int, number int, FOREIGN KEY (shop, number) REFERENCES visits (shop, number) ON DELETE CASCADE);
INSERT INTO regions SELECT n FROM digits;
INSERT INTO places SELECT a.n + 10 * b.n, concat('c', a.n + 10 * b.n) FROM digits AS a JOIN digits AS b;
INSERT INTO shops SELECT a.n + 10 * b.n, b.n FROM digits AS a JOIN digits AS b;
INSERT INTO staff SELECT n FROM digits;
INSERT INTO visits SELECT a.n + 10 * b.n + 100 * c.n, a.n + 10 * b.n, c.n, c.n, concat('c', a.n + 10 * b.n), c.n FROM digits AS a JOIN digits AS b JOIN digits AS c;
INSERT INTO marks SELECT a.n + 20, a.n + 20, 1 FROM digits AS a;
ANALYZE TABLE visits;
"""
WRITES = (
    "INSERT INTO regions VALUES (1000 + {n})",
    "INSERT INTO shops VALUES (1000 + {n}, 1000 + {n} - 1)",
    "INSERT INTO places VALUES (1000 + {n}, 's{n}')",
    "INSERT INTO staff VALUES (1000 + {n})",
    "INSERT INTO visits (nr, shop, number, staff, place, seconds) SELECT {n} * 1000000 + 900000 + n, 1000 + {n} - 3, n, 1000 + {n} - 1, NULL, {n} FROM digits",
    "INSERT INTO visits (nr, shop, number, staff, place, seconds) SELECT {n} * 1000000 + id, id, 77, NULL, (SELECT max(code) FROM places), {n} FROM shops WHERE id % 10 = {n} % 10 AND NOT EXISTS (SELECT 1 FROM visits AS v WHERE v.shop = shops.id AND v.number = 77)",
    "INSERT INTO marks SELECT 1000 + {n}, max(shop), 77 FROM visits WHERE number = 77 AND shop < 100 - {n} % 10 HAVING max(shop) IS NOT NULL",
    "UPDATE visits SET seconds = seconds + 1, place = (SELECT max(code) FROM places) WHERE number = {n} % 10",
    "UPDATE shops SET id = id + 100000 WHERE id = 1000 + {n} - 7",
    "UPDATE places SET code = concat('t', {n}) WHERE id = 1000 + {n} - 7",
    "UPDATE places SET code = upper(code) WHERE id = {n} % 83",
    "UPDATE staff SET id = id + 100000 WHERE id = 1000 + {n} - 8",
    "UPDATE visits SET number = number + 100 WHERE shop = 101000 + {n} - 11 AND number = 3",
    "DELETE FROM staff WHERE id = {n} % 40",
    "DELETE FROM shops WHERE id = {n} % 97",
    "UPDATE regions SET id = id + 100000 WHERE id = 1000 + {n} - 15",
    "DELETE FROM regions WHERE id = 101000 + {n} - 16 AND {n} % 2 = 0",
    "REPLACE INTO shops VALUES ({n} % 97, NULL)",
    "DELETE FROM places WHERE id = {n} % 79",
    "REPLACE INTO places VALUES ({n} % 79, concat('R', {n}))",
    "INSERT INTO places VALUES ({n} % 89, concat('d', {n})) ON DUPLICATE KEY UPDATE code = concat('E', {n})",
)
CHANGE = "ALTER TABLE visits MODIFY seconds bigint, ADD COLUMN twice bigint AS (seconds * 2) STORED;"
LOST = (
    "SELECT COUNT(*) FROM visits WHERE shop NOT IN (SELECT id FROM shops)",
    "SELECT COUNT(*) FROM visits WHERE staff NOT IN (SELECT id FROM staff)",
    "SELECT COUNT(*) FROM visits WHERE place NOT IN (SELECT code FROM places)",
    "SELECT COUNT(*) FROM marks WHERE (shop, number) NOT IN (SELECT shop, number FROM visits)",
)


def orphans(database: Database) -> list[int]:
    return [database.query(query)[0][0] for query in LOST]


def rebuilt(plan: Plan) -> Plan:
    assert any(isinstance(step, Backfill) and step.fresh for step in plan.steps), plan.notes
    return plan


@pytest.mark.recipe("rebuild", "native", on=("mysql", "mariadb"))
@pytest.mark.on("mysql", "mariadb-10")
def test_rows_that_follow_their_parents(place: Place) -> None:
    """Deleted with them, set to NULL, keys that follow theirs, through one table and through two."""
    shown = show(place, Recipe(schema=SCHEMA, migration=CHANGE, old=WRITES))
    rebuilt(shown.plan)
    assert orphans(shown.planned) == [0, 0, 0, 0]
    with pytest.raises(Exception, match="foreign key constraint fails"):
        shown.planned.run("INSERT INTO visits (nr, shop, number) VALUES (-1, -1, 1)")


CHILDREN = (
    "INSERT INTO visits (nr, shop, number, staff, seconds) SELECT ({n} + 1) * 10000000 + id, id, 1000 + {n}, NULL, 1 FROM shops WHERE id = {n} % 7 + 1",
    "UPDATE visits SET seconds = seconds + 1 WHERE shop = {n} % 7 + 1 AND number < 5",
    "UPDATE visits SET number = number + 100000 WHERE shop = {n} % 5 + 1 AND number = 1000 + {n} - 14",
    "DELETE FROM visits WHERE shop = {n} % 7 + 1 AND number = 1000 + {n} - 7",
)
PARENTS = (
    "DELETE FROM shops WHERE id = {n} % 9 + 1",
    "INSERT IGNORE INTO shops VALUES ({n} % 9 + 1, NULL), ({n} % 7 + 1, NULL)",
    "UPDATE shops SET id = id + 1000000 WHERE id = {n} % 5 + 1 AND id + 1000000 NOT IN (SELECT id FROM (SELECT id FROM shops) AS there)",
    "DELETE FROM shops WHERE id = 1000000 + {n} % 3 + 1",
    "UPDATE shops SET id = id - 1000000 WHERE id = 1000000 + {n} % 5 + 1 AND id - 1000000 NOT IN (SELECT id FROM (SELECT id FROM shops) AS there)",
)


@pytest.mark.on("mysql", "mariadb-10")
def test_parents_and_children_in_sessions_of_their_own(place: Place) -> None:
    """No session waits for another that waits for it, forth or back: who changes a parent locks the table's rows before those of the copy, as who writes them."""
    database = place.fresh(SCHEMA)
    plan = rebuilt(database.plan(CHANGE))
    there_and_back_beside(database, plan, CHILDREN, PARENTS)
    assert orphans(database) == [0, 0, 0, 0]


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "moment", ["trigger on DELETE)", "Copy visits into", "foreign keys that change rows, under names for now", "Verify that"]
)
def test_back_from_before_the_swap(place: Place, moment: str) -> None:
    """Whatever there is by then goes, and the tables that it begins at are without our triggers."""
    database = place.fresh(SCHEMA)
    plan = rebuilt(database.plan(CHANGE))
    seen: list[Any] = []

    def stop() -> None:
        raise KeyboardInterrupt

    once = Once(plan, moment, stop)

    def listener(event: object) -> None:
        seen.append(event)
        once(event)

    with writing(database, WRITES) as application:
        with pytest.raises(KeyboardInterrupt):
            run_plan(plan, options=RunOptions(), **edge(database) | {"listener": listener})
        assert take_back(seen[0].run, database, open_gates=gates(plan)).state == "rolled_back"
        application.go_on()
    assert application.failures == []
    assert database.structure() == place.fresh(SCHEMA).structure()


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM shops WHERE shops.id NOT IN (SELECT shop FROM visits)",
        "DELETE shops FROM shops LEFT JOIN visits ON visits.shop = shops.id WHERE visits.nr IS NULL",
    ],
)
def test_parents_without_rows_are_deleted_by_what_the_table_holds(place: Place, statement: str) -> None:
    """A trigger may lock no row of a table that the statement reads (1442): there is none to lock."""
    database = place.fresh(SCHEMA)
    plan = rebuilt(database.plan(CHANGE))
    database.run("INSERT INTO shops VALUES (5000, NULL), (5001, NULL)")
    said: list[str] = []
    once = Once(plan, "Copy visits into", lambda: said.append(outcome(database, f"{statement} AND shops.id = 5000")))
    run_plan(plan, options=RunOptions(), **edge(database) | {"listener": once})
    assert [*said, outcome(database, statement)] == ["", ""]
    assert database.query("SELECT COUNT(*) FROM shops WHERE id >= 5000") == [(0,)]


@pytest.mark.on("mysql", "mariadb-10")
def test_a_key_that_goes_meanwhile(place: Place) -> None:
    """The copy would have it and the table not: the run stops before the swap."""
    database = place.fresh(SCHEMA)
    plan = rebuilt(database.plan(CHANGE))
    listener = Once(plan, "Verify that", lambda: database.run("ALTER TABLE visits DROP FOREIGN KEY visits_staff"))
    with pytest.raises(DriftflowError, match="has taken one away"):
        run_plan(plan, options=RunOptions(), **edge(database) | {"listener": listener})
    assert outcome(database, "INSERT INTO visits (nr, shop, number) VALUES (-1, -1, 1)")


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    ("also", "change", "reason"),
    [
        (
            "ALTER TABLE visits ADD COLUMN other int UNIQUE, ADD COLUMN under int; ALTER TABLE visits ADD CONSTRAINT visits_under FOREIGN KEY (under) REFERENCES visits (other) ON DELETE SET NULL",
            CHANGE,
            "in a circle",
        ),
        (
            "ALTER TABLE regions ADD COLUMN main int, ADD CONSTRAINT regions_main FOREIGN KEY (main) REFERENCES shops (id) ON DELETE CASCADE",
            CHANGE,
            "in a circle",
        ),
        (
            "ALTER TABLE visits DROP PRIMARY KEY, ADD PRIMARY KEY (shop, number)",
            CHANGE,
            "by which visits is walked, changes with",
        ),
        ("DO 1", f"{CHANGE} ALTER TABLE visits DROP FOREIGN KEY visits_staff", "a later statement of the release"),
    ],
)
def test_what_is_left_to_the_server(place: Place, also: str, change: str, reason: str) -> None:
    plan = place.fresh(f"{SCHEMA} {also};").plan(f"{change.rstrip(';')};")
    assert not any(isinstance(step, Backfill) for step in plan.steps)
    assert any("writers wait" in note and reason in note for note in plan.notes), plan.notes


@pytest.mark.on("mysql", "mariadb-10")
def test_a_table_that_rows_follow_and_the_table_itself(place: Place) -> None:
    """In one release only the table below is rebuilt: a swap of the one above would leave behind the triggers that note what follows it."""
    plan = place.fresh(f"{SCHEMA} ANALYZE TABLE shops;").plan(
        f"{CHANGE} ALTER TABLE shops ADD COLUMN twice int AS (region * 2) STORED;"
    )
    assert {
        step.table.name for step in plan.steps if isinstance(step, Backfill) and step.fresh and "log" not in step.table.name
    } == {"visits"}
    assert any("writers wait" in note and "whose rows follow those of shops" in note for note in plan.notes), plan.notes


@pytest.mark.on("mariadb-11")
def test_a_server_that_crashes_at_such_triggers(place: Place) -> None:
    """11.8.9 ended with signal 11 when a row of the table above was deleted: no trigger of ours comes there."""
    plan = place.fresh(SCHEMA).plan(CHANGE)
    assert not any(
        isinstance(step, RunSql) and "BEFORE DELETE" in sql for step in plan.steps for sql in getattr(step, "statements", ())
    )


@pytest.mark.on("mysql", "mariadb-10")
def test_keys_that_the_server_named(place: Place) -> None:
    """RENAME TABLE gives these another name with the table's: the old form's are found behind the swap, and are called as before when it is back."""
    schema = SCHEMA.replace("CONSTRAINT visits_staff ", "").replace("CONSTRAINT visits_place ", "")
    database, naive = place.fresh(schema), place.fresh(schema)
    before = naive.structure()
    plan = rebuilt(database.plan(CHANGE))
    report = apply(plan, database)
    naive.run(CHANGE)
    assert report.state == "waiting_at_gate"
    assert database.structure() == naive.structure()
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.structure() == before
    there_and_back(database, CHANGE)
    assert database.structure() == before
