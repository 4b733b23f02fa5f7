"""Data types that SQLite does not have: moments as text or numbers, enums as CHECK; each by a rebuild while the application writes."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, accepted, apply, refused, show, take_back, there_and_back

from driftflow.config import Policy
from driftflow.errors import RefusedError

SCHEMA = """
    CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, at TIMESTAMP, day TEXT, seen INTEGER,
                        feeling TEXT CONSTRAINT known_feeling CHECK (feeling IN ('sad', 'meh', 'glad')));
    WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)
        INSERT INTO items SELECT n, 'name ' || n, datetime('2026-01-01', n || ' hours') || CASE n % 2 WHEN 0 THEN '.250' ELSE '' END,
                                 strftime('%d.%m.%Y %H:%M', '2026-01-01', n || ' hours'), 1700000000 + n,
                                 CASE n % 3 WHEN 0 THEN 'sad' WHEN 1 THEN 'meh' ELSE 'glad' END FROM s;
"""
WRITES = (
    "UPDATE items SET name = 'n{n}' WHERE id = {n} % 300 + 1",
    "INSERT INTO items (name) VALUES ('new {n}')",
    "DELETE FROM items WHERE id = {n} % 100 + 1",
)
NAIVE = """
    CREATE TABLE made (id INTEGER PRIMARY KEY, name TEXT, at TIMESTAMP, day TEXT, seen INTEGER,
                       feeling TEXT CONSTRAINT known_feeling CHECK (feeling IN ('sad', 'meh', 'glad')));
    INSERT INTO made SELECT id, name, at, day, seen, feeling FROM items;
    DROP TABLE items;
    ALTER TABLE made RENAME TO items;
"""


def rebuilt(column: str, definition: str, expression: str) -> str:
    old = {"at": "at TIMESTAMP", "day": "day TEXT", "seen": "seen INTEGER"}[column]
    return NAIVE.replace(old, definition).replace(f" {column},", f" {expression},", 1)


@pytest.mark.on("sqlite")
@pytest.mark.recipe(
    "timestamp-zone",
    "emulated",
    why="moments are texts or seconds: the offset that the directive names moves them; a zone by its name is refused, since it knows none (DF-E631)",
)
@pytest.mark.recipe(
    "datetime-format",
    "emulated",
    why="a format whose parts have a fixed width, to text as ISO 8601 writes it or to seconds; what does not come back the same is counted first",
)
@pytest.mark.parametrize(
    ("change", "words", "naive"),
    [
        (
            "at TYPE TIMESTAMPTZ",
            "zone=+09:00",
            rebuilt("at", "at TIMESTAMPTZ", "strftime('%Y-%m-%d %H:%M:%S', at, '-9 hours') || substr(at, 20) || '+00:00'"),
        ),
        ("seen TYPE TIMESTAMP", "zone=+02:00", rebuilt("seen", "seen TIMESTAMP", "datetime(seen + 7200, 'unixepoch')")),
        (
            "day TYPE DATETIME",
            'format="%d.%m.%Y %H:%M"',
            rebuilt(
                "day",
                "day DATETIME",
                "substr(day, 7, 4) || '-' || substr(day, 4, 2) || '-' || substr(day, 1, 2) || ' ' || substr(day, 12) || ':00'",
            ),
        ),
        (
            "day TYPE INTEGER",
            'format="%d.%m.%Y %H:%M"',
            rebuilt(
                "day",
                "day INTEGER",
                "CAST(strftime('%s', substr(day, 7, 4) || '-' || substr(day, 4, 2) || '-' || substr(day, 1, 2) || substr(day, 11)) AS INT)",
            ),
        ),
        (
            "seen TYPE TEXT",
            'format="%Y%m%d%H%M%S"',
            rebuilt("seen", "seen TEXT", "strftime('%Y%m%d%H%M%S', seen, 'unixepoch')"),
        ),
    ],
    ids=["zone", "seconds-to-text", "format", "format-to-seconds", "seconds-to-format"],
)
def test_moments(place: Place, change: str, words: str, naive: str) -> None:
    migration = f"-- driftflow: convert {words}\nALTER TABLE items ALTER COLUMN {change};"
    assert not show(place, Recipe(schema=SCHEMA, migration=migration, naive=naive, old=WRITES)).plan.point_of_no_return


@pytest.mark.on("sqlite")
@pytest.mark.parametrize(
    ("broken", "change", "said"),
    [
        ("day = '31.02.2026 10:00'", 'convert format="%d.%m.%Y %H:%M"\nALTER TABLE items ALTER COLUMN day TYPE DATETIME;', "this format"),
        ("at = '2026-01-01T10:00:00'", "convert zone=+02:00\nALTER TABLE items ALTER COLUMN at TYPE TIMESTAMPTZ;", "this zone"),
    ],
    ids=["format", "zone"],
)  # fmt: skip
def test_moments_that_do_not_come_back_are_counted(place: Place, broken: str, change: str, said: str) -> None:
    error = str(refused(place.fresh(f"{SCHEMA} UPDATE items SET {broken} WHERE id IN (3, 5);"), f"-- driftflow: {change}"))
    assert "2 rows of items hold a" in error and said in error and "the rows with the keys 3, 5" in error


@pytest.mark.on("sqlite")
def test_what_a_condition_stopped_comes_back(place: Place) -> None:
    """The step never began, so the condition of its way back is not asked: the rows that stopped it would stop that too."""
    database = place.fresh("CREATE TABLE notes (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO notes VALUES (3, '2024-02-29');")
    change = '-- driftflow: convert format="%Y-%m-%d %H:%M:%S"\nALTER TABLE notes ALTER COLUMN at TYPE timestamp;'
    with pytest.raises(RefusedError, match="1 rows of notes"):
        apply(database.plan(change, policy=Policy()), database)
    (run,) = (str(row[0]) for row in database.query("SELECT id FROM _driftflow_run"))
    assert take_back(run, database).state == "rolled_back"


@pytest.mark.on("sqlite")
def test_a_zone_by_name_is_refused(place: Place) -> None:
    with pytest.raises(RefusedError) as error:
        place.fresh(SCHEMA).plan("-- driftflow: convert zone=Europe/Berlin\nALTER TABLE items ALTER COLUMN at TYPE TIMESTAMPTZ;")
    assert error.value.code == "DF-E631"


VALUES = """
    ALTER TABLE items DROP CONSTRAINT known_feeling;
    ALTER TABLE items ALTER COLUMN feeling TYPE TEXT USING CASE feeling WHEN 'meh' THEN 'fine' ELSE feeling END;
    ALTER TABLE items ADD CONSTRAINT known_feeling CHECK (feeling IN ('glad', 'fine', 'sad'));
