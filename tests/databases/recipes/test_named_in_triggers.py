"""Names that triggers of the application say in their text: who fails when a name goes is told at the gate, and a trigger that is made again beside a rename comes with it."""

from __future__ import annotations

import pytest
from recipes.rig import Place, apply, gates, outcome, take_back

from driftflow.errors import RefusedError
from driftflow.model.plan import Gate, Plan

SCHEMA = {
    "postgresql": """
CREATE TABLE items (id integer PRIMARY KEY, name text, search text);
CREATE FUNCTION find() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.search := lower(NEW.name); RETURN NEW; END $$;
CREATE TRIGGER finds BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION find();
INSERT INTO items (id, name) VALUES (1, 'A'), (2, 'B');
""",
    "mysql": """
CREATE TABLE items (id integer PRIMARY KEY, name varchar(20), search varchar(20));
CREATE TRIGGER finds BEFORE INSERT ON items FOR EACH ROW SET NEW.search = lower(NEW.name);
INSERT INTO items (id, name) VALUES (1, 'A'), (2, 'B');
""",
    "sqlite": """
CREATE TABLE items (id integer PRIMARY KEY, name text, search text);
CREATE TRIGGER finds AFTER INSERT ON items BEGIN UPDATE items SET search = lower(new.name) WHERE id = new.id; END;
INSERT INTO items (id, name) VALUES (1, 'A'), (2, 'B');
""",
}
RENAME = "ALTER TABLE items RENAME COLUMN name TO title;\n"
MENDED = {
    "postgresql": "CREATE OR REPLACE FUNCTION find() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN NEW.search := lower(NEW.title); RETURN NEW; END $$;",
    "mysql": "DROP TRIGGER finds;\nCREATE TRIGGER finds BEFORE INSERT ON items FOR EACH ROW SET NEW.search = lower(NEW.title);",
    "sqlite": "DROP TRIGGER finds;\nCREATE TRIGGER finds AFTER INSERT ON items"
    " BEGIN UPDATE items SET search = lower(new.title) WHERE id = new.id; END;",
}
LOGGED = {
    "mysql": """
CREATE TABLE items (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE log (id integer PRIMARY KEY AUTO_INCREMENT, note varchar(20));
CREATE VIEW notes AS SELECT note FROM log;
CREATE TRIGGER kept AFTER INSERT ON items FOR EACH ROW INSERT INTO log (note) VALUES (NEW.name);
""",
    "sqlite": """
CREATE TABLE items (id integer PRIMARY KEY, name text);
CREATE TABLE log (id integer PRIMARY KEY, note text);
CREATE TRIGGER kept AFTER INSERT ON items BEGIN INSERT INTO log (note) VALUES (new.name); END;
""",
}


def _asked(plan: Plan) -> str:
    return "\n".join(line for step in plan.steps if isinstance(step, Gate) for line in step.checklist)


def test_a_trigger_of_the_table_that_says_the_column(place: Place) -> None:
    """Neither a view (PostgreSQL, where each write failed on NEW.name from the rename on) nor a second column, which it would see as NULL: it waits behind
    the gate, and the gate names the trigger where it does not follow."""
    database = place.fresh(SCHEMA)
    plan = database.plan(RENAME)
    assert {step.strategy for step in plan.steps} & {"rename_column", "dual_columns"} == set()
    assert ("trigger finds on items says items.name in its text" in _asked(plan)) is (place.vendor != "sqlite")
    report = apply(plan, database)
    assert report.state == "waiting_at_gate"
    assert outcome(database, "INSERT INTO items (id, name) VALUES (3, 'C')") == ""
    assert database.query("SELECT search FROM items WHERE id = 3") == [("c",)]


def test_what_was_asked_for_and_a_trigger_forbids_is_refused(place: Place) -> None:
    database = place.fresh(SCHEMA)
    with pytest.raises(RefusedError, match="the trigger finds says"):
        database.plan("-- driftflow: rename by=columns\n" + RENAME)
    if place.vendor == "postgresql":
        with pytest.raises(RefusedError, match="would fail from the rename on"):
            database.plan("-- driftflow: rename by=view\n" + RENAME)


