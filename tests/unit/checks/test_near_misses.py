"""Statements that hurt, each beside its near relative that does not: the check speaks of the one and is silent about the other."""

from __future__ import annotations

import pytest

from driftflow import pipeline
from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog, TableStatistics
from driftflow.model.migration import Migration
from driftflow.model.names import Version
from driftflow.model.record import replace

LARGE = TableStatistics(rows=2_000_000, bytes=400_000_000, table_bytes=280_000_000, basis="reltuples")
VERSIONS = {"postgresql": "16.4", "mysql": "9.7.4", "mariadb": "10.11.6", "sqlite": "3.40.1"}
SCHEMAS = {"postgresql": "public", "sqlite": "main", "mysql": "shop", "mariadb": "shop"}


def said(vendor: str, sql: str, given: str | None) -> list[str]:
    """The codes of the findings about the files (`-- next` parts them). Without `given` nothing but the files is known."""
    dialect = dialect_named(vendor)
    catalog = pipeline.empty_catalog(dialect, VERSIONS[vendor])
    if given is not None:
        catalog = Catalog(
            vendor=vendor,
            version=Version.parse(VERSIONS[vendor]),
            search_path=(SCHEMAS[vendor],),
            schemas=(SCHEMAS[vendor],),
        )
        for statement in dialect.split(SourceText(text=given)):
            for operation in dialect.parse(statement).operations:
                catalog = catalog.after(dialect.resolve(operation, catalog))
        tables = {key: replace(table, new=False, statistics=LARGE) for key, table in catalog.tables.items()}
        catalog = replace(catalog, tables=tables)
    migrations = [
        Migration(
            id=str(number),
            source="plain",
            path=f"{number}.sql",
            dialect=vendor,
            statements=tuple(dialect.parse(one) for one in dialect.split(SourceText(text=text, file=f"{number}.sql"))),
            checksum="",
            sha256="",
            transaction="single",
        )
        for number, text in enumerate(sql.split("-- next"))
    ]
    return [one.code for one in assess(migrations, catalog=catalog, dialect=dialect, policy=Policy()).findings]


FILES_ALONE = [
    ("DF404", "CLUSTER t USING i", "CREATE TABLE t (id int PRIMARY KEY); CLUSTER t USING t_pkey"),
    ("DF404", "ALTER TABLE t SET UNLOGGED", "CREATE TABLE t (id int); ALTER TABLE t SET UNLOGGED"),
    ("DF404", "ALTER TABLE t SET TABLESPACE fast", "CREATE TABLE t (id int); ALTER TABLE t SET TABLESPACE fast"),
    ("DF406", "CREATE TABLE f (u int REFERENCES users (id))", "CREATE TABLE f (id int PRIMARY KEY, u int REFERENCES f (id))"),
    (
        "DF406",
        "CREATE TABLE q PARTITION OF p FOR VALUES FROM (1) TO (2)",
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE q PARTITION OF p FOR VALUES FROM (1) TO (2)",
    ),
    (
        "DF407",
        "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (2)",
        "CREATE TABLE q (id int); ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (2)",
    ),
    ("DF409", "DROP DOMAIN d", "CREATE DOMAIN d AS int; DROP DOMAIN d"),
    ("DF409", "DROP TYPE ty CASCADE", "CREATE TYPE ty AS ENUM ('a'); DROP TYPE ty CASCADE"),
    (
        "DF504",
        "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE < 5)",
        "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE < 5) NOT VALID",
    ),
    ("DF504", "ALTER DOMAIN d SET NOT NULL", "CREATE DOMAIN d AS int; ALTER DOMAIN d SET NOT NULL"),
    ("DF505", "ALTER SEQUENCE s INCREMENT 5", "CREATE SEQUENCE s; ALTER SEQUENCE s INCREMENT 5"),
]


FILES_ALONE += [
    ("DF616", "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO app"),
    (
        "DF616",
        "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
    ),
    (
        "DF617",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC",
    ),
    ("DF706", "SET SESSION AUTHORIZATION app", "SET LOCAL SESSION AUTHORIZATION app"),
    ("DF704", "UPDATE t SET a = 1 WHERE id BETWEEN 1 AND 1000000", "UPDATE t SET a = 1 WHERE id BETWEEN 1 AND 10000"),
    ("DF704", "UPDATE t SET a = 1 WHERE id > 0 OR id <= 1000", "UPDATE t SET a = 1 WHERE id > 0 AND id <= 1000 AND b IS NULL"),
    ("DF704", "DELETE FROM t WHERE user_id >= 1 AND user_id < 9", "DELETE FROM t WHERE id >= 1 AND id < 9"),
    (
        "DF704",
        "WITH d AS (DELETE FROM t RETURNING *) INSERT INTO a SELECT * FROM d",
        "WITH d AS (DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 100) RETURNING *) INSERT INTO a SELECT * FROM d",
    ),
    (
        "DF704",
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = 1",
        "WITH x AS (INSERT INTO t VALUES (1) RETURNING id) INSERT INTO b SELECT id FROM x",
    ),
    ("DF713", "CREATE TABLE z AS SELECT * FROM t", "CREATE TABLE z AS SELECT * FROM t WITH NO DATA"),
]


