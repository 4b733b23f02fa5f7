"""What changes the catalog alone, or was made safe before, raises nothing: on every version, with and without statistics."""

from __future__ import annotations

import pytest

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog, TableStatistics
from driftflow.model.finding import Finding
from driftflow.model.migration import Migration
from driftflow.model.names import Version
from driftflow.model.record import replace

POSTGRESQL = ("12.22", "13.23", "14.23", "15.20", "16.14", "17.10", "18.4")
MARIADB = ("10.4.34", "10.6.20", "10.11.19", "11.4.4", "11.8.6")
MYSQL = ("8.0.12", "8.0.30", "8.4.3", "9.7.0")

TYPES = (
    ("varchar(50)", "varchar(100)"),
    ("varchar(50)", "varchar"),
    ("varchar(50)", "text"),
    ("varchar", "text"),
    ("text", "varchar"),
    ("numeric(10,2)", "numeric(12,2)"),
    ("numeric(10,2)", "numeric"),
    ("timestamptz", "timestamptz(6)"),
    ("timestamptz(3)", "timestamptz(6)"),
    ("timestamptz(3)", "timestamptz"),
    ("interval(3)", "interval(6)"),
    ("interval(3)", "interval"),
    ("cidr", "inet"),
    ("varbit(8)", "varbit(16)"),
    ("varbit(8)", "varbit"),
    ("positive", "integer"),
    ("integer", "anything"),
)
DOMAINS = "CREATE DOMAIN positive AS integer CHECK (VALUE > 0); CREATE DOMAIN anything AS integer;"


def findings(
    dialect_name: str, version: str, given: str, *files: str, mode: str = "single", rows: int | None = 2_000_000
) -> tuple[Finding, ...]:
    dialect = dialect_named(dialect_name)
    schema = {"postgresql": "public", "sqlite": "main"}.get(dialect_name, "shop")
    catalog = Catalog(vendor=dialect_name, version=Version.parse(version), search_path=(schema,), schemas=(schema,))
    for statement in dialect.split(SourceText(text=given)):
        for operation in dialect.parse(statement).operations:
            catalog = catalog.after(dialect.resolve(operation, catalog))
    statistics = TableStatistics(rows=rows, bytes=rows * 200 if rows else None, writes_per_second=50.0, reads_per_second=500.0)
    catalog = replace(
        catalog, tables={key: replace(table, new=False, statistics=statistics) for key, table in catalog.tables.items()}
    )
    migrations = [
        Migration(
            id=str(number),
            source="plain",
            path=f"{number}.sql",
            dialect=dialect_name,
            statements=tuple(dialect.parse(one) for one in dialect.split(SourceText(text=sql))),
            checksum="",
            sha256="",
            transaction="none" if "CONCURRENTLY" in sql else mode,  # type: ignore[arg-type]
        )
        for number, sql in enumerate(files)
    ]
    return assess(migrations, catalog=catalog, dialect=dialect, policy=Policy()).findings


def said(found: tuple[Finding, ...]) -> list[str]:
    return [f"{one.code}: {one.summary}" for one in found]


@pytest.mark.parametrize("version", POSTGRESQL)
@pytest.mark.parametrize("rows", [2_000_000, None])
@pytest.mark.parametrize("indexed", [False, True])
def test_type_changes_of_the_catalog_alone(version: str, rows: int | None, indexed: bool) -> None:
    """Each on a table of its own, with and without an index over the column: neither the rows nor the index are touched."""
    given, files = DOMAINS, []
    for number, (before, after) in enumerate(TYPES):
        given += f"CREATE TABLE t{number} (id bigint PRIMARY KEY, c {before});"
        given += f"CREATE INDEX t{number}_c ON t{number} (c);" if indexed and "cidr" not in before else ""
        files.append(f"ALTER TABLE t{number} ALTER COLUMN c TYPE {after};")
    assert said(findings("postgresql", version, given, *files, rows=rows)) == []


@pytest.mark.parametrize("version", POSTGRESQL)
@pytest.mark.parametrize(("before", "after"), [("timestamp", "timestamptz"), ("timestamptz", "timestamp")])
def test_timestamps_in_utc_without_an_index(version: str, before: str, after: str) -> None:
    given = f"CREATE TABLE t (id bigint PRIMARY KEY, c {before});"
    found = findings("postgresql", version, given, f"SET LOCAL timezone = 'UTC'; ALTER TABLE t ALTER COLUMN c TYPE {after};")
    assert said(found) == []


