"""Values that become others on MySQL and MariaDB: by a named zone, format or encoding, by a list of members, cut, or decoded; with the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recipes.rig import Database, Place, Recipe, back_from_gate, changed_and_back, refused, show

from driftflow.errors import RefusedError
from driftflow.model.plan import Plan

SCHEMA = """
    CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL, price decimal(8, 2), at timestamp(3) NULL,
                        local datetime(3), day varchar(20) CHARACTER SET latin1, feeling enum('sad', 'meh', 'glad') DEFAULT 'meh', word varchar(20),
                        bytes varbinary(60), code varchar(60), KEY items_name (name));
    SET time_zone = '+00:00';
    INSERT INTO items WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)
        SELECT n, concat('name ', n), n / 4, timestampadd(HOUR, n, '2026-01-01 00:00:00.125'), timestampadd(HOUR, n, '2026-01-01 00:00:00.125'),
               date_format(timestampadd(HOUR, n, '2026-01-01'), '%d.%m.%Y %H:%i'), elt(n % 3 + 1, 'sad', 'meh', 'glad'),
               elt(n % 3 + 1, 'sad', 'meh', 'glad'), CAST(CONVERT(concat('Grüße ', n) USING latin1) AS BINARY), to_base64(concat('code ', n)) FROM s;
"""
WRITES = (
    "INSERT INTO items (name) VALUES ('n{n}')",
    "UPDATE items SET price = {n}, name = 'new' WHERE id = {n} % 300 + 1",
    "DELETE FROM items WHERE id = {n} % 100 + 1",
)


def converted(plan: Plan) -> bool:
    """On a copy, and not by the server's own statement."""
    return any(step.strategy == "convert_column" for step in plan.steps)


def naive(column: str, definition: str, expression: str) -> str:
    """By a second column, in one session whose zone is UTC."""
    return f"""
        SET time_zone = '+00:00';
        ALTER TABLE items ADD COLUMN made {definition};
        UPDATE items SET made = {expression};
        ALTER TABLE items DROP COLUMN {column}, CHANGE made {column} {definition};
    """


CASES = [
    pytest.param("at datetime(3)", "zone=+09:00", naive("at", "datetime(3)", "timestampadd(HOUR, 9, at)"), id="zone-to-local"),
    pytest.param("local timestamp(3) NULL", "zone=+09:00", naive("local", "timestamp(3) NULL", "timestampadd(HOUR, -9, local)"), id="zone-to-instant"),
    pytest.param("day datetime", 'format="%d.%m.%Y %H:%i"', naive("day", "datetime", "str_to_date(day, '%d.%m.%Y %H:%i')"), id="format-to-datetime"),
    pytest.param("local varchar(30)", 'format="%Y%m%d%H%i%s.%f"', naive("local", "varchar(30)", "date_format(local, '%Y%m%d%H%i%s.%f')"), id="datetime-to-format"),
    pytest.param("day timestamp NULL", 'format="%d.%m.%Y %H:%i" zone=+02:00', naive("day", "timestamp NULL", "timestampadd(HOUR, -2, str_to_date(day, '%d.%m.%Y %H:%i'))"), id="format-to-instant"),
    pytest.param("feeling enum('glad', 'fine', 'sad') DEFAULT 'fine'", 'map="meh=fine"',
                 naive("feeling", "enum('glad', 'fine', 'sad') DEFAULT 'fine'", "if(feeling = 'meh', 'fine', concat(feeling))"), id="enum-values"),
    pytest.param("word enum('glad', 'so so', 'sad')", 'map="meh=so so"', naive("word", "enum('glad', 'so so', 'sad')", "if(word = 'meh', 'so so', word)"), id="text-to-enum"),
    pytest.param("feeling varchar(10) DEFAULT 'so so'", 'map="meh=so so"', naive("feeling", "varchar(10) DEFAULT 'so so'", "if(feeling = 'meh', 'so so', concat(feeling))"), id="enum-to-text"),
    pytest.param("bytes varchar(60)", "encoding=latin1", naive("bytes", "varchar(60)", "convert(bytes using latin1)"), id="binary-to-text"),
    pytest.param("bytes varchar(120)", "encoding=hex", naive("bytes", "varchar(120)", "lower(hex(bytes))"), id="hex"),
    pytest.param("code varbinary(60)", "encoding=base64", naive("code", "varbinary(60)", "from_base64(code)"), id="base64-to-binary"),
]  # fmt: skip


