"""Flyway's names and numbers. The hashes are those that Java's documentation and folklore know."""

from __future__ import annotations

import zlib

import pytest

from driftflow.model.names import Name
from driftflow.readers.flyway_ledger import advisory_lock_key
from driftflow.readers.flyway_names import Naming, Script, checksum, java_hash, version_key


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("V1__a.sql", Script(kind="versioned", version="1", description="a")),
        ("V1_2.3__add_orders.sql", Script(kind="versioned", version="1.2.3", description="add orders")),
        ("U2__a.sql", Script(kind="undo", version="2", description="a")),
        ("R__all_users.sql", Script(kind="repeatable", description="all users")),
        ("B10__base.sql", Script(kind="baseline", version="10", description="base")),
        ("beforeMigrate.sql", Script(kind="callback", description="beforeMigrate")),
        ("afterEachMigrateStatement__log.sql", Script(kind="callback", description="afterEachMigrateStatement__log")),
        ("README.md", None),
        ("notes.sql", None),
        ("Versions.sql", None),
    ],
)
def test_names(name: str, expected: Script | None) -> None:
    assert Naming().parse(name) == expected


@pytest.mark.parametrize("name", ["V1_a.sql", "V1__.sql", "V1x__a.sql"])
def test_names_that_almost_fit(name: str) -> None:
    assert isinstance(Naming().parse(name), str)


def test_configured_marks() -> None:
    naming = Naming.of({"sql_migration_prefix": "M", "sql_migration_separator": "-", "sql_migration_suffix": ".pgsql"})
    assert naming.parse("M7-a_b.pgsql") == Script(kind="versioned", version="7", description="a b")
    assert naming.parse("V7__a.sql") is None


def test_versions_compare_number_by_number() -> None:
    versions = ["10", "2", "1.10", "1.2", "1", "1.0.1"]
    assert sorted(versions, key=version_key) == ["1", "1.0.1", "1.2", "1.10", "2", "10"]
    assert version_key("1.0") == version_key("1")


def test_checksum_ignores_line_ends_and_the_byte_order_mark() -> None:
    assert checksum("\ufeffSELECT 1;\r\nSELECT 2;\r\n") == checksum("SELECT 1;\nSELECT 2;") == checksum("SELECT 1;\rSELECT 2;\n")
    assert checksum("") == 0


def test_checksum_is_a_signed_crc_over_the_joined_lines() -> None:
    unsigned = zlib.crc32("CREATE TABLE café (id int);".encode())
    assert checksum("CREATE TABLE café\n (id int);\n") == (unsigned - 2**32 if unsigned >= 2**31 else unsigned)
    assert -(2**31) <= checksum("-- x") < 2**31


@pytest.mark.parametrize(("text", "value"), [("", 0), ("hello", 99162322), ("polygenelubricants", -2147483648), ("😀", 1772899)])
def test_java_hash(text: str, value: int) -> None:
    assert java_hash(text) == value


def test_lock_key() -> None:
    table = Name(schema="public", name="flyway_schema_history")
    assert advisory_lock_key(table) == 77431708279161 + java_hash('"public"."flyway_schema_history"')