@pytest.mark.parametrize(("code", "hurts", "safe"), FILES_ALONE)
def test_without_a_catalog_every_table_of_others_counts_as_large(code: str, hurts: str, safe: str) -> None:
    assert code in said("postgresql", hurts, None)
    assert code not in said("postgresql", safe, None)


TABLES = """
CREATE TABLE users (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, email varchar(100) NOT NULL, name varchar(50), age int, KEY by_age (age)) ENGINE=InnoDB;
CREATE TABLE parts (id int NOT NULL PRIMARY KEY) ENGINE=InnoDB PARTITION BY RANGE (id) (PARTITION p1 VALUES LESS THAN (5), PARTITION p2 VALUES LESS THAN (9));
"""

OF_MARIADB = [
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS x int",
    "ALTER TABLE users MODIFY COLUMN IF EXISTS age bigint",
    "ALTER TABLE users CHANGE COLUMN IF EXISTS age years int",
    "ALTER TABLE users DROP COLUMN IF EXISTS age",
    "ALTER TABLE users DROP INDEX IF EXISTS by_age",
    "ALTER TABLE users DROP CONSTRAINT IF EXISTS by_age",
    "ALTER TABLE users ADD INDEX IF NOT EXISTS x (name)",
    "ALTER TABLE IF EXISTS users ADD COLUMN x int",
    "ALTER TABLE users RENAME INDEX IF EXISTS by_age TO x",
    "ALTER TABLE parts DROP PARTITION IF EXISTS p1",
    "CREATE INDEX IF NOT EXISTS x ON users (name)",
    "CREATE OR REPLACE INDEX x ON users (name)",
    "DROP INDEX IF EXISTS by_age ON users",
    "RENAME TABLE IF EXISTS users TO people",
    "ALTER TABLE users ADD COLUMN x uuid",
    "CREATE TABLE z (x inet6 NOT NULL PRIMARY KEY)",
    "ALTER IGNORE TABLE users ADD UNIQUE (name)",
    "DELETE FROM users WHERE id = 1 RETURNING id",
]


@pytest.mark.parametrize("sql", OF_MARIADB)
@pytest.mark.parametrize("given", [TABLES, None], ids=["catalog", "files"])
def test_what_only_mariadb_has_is_refused_on_mysql(sql: str, given: str | None) -> None:
    assert "DF005" in said("mysql", sql, given)
    assert "DF005" not in said("mariadb", sql, given)


WILL_FAIL = [
    (
        "DF001",
        "CREATE TABLE z (id bigint PRIMARY KEY, u bigint, FOREIGN KEY (u) REFERENCES users (id))",
        "CREATE TABLE z (id bigint PRIMARY KEY, u int unsigned, FOREIGN KEY (u) REFERENCES users (id))",
    ),
    (
        "DF001",
        "CREATE TABLE z (id bigint PRIMARY KEY, up int, FOREIGN KEY (up) REFERENCES z (id))",
        "CREATE TABLE z (id bigint PRIMARY KEY, up bigint, FOREIGN KEY (up) REFERENCES z (id))",
    ),
    ("DF002", "ALTER TABLE users ADD COLUMN x int DEFAULT 3 UNIQUE", "ALTER TABLE users ADD COLUMN x int UNIQUE"),
]


@pytest.mark.parametrize(("code", "fails", "runs"), WILL_FAIL)
@pytest.mark.parametrize("vendor", ["mysql", "mariadb"])
def test_what_these_servers_refuse_is_said(vendor: str, code: str, fails: str, runs: str) -> None:
    assert code in said(vendor, fails, TABLES)
    assert code not in said(vendor, runs, TABLES)


def test_mysql_in_strict_mode_has_no_zero_date_for_old_rows() -> None:
    """MariaDB's default mode takes it: there the old rows get a value that nobody chose."""
    assert {"DF002", "DF665"} & set(said("mysql", "ALTER TABLE users ADD COLUMN x date NOT NULL", TABLES)) == {"DF002"}
    assert {"DF002", "DF665"} & set(said("mariadb", "ALTER TABLE users ADD COLUMN x date NOT NULL", TABLES)) == {"DF665"}


def test_rows_with_the_same_value_of_an_expression_make_a_unique_index_fail() -> None:
    assert "DF002" in said("mysql", "CREATE UNIQUE INDEX x ON users ((lower(name)))", TABLES)
    assert "DF002" not in said("mysql", "CREATE INDEX x ON users ((lower(name)))", TABLES)


SHOP = """
CREATE DOMAIN given AS integer NOT NULL;
CREATE DOMAIN maybe AS integer CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('ok');
CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';
CREATE FUNCTION alone(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';
CREATE TABLE users (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, email text NOT NULL, age int, seen timestamp, m mood DEFAULT 'ok', g int GENERATED ALWAYS AS (age * 2) STORED, n bigint NOT NULL DEFAULT 5, CONSTRAINT age_ck CHECK (age > 0));
CREATE INDEX by_age ON users (age);
CREATE INDEX by_twice ON users (twice(age));
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));
"""