@pytest.fixture
def elsewhere(place: Place, server_named: Callable[[str], Any]) -> Iterator[None]:
    """The application's sessions, and ours, are in another time zone than anything that is said."""
    with server_named(place.server).administration() as execute:
        execute("SET GLOBAL time_zone = '+05:30'")
        yield
        execute("SET GLOBAL time_zone = DEFAULT")


ONE_WAY_IS_ENOUGH = ("hex", "format-to-instant", "datetime-to-format", "enum-to-text")
"""Of pairs whose other half is shown with its way back."""


def expected(database: Database) -> object:
    """The naive way leaves the column at the end."""
    (table,) = (one for one in database.catalog().tables.values() if one.name.name == "items")
    return list(database.rows().values()), sorted(table.columns, key=lambda column: column.name)


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.recipe("timestamp-zone", "native", why="on a copy, by the zone that the directive names and never the session's")
@pytest.mark.recipe("datetime-format", "native", why="a named format, and values that it does not give back are counted first")
@pytest.mark.recipe("enum-values", "native", why="values removed, renamed and reordered on a copy, rows mapped by the directive")
@pytest.mark.recipe("enum-text", "native", why="on a copy, rows mapped by the directive; what is no member is counted first")
@pytest.mark.recipe(
    "binary-text", "native", why="by a named character set, base64 or hex; what does not come back the same is counted first"
)
@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(("change", "words", "plain"), CASES)
def test_values_become_others(place: Place, request: pytest.FixtureRequest, change: str, words: str, plain: str) -> None:
    migration = f"-- driftflow: convert {words}\nALTER TABLE items MODIFY {change};"
    recipe = Recipe(schema=SCHEMA, migration=migration, naive=plain, old=WRITES, expected=expected)
    back = not any(one in request.node.name for one in ONE_WAY_IS_ENOUGH)
    plan = show(place, recipe, back=back).plan
    assert converted(plan) and not plan.point_of_no_return


CUT = [
    ("name varchar(6) NOT NULL", "left(name, 6)", "name varchar(6) NOT NULL"),
    ("price decimal(3, 1)", "least(round(price, 1), 99.9)", "price decimal(3, 1)"),
]


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.recipe(
    "string-shrink",
    "native",
    why="offenders are counted by key, or cut on a copy, or cut and archived with their keys, from where a rollback restores them",
)
@pytest.mark.recipe(
    "numeric-precision",
    "native",
    why="on a copy while writers go on; what does not fit is counted by key, or cut, or cut and archived",
)
@pytest.mark.parametrize(("change", "cut", "definition"), CUT, ids=["text", "number"])
def test_what_is_too_long_is_cut(place: Place, change: str, cut: str, definition: str) -> None:
    column = definition.partition(" ")[0]
    plain = f"UPDATE items SET {column} = {cut}; ALTER TABLE items MODIFY {change};"
    writes = ("INSERT INTO items (name, price) VALUES ('n{n}', 1)", *WRITES[1:])
    writes = tuple(one.replace("price = {n}", "price = {n} % 90") for one in writes)
    recipe = Recipe(
        schema=SCHEMA,
        migration=f"-- driftflow: too-long policy=truncate\nALTER TABLE items MODIFY {change};",
        naive=plain,
        old=writes,
    )
    plan = show(place, recipe, back=False).plan
    assert converted(plan) and plan.point_of_no_return
    back_from_gate(place, recipe)
    archive = Recipe(
        schema=SCHEMA,
        migration=f"-- driftflow: too-long policy=archive\nALTER TABLE items MODIFY {change};",
        naive=plain,
        old=writes,
    )
    plan = show(place, archive).plan
    assert converted(plan) and not plan.point_of_no_return


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    "change", ["CONVERT TO CHARACTER SET utf8mb4", "MODIFY note text CHARACTER SET utf8mb4"], ids=["table", "column"]
)
def test_text_that_was_encoded_twice_is_decoded(place: Place, change: str) -> None:
    schema = """
        CREATE TABLE notes (id int AUTO_INCREMENT PRIMARY KEY, note text, word varchar(20)) DEFAULT CHARACTER SET latin1;
        INSERT INTO notes WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)
            SELECT n, if(n % 3, 'Grüße', CONVERT(0x4772C3BCC39F65 USING latin1)), 'née' FROM s;
    """
    plain = f"UPDATE notes SET note = 'Grüße' WHERE note = CONVERT(0x4772C3BCC39F65 USING latin1); ALTER TABLE notes {change};"
    writes = ("INSERT INTO notes (note) VALUES ('über {n}')", "DELETE FROM notes WHERE id = {n} % 100 + 1")
    recipe = Recipe(
        schema=schema, migration=f"-- driftflow: convert mojibake=repair\nALTER TABLE notes {change};", naive=plain, old=writes
    )
    assert converted(show(place, recipe, back=False).plan)
    back_from_gate(place, recipe)


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    ("broken", "words", "change", "said"),
    [
        ("day = '31.02.2026 10:00'", 'convert format="%d.%m.%Y %H:%i"', "day datetime", "does not come back the same from this format"),
        ("day = '01.02.2026 10:00 x'", 'convert format="%d.%m.%Y %H:%i"', "day datetime", "does not come back the same from this format"),
        ("bytes = 0xff41", "convert encoding=utf8", "bytes varchar(60)", "does not come back the same from this encoding"),
        ("code = 'no base 64'", "convert encoding=base64", "code varbinary(60)", "does not come back the same from this encoding"),
        ("word = 'odd'", 'convert map="meh=sad"', "word enum('sad', 'glad')", "that is no member of the new enum"),
        ("word = 'glad '", 'convert map="meh=sad"', "word enum('sad', 'glad', 'meh')", "that is no member of the new enum"),
        ("local = '1960-01-01'", "convert zone=+02:00", "local timestamp(3) NULL", "a TIMESTAMP does not reach"),
    ],
    ids=["no-date", "more-than-a-date", "bytes", "base64", "member", "blanks", "reach"],
)  # fmt: skip
def test_what_does_not_convert_is_counted(place: Place, broken: str, words: str, change: str, said: str) -> None:
    database = place.fresh(
        f"{SCHEMA} UPDATE items SET bytes = 'plain', code = 'AA=='; UPDATE items SET {broken} WHERE id IN (3, 5);"
    )
    error = refused(database, f"-- driftflow: {words}\nALTER TABLE items MODIFY {change};")
    assert f"2 rows of items hold a {change.split()[0]}" in str(error) and said in str(error)
    assert "the rows with the keys 3, 5" in str(error)


