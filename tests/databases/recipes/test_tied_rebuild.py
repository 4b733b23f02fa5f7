"""Another integer type for keys of large tables on MySQL and MariaDB: all tied tables are made anew beside themselves and take their places in one moment."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from threading import Thread
from typing import Any, cast

import pytest
from recipes.rig import (
    Database,
    Place,
    PlainSession,
    Recipe,
    apply,
    edge,
    gates,
    go_on_back,
    outcome,
    replay,
    show,
    take_back,
    writing,
)
from recipes.test_rebuild_mysql import Once

from driftflow.config import Policy
from driftflow.engine.run import RunOptions, roll_back, run_plan
from driftflow.errors import DriftflowError
from driftflow.model.event import StepDone
from driftflow.model.plan import Backfill, Plan, RunSql, Step, UndoSteps
from driftflow.model.record import replace

SCHEMA = """
CREATE TABLE kinds (id int PRIMARY KEY, name varchar(20));
INSERT INTO kinds VALUES (1, 'a'), (2, 'b'), (3, 'c');
CREATE TABLE makers (id int AUTO_INCREMENT PRIMARY KEY, code varchar(20) NOT NULL, n int NOT NULL DEFAULT 0, UNIQUE KEY makers_code (code));
CREATE TABLE models (id int AUTO_INCREMENT PRIMARY KEY, maker int NOT NULL, kind int, base int, n int NOT NULL DEFAULT 0, KEY by_hand (kind, n),
    CONSTRAINT models_maker FOREIGN KEY (maker) REFERENCES makers (id),
    CONSTRAINT models_kind FOREIGN KEY (kind) REFERENCES kinds (id),
    FOREIGN KEY (base) REFERENCES models (id));
CREATE TABLE parts (id bigint AUTO_INCREMENT PRIMARY KEY, model int, maker int, FOREIGN KEY (model) REFERENCES models (id),
    CONSTRAINT parts_maker FOREIGN KEY (maker) REFERENCES makers (id));
CREATE TABLE visits (id bigint AUTO_INCREMENT PRIMARY KEY, maker varchar(20),
    CONSTRAINT visits_maker FOREIGN KEY (maker) REFERENCES makers (code) ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO makers (id, code) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200) SELECT n, concat('m', n) FROM s;
