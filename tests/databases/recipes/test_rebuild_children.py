"""The online rebuild on MySQL and MariaDB of a table that foreign keys point at: those of other tables, and its own."""

from __future__ import annotations

import pytest
from recipes.rig import Database, Place, Recipe, apply, edge, gates, outcome, show, take_back
from recipes.test_rebuild_mysql import Once

from driftflow.engine.run import RunOptions, roll_back, run_plan
from driftflow.errors import DriftflowError
from driftflow.model.event import StepDone
from driftflow.model.plan import Backfill, Plan, RunSql, UndoSteps

SCHEMA = """
CREATE TABLE shops (id int PRIMARY KEY, code varchar(20) NOT NULL, price int, main int, UNIQUE KEY shops_code (code),
    CONSTRAINT shops_main FOREIGN KEY (main) REFERENCES shops (id));
INSERT INTO shops VALUES (1, 'a', 1, NULL), (2, 'b', 2, 1), (3, 'c', 3, 1), (4, 'd', NULL, 2);
CREATE TABLE items (id int PRIMARY KEY, shop int NOT NULL, spare int, FOREIGN KEY (shop) REFERENCES shops (id), CONSTRAINT items_spare FOREIGN KEY (spare) REFERENCES shops (id));
INSERT INTO items VALUES (1, 1, 2), (2, 2, NULL), (3, 3, 1);
CREATE TABLE notes (id int PRIMARY KEY, shop varchar(20), KEY notes_by_shop (shop, id),
    CONSTRAINT notes_shop FOREIGN KEY (shop) REFERENCES shops (code) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE visits (id int PRIMARY KEY, shop int, KEY named_by_hand (shop), CONSTRAINT visits_shop FOREIGN KEY (shop) REFERENCES shops (id) ON DELETE SET NULL ON UPDATE CASCADE);
ANALYZE TABLE shops;
"""
WRITES = (
    "INSERT INTO shops VALUES (1000 + {n}, 's{n}', {n}, 1)",
    "INSERT INTO items VALUES (1000 + {n}, 1000 + {n} - 1, {n} % 4 + 1)",
    "INSERT INTO visits VALUES ({n}, 1000 + {n} - 2)",
    "INSERT INTO notes VALUES ({n}, concat('s', {n} - 3))",
    "UPDATE shops SET price = price + 1, code = concat('t', {n} - 4) WHERE id = 1000 + {n} - 4",
    "DELETE FROM items WHERE id = 1000 + {n} - 4",
    "UPDATE shops SET id = id + 100000 WHERE id = 1000 + {n} - 6",
    "INSERT INTO items VALUES (1000 + {n}, 101000 + {n} - 7, NULL)",
    "UPDATE shops SET main = 101000 + {n} - 8 WHERE id = {n} % 3 + 2",
    "UPDATE shops SET main = 1 WHERE id IN (2, 3, 4)",
    "DELETE FROM items WHERE id = 1000 + {n} - 3",
    # Right behind the last row that holds on to it: no stale row of a copy may.
    "DELETE FROM shops WHERE id = 101000 + {n} - 11 AND {n} % 36 > 11",
)
CHANGE = "ALTER TABLE shops MODIFY price bigint, ADD CHECK (price >= 0);"
LOST = (
    "SELECT COUNT(*) FROM items WHERE shop NOT IN (SELECT id FROM shops) OR spare NOT IN (SELECT id FROM shops)",
    "SELECT COUNT(*) FROM notes WHERE shop NOT IN (SELECT code FROM shops)",
    "SELECT COUNT(*) FROM visits WHERE shop NOT IN (SELECT id FROM shops)",
    "SELECT COUNT(*) FROM shops WHERE main NOT IN (SELECT id FROM shops)",
)


def orphans(database: Database) -> list[int]:
    return [database.query(query)[0][0] for query in LOST]


