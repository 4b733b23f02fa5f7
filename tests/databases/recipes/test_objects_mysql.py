"""Views, counters and triggers on MySQL and MariaDB, in the forms that they have themselves, under a writing application."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, apply, gates, go_on_back, show, take_back

import planning
from driftflow.model.operations import RawSql

ROWS = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300)"
SCHEMA = (
    "CREATE TABLE notes (id bigint AUTO_INCREMENT PRIMARY KEY, body varchar(100), size int, at timestamp DEFAULT CURRENT_TIMESTAMP);"
    f"INSERT INTO notes (id, body, size) {ROWS} SELECT n, concat('b', n), n FROM s;"
    "CREATE VIEW long_notes AS SELECT id, body FROM notes WHERE size > 100;"
)
WRITES = (
    "INSERT INTO notes (id, body, size) VALUES (1000 + {n}, 'x{n}', {n})",
    "UPDATE notes SET size = size + 1 WHERE id = {n} % 300 + 1",
    "DELETE FROM notes WHERE id = 1000 + {n} - 4",
)


def shown(place: Place, migration: str, *, schema: str = SCHEMA, old: tuple[str, ...] = WRITES) -> object:
    return show(place, Recipe(schema=schema, migration=migration, old=old, without=("at",)))


@pytest.mark.recipe(
    "views", "native", on=("mysql", "mariadb"), why="a view is no hindrance to a change there: it is replaced in one statement"
)
@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    "migration",
    [
        "CREATE OR REPLACE VIEW long_notes AS SELECT id, body, size FROM notes WHERE size > 100;",
        "ALTER TABLE notes MODIFY body varchar(200);",
        "DROP VIEW long_notes;",
    ],
)
def test_views(place: Place, migration: str) -> None:
    shown(place, migration)


@pytest.mark.recipe(
    "views", "native", on=("mysql", "mariadb"), why="a view is no hindrance to a change there: it is replaced in one statement"
)
@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("migration", ["DROP VIEW mine;", "CREATE OR REPLACE VIEW mine AS SELECT id, body FROM notes;"])
def test_a_view_comes_back_with_whose_rights_it_looked(place: Place, migration: str) -> None:
    """SQL SECURITY INVOKER and CHECK OPTION: without them a rollback would show, and take, more than before."""
    made = "CREATE SQL SECURITY INVOKER VIEW mine AS SELECT id, body, size FROM notes WHERE size > 5 WITH LOCAL CHECK OPTION;"
    database = place.fresh(SCHEMA + made)
    asked = (
        "SELECT security_type, check_option FROM information_schema.views WHERE table_schema = DATABASE() AND table_name = 'mine'"
    )
    assert database.query(asked) == [("INVOKER", "LOCAL")]
    plan = database.plan(migration)
    report = apply(plan, database, open_gates=gates(plan))
    assert database.query(asked) in ([], [("DEFINER", "NONE")])
    back = take_back(report.run, database, open_gates=gates(plan))
    while back.state == "waiting_at_gate":
        back = go_on_back(report.run, database, open_gates=gates(plan))
    assert back.state == "rolled_back"
    assert database.query(asked) == [("INVOKER", "LOCAL")]


@pytest.mark.recipe("triggers", "native", on=("mysql", "mariadb"))
@pytest.mark.on("mysql", "mariadb")
def test_a_trigger_comes(place: Place) -> None:
    old = tuple(text for text in WRITES if not text.startswith("INSERT"))
    shown(place, "CREATE TRIGGER notes_size BEFORE INSERT ON notes FOR EACH ROW SET NEW.size = coalesce(NEW.size, 0);", old=old)


@pytest.mark.recipe("triggers", "native", on=("mysql", "mariadb"))
@pytest.mark.on("mysql", "mariadb")
def test_a_trigger_goes(place: Place) -> None:
    schema = SCHEMA + "CREATE TRIGGER notes_size BEFORE INSERT ON notes FOR EACH ROW SET NEW.size = coalesce(NEW.size, 0);"
    shown(place, "DROP TRIGGER notes_size;", schema=schema)


@pytest.mark.recipe("sequences", "native", on=("mariadb",))
@pytest.mark.on("mariadb")
def test_a_sequence(place: Place) -> None:
    shown(place, "CREATE SEQUENCE tickets START WITH 500 INCREMENT BY 5;")


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("type_", ["INTEGER", "integer", "REAL"])
def test_a_function_that_returns_an_integer_or_a_real_is_read_as_any_other(place: Place, type_: str) -> None:
    """Its first words are those of a loadable function, which alone has SONAME: taken for one, it waited behind a gate that nobody needed."""
    database = place.fresh(f"CREATE FUNCTION rate() RETURNS {type_} DETERMINISTIC RETURN 1;")
    plan = database.plan(f"DROP FUNCTION rate;\nCREATE FUNCTION rate() RETURNS {type_} DETERMINISTIC RETURN 2;")
    assert gates(plan) == ()
    report = apply(plan, database)
    assert database.query("SELECT rate()") == [(2,)]
    assert take_back(report.run, database).state == "rolled_back"
    assert database.query("SELECT rate()") == [(1,)]
    (loaded,) = planning.migration_of(f"CREATE FUNCTION loaded RETURNS {type_} SONAME 'rate.so';", place.dialect).statements
    assert [type(one) for one in place.dialect.parse(loaded).operations] == [RawSql]