INSERT INTO models (id, maker, kind) SELECT id, id % 40 + 1, id % 3 + 1 FROM makers;
UPDATE models SET base = id % 20 + 1 WHERE id > 20;
INSERT INTO parts (model, maker) SELECT id, id % 50 + 1 FROM models;
INSERT INTO visits (maker) SELECT code FROM makers WHERE id <= 30;
"""
CHANGE = (
    "ALTER TABLE makers MODIFY id bigint NOT NULL AUTO_INCREMENT;"
    "ALTER TABLE models MODIFY id bigint NOT NULL AUTO_INCREMENT, MODIFY maker bigint NOT NULL, MODIFY base bigint;"
    "ALTER TABLE parts MODIFY model bigint, MODIFY maker bigint;"
)
UNTIED = (
    "ALTER TABLE parts DROP FOREIGN KEY parts_ibfk_1, DROP FOREIGN KEY parts_maker;"
    "ALTER TABLE models DROP FOREIGN KEY models_maker, DROP FOREIGN KEY models_ibfk_1;"
)
TIED = (
    "ALTER TABLE models ADD CONSTRAINT models_maker FOREIGN KEY (maker) REFERENCES makers (id);"
    "ALTER TABLE models ADD CONSTRAINT models_ibfk_1 FOREIGN KEY (base) REFERENCES models (id);"
    "ALTER TABLE parts ADD CONSTRAINT parts_ibfk_1 FOREIGN KEY (model) REFERENCES models (id);"
    "ALTER TABLE parts ADD CONSTRAINT parts_maker FOREIGN KEY (maker) REFERENCES makers (id);"
    # The server names the indexes that it makes by the keys' new statements; ours keep their names.
    "ALTER TABLE models RENAME INDEX models_ibfk_1 TO base; ALTER TABLE parts RENAME INDEX parts_ibfk_1 TO model;"
)
WRITES = (
    # A child of a parent that was just made, and a child of that.
    (
        "INSERT INTO makers (id, code, n) VALUES (1000 + {n}, 'k{n}', {n})",
        "INSERT INTO models (id, maker, kind, base) VALUES (1000 + {n}, 1000 + {n}, 1, 7)",
        "INSERT INTO parts (model, maker) VALUES (1000 + {n}, 1000 + {n})",
    ),
    "INSERT INTO models (id, maker, base) VALUES (20000 + {n}, {n} % 40 + 1, 20000 + {n})",
    "UPDATE makers SET n = n + 1, code = concat('c', {n}) WHERE id = {n} % 100 + 1",
    "UPDATE models SET maker = {n} % 50 + 1, base = {n} % 20 + 1 WHERE id = {n} % 100 + 50",
    "DELETE FROM parts WHERE model = 1000 + {n} - 4",
    "DELETE FROM models WHERE id = 1000 + {n} - 5",
    # Right behind the last row that holds on to it: no stale row of a copy may.
    "DELETE FROM makers WHERE id = 1000 + {n} - 6",
    "INSERT INTO makers (id, code) VALUES (50000 + {n}, 'x{n}')",
    "UPDATE makers SET id = id + 10000 WHERE id = 50000 + {n} - 1",
    "INSERT INTO models (id, maker) VALUES (70000 + {n}, 60000 + {n} - 2)",
    "INSERT INTO visits (maker) VALUES (concat('x', {n} - 3))",
)
REFUSED = (
    "INSERT INTO models (maker) VALUES (999999)",
    "INSERT INTO models (maker, kind) VALUES (1, 9)",
    "INSERT INTO parts (model) VALUES (999999)",
    "UPDATE models SET base = 999999 WHERE id = 30",
    "UPDATE parts SET maker = 999999 WHERE id = 1",
    "DELETE FROM makers WHERE id = 2",
    "DELETE FROM models WHERE id = 3",
    "UPDATE makers SET id = 8888 WHERE id = 2",
    "DELETE FROM kinds WHERE id = 1",
    "INSERT INTO visits (maker) VALUES ('nobody')",
)
LOST = (
    "SELECT COUNT(*) FROM models WHERE maker NOT IN (SELECT id FROM makers) OR kind NOT IN (SELECT id FROM kinds)",
    "SELECT COUNT(*) FROM models WHERE base NOT IN (SELECT id FROM (SELECT id FROM models) AS m)",
    "SELECT COUNT(*) FROM parts WHERE model NOT IN (SELECT id FROM models) OR maker NOT IN (SELECT id FROM makers)",
    "SELECT COUNT(*) FROM visits WHERE maker NOT IN (SELECT code FROM makers)",
)


def orphans(database: Database) -> list[int]:
    return [database.query(query)[0][0] for query in LOST]


def together(plan: Plan) -> bool:
    """Whether its tables are made anew and change places in one statement."""
    swaps = [step for step in plan.steps if isinstance(step, RunSql) and step.purpose.startswith("Swap: ")]
    return [len([*one.statements[0].split(" TO ")]) > 3 for one in swaps] == [True]


@pytest.mark.recipe(
    "int-to-bigint-key", "native", why="all tied tables are made anew beside themselves while writers go on, and swapped at once"
)
@pytest.mark.on("mysql", "mariadb-10")
def test_tied_tables_become_bigint_while_writers_go_on(place: Place) -> None:
    """A chain, a table that points at itself, keys to and from tables that stay as they are; parents and their children in one transaction, no retry."""
    shown = show(place, Recipe(schema=SCHEMA, migration=CHANGE, naive=UNTIED + CHANGE + TIED, old=WRITES))
    assert together(shown.plan)
    assert orphans(shown.planned) == [0, 0, 0, 0]
    for statement in REFUSED:
        assert "foreign key constraint fails" in outcome(shown.planned, statement), statement


FAMILY_OF_ONE = ("INSERT INTO makers (id, code) VALUES (5000, 'new')", "INSERT INTO models (id, maker) VALUES (5000, 5000)")


@pytest.mark.on("mysql-9")
def test_who_writes_a_parent_and_then_its_child_goes_on_while_locks_are_waited_for(place: Place) -> None:
    """LOCK TABLES takes tables in the order of their names. Nobody who has written a parent may be waited for by a session that has what the child's
    triggers write."""
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    at = next(
        number
        for number, step in enumerate(plan.steps)
        if step.purpose.startswith("Take away the trigger zzz_driftflow_note_models")
    )
    assert apply(replace(plan, steps=plan.steps[:at]), database).state == "done"
    lock = cast(RunSql, plan.steps[at]).locked_when_free
    assert lock is not None
    assert "_driftflow_log_models" in lock.sql
    application, other = PlainSession(database.url), PlainSession(database.url)
    with closing(application), closing(other):
        application.run(("BEGIN",))
        application.run(FAMILY_OF_ONE[:1])
        waiting = Thread(target=other.run, args=((lock.sql,),), daemon=True)
        waiting.start()
        pending = "SELECT COUNT(*) FROM performance_schema.metadata_locks WHERE lock_status = 'PENDING'"
        while database.query(pending) == [(0,)]:
            assert waiting.is_alive()
        application.run(FAMILY_OF_ONE[1:])
        application.run(("COMMIT",))
        waiting.join()
        other.run(("UNLOCK TABLES",))
    assert database.query("SELECT maker FROM models WHERE id = 5000") == [(5000,)]


ROOMS = """
CREATE TABLE a_rooms (house int NOT NULL, id int NOT NULL, n int NOT NULL DEFAULT 0, main int, PRIMARY KEY (house, id));
CREATE TABLE doors (id int AUTO_INCREMENT PRIMARY KEY, house int, room int, behind int,
    CONSTRAINT doors_room FOREIGN KEY (house, room) REFERENCES a_rooms (house, id),
    CONSTRAINT doors_behind FOREIGN KEY (house, behind) REFERENCES a_rooms (house, id));