@pytest.mark.recipe("rebuild", "native", on=("mysql", "mariadb"))
@pytest.mark.on("mysql", "mariadb-10")
def test_a_table_that_others_point_at(place: Place) -> None:
    """Keys of other tables with every action, a key of the table to itself, keys that change, parents that go: as in the naive run, and no orphan."""
    shown = show(place, Recipe(schema=SCHEMA, migration=CHANGE, old=WRITES))
    assert any(isinstance(step, Backfill) and step.fresh for step in shown.plan.steps), "no rebuild"
    assert orphans(shown.planned) == [0, 0, 0, 0]
    for refused in (
        "INSERT INTO items VALUES (9, 77, 1)",
        "INSERT INTO notes VALUES (0, 'nowhere')",
        "UPDATE visits SET shop = 78 WHERE id >= 0",
        "DELETE FROM shops WHERE id = 1",
    ):
        with pytest.raises(Exception, match="foreign key constraint fails"):
            shown.planned.run(refused)


class Tried:
    """What the application may not do, tried behind every step of that purpose; what was said."""

    def __init__(self, database: Database, plan: Plan, purpose: str) -> None:
        self.database, self.said = database, list[str]()
        self.steps = {step.id for step in plan.steps if purpose in step.purpose}
        assert self.steps

    def __call__(self, event: object) -> None:
        if isinstance(event, StepDone) and event.step in self.steps:
            for statement in (
                "INSERT INTO items VALUES (9, 77, 1)",
                "DELETE FROM shops WHERE id = 1",
                "UPDATE shops SET main = 66",
            ):
                self.said.append(outcome(self.database, statement) or f"{statement} succeeds")


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("purpose", ["point at the copy", "Swap: ", "their names again"])
def test_what_they_refuse_at_each_step_of_the_swap(place: Place, purpose: str) -> None:
    """The application has the error that it always had."""
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    tried = Tried(database, plan, purpose)
    report = run_plan(plan, options=RunOptions(open_gates=gates(plan)), **edge(database) | {"listener": tried})
    assert report.state == "done"
    assert tried.said
    assert all("foreign key constraint fails" in one for one in tried.said), tried.said
    assert orphans(database) == [0, 0, 0, 0]


@pytest.mark.on("mysql", "mariadb-10")
def test_a_key_that_comes_meanwhile(place: Place) -> None:
    """It would stay with the old form: the run stops before the swap, and goes on without it."""
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    more = "CREATE TABLE late (id int PRIMARY KEY, shop int, FOREIGN KEY (shop) REFERENCES shops (id))"
    listener = Once(plan, "Verify that", lambda: database.run(more))
    with pytest.raises(DriftflowError, match="a trigger or a foreign key meanwhile"):
        run_plan(plan, options=RunOptions(), **edge(database) | {"listener": listener})
    database.run("DROP TABLE late")
    report = apply(plan, database)
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.structure() == place.fresh(SCHEMA).structure()


@pytest.mark.on("mysql", "mariadb-10")
def test_an_index_of_the_same_release(place: Place) -> None:
    """It is there before the old form goes, and goes on the way back when the old form is there again without it."""
    database, start = place.fresh(SCHEMA), place.fresh(SCHEMA)
    plan = database.plan(f"{CHANGE} CREATE INDEX shops_price ON shops (price);")
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.structure() == start.structure()
    assert database.rows() == start.rows()


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "later",
    [
        "CREATE TABLE refunds (id int PRIMARY KEY, shop int, FOREIGN KEY (shop) REFERENCES shops (id))",
        "ALTER TABLE visits DROP FOREIGN KEY visits_shop",
    ],
)
def test_a_key_of_the_same_release(place: Place, later: str) -> None:
    """Steps of a release are ordered by phase: the plan could not know when the key comes or goes."""
    plan = place.fresh(SCHEMA).plan(f"{CHANGE} {later};")
    assert not any(isinstance(step, Backfill) for step in plan.steps)
    assert any("writers wait" in note and "a later statement of the release" in note for note in plan.notes)


POINTED_AT = "INSERT INTO visits VALUES (1, 1), (2, 2), (3, 4); INSERT INTO notes VALUES (1, 'a'), (2, 'b');"
REPLACES = (
    "REPLACE INTO shops VALUES (1, 'a', 17, NULL)",
    "REPLACE INTO shops VALUES (2, 'b', NULL, 1), (3, 'c', 19, 1), (70, 'z', 20, 2)",
    "REPLACE INTO shops VALUES (70, 'z', 21, 3), (70, 'z', 22, 3)",
    # Another id, which visits follow; nothing points at the code.
    "REPLACE INTO shops VALUES (5, 'd', 23, 2)",
    "REPLACE INTO shops VALUES (4, 'd', 24, 2)",
    # Not kept, and gone in the statement after that which would have replaced it.
    "INSERT IGNORE INTO shops VALUES (70, 'z', 25, 3)",
    "DELETE FROM shops WHERE id = 70",
)