@pytest.mark.parametrize("version", MYSQL)
def test_instant_and_catalog_changes_of_mysql(version: str) -> None:
    given = (
        "CREATE TABLE t (id bigint NOT NULL PRIMARY KEY, a varchar(50) DEFAULT 'x', b enum('p','q')) "
        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;"
    )
    for change in (
        "ADD COLUMN c int",
        "ADD COLUMN c int NOT NULL DEFAULT 1",
        "MODIFY a varchar(63) DEFAULT 'x'",
        "MODIFY b enum('p','q','r')",
        "ADD INDEX t_a (a)",
        "DEFAULT CHARACTER SET latin1",
    ):
        assert said(findings("mysql", version, given, f"ALTER TABLE t {change};", mode="none")) == [], change


@pytest.mark.parametrize("version", MARIADB)
def test_instant_and_catalog_changes_of_mariadb(version: str) -> None:
    given = (
        "CREATE TABLE t (id bigint NOT NULL PRIMARY KEY, a varchar(20) DEFAULT 'x', b enum('p','q')) "
        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;"
    )
    for change in (
        "ADD COLUMN c int",
        "ADD COLUMN c int NOT NULL DEFAULT 1 FIRST",
        "MODIFY a varchar(63) DEFAULT 'x'",
        "MODIFY b enum('p','q','r')",
        "ADD INDEX t_a (a)",
        "DEFAULT CHARACTER SET latin1",
    ):
        assert said(findings("mariadb", version, given, f"ALTER TABLE t {change};", mode="none")) == [], change


SAFE = {
    "a constant default": ("ALTER TABLE t ADD COLUMN n int NOT NULL DEFAULT 1;",),
    "a nullable column": ("ALTER TABLE t ADD COLUMN n int;",),
    "everything about a table of this release": (
        "CREATE TABLE n (id bigint PRIMARY KEY, a int, b varchar(20));",
        (
            "CREATE INDEX n_a ON n (a); ALTER TABLE n ALTER a SET NOT NULL; ALTER TABLE n ALTER a TYPE bigint;"
            "ALTER TABLE n ADD CONSTRAINT n_c CHECK (a > 0); ALTER TABLE n ADD UNIQUE (b); UPDATE n SET a = 1; DELETE FROM n;"
            "ALTER TABLE n ADD COLUMN u float DEFAULT random(); ALTER TABLE n DROP COLUMN b; ALTER TABLE n RENAME TO m;"
        ),
    ),
    "NOT NULL that a check proves, validated in an earlier file": (
        "ALTER TABLE t ADD CONSTRAINT t_nn CHECK (u IS NOT NULL) NOT VALID;",
        "ALTER TABLE t VALIDATE CONSTRAINT t_nn;",
        "ALTER TABLE t ALTER u SET NOT NULL;",
    ),
    "an index that is built beside the traffic": ("CREATE INDEX CONCURRENTLY t_s ON t (s);",),
    "a setting of the table": ("ALTER TABLE t SET (fillfactor = 80); ALTER TABLE t ALTER s SET STATISTICS 500;",),
    "one row": ("UPDATE t SET s = 'x' WHERE id = 7;",),
}


@pytest.mark.parametrize("version", POSTGRESQL)
@pytest.mark.parametrize("files", SAFE.values(), ids=SAFE.keys())
def test_safe_patterns(version: str, files: tuple[str, ...]) -> None:
    """What only rows can tell (DF002: are there NULLs?) is no false alarm, and is the one thing that may be said."""
    given = "CREATE TABLE t (id bigint PRIMARY KEY, u bigint, s varchar(20)); CREATE INDEX t_u ON t (u);"
    found = tuple(one for one in findings("postgresql", version, given, *files) if one.code != "DF002")
    assert said(found) == []


@pytest.mark.parametrize("version", POSTGRESQL)
def test_another_check_proves_nothing(version: str) -> None:
    given = "CREATE TABLE t (id bigint PRIMARY KEY, u bigint, v bigint, CONSTRAINT v_nn CHECK (v IS NOT NULL));"
    assert "DF104" in {one.code for one in findings("postgresql", version, given, "ALTER TABLE t ALTER u SET NOT NULL;")}
