"""What a trigger that keeps a rule must see: the row as it ends, to the letter, whoever wrote it."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, apply
from recipes.test_checks import refuses

from driftflow.errors import RefusedError
from driftflow.model.plan import Verify

KEY = {"postgresql": "bigint PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY", "mysql": "bigint PRIMARY KEY"}
TEXT = {"postgresql": "text", "sqlite": "text COLLATE NOCASE", "mysql": "varchar(20)"}
STORED = "GENERATED ALWAYS AS (low + 1) STORED"


def offers(place: Place, more: str = "") -> Database:
    return place.fresh(
        f"CREATE TABLE offers (id {place.pick(KEY)}, code {place.pick(TEXT)}, low integer, next integer {STORED}{more});"
        "INSERT INTO offers (id, code, low) VALUES (1, 'A', 1), (2, 'B', 2);"
    )


def under_rule(database: Database, expression: str, *, existing: str = "keep") -> Database:
    apply(
        database.plan(
            f"-- driftflow: rule existing={existing}\nALTER TABLE offers ADD CONSTRAINT offers_rule CHECK ({expression});"
        ),
        database,
    )
    return database


LATER_TRIGGER = {
    "postgresql": (
        "CREATE FUNCTION bump() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.low := NEW.low + 100; RETURN NEW; END $$;"
        "CREATE TRIGGER zzz BEFORE INSERT ON offers FOR EACH ROW EXECUTE FUNCTION bump();"
    ),
    "mysql": "CREATE TRIGGER zzz BEFORE INSERT ON offers FOR EACH ROW SET NEW.low = NEW.low + 100;",
    "sqlite": "CREATE TRIGGER zzz AFTER INSERT ON offers BEGIN UPDATE offers SET low = low + 100 WHERE id = NEW.id; END;",
}


def test_what_another_trigger_makes_of_the_row_is_judged(place: Place) -> None:
    """A CHECK looks at the row that is stored, so the rule does, also behind triggers that came later."""
    database = under_rule(offers(place), "low < 50")
    database.run(place.pick(LATER_TRIGGER))
    refuses(database, "INSERT INTO offers (id, low) VALUES (7, 1)")
    assert database.query("SELECT count(*) FROM offers") == [(2,)]


def test_a_stored_column_has_its_value(place: Place) -> None:
    database = under_rule(offers(place), "next < 50")
    refuses(database, "INSERT INTO offers (id, low) VALUES (7, 49)")
    refuses(
        database,
        "UPDATE offers SET low = 49, next = DEFAULT WHERE id = 1"
        if place.vendor != "sqlite"
        else "UPDATE offers SET low = 49 WHERE id = 1",
    )
    database.run("INSERT INTO offers (id, low) VALUES (7, 48)")


@pytest.mark.on("postgresql-18")
def test_a_virtual_column_is_refused_where_no_trigger_sees_it(place: Place) -> None:
    database = offers(place, ", twice integer GENERATED ALWAYS AS (low * 2) VIRTUAL")
    with pytest.raises(RefusedError) as refused:
        under_rule(database, "twice < 50")
    assert refused.value.code == "DF-E741"


def test_a_change_of_case_alone_is_a_change(place: Place) -> None:
    """Under a collation that knows no case 'a' equals 'A', and the rule may still tell them apart."""
    upper = {
        "postgresql": "code = upper(code)",
        "sqlite": "code = upper(code) COLLATE BINARY",
        "mysql": "code = BINARY upper(code)",
    }
    database = under_rule(offers(place), place.pick(upper))
    refuses(database, "UPDATE offers SET code = 'a' WHERE id = 1")


@pytest.mark.on("mysql", "mariadb", "sqlite")
def test_ignore_does_not_let_a_row_through(place: Place) -> None:
    database = under_rule(offers(place), "low < 50")
    word = "OR IGNORE" if place.vendor == "sqlite" else "IGNORE"
    with closing(PlainSession(database.url)) as session, pytest.raises(Exception, match=r"(?i)constraint"):
        session.run((f"INSERT {word} INTO offers (id, low) VALUES (7, 51)",))
    assert database.query("SELECT count(*) FROM offers WHERE low > 50") == [(0,)]


@pytest.mark.on("postgresql")
def test_a_column_without_equality_can_be_read(place: Place) -> None:
    """json has no `=`: an UPDATE must not fail for it."""
    database = under_rule(offers(place, ", doc json"), "doc ->> 'a' <> 'x'")
    database.run('UPDATE offers SET doc = \'{"a": "y"}\'')
    refuses(database, 'UPDATE offers SET doc = \'{"a": "x"}\'')


def test_old_rows_are_counted_before_and_proved_after(place: Place) -> None:
    database = offers(place)
    with pytest.raises(RefusedError, match="1 rows of offers break offers_rule"):
        under_rule(database, "low < 2", existing="refuse")
    assert database.catalog().tables[next(iter(database.catalog().tables))].triggers == ()
    database = offers(place)
    plan = database.plan("-- driftflow: rule\nALTER TABLE offers ADD CONSTRAINT offers_rule CHECK (low < 50);")
    assert isinstance(plan.steps[-1], Verify)
    assert apply(plan, database).state == "done"


CHILD = """
CREATE TABLE shops (id bigint PRIMARY KEY);
INSERT INTO shops VALUES (1);
CREATE TABLE offers (id bigint PRIMARY KEY, shop_id bigint, low integer,
    CONSTRAINT offers_shop FOREIGN KEY (shop_id) REFERENCES shops (id) ON UPDATE CASCADE);
"""


@pytest.mark.on("mysql", "mariadb")
def test_what_a_foreign_key_changes_past_every_trigger_is_refused(place: Place) -> None:
    database = place.fresh(CHILD)
    with pytest.raises(RefusedError) as refused:
        under_rule(database, "shop_id < 5 OR low IS NULL")
    assert refused.value.code == "DF-E740" and "offers_shop" in refused.value.why
    under_rule(database, "low < 5")
    refuses(database, "INSERT INTO offers VALUES (1, 1, 5)")


@pytest.mark.on("postgresql", "sqlite")
def test_what_a_foreign_key_changes_is_judged(place: Place) -> None:
    database = under_rule(place.fresh(CHILD), "shop_id < 5 OR low IS NULL")
    database.run("INSERT INTO offers VALUES (1, 1, 5)")
    with closing(PlainSession(database.url)) as session, pytest.raises(Exception, match=r"(?i)check constraint"):
        if place.vendor == "sqlite":
            session.run(("PRAGMA foreign_keys = ON",))
        session.run(("UPDATE shops SET id = 9",))