@pytest.mark.on("mysql", "mariadb-10")
def test_rows_that_are_replaced_while_others_point_at_them(place: Place) -> None:
    """To MySQL 9.6 and later it is a change where the same is pointed at, and takes nobody along; to the triggers it is a DELETE. MariaDB deletes. So it is while keys point at the
    copy that triggers write, forth and back."""
    database, untouched = place.fresh(SCHEMA + POINTED_AT), place.fresh(SCHEMA + POINTED_AT)
    plan = database.plan(CHANGE)
    steps = [(step.id, step.purpose) for step in plan.steps]
    for one in plan.steps:
        if isinstance(one.undo, UndoSteps):
            steps += [(f"{one.id}/undo{number}", step.purpose) for number, step in enumerate(one.undo.steps, 1)]
    moments = [
        [id for id, purpose in steps if "visits point at" in purpose and form in purpose]
        for form in ("the copy of", "the old form of")
    ]
    assert all(moments)
    compared: list[bool] = []

    def listener(event: object) -> None:
        if isinstance(event, StepDone) and any(event.step in one for one in moments):
            for sql in REPLACES:
                compared.append(bool(outcome(database, sql)) == bool(outcome(untouched, sql)))
                compared.append(database.rows() == untouched.rows())

    edges = edge(database) | {"listener": listener}
    report = run_plan(plan, options=RunOptions(), **edges)
    assert report.state == "waiting_at_gate"
    assert database.rows() == untouched.rows()
    assert roll_back(report.run, options=RunOptions(open_gates=gates(plan)), **edges).state == "rolled_back"
    assert compared == [True] * 4 * len(REPLACES)
    assert database.rows() == untouched.rows()
    assert database.structure() == place.fresh(SCHEMA).structure()


@pytest.mark.on("mysql")
def test_an_index_that_the_server_made_is_not_built_anew(place: Place) -> None:
    """By the name of the next key, while both ends of the key are held: long ago it was, and who writes both was ended (1213). Keys of tables in use change under
    locks that were free at one moment."""
    database = place.fresh(
        "CREATE TABLE shops (id int PRIMARY KEY, price int); CREATE TABLE items (id int PRIMARY KEY, shop int, spare int, "
        "CONSTRAINT items_shop FOREIGN KEY (shop) REFERENCES shops (id), FOREIGN KEY (spare) REFERENCES shops (id)); "
        "INSERT INTO shops VALUES (1, 1); INSERT INTO items VALUES (1, 1, 1); ANALYZE TABLE shops;"
    )
    numbered = (
        "SELECT i.NAME, i.INDEX_ID FROM information_schema.INNODB_INDEXES i JOIN information_schema.INNODB_TABLES t USING (TABLE_ID) "
        "WHERE t.NAME = CONCAT(DATABASE(), '/items') ORDER BY 1"
    )
    before = database.query(numbered)
    plan = database.plan("ALTER TABLE shops MODIFY price bigint, ADD CHECK (price >= 0);")
    changed = [step for step in plan.steps if isinstance(step, RunSql) and "foreign keys of items" in step.purpose]
    assert [step.locked_when_free is not None for step in changed] == [True, True]
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done" and database.query(numbered) == before
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.query(numbered) == before


@pytest.mark.on("mysql", "mariadb-10")
def test_an_index_of_the_release_takes_the_place_of_the_servers_own(place: Place) -> None:
    """It must stay the server's for that."""
    schema = (
        "CREATE TABLE shops (id int PRIMARY KEY, price int); CREATE TABLE items (id int PRIMARY KEY, shop int, "
        "CONSTRAINT items_shop FOREIGN KEY (shop) REFERENCES shops (id)); "
        "INSERT INTO shops VALUES (1, 1); INSERT INTO items VALUES (1, 1); ANALYZE TABLE shops;"
    )
    change = "ALTER TABLE shops MODIFY price bigint, ADD CHECK (price >= 0); CREATE INDEX items_by_shop ON items (shop, id);"
    show(place, Recipe(schema=schema, migration=change))
