"""Another integer type for keys of several columns, and of a table to itself, on MySQL and MariaDB; where tables are small, triggers stand in for the keys."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, outcome, show

from driftflow.config import Policy
from driftflow.errors import RefusedError

PEOPLE = """
CREATE TABLE people (id int AUTO_INCREMENT PRIMARY KEY, boss int, n int NOT NULL DEFAULT 0,
    CONSTRAINT people_boss FOREIGN KEY (boss) REFERENCES people (id));
CREATE TABLE seats (id bigint AUTO_INCREMENT PRIMARY KEY, person int NOT NULL, CONSTRAINT seats_person FOREIGN KEY (person) REFERENCES people (id));
INSERT INTO people (id) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200) SELECT n FROM s;
UPDATE people SET boss = id % 20 + 1 WHERE id > 20;
UPDATE people SET boss = id WHERE id = 7;
INSERT INTO seats (person) SELECT id FROM people WHERE id <= 50;
ANALYZE TABLE people, seats;
"""
BOTH_ENDS = "ALTER TABLE people MODIFY id bigint NOT NULL AUTO_INCREMENT, MODIFY boss bigint;"
SEATS = "ALTER TABLE seats MODIFY person bigint NOT NULL;"
PEOPLE_WRITES = (
    "INSERT INTO people (id, boss, n) VALUES (1000 + {n}, {n} % 20 + 1, {n})",
    "INSERT INTO people (id, boss) VALUES (20000 + {n}, 20000 + {n})",
    "UPDATE people SET boss = {n} % 50 + 1 WHERE id = {n} % 100 + 21",
    "DELETE FROM people WHERE id = 1000 + {n} - 7",
    "INSERT INTO seats (person) VALUES ({n} % 200 + 1)",
)


@pytest.mark.on("mysql", "mariadb")
def test_a_key_that_its_own_table_points_at_becomes_bigint(place: Place) -> None:
    untied = "ALTER TABLE seats DROP FOREIGN KEY seats_person; ALTER TABLE people DROP FOREIGN KEY people_boss;"
    again = (
        "ALTER TABLE people ADD CONSTRAINT people_boss FOREIGN KEY (boss) REFERENCES people (id);"
        "ALTER TABLE seats ADD CONSTRAINT seats_person FOREIGN KEY (person) REFERENCES people (id);"
    )
    wider = f"-- driftflow: small\n{BOTH_ENDS}\n-- driftflow: small\n{SEATS}"
    shown = show(place, Recipe(schema=PEOPLE, migration=wider, naive=f"{untied}\n{wider}{again}", old=PEOPLE_WRITES))
    assert {step.strategy for step in shown.plan.steps} == {"widen_keys"}
    away = any(step.purpose.startswith("Drop the foreign key people_boss") for step in shown.plan.steps)
    assert away == (place.vendor == "mariadb"), "MySQL changes both ends under the key"
    assert "foreign key constraint fails" in outcome(shown.planned, "INSERT INTO people (boss) VALUES (999999)")


@pytest.mark.on("mysql", "mariadb")
def test_a_key_to_its_own_table_that_takes_rows_along(place: Place) -> None:
    """No trigger may change the table that it answers for: where the key cannot stay, it is refused."""
    schema = PEOPLE.replace("people (id));\nCREATE", "people (id) ON DELETE CASCADE ON UPDATE CASCADE);\nCREATE")
    assert schema != PEOPLE
    if place.vendor == "mariadb":
        with pytest.raises(RefusedError, match="cannot be changed by itself") as refused:
            place.fresh(schema).plan(BOTH_ENDS + SEATS)
        assert refused.value.code == "DF-E728" and "1442" in refused.value.why
        return
    alone = schema.replace("CONSTRAINT seats_person FOREIGN KEY (person) REFERENCES people (id)", "KEY (person)")
    naive = (
        "ALTER TABLE people DROP FOREIGN KEY people_boss;"
        + BOTH_ENDS
        + "ALTER TABLE people ADD CONSTRAINT people_boss FOREIGN KEY (boss) REFERENCES people (id) ON DELETE CASCADE ON UPDATE CASCADE;"
    )
    two = BOTH_ENDS.replace(", MODIFY", "; ALTER TABLE people MODIFY")
    shown = show(place, Recipe(schema=alone, migration=two, naive=naive, old=PEOPLE_WRITES))
    assert len([step for step in shown.plan.steps if step.claims]) == 1, "one statement, under which the key stays"
    assert "foreign_key_checks=0" in shown.plan.steps[0].purpose
    assert outcome(shown.planned, "DELETE FROM people WHERE id = 3") == ""
    assert shown.planned.query("SELECT count(*) FROM people WHERE boss = 3") == [(0,)]


HOUSES = """
CREATE TABLE rooms (house int NOT NULL, id int NOT NULL, n int NOT NULL DEFAULT 0, PRIMARY KEY (house, id));
CREATE TABLE doors (id bigint AUTO_INCREMENT PRIMARY KEY, house int, room int, behind int,
    CONSTRAINT doors_room FOREIGN KEY (house, room) REFERENCES rooms (house, id) ON DELETE CASCADE,
    CONSTRAINT doors_behind FOREIGN KEY (house, behind) REFERENCES rooms (house, id));