@pytest.mark.on("mysql", "mariadb")
def test_the_zone_is_said_and_known(place: Place) -> None:
    with pytest.raises(RefusedError) as unsaid:
        place.fresh(SCHEMA).plan("ALTER TABLE items MODIFY at datetime(3);")
    assert unsaid.value.code == "DF-E630"
    unknown = refused(place.fresh(SCHEMA), "-- driftflow: convert zone=Europe/Nowhere\nALTER TABLE items MODIFY at datetime(3);")
    assert "the server knows no time zone Europe/Nowhere" in str(unknown)


@pytest.mark.on("mysql", "mariadb")
def test_what_cannot_be_made_anew_is_refused(place: Place) -> None:
    keyless = "CREATE TABLE items (name varchar(40), day varchar(20));"
    with pytest.raises(RefusedError) as error:
        place.fresh(keyless).plan('-- driftflow: convert format="%d.%m.%Y"\nALTER TABLE items MODIFY day date;')
    assert error.value.code == "DF-E732"


@pytest.mark.parametrize("words", ["convert zone=+02:00", "too-long policy=truncate"])
def test_a_conversion_of_nothing_is_refused(place: Place, words: str) -> None:
    with pytest.raises(RefusedError) as error:
        place.fresh("CREATE TABLE items (id int PRIMARY KEY);").plan(
            f"-- driftflow: {words}\nALTER TABLE items ADD COLUMN at int;"
        )
    assert error.value.code == "DF-E734"


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("words", ['map="sad=glad, glad=sad"', "schema=note.json"])
def test_a_conversion_into_the_same_type_is_refused_and_not_left_out(place: Place, tmp_path: Path, words: str) -> None:
    (tmp_path / "note.json").write_text("{}")
    definition = "text CHARACTER SET utf8mb4" if words.startswith("schema") else "enum('sad', 'meh', 'glad') DEFAULT 'meh'"
    with pytest.raises(RefusedError) as error:
        place.fresh(f"CREATE TABLE notes (id int PRIMARY KEY, note {definition});").plan(
            f"-- driftflow: convert {words}\nALTER TABLE notes MODIFY note {definition};", folder=tmp_path
        )
    assert error.value.code == "DF-E734"


@pytest.mark.on("mysql", "mariadb")
def test_a_table_with_texts_and_keys_is_taken_back_from_another_collation(place: Place) -> None:
    """The texts and the table's own collation go back in one statement, which the server does while writers wait."""
    database = place.fresh(
        "CREATE TABLE words (id int PRIMARY KEY, bio text, name varchar(40), UNIQUE KEY (name)) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;"
        "INSERT INTO words VALUES (1, 'a', 'x'), (2, 'b', 'y');"
    )
    change = "ALTER TABLE words CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
    changed_and_back(database, change, lambda: (database.structure(), database.rows()))
