"""SQL of another database: the error says whose it looks like."""

from __future__ import annotations

import pytest

from driftflow.dialects.mixed import other_dialect
from driftflow.dialects.registry import dialect_named
from driftflow.errors import SourceError
from driftflow.model.operations import RawSql
from driftflow.readers.sources import loose_migration

MYSQL = "CREATE TABLE `t` (`id` int UNSIGNED AUTO_INCREMENT) ENGINE=InnoDB"
POSTGRESQL = "ALTER TABLE t ALTER COLUMN a TYPE bigint USING a::bigint"
SQLITE = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT) WITHOUT ROWID"


@pytest.mark.parametrize(
    ("dialect", "sql", "looks_like"),
    [
        ("postgresql", MYSQL, "MySQL: --dialect mysql"),
        ("postgresql", "ALTER TABLE t MODIFY COLUMN a bigint", "MySQL: --dialect mysql"),
        ("postgresql", "DELIMITER //\nCREATE PROCEDURE p() BEGIN END//", "MySQL: --dialect mysql"),
        ("postgresql", "INSERT INTO `it's` VALUES (1)", "MySQL: --dialect mysql"),
        ("postgresql", SQLITE, "SQLite: --dialect sqlite"),
        ("postgresql", "PRAGMA foreign_keys = on", "SQLite: --dialect sqlite"),
        ("postgresql", "CREATE TABLE [dbo].[t] (a NVARCHAR(MAX))", "SQL Server, which driftflow does not read"),
        ("sqlite", "CREATE INDEX CONCURRENTLY i ON t (a)", "PostgreSQL: --dialect postgresql"),
        ("sqlite", "DO $$ BEGIN PERFORM 1; END $$", "PostgreSQL: --dialect postgresql"),
        ("sqlite", "ALTER TABLE t MODIFY a bigint UNSIGNED", "MySQL: --dialect mysql"),
        ("mysql", "DO $$ BEGIN RAISE NOTICE 'it''s'; x := 'open; END $$", "PostgreSQL: --dialect postgresql"),
    ],
)
def test_the_hint_names_the_other_dialect(dialect: str, sql: str, looks_like: str) -> None:
    with pytest.raises((SourceError, ExceptionGroup)) as caught:
        loose_migration(sql, dialect=dialect_named(dialect))
    fault = caught.value
    hint = (fault.exceptions[0] if isinstance(fault, ExceptionGroup) else fault).hint  # type: ignore[attr-defined]
    assert f"it looks like SQL of {looks_like}" in hint


def test_what_mysql_is_only_shown_says_so_too() -> None:
    (statement,) = loose_migration("CREATE EXTENSION citext", dialect=dialect_named("mysql")).statements
    (operation,) = statement.operations
    assert isinstance(operation, RawSql)
    assert operation.reason.endswith("; it looks like SQL of PostgreSQL")


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "mariadb", "sqlite"])
@pytest.mark.parametrize("sql", ["SELEC 1", "CREATE TABLE t (", "ALTER TABLE t ADD COLUMN (x integer", "GRANT"])
def test_a_mere_mistake_looks_like_nobodys(dialect: str, sql: str) -> None:
    assert other_dialect(sql, dialect) == ""


@pytest.mark.parametrize(
    ("dialect", "sql"), [("mysql", MYSQL), ("mariadb", MYSQL), ("postgresql", POSTGRESQL), ("sqlite", SQLITE)]
)
def test_ones_own_marks_count_first(dialect: str, sql: str) -> None:
    assert other_dialect(sql, dialect) == ""