INSERT INTO a_rooms (house, id) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200) SELECT n % 4, n FROM s;
INSERT INTO doors (house, room) SELECT house, id FROM a_rooms;
UPDATE doors SET behind = 100 + house WHERE room < 60;
ALTER TABLE a_rooms ADD CONSTRAINT rooms_main FOREIGN KEY (main) REFERENCES doors (id);
UPDATE a_rooms SET main = id WHERE id < 20;
"""
ROOMS_CHANGE = (
    "ALTER TABLE a_rooms MODIFY id bigint NOT NULL, MODIFY main bigint;"
    "ALTER TABLE doors MODIFY room bigint, MODIFY behind bigint, MODIFY id bigint NOT NULL AUTO_INCREMENT;"
)
ROOMS_UNTIED = "ALTER TABLE a_rooms DROP FOREIGN KEY rooms_main; ALTER TABLE doors DROP FOREIGN KEY doors_room, DROP FOREIGN KEY doors_behind;"
ROOMS_TIED = (
    "ALTER TABLE a_rooms ADD CONSTRAINT rooms_main FOREIGN KEY (main) REFERENCES doors (id);"
    "ALTER TABLE doors ADD CONSTRAINT doors_room FOREIGN KEY (house, room) REFERENCES a_rooms (house, id);"
    "ALTER TABLE doors ADD CONSTRAINT doors_behind FOREIGN KEY (house, behind) REFERENCES a_rooms (house, id);"
)
ROOMS_WRITES = (
    (
        "INSERT INTO a_rooms (house, id) VALUES ({n} % 4, 1000 + {n})",
        "INSERT INTO doors (house, room) VALUES ({n} % 4, 1000 + {n})",
    ),
    "INSERT INTO doors (house, room, behind) VALUES (NULL, 5, 999999)",
    "UPDATE doors SET behind = NULL WHERE id = {n} % 100 + 1",
    "UPDATE a_rooms SET main = {n} % 50 + 1 WHERE house = {n} % 4 AND id = {n} % 40 + 150",
    "DELETE FROM doors WHERE room = 1000 + {n} - 4",
    "DELETE FROM a_rooms WHERE id = 1000 + {n} - 5",
)


@pytest.mark.on("mysql", "mariadb-10")
def test_keys_of_several_columns_and_tables_that_point_at_each_other(place: Place) -> None:
    shown = show(
        place, Recipe(schema=ROOMS, migration=ROOMS_CHANGE, naive=ROOMS_UNTIED + ROOMS_CHANGE + ROOMS_TIED, old=ROOMS_WRITES)
    )
    assert together(shown.plan)
    for statement in (
        "INSERT INTO doors (house, room) VALUES (1, 2)",
        "UPDATE a_rooms SET main = 999999 WHERE id = 1",
        "DELETE FROM a_rooms WHERE id = 101",
        "DELETE FROM doors WHERE id = 7",
    ):
        assert "foreign key constraint fails" in outcome(shown.planned, statement), statement


class Tried:
    """What the application may not do, tried behind every step of these purposes; what was said."""

    def __init__(self, database: Database, steps: Iterable[Step], purposes: tuple[str, ...]) -> None:
        self.database, self.said = database, list[str]()
        self.steps = {step.id for step in steps if any(one in step.purpose for one in purposes)}
        assert self.steps

    def __call__(self, event: object) -> None:
        if isinstance(event, StepDone) and event.step in self.steps:
            self.said += [outcome(self.database, one) or f"{one} succeeds" for one in REFUSED]


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("purpose", ["under names for now", "Swap: ", "their names again", "from the old form"])
def test_what_the_keys_refuse_at_each_step_of_the_swap(place: Place, purpose: str) -> None:
    """The application has the error that it always had: there is no moment without a key."""
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    tried = Tried(database, plan.steps, (purpose,))
    report = run_plan(plan, options=RunOptions(open_gates=gates(plan)), **edge(database) | {"listener": tried})
    assert report.state == "done"
    assert tried.said
    assert all("foreign key constraint fails" in one for one in tried.said), tried.said
    assert orphans(database) == [0, 0, 0, 0]


@pytest.mark.on("mysql", "mariadb-10")
def test_what_the_keys_refuse_on_the_way_back(place: Place) -> None:
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    report = apply(plan, database)
    assert report.state == "waiting_at_gate"
    backwards = [
        replace(step, id=f"{one.id}/undo{number}")
        for one in plan.steps
        if isinstance(one.undo, UndoSteps)
        for number, step in enumerate(one.undo.steps, 1)
    ]
    tried = Tried(
        database, backwards, ("Give the old form", "Swap back", "names for now", "their names again", "from the new form")
    )
    done = roll_back(report.run, options=RunOptions(open_gates=gates(plan)), **edge(database) | {"listener": tried})
    assert done.state == "rolled_back"
    assert tried.said
    assert all("foreign key constraint fails" in one for one in tried.said), tried.said
    assert database.structure() == place.fresh(SCHEMA).structure()


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("kept", [False, True])
def test_a_key_that_comes_meanwhile_and_the_way_back_before_the_swap(place: Place, kept: bool) -> None:
    """It would stay with an old form: the run stops before the swap. Then it goes on without the key, or back under writers."""
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    more = "CREATE TABLE late (id int PRIMARY KEY, model int, FOREIGN KEY (model) REFERENCES models (id))"
    listener = Once(plan, "Verify that", lambda: database.run(more))
    runs = set()

    def listen(event: Any) -> None:
        runs.add(event.run)
        listener(event)

    with pytest.raises(DriftflowError, match="a trigger or a foreign key meanwhile"):
        run_plan(plan, options=RunOptions(), **edge(database) | {"listener": listen})
    database.run("DROP TABLE late")
    (run,) = runs
    if kept:
        assert apply(plan, database, open_gates=gates(plan)).state == "done"
        assert orphans(database) == [0, 0, 0, 0]
        return
    with writing(database, WRITES) as application:
        assert take_back(run, database).state == "rolled_back"
        application.go_on()
    assert application.failures == []
    assert database.structure() == place.fresh(SCHEMA).structure()
    start = place.fresh(SCHEMA)
    replay(start, application.committed)
    assert database.rows() == start.rows()
    assert database.query("SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()") == [(0,)]


@pytest.mark.on("mysql", "mariadb-10")
def test_a_number_that_only_the_new_form_holds(place: Place) -> None:
    """The way back stops before the swap, with nothing lost, and goes on when the row is gone."""
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    report = apply(plan, database)
    database.run(
        "INSERT INTO makers (id, code) VALUES (3000000000, 'far'); INSERT INTO models (id, maker) VALUES (9000, 3000000000)"
    )
    with pytest.raises(DriftflowError, match="1 rows of makers hold a id outside the range of int"):
        take_back(report.run, database, open_gates=gates(plan))
    assert database.query("SELECT COUNT(*) FROM models WHERE maker = 3000000000") == [(1,)]
    database.run("DELETE FROM models WHERE id = 9000; DELETE FROM makers WHERE code = 'far'")
    assert go_on_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.structure() == place.fresh(SCHEMA).structure()
    assert database.rows() == place.fresh(SCHEMA).rows()


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            (
                "PRIMARY KEY, model int, maker int, FOREIGN KEY (model) REFERENCES models (id),\n"
                "    CONSTRAINT parts_maker FOREIGN KEY (maker) REFERENCES makers (id)"
            ),
            (
                ", model int, maker int NOT NULL, PRIMARY KEY (maker, id), KEY (id), FOREIGN KEY (model) REFERENCES models (id),\n"
                "    CONSTRAINT parts_maker FOREIGN KEY (maker) REFERENCES makers (id) ON UPDATE CASCADE"
            ),
            "maker, by which parts is walked, changes with what it references",
        ),
        ("parts (id bigint AUTO_INCREMENT PRIMARY KEY", "parts (id bigint AUTO_INCREMENT, KEY (id)", "parts has no unique key"),
    ],
)
def test_what_is_not_done_beside_the_tables(place: Place, old: str, new: str, why: str) -> None:
    """Then triggers stand in for the keys, writers wait for the copies, and the plan says why."""
    assert old in SCHEMA
    schema = SCHEMA.replace(old, new)
    plan = place.fresh(schema).plan(CHANGE)
    assert not any(isinstance(step, Backfill) for step in plan.steps)
    copies = [step.purpose for step in plan.steps if " becomes bigint" in step.purpose]
    assert len(copies) == 3
    assert all(f"; not beside the tables: {why}" in one for one in copies), copies
    assert all("writers wait until it is done" in one for one in copies if not one.startswith("models")), copies


@pytest.mark.on("mysql", "mariadb-10")
def test_small_tables_keep_the_short_way(place: Place) -> None:
    plan = place.fresh(SCHEMA + "ANALYZE TABLE makers, models, parts;").plan(CHANGE, policy=Policy(small_table_rows=100_000))
    assert not any(isinstance(step, Backfill) for step in plan.steps)
    assert not any("beside" in step.purpose for step in plan.steps)


@pytest.mark.on("mariadb-11")
def test_a_server_that_copies_while_writers_go_on(place: Place) -> None:
    """Nothing has to be done beside the tables there."""
    plan = place.fresh(SCHEMA).plan(CHANGE)
    assert not any(isinstance(step, Backfill) for step in plan.steps)
    copies = [step.purpose for step in plan.steps if " becomes bigint" in step.purpose]
    assert len(copies) == 3 and all("while writers go on" in one for one in copies), copies