OF_POSTGRESQL = [
    ("DF102", "ALTER TABLE users ADD COLUMN x given", "ALTER TABLE users ADD COLUMN x maybe"),
    ("DF001", "ALTER TABLE users SET UNLOGGED", "ALTER TABLE orders SET UNLOGGED"),
    ("DF001", "DROP FUNCTION twice(int)", "DROP FUNCTION alone(int)"),
    ("DF124", "CREATE INDEX IF NOT EXISTS by_age ON users (seen)", "CREATE INDEX IF NOT EXISTS by_age ON users (age)"),
    ("DF124", "CREATE UNIQUE INDEX IF NOT EXISTS by_age ON users (age)", "CREATE INDEX IF NOT EXISTS other ON users (seen)"),
    (
        "DF124",
        "CREATE INDEX IF NOT EXISTS by_age ON users (age) WHERE age > 5",
        "CREATE INDEX IF NOT EXISTS by_twice ON users (twice(age))",
    ),
    ("DF114", "ALTER TABLE users ALTER id DROP IDENTITY", "ALTER TABLE users ALTER id SET GENERATED ALWAYS"),
    ("DF114", "ALTER TABLE users ALTER g DROP EXPRESSION", "ALTER TABLE users ALTER age DROP DEFAULT"),
    (
        "DF114",
        "ALTER TABLE users ALTER n DROP DEFAULT",
        "ALTER TABLE users ALTER n DROP DEFAULT, ALTER n ADD GENERATED BY DEFAULT AS IDENTITY",
    ),
    ("DF111", "ALTER TABLE users DROP COLUMN IF EXISTS seen", "ALTER TABLE users DROP COLUMN IF EXISTS nothing"),
    ("DF211", "ALTER TABLE users DROP CONSTRAINT IF EXISTS age_ck", "ALTER TABLE users DROP CONSTRAINT IF EXISTS nothing"),
    ("DF116", "ALTER TABLE users ALTER email DROP NOT NULL", "ALTER TABLE users ALTER age DROP NOT NULL"),
    ("DF503", "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'bad'", "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok'"),
    ("DF503", "ALTER TYPE mood ADD VALUE 'bad'", "CREATE TYPE t AS ENUM ('a'); ALTER TYPE t ADD VALUE 'b'"),
    (
        "DF109",
        "ALTER TABLE users ALTER seen TYPE timestamptz USING date_trunc('day', seen)",
        "ALTER TABLE users ALTER seen TYPE timestamptz USING seen AT TIME ZONE 'UTC'",
    ),
]


@pytest.mark.parametrize(("code", "hurts", "safe"), OF_POSTGRESQL)
def test_postgresql(code: str, hurts: str, safe: str) -> None:
    assert code in said("postgresql", hurts, SHOP)
    assert code not in said("postgresql", safe, SHOP)


VALUES = """
CREATE TABLE t (id int NOT NULL PRIMARY KEY, price decimal(10,2), at datetime(6), n bigint) ENGINE=InnoDB;
"""


@pytest.mark.parametrize("vendor", ["mysql", "mariadb"])
@pytest.mark.parametrize(
    ("code", "hurts", "safe"),
    [
        ("DF109", "ALTER TABLE t MODIFY price decimal(10,1)", "ALTER TABLE t MODIFY price decimal(12,2)"),
        ("DF109", "ALTER TABLE t MODIFY price int", "ALTER TABLE t MODIFY price decimal(12,4)"),
        ("DF109", "ALTER TABLE t MODIFY at datetime", "ALTER TABLE t MODIFY at datetime(6) NULL"),
        ("DF109", "ALTER TABLE t MODIFY at date", "ALTER TABLE t MODIFY at datetime(6) NOT NULL"),
        ("DF002", "ALTER TABLE t MODIFY price decimal(6,2)", "ALTER TABLE t MODIFY price decimal(12,2)"),
        ("DF002", "ALTER TABLE t MODIFY n decimal(6,0)", "ALTER TABLE t MODIFY n decimal(20,0)"),
    ],
)
def test_numbers_and_moments_that_are_cut(vendor: str, code: str, hurts: str, safe: str) -> None:
    """Digits and fractions go without an error in every sql_mode; what is out of range is refused."""
    assert code in said(vendor, hurts, VALUES)
    assert code not in said(vendor, safe, VALUES)


def test_types_of_sqlite_are_compared_by_affinity() -> None:
    given = "CREATE TABLE users (id integer PRIMARY KEY, code text UNIQUE)"
    assert "DF205" in said("sqlite", "CREATE TABLE z (u int REFERENCES users (code))", given)
    assert "DF205" not in said("sqlite", "CREATE TABLE z (u int REFERENCES users (id))", given)


def test_a_chunk_picked_by_limit_is_bounded_on_sqlite_too() -> None:
    given = "CREATE TABLE t (id integer PRIMARY KEY, a int)"
    assert "DF704" in said("sqlite", "DELETE FROM t WHERE id IN (SELECT id FROM t)", given)
    assert "DF704" not in said("sqlite", "DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 10)", given)