INSERT INTO rooms (house, id) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200) SELECT n % 4, n FROM s;
INSERT INTO doors (house, room) SELECT house, id FROM rooms;
UPDATE doors SET behind = 100 + house WHERE room < 60;
ANALYZE TABLE rooms, doors;
"""
HOUSES_WIDER = (
    "ALTER TABLE rooms MODIFY id bigint NOT NULL; ALTER TABLE doors MODIFY room bigint; ALTER TABLE doors MODIFY behind bigint;"
)
HOUSES_WRITES = (
    "INSERT INTO rooms (house, id) VALUES ({n} % 4, 1000 + {n})",
    "INSERT INTO doors (house, room, behind) VALUES (NULL, 5, 999999)",
    "UPDATE doors SET behind = NULL WHERE id = {n} % 100 + 1",
    "DELETE FROM rooms WHERE house = {n} % 4 AND id = {n} % 40 + 150",
)


@pytest.mark.on("mysql", "mariadb")
def test_keys_of_several_columns_become_bigint(place: Place) -> None:
    """One column of each changes; the other is tied as well, and stays as it is."""
    writes = ("INSERT INTO doors (house, room) VALUES ({n} % 4, 100 + {n} % 4)", *HOUSES_WRITES)
    untied = "ALTER TABLE doors DROP FOREIGN KEY doors_room, DROP FOREIGN KEY doors_behind;"
    again = (
        "ALTER TABLE doors ADD CONSTRAINT doors_room FOREIGN KEY (house, room) REFERENCES rooms (house, id) ON DELETE CASCADE;"
        "ALTER TABLE doors ADD CONSTRAINT doors_behind FOREIGN KEY (house, behind) REFERENCES rooms (house, id);"
    )
    in_place = "".join(f"-- driftflow: small\n{one};\n" for one in HOUSES_WIDER.split(";") if one)
    shown = show(place, Recipe(schema=HOUSES, migration=in_place, naive=untied + HOUSES_WIDER + again, old=writes))
    assert {step.strategy for step in shown.plan.steps} == {"widen_keys"}
    assert "foreign key constraint fails" in outcome(shown.planned, "INSERT INTO doors (house, room) VALUES (1, 2)")


def without_keys(place: Place, schema: str, migration: str) -> Database:
    """As a plan leaves it once the keys are gone; on MySQL as it is planned for a version whose keys have to go."""
    database = place.fresh(schema)
    with closing(PlainSession(database.url)) as session:
        for step in database.plan(migration, policy=Policy(small_table_rows=100_000)).steps:
            for statement in getattr(step, "statements", ()) if step.purpose.startswith(("Stand in", "Drop the")) else ():
                session.run((statement,))
    return database


REFUSED = "foreign key constraint fails"


@pytest.mark.on("mariadb")
def test_triggers_refuse_what_a_key_of_a_table_to_itself_would(place: Place) -> None:
    database, kept = without_keys(place, PEOPLE, BOTH_ENDS + SEATS), place.fresh(PEOPLE)
    assert database.query(
        "SELECT count(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()"
    ) == [(0,)]
    for statement in (
        "INSERT INTO people (boss) VALUES (999999)",
        "INSERT INTO people (boss) VALUES (0)",
        "INSERT INTO people (id, boss) VALUES (5000, 5000)",
        "INSERT INTO people (id, boss) VALUES (5001, 5002), (5002, NULL)",
        "INSERT INTO people (id, boss) VALUES (5002, NULL), (5001, 5002)",
        "UPDATE people SET boss = 999999 WHERE id = 30",
        "UPDATE people SET boss = id WHERE id = 31",
        "UPDATE people SET id = 6000 WHERE id = 5000",
        "UPDATE people SET id = 6001, boss = 199 WHERE id = 199",
        "UPDATE people SET id = 6002 WHERE id = 198",
        "DELETE FROM people WHERE id = 2",
        "DELETE FROM people WHERE id = 31",
    ):
        by_key = REFUSED in outcome(kept, statement)
        assert (REFUSED in outcome(database, statement)) == by_key, statement
    assert database.rows() == kept.rows()


@pytest.mark.on("mariadb-10")
def test_two_sessions_at_the_same_time_on_a_table_that_points_at_itself(place: Place) -> None:
    database = without_keys(place, PEOPLE, BOTH_ENDS + SEATS)
    with closing(PlainSession(database.url)) as one, closing(PlainSession(database.url)) as other:
        one._execute("BEGIN")
        one._execute("INSERT INTO people (id, boss) VALUES (3000, 190)")
        with pytest.raises(Exception, match="Lock wait timeout"):
            other.run(("DELETE FROM people WHERE id = 190",))
        one._execute("ROLLBACK")
        one._execute("BEGIN")
        one._execute("DELETE FROM people WHERE id = 191")
        with pytest.raises(Exception, match="Lock wait timeout"):
            other.run(("INSERT INTO people (id, boss) VALUES (3001, 191)",))
        one._execute("COMMIT")
    assert REFUSED in outcome(database, "INSERT INTO people (id, boss) VALUES (3001, 191)")


@pytest.mark.on("mysql", "mariadb-10")
def test_triggers_refuse_what_a_key_of_several_columns_would(place: Place) -> None:
    database, kept = without_keys(place, HOUSES, HOUSES_WIDER), place.fresh(HOUSES)
    for statement in (
        "INSERT INTO doors (house, room) VALUES (1, 2)",
        "INSERT INTO doors (house, room) VALUES (NULL, 2)",
        "INSERT INTO doors (house, room, behind) VALUES (1, 101, 102)",
        "UPDATE doors SET house = 2 WHERE room = 101",
        "UPDATE rooms SET house = 3 WHERE id = 102",
        "UPDATE rooms SET n = 5 WHERE id = 102",
        "DELETE FROM rooms WHERE id = 103",
        "DELETE FROM rooms WHERE id = 150",
    ):
        by_key = REFUSED in outcome(kept, statement)
        assert (REFUSED in outcome(database, statement)) == by_key, statement
    assert database.rows(without=("id",)) == kept.rows(without=("id",))


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    ("schema", "migration", "why"),
    [
        (PEOPLE, SEATS + "ALTER TABLE people MODIFY id bigint NOT NULL AUTO_INCREMENT;", "people.boss"),
        (PEOPLE, BOTH_ENDS, "seats.person"),
        (HOUSES, HOUSES_WIDER.replace("ALTER TABLE doors MODIFY behind bigint;", ""), "doors.behind"),
        (HOUSES, HOUSES_WIDER + "ALTER TABLE rooms MODIFY house bigint NOT NULL;", "doors.house"),
    ],
)
def test_an_end_is_left_out(place: Place, schema: str, migration: str, why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        place.fresh(schema).plan(migration)
    assert refused.value.code == "DF-E728"
    assert why in refused.value.why
