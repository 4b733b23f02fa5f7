"""What MySQL and MariaDB do depends on the version: both sides of a change, and what is said where the version is not known."""

from __future__ import annotations

import pytest

from driftflow.config import Policy
from driftflow.dialects.mysql.capabilities import row_version_limit
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.walk import situations
from driftflow.model.catalog import Action, Catalog, Column, Constraint, ForeignKey, Table, TableStatistics
from driftflow.model.effects import Effects
from driftflow.model.migration import Migration
from driftflow.model.names import Name, Version
from driftflow.model.operations import AddColumn
from mysql_predictions import operations_of

TABLE = Name(schema="d", name="t")
NEW_COLUMN = "ALTER TABLE t ADD COLUMN c INT"


def effects_of(
    sql: str,
    *,
    dialect: str = "mysql",
    version: str | None = None,
    row_versions: int = 0,
    constraints: tuple[Constraint, ...] = (),
) -> Effects:
    vendor = dialect_named(dialect)
    table = Table(
        name=TABLE,
        columns=(Column(name="id", type="int", nullable=False), Column(name="a", type="int")),
        constraints=constraints,
        statistics=TableStatistics(row_versions=row_versions),
    )
    catalog = Catalog(
        vendor=dialect,
        version=Version.parse(version) if version else None,
        database="d",
        search_path=("d",),
        schemas=("d",),
        tables={TABLE.text: table},
    )
    (operation,) = operations_of(vendor, sql)
    return vendor.together([vendor.resolve(operation, catalog)], [catalog])[0]


@pytest.mark.parametrize(
    ("version", "limit"), [("8.0.29", 64), ("8.4", 64), ("9.0", 64), ("9.0.1", 64), ("9.1", 255), ("9.7.4", 255)]
)
@pytest.mark.parametrize("sql", [NEW_COLUMN, "ALTER TABLE t DROP COLUMN a"])
def test_instant_changes_are_counted_up_to_the_limit_of_the_version(version: str, limit: int, sql: str) -> None:
    assert row_version_limit(Version.parse(version)) == limit
    assert effects_of(sql, version=version, row_versions=limit - 1).algorithms[0].algorithm == "INSTANT"
    assert effects_of(sql, version=version, row_versions=limit).algorithms[0].algorithm == "INPLACE"


def pairs(effects: Effects) -> list[tuple[str, str, bool]]:
    return [(one.algorithm, one.lock, one.rebuilds) for one in effects.algorithms]


@pytest.mark.parametrize(
    ("action", "lock"), [("NO ACTION", "NONE"), ("RESTRICT", "NONE"), ("CASCADE", "SHARED"), ("SET NULL", "SHARED")]
)
@pytest.mark.parametrize("on", ["on_delete", "on_update"])
def test_what_a_foreign_key_changes_is_not_copied_online(on: str, action: Action, lock: str) -> None:
    """Measured on MariaDB 11.8: error 1846, "LOCK=NONE is not supported. Reason: ON DELETE CASCADE". `driftflow prove` found it."""
    key = ForeignKey(name="k", columns=("id",), referenced=Name(schema="d", name="p"), referenced_columns=("id",), **{on: action})
    found = effects_of("ALTER TABLE t MODIFY a TEXT", dialect="mariadb", version="11.8", constraints=(key,))
    assert pairs(found)[-1] == ("COPY", lock, True)


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        # 5.7 writes the table anew, and knows no INSTANT.
        ("mysql", NEW_COLUMN, [("INPLACE", "NONE", True), ("COPY", "SHARED", True)]),
        # 5.7 does not know the statement: no pair is accepted everywhere.
        ("mysql", "ALTER TABLE t RENAME COLUMN a TO b", []),
        # Copied while writers wait before 11.2: LOCK=NONE is not for all.
        ("mariadb", "ALTER TABLE t MODIFY a TEXT", [("COPY", "SHARED", True)]),
        ("mariadb", "ALTER TABLE t RENAME COLUMN a TO b", []),
    ],
)
def test_without_a_version_only_what_every_version_accepts(dialect: str, sql: str, expected: list[tuple[str, str, bool]]) -> None:
    assert pairs(effects_of(sql, dialect=dialect)) == expected


def test_a_failure_from_some_version_on_says_so() -> None:
    """Nothing was measured behind the newest version, and nothing ends there either."""
    (condition,) = effects_of("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 1)").fails_if
    assert condition.summary == "t holds rows that break a > 1 (fails on MySQL 8.0.16 and later)" and not condition.certain


def test_what_set_statement_says_holds_for_that_statement_alone() -> None:
    """With it the old shape of the history is given up; the next statement is refused again."""
    mariadb = dialect_named("mariadb")
    sql = (
        "CREATE TABLE v (id INT PRIMARY KEY) WITH SYSTEM VERSIONING;"
        "SET STATEMENT system_versioning_alter_history = KEEP, lock_wait_timeout = 5 FOR ALTER TABLE v ADD COLUMN a INT;"
        "ALTER TABLE v ADD COLUMN b INT;"
    )
    migration = Migration(
        id="1",
        source="plain",
        path="1.sql",
        dialect="mariadb",
        statements=tuple(mariadb.parse(one) for one in mariadb.split(SourceText(sql))),
        checksum="",
        sha256="",
        transaction="none",
    )
    catalog = Catalog(vendor="mariadb", version=Version(major=10, minor=11), database="d", search_path=("d",), schemas=("d",))
    found = situations([migration], catalog=catalog, dialect=mariadb, policy=Policy())
    added = {
        at.operation.column.name: [one.summary for one in at.effects.fails_if if one.certain]
        for at in found
        if isinstance(at.operation, AddColumn)
    }
    assert added["a"] == []
    (why,) = added["b"]
    assert "changes the history of v" in why
