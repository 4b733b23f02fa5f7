"""Data types on MySQL and MariaDB: what a redefined column does not hold is counted by key, in every sql_mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from recipes.rig import Place, Recipe, apply, refused, show

from driftflow.errors import RefusedError, StepFailedError
from driftflow.model.record import replace

SCHEMA = """
    CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40) CHARACTER SET latin1 NOT NULL, price decimal(8, 2), number int,
                        feeling enum('sad', 'meh', 'glad') DEFAULT 'meh', body text, at datetime(3), UNIQUE KEY items_name (name));
    INSERT INTO items WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)
        SELECT n, concat('name ', n), n / 4, n, elt(n % 3 + 1, 'sad', 'meh', 'glad'), '{}', '2026-01-01 10:00:00.000' FROM s;
"""


@pytest.fixture(params=["strict", "not-strict"])
def mode(request: pytest.FixtureRequest, place: Place, server_named: Callable[[str], Any]) -> Iterator[str]:
    """sql_mode of the whole server."""
    with server_named(place.server).administration() as execute:
        if request.param == "not-strict":
            execute("SET GLOBAL sql_mode = ''")
        yield request.param
        execute("SET GLOBAL sql_mode = DEFAULT")


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    ("broken", "change", "said"),
    [
        ("name = concat('too long ', id)", "name varchar(8) CHARACTER SET latin1 NOT NULL", "2 rows of items hold a name of more than 8"),
        ("number = 40000 + id", "number smallint", "2 rows of items hold a number outside the range of smallint"),
        ("number = -id", "number int unsigned", "2 rows of items hold a number outside the range of int unsigned"),
        ("price = 1000.25", "price decimal(5, 2)", "2 rows of items hold a price outside the range of decimal(5,2)"),
        ("price = 0.13", "price decimal(8, 1)", "hold a price with digits that decimal(8,1) does not keep"),
        ("feeling = 'sad'", "feeling enum('meh', 'glad')", "hold a feeling that is no member of the new enum"),
        ("body = 'no JSON'", "body json", "2 rows of items hold a body that is no JSON"),
        ("body = repeat('x', 300)", "body tinytext", "2 rows of items hold a body of more than 255 bytes"),
        ("at = '2026-01-01 10:00:00.125'", "at datetime", "2 rows of items hold a at with fractions of a second"),
        ("name = concat('Grüße ', id)", "name varchar(40) CHARACTER SET ascii NOT NULL", "2 rows of items hold a name with characters that ascii"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_counted_in_every_mode(place: Place, mode: str, broken: str, change: str, said: str) -> None:
    database = place.fresh(SCHEMA.replace("'name ', n", "'n', n") + f"UPDATE items SET {broken} WHERE id IN (3, 5);")
    error = refused(database, f"ALTER TABLE items MODIFY {change};")
    assert said in str(error)
    if said.startswith("2 rows"):
        assert "the rows with the keys 3, 5" in str(error)


VALUES = """
    CREATE TABLE marks (id int PRIMARY KEY, mark varchar(40), number int);
    INSERT INTO marks VALUES (1, NULL, NULL), (2, {good}, {number}), (3, {bad}, {number}), (5, {bad}, {number});
"""


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    ("good", "bad", "type", "said"),
    [
        ("'meh'", "'meh '", "enum('meh', 'sad')", "hold a mark that is no member of the new enum"),
        ("'a.b,c'", "'axb,c'", "set('a.b', 'b', 'c')", "hold a mark that does not list members of the new set in their order"),
        ("'c'", "'c,a'", "set('a', 'c')", "hold a mark that does not list members of the new set in their order"),
        ("' 1.5e1 '", "'1.55'", "decimal(5, 1)", "hold a mark with digits that decimal(5,1) does not keep"),
        ("'-1.5e308'", "'1e400'", "double", "hold a mark outside the range of double"),
        ("'2026-1-5'", "'2026-01-05 and more'", "date", "hold a mark that is no date"),
        ("'20260105000000'", "'2026-01-05 10:11'", "date", "hold a mark with a time of day, which a date does not keep"),
        ("'2026-01-05T10:11:12.000'", "'2026-01-05T10:11:12Z'", "datetime", "hold a mark that is no datetime"),
        ("'2026-01-05 10:11:12.25'", "'2026-01-05 10:11:12.257'", "datetime(2)", "hold a mark with fractions of a second"),
        ("'-838:59:59'", "'2026-01-05 10:11:12'", "time", "hold a mark that is no time"),
    ],
    ids=["enum", "set", "order", "digits", "range", "date", "time-of-day", "datetime", "fractions", "time"],
)
def test_text_that_the_new_type_does_not_hold_is_counted(place: Place, good: str, bad: str, type: str, said: str) -> None:
    """Some the server would keep a part of, whatever its mode; others it would meet when rows are already copied."""
    database = place.fresh(VALUES.format(good=good, bad=bad, number=1))
    change = f"ALTER TABLE marks MODIFY mark {type};"
    error = refused(database, change)
    assert f"2 rows of marks {said}" in str(error) and "the rows with the keys 3, 5" in str(error)
    database.run("DELETE FROM marks WHERE id IN (3, 5);")
    apply(database.plan(change), database)
    assert database.query("SELECT id FROM marks WHERE mark IS NOT NULL") == [(2,)]


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(("good", "bad", "type"), [("2026", "26", "year"), ("15", "16", "bit(4)")])
def test_numbers_of_a_narrow_type_are_counted(place: Place, good: str, bad: str, type: str) -> None:
    """A YEAR would make 2026 of 26."""
    database = place.fresh(VALUES.format(good="''", bad="''", number=good) + f"UPDATE marks SET number = {bad} WHERE id > 2;")
    error = refused(database, f"ALTER TABLE marks MODIFY number {type};")
    assert f"2 rows of marks hold a number outside the range of {type}" in str(error)
    database.run("DELETE FROM marks WHERE id IN (3, 5);")
    apply(database.plan(f"ALTER TABLE marks MODIFY number {type};"), database)


@pytest.mark.on("mysql", "mariadb")
def test_what_is_written_behind_the_guard_is_not_cut(place: Place, mode: str) -> None:
    """The guard has looked, and then somebody writes: the server itself must refuse, whatever its mode is."""
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE items MODIFY name varchar(4) CHARACTER SET latin1 NOT NULL;")
    unguarded = replace(plan, steps=tuple(replace(step, guards=()) for step in plan.steps))
    before = database.rows()
    with pytest.raises(StepFailedError):
        apply(unguarded, database)
    assert database.rows() == before


TEXTS = """
    CREATE TABLE words (id int AUTO_INCREMENT PRIMARY KEY, word varchar(40) NOT NULL, place varchar(40), note text, number int,
                        UNIQUE KEY words_word (word, place)) DEFAULT CHARACTER SET latin1 COLLATE latin1_general_cs;
    INSERT INTO words WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)
        SELECT n, concat('Grüße ', n), 'Köln', 'naïve', n FROM s;