"""
MAPPED = """
    CREATE TABLE made (id INTEGER PRIMARY KEY, name TEXT, at TIMESTAMP, day TEXT, seen INTEGER, feeling TEXT,
                       CONSTRAINT known_feeling CHECK (feeling IN ('glad', 'fine', 'sad')));
    INSERT INTO made SELECT id, name, at, day, seen, CASE feeling WHEN 'meh' THEN 'fine' ELSE feeling END FROM items;
    DROP TABLE items;
    ALTER TABLE made RENAME TO items;
"""


@pytest.mark.on("sqlite")
@pytest.mark.recipe(
    "enum-values",
    "emulated",
    why="an enum is a CHECK here: another list and the rows that it maps, in one rebuild; what no list names is counted first",
)
def test_values_of_a_check(place: Place) -> None:
    shown = show(place, Recipe(schema=SCHEMA, migration=VALUES, naive=MAPPED, old=WRITES), back=False)
    assert [step.strategy for step in shown.plan.steps] == ["rebuild_table"]
    error = str(refused(place.fresh(SCHEMA), VALUES.replace("'fine', 'sad'", "'fine'")))
    assert "133 rows of items violate known_feeling once they are converted" in error
    assert "the rows with the keys 3, 6, 9" in error


@pytest.mark.on("sqlite")
@pytest.mark.recipe("enum-text", "emulated", why="the CHECK goes, or comes once every row is known to keep to it")
def test_text_and_a_check(place: Place) -> None:
    free = (
        MAPPED.replace("feeling TEXT,\n", "feeling TEXT")
        .replace("CONSTRAINT known_feeling CHECK (feeling IN ('glad', 'fine', 'sad'))", "")
        .replace("CASE feeling WHEN 'meh' THEN 'fine' ELSE feeling END", "feeling")
    )
    drop = "ALTER TABLE items DROP CONSTRAINT known_feeling;"
    show(place, Recipe(schema=SCHEMA, migration=drop, naive=free, old=WRITES))
    there = SCHEMA.replace(" CONSTRAINT known_feeling CHECK (feeling IN ('sad', 'meh', 'glad'))", "")
    bound = MAPPED.replace("'glad', 'fine', 'sad'", "'sad', 'meh', 'glad'").replace(
        "CASE feeling WHEN 'meh' THEN 'fine' ELSE feeling END", "feeling"
    )
    add = "ALTER TABLE items ADD CONSTRAINT known_feeling CHECK (feeling IN ('sad', 'meh', 'glad'));"
    show(place, Recipe(schema=there, migration=add, naive=bound, old=WRITES))
    error = str(refused(place.fresh(f"{there} UPDATE items SET feeling = 'odd' WHERE id IN (3, 5);"), add))
    assert "2 rows of items violate known_feeling" in error


@pytest.mark.on("sqlite")
@pytest.mark.recipe(
    "string-shrink",
    "emulated",
    why="SQLite holds texts of any length: offenders are counted, cut, or cut and archived with their keys; a CHECK would bind new ones",
)
def test_whole_texts_are_archived(place: Place) -> None:
    change = "-- driftflow: too-long policy=archive\nALTER TABLE items ALTER COLUMN name TYPE VARCHAR(6);"
    naive = NAIVE.replace("name TEXT", "name VARCHAR(6)").replace("SELECT id, name", "SELECT id, substr(name, 1, 6)")
    writes = ("INSERT INTO items (name) VALUES ('n{n}')", *WRITES[2:])
    recipe = Recipe(schema=SCHEMA, migration=change, naive=naive, old=writes, expected=lambda one: one.rows())
    shown = show(place, recipe)
    assert not shown.plan.point_of_no_return
    archive = shown.planned.query(
        "SELECT name FROM sqlite_schema WHERE name LIKE '_driftflow_archive_items%' AND type = 'table'"
    )[0][0]
    assert shown.planned.query(f"SELECT min(length(driftflow_whole)), count(*) > 200 FROM {archive}") == [(7, 1)]


HELD = """
CREATE TABLE held (id INTEGER PRIMARY KEY, a VARCHAR(10), b INT, c DECIMAL(10, 2), d INTEGER);
INSERT INTO held VALUES (1, '007', 5, '4.50', 1), (2, 'longer than that', 'twelve', 3.25, 2);
"""


@pytest.mark.on("sqlite")
@pytest.mark.parametrize(
    "change", ["a TYPE TEXT", "a TYPE VARCHAR(3)", "b TYPE BIGINT", "c TYPE NUMERIC", "d TYPE BIGINT USING d"]
)
def test_a_type_of_the_same_affinity_comes_back(place: Place, change: str) -> None:
    """SQLite looks at no more of a type than that: every value stays to the letter, and nothing has to be accepted."""
    database, start = place.fresh(HELD), place.fresh(HELD)
    plan = there_and_back(database, f"ALTER TABLE held ALTER COLUMN {change};")
    assert accepted(plan) == () and database.seen() == start.seen()


@pytest.mark.on("sqlite", "postgresql-18")
def test_what_using_computes_does_not_come_back_by_itself(place: Place) -> None:
    """Although the new type holds every value of the old one: it is not the old one's value."""
    database = place.fresh("CREATE TABLE held (id INTEGER PRIMARY KEY, d INTEGER); INSERT INTO held VALUES (1, 1), (2, 2);")
    plan = database.plan("ALTER TABLE held ALTER COLUMN d TYPE BIGINT USING d + 1;", policy=Policy())
    assert accepted(plan) == ("alter_column_type main.held.d" if place.vendor == "sqlite" else "alter_column_type public.held.d",)


@pytest.mark.on("sqlite")
@pytest.mark.parametrize(
    ("change", "keys"), [("a TYPE TEXT", "3"), ("b TYPE INT", "2, 4"), ("b TYPE REAL", "2"), ("c TYPE TEXT", "")]
)
def test_what_a_strict_table_would_refuse_is_counted_before(place: Place, change: str, keys: str) -> None:
    schema = (
        "CREATE TABLE held (id INTEGER PRIMARY KEY, a ANY, b TEXT, c INT) STRICT;"
        "INSERT INTO held VALUES (1, 'x', '5', 1), (2, 2, 'six', 2), (3, x'04', NULL, 3), (4, NULL, '7.5', NULL);"
    )
    database = place.fresh(schema)
    if keys:
        error = str(refused(database, f"ALTER TABLE held ALTER COLUMN {change};"))
        assert "DF-E305" in error and f"the keys {keys}" in error
    else:
        plan = database.plan(f"ALTER TABLE held ALTER COLUMN {change};")
        assert apply(plan, database).state == "done"