def test_a_trigger_that_is_made_again_beside_the_rename(place: Place) -> None:
    """In whatever order the statements stand, no row of the old application passes without the trigger, and none of the new one."""
    drop, _, make = place.pick(MENDED).partition("\n")
    orders = [RENAME + place.pick(MENDED), *([f"{drop}\n{RENAME}{make}"] if make else [])]
    for number, migration in enumerate(orders):
        database = place.fresh(SCHEMA)
        before = database.seen()
        report = apply(database.plan(migration), database)
        assert report.state == "waiting_at_gate"
        assert outcome(database, "INSERT INTO items (id, name) VALUES (3, 'C')") == ""
        assert database.query("SELECT search FROM items WHERE id = 3") == [("c",)], number
        other = place.fresh(SCHEMA)
        plan = other.plan(migration)
        report = apply(plan, other, open_gates=gates(plan))
        assert report.state == "done"
        assert outcome(other, "INSERT INTO items (id, title) VALUES (3, 'C')") == ""
        assert other.query("SELECT search FROM items WHERE id = 3") == [("c",)], number
        other.run("DELETE FROM items WHERE id = 3")
        assert take_back(report.run, other, open_gates=gates(plan)).state == "rolled_back"
        assert other.seen() == before


@pytest.mark.on("mysql", "mariadb", "sqlite")
@pytest.mark.parametrize(
    ("migration", "follows"),
    [
        ("DROP TABLE log;", False),
        ("ALTER TABLE log RENAME TO journal;", True),
        ("ALTER TABLE log RENAME COLUMN note TO text;", True),
    ],
    ids=["table dropped", "table renamed", "column renamed"],
)
def test_who_else_says_the_name_that_goes_is_told_at_the_gate(place: Place, migration: str, follows: bool) -> None:
    """And it is true: behind the gate each INSERT into the other table fails on the trigger."""
    database = place.fresh(LOGGED)
    plan = database.plan(migration)
    told = "trigger kept on items says log" in _asked(plan)
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    assert told is (outcome(database, "INSERT INTO items (id, name) VALUES (3, 'C')") != "")
    assert told is (place.vendor != "sqlite" or not follows)
    assert ("view notes says log" in _asked(plan)) is (place.vendor != "sqlite")


@pytest.mark.on("mysql", "mariadb")
def test_a_trigger_of_another_table_that_the_release_makes_again(place: Place) -> None:
    """With two columns it may say the new name from the first phase on; it writes all the while."""
    database = place.fresh(LOGGED)
    again = "DROP TRIGGER kept;\nCREATE TRIGGER kept AFTER INSERT ON items FOR EACH ROW INSERT INTO log (text) VALUES (NEW.name);"
    plan = database.plan(f"ALTER TABLE log RENAME COLUMN note TO text;\n{again}")
    made = next(step for step in plan.steps if "CREATE TRIGGER kept" in step.purpose)
    assert made.phase == "expand"
    assert "kept" not in _asked(plan)
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    assert outcome(database, "INSERT INTO items (id, name) VALUES (3, 'C')") == ""
    assert database.query("SELECT text FROM log") == [("C",)]


@pytest.mark.on("sqlite")
def test_a_rename_behind_the_drop_of_a_table_that_a_trigger_names(place: Place) -> None:
    """The server refuses it, for the trigger is broken by then; moved before the drop it passed, could not be taken back, and left every INSERT to fail."""
    database = place.fresh(LOGGED)
    with pytest.raises(RefusedError, match="trigger kept is broken"):
        database.plan("DROP TABLE log; ALTER TABLE items RENAME TO things;")
    plan = database.plan("DROP TRIGGER kept; DROP TABLE log; ALTER TABLE items RENAME TO things;")
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