"""
WRITTEN = (
    "INSERT INTO words (word, place, note, number) VALUES ('née {n}', 'Zürich', 'ça', {n})",
    "UPDATE words SET note = 'über', number = number + 1 WHERE id = {n} % 300 + 1",
    "DELETE FROM words WHERE id = {n} % 100 + 1",
)


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.recipe(
    "character-set",
    "native",
    why="characters that the new one lacks, text that was encoded twice, keys that become equal and keys that become too long are found before",
)
@pytest.mark.recipe("collation", "native", why="values that become equal under the new collation are found before, by key")
@pytest.mark.parametrize(
    "migration",
    [
        "ALTER TABLE words CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
        "ALTER TABLE words MODIFY note text CHARACTER SET utf8mb4;",
        "ALTER TABLE words MODIFY place varchar(40) COLLATE latin1_german1_ci, MODIFY number bigint;",
    ],
    ids=["table", "column", "collation"],
)
def test_another_character_set(place: Place, migration: str) -> None:
    shown = show(place, Recipe(schema=TEXTS, migration=migration, old=WRITTEN))
    assert not shown.plan.point_of_no_return
    assert any(step.guards for step in shown.plan.steps)
    beside = any(step.strategy == "rebuild_online" for step in shown.plan.steps)
    assert beside or place.server == "mariadb-11", "that one copies while writers go on"


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("charset", ["latin1", "utf8mb3", "utf8mb4"])
def test_text_that_was_encoded_twice_is_found(place: Place, charset: str) -> None:
    twice = "CONVERT(0x4772C3BCC39F65 USING latin1)"
    to = "utf16" if charset == "utf8mb4" else "utf8mb4"
    schema = f"{TEXTS.replace('latin1_general_cs', f'{charset}_bin').replace('latin1', charset)} UPDATE words SET note = {twice} WHERE id IN (3, 5);"
    database = place.fresh(schema)
    change = f"ALTER TABLE words MODIFY note text CHARACTER SET {to};"
    error = refused(database, change)
    assert "2 rows of words hold a note whose characters are the bytes of UTF-8" in str(error)
    assert "the rows with the keys 3, 5" in str(error)
    assert "Gr" not in str(error).replace("GROUP", "")
    database = place.fresh(schema)
    apply(database.plan(f"-- driftflow: convert mojibake=keep\n{change}"), database)
    assert database.query("SELECT char_length(note) FROM words WHERE id = 3") == [(7,)]


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    "change",
    ["CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "MODIFY word varchar(40) COLLATE latin1_swedish_ci NOT NULL"],
    ids=["table", "column"],
)
def test_values_that_become_equal_are_found(place: Place, change: str) -> None:
    equal = "UPDATE words SET word = elt(id, 'ONE', 'one', 'two'), place = 'there' WHERE id < 4; UPDATE words SET place = NULL WHERE id = 3;"
    error = refused(place.fresh(f"{TEXTS} {equal}"), f"ALTER TABLE words {change};")
    assert "1 values of words_word on words that are different now become equal" in str(error)
    assert "the rows with the keys 1, 2" in str(error)
    assert "'ONE'" not in str(error)


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    ("width", "row_format", "said"), [(250, "COMPACT", "at most 767"), (900, "DYNAMIC", "at most 3,072")], ids=["767", "3072"]
)
def test_a_key_that_becomes_too_long_is_refused(place: Place, width: int, row_format: str, said: str) -> None:
    schema = f"CREATE TABLE keyed (word varchar({width}) CHARACTER SET latin1 PRIMARY KEY) ROW_FORMAT={row_format};"
    database = place.fresh(schema)
    with pytest.raises(RefusedError) as error:
        database.plan("ALTER TABLE keyed CONVERT TO CHARACTER SET utf8mb4;")
    assert said in str(error.value)
