"""Unique constraints, foreign keys and checks on MySQL and MariaDB, in the forms that they have themselves."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, apply, show

from driftflow.errors import RefusedError

SCHEMA = """
CREATE TABLE digits (n integer PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE shops (id bigint PRIMARY KEY, name varchar(50) NOT NULL);
CREATE TABLE items (id bigint PRIMARY KEY, shop_id bigint, code varchar(50), low integer, high integer, answers bigint, doc json);
INSERT INTO shops SELECT a.n + 10 * b.n + 1, 's' FROM digits AS a JOIN digits AS b WHERE b.n < 4;
INSERT INTO items (id, shop_id, code, low, high, answers)
    SELECT a.n + 10 * b.n + 1, (a.n + 10 * b.n) % 40 + 1, concat('AB-', a.n + 10 * b.n + 1), a.n, a.n + b.n, CASE WHEN a.n = 7 THEN 10 * b.n + 7 END
    FROM digits AS a JOIN digits AS b;
"""
WRITES = (
    "UPDATE items SET high = high + 1 WHERE id = {n} % 100 + 1",
    "INSERT INTO items (id, shop_id, code, low, high) VALUES (1000 + {n}, {n} % 40 + 1, 'CD-{n}', 1, 2)",
    "DELETE FROM items WHERE id = 1000 + {n} - 5",
)


def refuses(database: Database, sql: str, match: str) -> None:
    with closing(PlainSession(database.url)) as session, pytest.raises(Exception, match=match):
        session.run((sql,))


def shown(place: Place, migration: str) -> Database:
    return show(place, Recipe(schema=SCHEMA, migration=migration, old=WRITES)).planned


@pytest.mark.recipe("unique-several", "native")
@pytest.mark.on("mysql", "mariadb")
def test_unique_over_several_columns(place: Place) -> None:
    database = shown(place, "ALTER TABLE items ADD CONSTRAINT items_key UNIQUE (shop_id, code);")
    refuses(database, "INSERT INTO items (id, shop_id, code) VALUES (9001, 5, 'AB-5')", "Duplicate")


@pytest.mark.recipe("unique-case", "native")
@pytest.mark.on("mysql", "mariadb")
def test_unique_without_regard_to_case(place: Place) -> None:
    """The collation of the column decides, and the usual ones have no regard to case."""
    database = shown(place, "CREATE UNIQUE INDEX items_code ON items (code);")
    refuses(database, "INSERT INTO items (id, code) VALUES (9001, 'ab-5')", "Duplicate")
    other = place.fresh(SCHEMA)
    other.run("INSERT INTO items (id, code) VALUES (9001, 'ab-5')")
    with pytest.raises(RefusedError, match="1 values of items") as refused:
        apply(other.plan("CREATE UNIQUE INDEX items_code ON items (code);"), other)
    assert "the keys 5, 9001" in refused.value.why


@pytest.mark.recipe("unique-expression", "native")
@pytest.mark.on("mysql")
def test_unique_by_expression(place: Place) -> None:
    database = shown(place, "CREATE UNIQUE INDEX items_both ON items ((concat(code, '/', shop_id)));")
    refuses(database, "INSERT INTO items (id, shop_id, code) VALUES (9001, 5, 'AB-5')", "Duplicate")


BY_VIRTUAL_COLUMN = "by a virtual column, which the migration adds, and a unique index over it"


@pytest.mark.recipe("unique-partial", "emulated", on=("mysql", "mariadb"), why=BY_VIRTUAL_COLUMN)
@pytest.mark.on("mysql", "mariadb")
def test_unique_among_some_rows(place: Place) -> None:
    """The column is NULL outside the condition, and NULL is never equal to NULL in a unique index."""
    database = shown(
        place,
        "ALTER TABLE items ADD COLUMN low_code varchar(50) AS (CASE WHEN low = 5 THEN code END) VIRTUAL;"
        "CREATE UNIQUE INDEX items_low_code ON items (low_code);",
    )
    refuses(database, "INSERT INTO items (id, low, code) VALUES (9001, 5, 'AB-6')", "Duplicate")
    database.run("INSERT INTO items (id, low, code) VALUES (9001, 6, 'AB-6')")


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("rest", ["WHERE low = 5", "WHERE note <> 'NULLS NOT DISTINCT'", "NULLS NOT DISTINCT"])
def test_an_index_that_there_is_not_is_refused_with_what_stands_for_it(place: Place, rest: str) -> None:
    database = place.fresh(SCHEMA)
    with pytest.raises(RefusedError, match="NULLs are equal" if rest.startswith("NULLS") else "no partial index") as refused:
        database.plan(f"CREATE UNIQUE INDEX items_code ON items (code) {rest};")
    assert refused.value.code == "DF-E792" and "VIRTUAL" in refused.value.hint
    assert database.plan("CREATE INDEX items_code ON items (code) COMMENT 'every code (code) WHERE low';").steps


@pytest.mark.recipe("unique-nulls", "emulated", on=("mysql", "mariadb"), why=BY_VIRTUAL_COLUMN)
@pytest.mark.on("mysql", "mariadb")
def test_unique_where_null_equals_null(place: Place) -> None:
    schema = SCHEMA + "UPDATE items SET answers = id WHERE id <> 5; UPDATE items SET answers = NULL WHERE id = 5;"
    migration = (
        "ALTER TABLE items ADD COLUMN answers_or_none bigint AS (coalesce(answers, -1)) VIRTUAL;"
        "CREATE UNIQUE INDEX items_answers ON items (answers_or_none);"
    )
    old = ("UPDATE items SET high = high + 1 WHERE id = {n} % 100 + 1",)
    database = show(place, Recipe(schema=schema, migration=migration, old=old)).planned
    refuses(database, "INSERT INTO items (id, answers) VALUES (9001, NULL)", "Duplicate")


@pytest.mark.recipe("unique-expression", "emulated", on=("mariadb",), why=BY_VIRTUAL_COLUMN)
@pytest.mark.on("mariadb")
def test_unique_by_the_expression_of_a_column(place: Place) -> None:
    database = shown(
        place,
        "ALTER TABLE items ADD COLUMN place_code varchar(80) AS (concat(code, '/', shop_id)) VIRTUAL;"
        "CREATE UNIQUE INDEX items_both ON items (place_code);",
    )
    refuses(database, "INSERT INTO items (id, shop_id, code) VALUES (9001, 5, 'AB-5')", "Duplicate")


@pytest.mark.recipe("unique-replaced", "native")
@pytest.mark.on("mysql", "mariadb")
def test_one_unique_constraint_in_the_place_of_another(place: Place) -> None:
    schema = SCHEMA + "ALTER TABLE items ADD CONSTRAINT items_key UNIQUE (code);"
    migration = "ALTER TABLE items DROP INDEX items_key, ADD CONSTRAINT items_key UNIQUE (code, shop_id);"
    result = show(place, Recipe(schema=schema, migration=migration, old=WRITES))
    assert len([step for step in result.plan.steps if step.claims]) == 1, "one statement, which the server carries out as one"
    refuses(result.planned, "INSERT INTO items (id, shop_id, code) VALUES (9001, 5, 'AB-5')", "Duplicate")


@pytest.mark.recipe("fk-self", "native")
@pytest.mark.on("mysql", "mariadb")
def test_a_table_that_references_itself(place: Place) -> None:
    database = shown(
        place, "ALTER TABLE items ADD CONSTRAINT items_answers FOREIGN KEY (answers) REFERENCES items (id) ON DELETE SET NULL;"
    )
    refuses(database, "INSERT INTO items (id, answers) VALUES (9001, 777)", "foreign key")
    database.run("DELETE FROM items WHERE id = 17")
    assert database.query("SELECT answers FROM items WHERE id = 18") == [(None,)]


@pytest.mark.recipe("fk-actions", "native")
@pytest.mark.on("mysql", "mariadb")
def test_other_actions(place: Place) -> None:
    schema = SCHEMA + "ALTER TABLE items ADD CONSTRAINT items_shop FOREIGN KEY (shop_id) REFERENCES shops (id);"
    migration = (
        "ALTER TABLE items ADD CONSTRAINT items_shop_away FOREIGN KEY (shop_id) REFERENCES shops (id) ON DELETE SET NULL;"
        "ALTER TABLE items DROP FOREIGN KEY items_shop;"
    )
    database = show(place, Recipe(schema=schema, migration=migration, old=WRITES)).planned
    database.run("DELETE FROM shops WHERE id = 5")
    assert database.query("SELECT count(*) FROM items WHERE shop_id = 5") == [(0,)]


@pytest.mark.recipe("fk-cross", "native", on=("mysql", "mariadb"), why="to a table of another database of the same server")
@pytest.mark.on("mysql", "mariadb")
def test_across_databases(place: Place) -> None:
    other = place.fresh("CREATE TABLE regions (id bigint PRIMARY KEY); CREATE TABLE words (id varchar(20), KEY (id));")
    name = other.query("SELECT database()")[0][0]
    other.run("INSERT INTO regions WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 40) SELECT n FROM s")
    add = f"ALTER TABLE items ADD CONSTRAINT items_region FOREIGN KEY (shop_id) REFERENCES {name}.{{}} (id);"
    database = shown(place, add.format("regions"))
    refuses(database, "INSERT INTO items (id, shop_id) VALUES (9001, 77)", "foreign key")
    refuses(other, "DELETE FROM regions WHERE id = 7", "foreign key")
    lost = place.fresh(SCHEMA)
    lost.run("UPDATE items SET shop_id = 99 WHERE id IN (3, 4)")
    with pytest.raises(RefusedError, match="2 rows of items point at no row of regions"):
        apply(lost.plan(add.format("regions")), lost)
    for missing in ("nowhere", "words"):
        lost = place.fresh(SCHEMA)
        with pytest.raises(RefusedError, match="is not there, is not unique, or has another type"):
            apply(lost.plan(add.format(missing)), lost)


@pytest.mark.on("mysql", "mariadb")
def test_orphans_are_counted_and_their_keys_shown(place: Place) -> None:
    database = place.fresh(SCHEMA)
    database.run("UPDATE items SET shop_id = 99 WHERE id IN (3, 4)")
    statement = "ALTER TABLE items ADD CONSTRAINT items_shop FOREIGN KEY (shop_id) REFERENCES shops (id);"
    with pytest.raises(RefusedError, match="2 rows of items point at no row of shops") as refused:
        apply(database.plan(statement), database)
    assert "the keys 3, 4" in refused.value.why


@pytest.mark.recipe("check-columns", "native")
@pytest.mark.on("mysql", "mariadb")
def test_over_several_columns(place: Place) -> None:
    database = shown(place, "ALTER TABLE items ADD CONSTRAINT items_rule CHECK (low <= high);")
    refuses(database, "INSERT INTO items (id, low, high) VALUES (9001, 5, 4)", "(?i)constraint")


@pytest.mark.recipe("check-regex", "native")
@pytest.mark.on("mysql", "mariadb")
def test_by_regular_expression(place: Place) -> None:
    r"""MySQL speaks ICU's dialect and MariaDB PCRE's; both look without regard to case under the usual collations, unlike PostgreSQL's `~`."""
    database = shown(place, "ALTER TABLE items ADD CONSTRAINT items_rule CHECK (code REGEXP '^[A-Z]{2}-[0-9]+$');")
    refuses(database, "INSERT INTO items (id, code) VALUES (9001, 'AB-1x')", "(?i)constraint")
    database.run("INSERT INTO items (id, code) VALUES (9001, 'ab-1'), (9002, NULL)")


@pytest.mark.recipe("check-json-schema", "native")
@pytest.mark.on("mysql", "mariadb-11")
def test_by_json_schema(place: Place) -> None:
    schema = '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}'
    database = shown(place, f"ALTER TABLE items ADD CONSTRAINT items_doc CHECK (JSON_SCHEMA_VALID('{schema}', doc));")
    database.run("""UPDATE items SET doc = '{"name": "x"}' WHERE id = 1""")
    refuses(database, """UPDATE items SET doc = '{"name": 5}' WHERE id = 1""", "(?i)constraint")


@pytest.mark.on("mysql")
@pytest.mark.parametrize("word", ['"const": 5', '"exclusiveMinimum": 5', '"format": "email"', '"contains": {}', '"if": {}'])
def test_words_that_the_server_passes_over_are_refused(place: Place, word: str) -> None:
    """JSON_SCHEMA_VALID of MySQL reads draft 4: what later drafts say it takes for a remark, and the document for valid."""
    database = place.fresh(SCHEMA)
    change = f"""ALTER TABLE items ADD CONSTRAINT items_doc CHECK (JSON_SCHEMA_VALID('{{"properties": {{"name": {{{word}}}}}}}', doc));"""
    with pytest.raises(RefusedError, match="passes over") as refused:
        database.plan(change)
    assert refused.value.code == "DF-E659"
    assert database.plan(f"-- driftflow: as-is reason=remarks\n{change}").steps


@pytest.mark.recipe("unique-deferrable", "refused", on=("mysql", "mariadb"), why="it checks each row as it is written")
@pytest.mark.on("mysql", "mariadb")
def test_a_check_at_the_end_of_the_transaction_is_refused(place: Place) -> None:
    with pytest.raises(RefusedError) as refused:
        place.fresh(SCHEMA).plan("ALTER TABLE items ADD CONSTRAINT items_code UNIQUE (code) DEFERRABLE INITIALLY DEFERRED;")
    assert refused.value.code == "DF-E657"


TIED = """
CREATE TABLE parents (id int AUTO_INCREMENT PRIMARY KEY, n int NOT NULL DEFAULT 0);
CREATE TABLE children (id bigint AUTO_INCREMENT PRIMARY KEY, parent int, note varchar(20),
    CONSTRAINT children_parent FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE);
CREATE TABLE guests (id bigint AUTO_INCREMENT PRIMARY KEY, parent int NOT NULL, CONSTRAINT guests_parent FOREIGN KEY (parent) REFERENCES parents (id));
INSERT INTO parents (id) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300) SELECT n FROM s;
INSERT INTO children (parent) SELECT id FROM parents;
INSERT INTO guests (parent) SELECT id FROM parents WHERE id <= 50;
"""
WIDER = (
    "ALTER TABLE parents MODIFY id bigint NOT NULL AUTO_INCREMENT; ALTER TABLE children MODIFY parent bigint;"
    "ALTER TABLE guests MODIFY parent bigint NOT NULL;"
)
IN_PLACE = "".join(f"-- driftflow: small\n{one};\n" for one in WIDER.split(";") if one)
"""Large tables are made anew beside themselves."""
UNTIED = "ALTER TABLE children DROP FOREIGN KEY children_parent; ALTER TABLE guests DROP FOREIGN KEY guests_parent;"
TIED_AGAIN = (
    "ALTER TABLE children ADD CONSTRAINT children_parent FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE;"
    "ALTER TABLE guests ADD CONSTRAINT guests_parent FOREIGN KEY (parent) REFERENCES parents (id);"
)


@pytest.mark.recipe(
    "int-to-bigint-key",
    "native",
    why="with CASCADE both ends change while triggers stand in for the foreign key, and the copies hold writers up",
)
@pytest.mark.on("mysql", "mariadb")
def test_a_key_and_what_points_at_it_become_bigint(place: Place) -> None:
    writes = (
        "INSERT INTO parents (id, n) VALUES (1000 + {n}, {n})",
        "INSERT INTO children (parent, note) VALUES ({n} % 40 + 1, 'n{n}')",
        "DELETE FROM parents WHERE id = {n} % 200 + 101",
        "UPDATE children SET parent = {n} % 50 + 1 WHERE id = {n} % 300 + 1",
        # Apart: of a transaction that writes both ends the server may make the victim of a deadlock with the DDL, which it prefers.
        "INSERT INTO parents (id) VALUES (50000 + {n})",
        "INSERT INTO guests (parent) VALUES (50000 + {n} - 1)",
    )
    shown = show(place, Recipe(schema=TIED, migration=IN_PLACE, naive=UNTIED + WIDER + TIED_AGAIN, old=writes))
    assert {step.strategy for step in shown.plan.steps} == {"widen_keys"}
    refuses(shown.planned, "INSERT INTO children (parent) VALUES (999999)", "foreign key constraint fails")


@pytest.mark.on("mysql", "mariadb")
def test_triggers_refuse_what_the_foreign_key_would(place: Place) -> None:
    """As the plan leaves it once the keys are gone: also for two sessions of which neither has committed."""
    database = place.fresh(TIED)
    with closing(PlainSession(database.url)) as session:
        for step in database.plan(IN_PLACE).steps:
            for statement in getattr(step, "statements", ()) if step.purpose.startswith(("Stand in", "Drop the")) else ():
                session.run((statement,))
    assert database.query(
        "SELECT count(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()"
    ) == [(0,)]
    refuses(database, "INSERT INTO children (parent) VALUES (999999)", "foreign key constraint fails")
    refuses(database, "UPDATE guests SET parent = 999999 WHERE id = 1", "foreign key constraint fails")
    refuses(database, "DELETE FROM parents WHERE id = 7", "foreign key constraint fails")
    refuses(database, "UPDATE parents SET id = 8888 WHERE id = 7", "foreign key constraint fails")
    database.run("INSERT INTO children (parent) VALUES (NULL); DELETE FROM parents WHERE id = 200;")
    assert database.query("SELECT count(*) FROM children WHERE parent = 200") == [(0,)]
    with closing(PlainSession(database.url)) as one, closing(PlainSession(database.url)) as other:
        one._execute("BEGIN")
        one._execute("INSERT INTO guests (parent) VALUES (210)")
        with pytest.raises(Exception, match="Lock wait timeout"):
            other.run(("DELETE FROM parents WHERE id = 210",))
        one._execute("ROLLBACK")
        one._execute("BEGIN")
        one._execute("DELETE FROM parents WHERE id = 211")
        with pytest.raises(Exception, match="Lock wait timeout"):
            other.run(("INSERT INTO guests (parent) VALUES (211)",))
        one._execute("COMMIT")
    refuses(database, "INSERT INTO guests (parent) VALUES (211)", "foreign key constraint fails")


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "migration",
    [
        "ALTER TABLE parents MODIFY id bigint NOT NULL AUTO_INCREMENT;",
        "ALTER TABLE children MODIFY parent bigint;",
        WIDER.replace("guests MODIFY parent bigint", "guests MODIFY parent bigint unsigned"),
    ],
)
def test_one_end_of_a_key_does_not_change_by_itself(place: Place, migration: str) -> None:
    with pytest.raises(RefusedError) as refused:
        place.fresh(TIED).plan(migration)
    assert refused.value.code == "DF-E728"
