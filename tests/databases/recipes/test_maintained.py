"""A column that a trigger keeps true to the others of its row, for what no generated column may hold."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, apply, show, take_back

from driftflow.errors import ParseError, RefusedError

KEY = {"postgresql": "bigint PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY", "mysql": "bigint PRIMARY KEY"}
ROWS = ", ".join(f"({n}, {n}, {n % 7}, 'Item {n}')" for n in range(1, 101))
ADD = "ALTER TABLE items ADD COLUMN label varchar(80);"
TEXT = {
    "postgresql": "NEW.name || ' x' || coalesce(NEW.count, 0) || ' NEW.'",
    "sqlite": "NEW.name || ' x' || coalesce(NEW.count, 0) || ' NEW.'",
    "mysql": "concat(NEW.name, ' x', coalesce(NEW.count, 0), ' NEW.')",
}
STORED = {
    "postgresql": "ALTER TABLE items ADD COLUMN label varchar(80); UPDATE items SET label = name || ' x' || coalesce(count, 0) || ' NEW.';",
    "sqlite": "ALTER TABLE items ADD COLUMN label varchar(80); UPDATE items SET label = name || ' x' || coalesce(count, 0) || ' NEW.';",
    "mysql": "ALTER TABLE items ADD COLUMN label varchar(80); UPDATE items SET label = concat(name, ' x', coalesce(count, 0), ' NEW.');",
}
WRITES = (
    "UPDATE items SET count = count + 1 WHERE id = {n} % 100 + 1",
    "INSERT INTO items (id, price, count, name) VALUES (1000 + {n}, 5, 1, 'More {n}')",
    "UPDATE items SET name = 'Other {n}' WHERE id = 1000 + {n} - 2",
    "DELETE FROM items WHERE id = 1000 + {n} - 7",
    "UPDATE items SET name = NULL WHERE id = 1000 + {n} - 5",
)


def schema(place: Place) -> str:
    return (
        f"CREATE TABLE items (id {place.pick(KEY)}, price integer, count integer, name varchar(40));"
        f"INSERT INTO items (id, price, count, name) VALUES {ROWS}, (101, 1, NULL, 'None'), (102, 1, 1, NULL);"
    )


def said(place: Place, expression: str, more: str = "") -> str:
    return f'-- driftflow: maintained column=label set="{expression}"{more}\n{ADD}'


@pytest.mark.recipe(
    "generated-trigger",
    "emulated",
    why="a trigger fills the column before the row is stored, on SQLite by a second change of the row; the rows that are there are filled in chunks and verified",
)
def test_the_column_follows_its_row(place: Place) -> None:
    """The naive migration fills the column once, after everything that the application wrote: so the column followed all of it."""
    shown = show(
        place,
        Recipe(
            schema=schema(place),
            migration=said(place, place.pick(TEXT)),
            naive=STORED,
            old=WRITES,
            expected=lambda one: one.rows(),
        ),
    )
    database = shown.planned
    database.run("UPDATE items SET label = 'my own' WHERE id = 1; UPDATE items SET label = NULL, price = 7 WHERE id = 2;")
    right = database.query("SELECT count(*) FROM items WHERE id IN (1, 2) AND label LIKE '% x%'")
    assert right == [(2,)], "what is written into the column itself is corrected"
    assert shown.plan.steps[-1].purpose.startswith("Verify")


@pytest.mark.on("postgresql", "sqlite", "mysql", "mariadb")
def test_a_volatile_expression_is_asked_when_the_row_changes(place: Place) -> None:
    expression = {
        "postgresql": "NEW.name || clock_timestamp()",
        "sqlite": "NEW.name || random()",
        "mysql": "concat(NEW.name, uuid())",
    }
    database = place.fresh(schema(place))
    report = apply(database.plan(said(place, place.pick(expression))), database)
    assert report.state == "done"
    assert database.query("SELECT count(*) FROM items WHERE label IS NULL") == [(1,)], "that without a name"
    before = dict(database.query("SELECT id, label FROM items"))
    database.run("UPDATE items SET price = 9 WHERE id = 5; UPDATE items SET name = 'new' WHERE id = 6;")
    after = dict(database.query("SELECT id, label FROM items"))
    assert {key for key in before if before[key] != after[key]} == {6}
    assert take_back(report.run, database).state == "rolled_back"
    assert database.structure() == place.fresh(schema(place)).structure()


LOOKUP = "(SELECT s.name FROM shops AS s WHERE s.id = NEW.count)"


def test_a_value_of_another_table_is_that_of_the_moment(place: Place) -> None:
    text = schema(place) + (
        f"CREATE TABLE shops (id {place.pick(KEY)}, name varchar(40)); INSERT INTO shops VALUES (1, 'one'), (2, 'two');"
    )
    database = place.fresh(text)
    with pytest.raises(RefusedError, match="no trigger could keep label true") as refused:
        database.plan(said(place, LOOKUP))
    assert refused.value.code == "DF-E746" and "lookups=when-written" in refused.value.hint
    assert apply(database.plan(said(place, LOOKUP, " lookups=when-written")), database).state == "done"
    assert database.query("SELECT count(*) FROM items WHERE label = 'two'") == [(15,)]
    database.run("UPDATE shops SET name = 'deux' WHERE id = 2; UPDATE items SET count = 2 WHERE id = 1;")
    assert database.query("SELECT label FROM items WHERE id IN (1, 2) ORDER BY id") == [("deux",), ("two",)]


@pytest.mark.on("postgresql", "sqlite", "mysql")
def test_what_cannot_be_kept_is_refused(place: Place) -> None:
    database = place.fresh(schema(place))
    for expression, code in (("NEW.nothing", "DF-E653"), ("NEW.label", "DF-E653"), ("OLD.name", "DF-E746"), ("'x'", "DF-E746")):
        with pytest.raises(RefusedError) as refused:
            database.plan(said(place, expression))
        assert refused.value.code == code, expression
    with pytest.raises(RefusedError) as promised:
        database.plan(said(place, "NEW.name").replace("varchar(80)", "varchar(80) NOT NULL"))
    assert promised.value.code == "DF-E746"
    with pytest.raises(ParseError) as wrong:
        database.plan(said(place, "NEW.name").replace("column=label", "column=lable"))
    assert wrong.value.code == "DF-E217"


@pytest.mark.on("mysql", "mariadb")
def test_a_column_that_a_foreign_key_changes_is_refused(place: Place) -> None:
    text = schema(place) + (
        "CREATE TABLE shops (id integer PRIMARY KEY); INSERT INTO shops SELECT DISTINCT count FROM items WHERE count IS NOT NULL;"
        "ALTER TABLE items ADD CONSTRAINT items_shop FOREIGN KEY (count) REFERENCES shops (id) ON DELETE SET NULL;"
    )
    with pytest.raises(RefusedError) as refused:
        place.fresh(text).plan(said(place, place.pick(TEXT)))
    assert refused.value.code == "DF-E740"
