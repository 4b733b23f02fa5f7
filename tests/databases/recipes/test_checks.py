"""Checks: over several columns, by regular expression, against the clock, by JSON Schema, for new rows only."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, apply, gates, show, take_back, there_and_back

from driftflow.errors import RefusedError

DIGITS = "(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
SOME = {
    "mysql": f"SELECT a.n + 10 * b.n + 100 * c.n + 1 AS n FROM {DIGITS} AS a JOIN {DIGITS} AS b JOIN {DIGITS} AS c WHERE c.n < 2",
    "postgresql": "SELECT n FROM generate_series(1, 200) AS s(n)",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200) SELECT n FROM s",
}
KEYS = {"postgresql": "bigint PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY", "mysql": "bigint PRIMARY KEY"}
JSON = {"postgresql": "jsonb", "sqlite": "text", "mysql": "json"}
TIME = {"postgresql": "timestamptz", "sqlite": "text", "mysql": "datetime"}
CODE = {"postgresql": "'AB-' || n", "sqlite": "'AB-' || n", "mysql": "concat('AB-', n)"}
SHOP = {
    vendor: (
        f"CREATE TABLE offers (id {KEYS[vendor]}, code varchar(20), low integer, high integer, ends {TIME[vendor]}, doc {JSON[vendor]});"
        f"INSERT INTO offers (id, code, low, high, ends) SELECT n, {CODE[vendor]}, n, n + n % 9, '2001-01-01 00:00:00' FROM ({SOME[vendor]}) AS x;"
    )
    for vendor in KEYS
}
WRITES = (
    "UPDATE offers SET high = high + 1 WHERE id = {n} % 200 + 1",
    "INSERT INTO offers (id, code, low, high) VALUES (1000 + {n}, 'CD-{n}', 1, 2)",
    "DELETE FROM offers WHERE id = 1000 + {n} - 7",
)


def refuses(database: Database, sql: str) -> None:
    with closing(PlainSession(database.url)) as session, pytest.raises(Exception, match=r"(?i)check constraint|CONSTRAINT `"):
        session.run((sql,))


def rows_only(database: Database) -> object:
    return database.rows()


def shown_check(place: Place, expression: str, *, folder: str = "") -> Database:
    """A CHECK is a statement of PostgreSQL and a rebuild on SQLite, which has none to compare with."""
    add = f"ALTER TABLE offers ADD CONSTRAINT offers_rule CHECK ({expression});"
    lite = place.vendor == "sqlite"
    recipe = Recipe(
        schema=SHOP, migration=add, naive="SELECT 1;" if lite else "", old=WRITES, expected=rows_only if lite else None
    )
    return show(place, recipe).planned


@pytest.mark.recipe("check-columns", "native")
@pytest.mark.on("postgresql", "sqlite")
def test_over_several_columns(place: Place) -> None:
    database = shown_check(place, "low <= high AND (code IS NOT NULL OR low > 0)")
    refuses(database, "INSERT INTO offers (id, low, high) VALUES (9001, 5, 4)")
    other = place.fresh(SHOP)
    other.run("UPDATE offers SET low = 500 WHERE id IN (7, 8)")
    with pytest.raises(RefusedError, match="2 rows of offers violate offers_rule"):
        apply(other.plan("ALTER TABLE offers ADD CONSTRAINT offers_rule CHECK (low <= high);"), other)


@pytest.mark.recipe("check-regex", "native")
@pytest.mark.on("postgresql")
def test_by_regular_expression(place: Place) -> None:
    database = shown_check(place, r"code ~ '^[A-Z]{2}-\d+$'")
    refuses(database, "INSERT INTO offers (id, code) VALUES (9001, 'ab-1')")
    refuses(database, "INSERT INTO offers (id, code) VALUES (9001, 'AB-1x')")
    database.run("INSERT INTO offers (id, code) VALUES (9001, NULL)")


@pytest.mark.recipe("check-regex", "emulated", why="by GLOB; a regular expression is refused, since SQLite knows none by itself")
@pytest.mark.on("sqlite")
def test_by_pattern(place: Place) -> None:
    database = shown_check(place, "code GLOB '[A-Z][A-Z]-[0-9]*' AND code NOT GLOB '???*[^0-9]*'")
    refuses(database, "INSERT INTO offers (id, code) VALUES (9001, 'ab-1')")
    refuses(database, "INSERT INTO offers (id, code) VALUES (9001, 'AB-1x')")
    other = place.fresh(SHOP)
    with pytest.raises(RefusedError) as refused:
        other.plan("ALTER TABLE offers ADD CONSTRAINT offers_rule CHECK (code REGEXP '^A');")
    assert refused.value.code == "DF-E659" and "GLOB" in refused.value.hint


CLOCK = {
    "postgresql": "ALTER TABLE offers ADD CONSTRAINT offers_open CHECK (ends > now());",
    "sqlite": "ALTER TABLE offers ADD CONSTRAINT offers_open CHECK (ends > datetime('now'));",
    "mysql": "ALTER TABLE offers ADD CONSTRAINT offers_open CHECK (ends > now());",
}


@pytest.mark.recipe(
    "check-time",
    "emulated",
    why="by a trigger that looks at rows as they are written; a CHECK that depends on the time is refused",
)
def test_against_the_clock(place: Place) -> None:
    database, start = place.fresh(SHOP), place.fresh(SHOP)
    with pytest.raises(RefusedError, match="depends on the time") as refused:
        database.plan(place.pick(CLOCK))
    assert refused.value.code == "DF-E659" and "rule existing=keep" in refused.value.hint
    kept = f"-- driftflow: rule existing=keep\n{place.pick(CLOCK)}"
    recipe = Recipe(schema=SHOP, migration=kept, naive="SELECT 1;", old=WRITES, expected=rows_only)
    planned = show(place, recipe).planned
    refuses(planned, "INSERT INTO offers (id, ends) VALUES (9001, '2002-02-02 00:00:00')")
    refuses(planned, "UPDATE offers SET ends = '2002-02-02 00:00:00' WHERE id = 1")
    planned.run(
        "INSERT INTO offers (id, ends) VALUES (9002, '2999-01-01 00:00:00'), (9003, NULL); UPDATE offers SET code = 'x' WHERE id = 1"
    )
    with pytest.raises(RefusedError, match="200 rows of offers break offers_open"):
        apply(database.plan(f"-- driftflow: rule existing=refuse\n{place.pick(CLOCK)}"), database)
    assert (database.structure(), database.rows()) == (start.structure(), start.rows())


@pytest.mark.recipe("check-rule-sql", "emulated", why="by a trigger where the rule is to hold for new rows only; else as a CHECK")
def test_a_rule_in_sql_for_new_rows(place: Place) -> None:
    database, start = place.fresh(SHOP), place.fresh(SHOP)
    rule = "ALTER TABLE offers ADD CONSTRAINT offers_rule CHECK (CASE WHEN code LIKE 'EF-%' THEN low >= 10 AND high < 2 * low ELSE low < 150 END);"
    report = apply(database.plan(f"-- driftflow: rule existing=keep\n{rule}"), database)
    refuses(database, "INSERT INTO offers (id, code, low, high) VALUES (9001, 'EF-1', 9, 10)")
    refuses(database, "UPDATE offers SET low = 190 WHERE id = 1")
    database.run(
        "UPDATE offers SET doc = NULL WHERE id = 180; INSERT INTO offers (id, code, low, high) VALUES (9001, 'EF-1', 10, 10)"
    )
    database.run("DELETE FROM offers WHERE id = 9001")
    assert take_back(report.run, database).state == "rolled_back"
    assert (database.structure(), database.rows()) == (start.structure(), start.rows())
    with pytest.raises(RefusedError, match=r"reads other rows|cannot ask a query"):
        database.plan(
            rule.replace("low < 150", "low < (SELECT max(low) FROM offers)").join(["-- driftflow: rule existing=keep\n", ""])
        )


@pytest.mark.on("postgresql-16")
def test_a_rule_holds_for_a_role_that_may_do_little(place: Place) -> None:
    import psycopg

    database = place.fresh(SHOP["postgresql"])
    database.run(
        "DO $$ BEGIN CREATE ROLE keys_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT INSERT ON offers TO keys_app;"
    )
    apply(database.plan(f"-- driftflow: rule existing=keep\n{CLOCK['postgresql']}"), database)
    with psycopg.connect(database.url) as session:
        session.execute("SET ROLE keys_app")
        session.execute("INSERT INTO offers (id, ends) VALUES (9002, '2999-01-01')")
        with pytest.raises(psycopg.errors.CheckViolation):
            session.execute("INSERT INTO offers (id, ends) VALUES (9001, '2002-02-02')")


SCHEMA = {
    "type": "object",
    "required": ["name", "kind"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 5},
        "kind": {"enum": ["it's", 7, None, True]},
        "price": {"type": "number", "minimum": 0, "exclusiveMaximum": 100},
        "count": {"type": ["integer", "null"]},
        "tags": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
        },
        "fixed": {"const": "x"},
    },
}
BASE = {"name": "abc", "kind": 7}
GOOD = (BASE, BASE | {"kind": "it's"}, BASE | {"kind": None}, BASE | {"kind": True}, BASE | {"price": 0}, BASE | {"price": 99.5}, BASE | {"count": None},
        BASE | {"count": 3}, BASE | {"tags": [{"id": 1}, {"id": 2, "more": "x"}]}, BASE | {"fixed": "x"})  # fmt: skip
BAD = ("text", 5, None, [], {}, {"name": "abc"}, BASE | {"name": "a"}, BASE | {"name": "abcdef"}, BASE | {"name": 5}, BASE | {"kind": 8}, BASE | {"kind": "7"},
       BASE | {"kind": False}, BASE | {"kind": [7]}, BASE | {"price": -1}, BASE | {"price": 100}, BASE | {"price": "1"}, BASE | {"count": 1.5}, BASE | {"tags": []},
       BASE | {"tags": {}}, BASE | {"tags": [{"id": 1}] * 3}, BASE | {"tags": [{"id": 1}, {}]}, BASE | {"tags": [{"id": 1}, {"id": "1"}]}, BASE | {"tags": [7]},
       BASE | {"fixed": "y"}, BASE | {"fixed": 1}, BASE | {"other": 1})  # fmt: skip


def text_of(value: object) -> str:
    return "'" + json.dumps(value).replace("'", "''") + "'"


def by_schema(place: Place, schema: object = SCHEMA) -> str:
    return f"ALTER TABLE offers ADD CONSTRAINT offers_doc CHECK (JSON_SCHEMA_VALID({text_of(schema)}, doc));"


@pytest.mark.recipe(
    "check-json-schema",
    "emulated",
    why="compiled: to jsonpath in a CHECK on PostgreSQL, to json_each in a trigger on SQLite, to JSON_TABLE in a trigger on MariaDB before 11.1",
)
@pytest.mark.on("postgresql", "sqlite", "mariadb-10")
def test_by_json_schema(place: Place) -> None:
    writes = (*WRITES, f"UPDATE offers SET doc = {text_of(BASE)} WHERE id = {{n}} % 200 + 1")
    recipe = Recipe(schema=SHOP, migration=by_schema(place), naive="SELECT 1;", old=writes, expected=rows_only)
    database = show(place, recipe).planned
    for number, value in enumerate(GOOD):
        database.run(f"INSERT INTO offers (id, doc) VALUES ({9100 + number}, {text_of(value)})")
    for value in BAD:
        refuses(database, f"INSERT INTO offers (id, doc) VALUES (9999, {text_of(value)})")
        refuses(database, f"UPDATE offers SET doc = {text_of(value)} WHERE id = 9100")


@pytest.mark.on("postgresql", "sqlite", "mariadb-10")
def test_documents_that_break_the_schema_are_counted_before(place: Place) -> None:
    database = place.fresh(SHOP)
    database.run(f"UPDATE offers SET doc = {text_of(BASE | {'count': 'x'})} WHERE id IN (3, 5)")
    with pytest.raises(RefusedError, match="2 rows of offers"):
        apply(database.plan(by_schema(place)), database)
    for unknown in ({"oneOf": []}, {"type": "object", "properties": {"a": {"format": "date"}}}, {"enum": [{}]}):
        with pytest.raises(RefusedError) as refused:
            place.fresh(SHOP).plan(by_schema(place, unknown))
        assert refused.value.code == "DF-E659"


@pytest.mark.on("postgresql", "sqlite", "mariadb-10")
def test_names_in_a_document_are_the_same_however_they_are_written(place: Place) -> None:
    r"""`{"ma\u00df": 1}` is what many a library writes for `{"maß": 1}`. MariaDB compares a path with the document as it is written."""
    names = ["maß", 'two "words"', "a\\b"]
    schema = {"required": names, "properties": {name: {"type": "integer"} for name in names}, "additionalProperties": False}
    database = place.fresh(SHOP)
    apply(database.plan(by_schema(place, schema).replace("\\", "\\\\" if place.vendor == "mariadb" else "\\")), database)
    with closing(PlainSession(database.url)) as session:
        for ascii_only in (False,) if place.vendor == "mariadb" else (True, False):
            for value, fits in (
                (dict.fromkeys(names, 1), True),
                (dict.fromkeys(names, "x"), False),
                (dict.fromkeys(names[1:], 1), False),
            ):
                text = json.dumps(value, ensure_ascii=ascii_only).replace("'", "''")
                write = f"UPDATE offers SET doc = '{text if place.vendor != 'mariadb' else text.replace(chr(92), chr(92) * 2)}' WHERE id = 7"
                if fits:
                    session.run((write,))
                    continue
                with pytest.raises(Exception, match="offers_doc"):
                    session.run((write,))


@pytest.mark.on("postgresql", "sqlite", "mariadb-10")
@pytest.mark.parametrize(
    "wrong",
    [{"required": "kind"}, {"type": "objekt"}, {"minimum": "5"}, {"maxLength": True}, {"properties": ["kind"]}, {"enum": "kind"}],
)
def test_what_is_no_schema_is_refused_and_not_read_as_another(place: Place, wrong: object) -> None:
    with pytest.raises(RefusedError, match="it is no schema") as refused:
        place.fresh(SHOP).plan(by_schema(place, {"properties": {"inner": wrong}}))
    assert refused.value.code == "DF-E659"


@pytest.mark.on("postgresql", "sqlite", "mariadb-10")
def test_lengths_that_no_text_has_let_no_text_in(place: Place) -> None:
    database = place.fresh(SHOP)
    apply(database.plan(by_schema(place, {"properties": {"code": {"minLength": 3, "maxLength": 2}}})), database)
    database.run("""INSERT INTO offers (id, doc) VALUES (9100, '{"code": 5}')""")
    refuses(database, """INSERT INTO offers (id, doc) VALUES (9101, '{"code": "abc"}')""")


@pytest.mark.on("mysql")
@pytest.mark.parametrize("pattern", ["(", r"^\p{L}+$", "(?i)ab", "(?<!a)b", "(?P<n>a)", "a{,2}", "a{", "[[:word:]]"])
def test_a_pattern_that_the_server_makes_nothing_of_is_refused(place: Place, pattern: str) -> None:
    """MySQL says nothing, and lets every text in."""
    for schema in ({"properties": {"code": {"pattern": pattern}}}, {"patternProperties": {pattern: {"type": "integer"}}}):
        with pytest.raises(RefusedError, match="passes over the pattern") as refused:
            place.fresh(SHOP).plan(by_schema(place, schema).replace("\\", "\\\\"))
        assert refused.value.code == "DF-E659"


@pytest.mark.on("mysql")
@pytest.mark.parametrize(("pattern", "fits", "breaks"), [(r"^[\w.-]{2,3}$", "a-b", "a"), (r"^(?:a|b)\d(?!x)", "b7", "b7x")])
def test_a_pattern_of_ecmascript_is_kept_by_the_server(place: Place, pattern: str, fits: str, breaks: str) -> None:
    database = place.fresh(SHOP)
    sql = by_schema(place, {"properties": {"code": {"pattern": pattern}}}).replace("\\", "\\\\")
    apply(database.plan(sql), database)
    database.run(f"""INSERT INTO offers (id, doc) VALUES (9100, '{{"code": "{fits}"}}')""")
    refuses(database, f"""INSERT INTO offers (id, doc) VALUES (9101, '{{"code": "{breaks}"}}')""")


ENFORCED = {
    "mysql": (
        "CREATE TABLE bids (id integer PRIMARY KEY, cents integer, CONSTRAINT positive CHECK (cents > 0) NOT ENFORCED);",
        "ALTER TABLE bids ALTER CHECK positive ENFORCED;",
    ),
    "postgresql": (
        (
            "CREATE TABLE lots (id integer PRIMARY KEY); INSERT INTO lots VALUES (3);"
            "CREATE TABLE bids (id integer PRIMARY KEY, cents integer, CONSTRAINT lot FOREIGN KEY (cents) REFERENCES lots NOT ENFORCED);"
        ),
        "ALTER TABLE bids ALTER CONSTRAINT lot ENFORCED;",
    ),
}


@pytest.mark.on("mysql", "postgresql-18")
def test_rows_that_break_what_is_to_be_enforced_are_counted_first(place: Place) -> None:
    schema, change = ENFORCED[place.vendor]
    database = place.fresh(schema + "INSERT INTO bids VALUES (1, -1), (2, 3);")
    plan = database.plan(change)
    with pytest.raises(RefusedError) as refused:
        apply(plan, database, open_gates=gates(plan))
    assert refused.value.code == "DF-E305" and "1 rows" in refused.value.summary
    database.run("DELETE FROM bids WHERE id = 1;")
    there_and_back(database, change)
