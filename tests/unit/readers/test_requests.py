"""Requests in a TOML file beside a migration: they say what a comment would say, and nothing of them is lost without a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driftflow import pipeline
from driftflow.config import Policy, SourceOptions
from driftflow.dialects.registry import dialect_named
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.model.record import replace
from driftflow.readers.bound_requests import OPERATIONS
from driftflow.readers.requests import requests_path
from driftflow.strategies.spoken import backfills, check_all, wanted_files

SQL = """\
ALTER TABLE orders ADD COLUMN total_cents integer;
ALTER TABLE orders DROP COLUMN total, DROP COLUMN note;
CREATE INDEX orders_total ON orders (total_cents);
ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total_cents > 0);
UPDATE orders SET total_cents = 0;
"""


def read(root: Path, *, dialect: str = "postgresql", folder: str = "db", tool: str = "") -> tuple[Migration, ...]:
    options = {str(root / folder): SourceOptions(tool=tool)}
    (source,) = pipeline.find_sources([root / folder], dialect=dialect_named(dialect), options=options, root=root)
    return source.migrations


def one(root: Path, toml: str, *, sql: str = SQL, dialect: str = "postgresql") -> Migration:
    (root / "db").mkdir()
    (root / "db" / "001_totals.sql").write_text(sql)
    (root / "db" / "001_totals.driftflow.toml").write_text(toml)
    return read(root, dialect=dialect)[0]


def fault(root: Path, toml: str, *, sql: str = SQL) -> SourceError:
    with pytest.raises(SourceError) as caught:
        one(root, toml, sql=sql)
    return caught.value


def test_an_entry_is_the_comment_above_the_statement(tmp_path: Path) -> None:
    asked = one(
        tmp_path,
        """
# what the generator cannot say
[[statement]]
on = { operation = "add-column", table = "orders", column = "total_cents" }
backfill = { column = "total_cents", set = "round(total * 100)" }

[[statement]]
on.number = 2
cascade = true
archive = true
[statement.soft-drop]
until = 2027-03-01
""",
    )
    comments = (
        '-- driftflow: backfill column=total_cents set="round(total * 100)"\n'
        + SQL.replace("ALTER TABLE orders DROP", "-- driftflow: cascade\n-- driftflow: archive\n-- driftflow: soft-drop until=2027-03-01\nALTER TABLE orders DROP")
    )  # fmt: skip
    said = one(tmp_path / "x", "", sql=comments) if (tmp_path / "x").mkdir() is None else None
    assert said is not None
    words = [[(d.verb, dict(d.options), d.arguments) for d in s.directives] for s in asked.statements]
    assert words == [[(d.verb, dict(d.options), d.arguments) for d in s.directives] for s in said.statements]
    assert backfills(asked.statements[0])[0].expression == "round(total * 100)"
    assert [str(d.span) for s in asked.statements for d in s.directives] == [
        "db/001_totals.driftflow.toml:5:1",
        "db/001_totals.driftflow.toml:9:1",
        "db/001_totals.driftflow.toml:10:1",
        "db/001_totals.driftflow.toml:11:1",
    ]
    for statement in asked.statements:
        check_all(statement)


@pytest.mark.parametrize(
    ("on", "number"),
    [
        ("number = 3", 3),
        ('operation = "create-index", index = "orders_total"', 3),
        ('operation = "add-constraint", constraint = "total_positive"', 4),
        ('operation = "drop-column", column = "note"', 2),
        ('operation = "update", table = "public.orders"', 5),
        ('table = "Orders", column = "TOTAL_CENTS"', 1),
        ('name = "orders_total"', 3),
        ('number = 5, operation = "update"', 5),
    ],
)
def test_a_statement_is_named_by_its_place_or_by_what_it_does(tmp_path: Path, on: str, number: int) -> None:
    migration = one(tmp_path, f"[[statement]]\non = {{ {on} }}\nsmall = true\n")
    assert [index for index, one in enumerate(migration.statements, 1) if one.directives] == [number]


@pytest.mark.parametrize(
    ("toml", "code", "where"),
    [
        ("[[statement]\n", "DF-E750", "001_totals.driftflow.toml:1:12"),
        ("[[statements]]\n", "DF-E752", "001_totals.driftflow.toml:1:1"),
        ("[[statement]]\nsmall = true\n", "DF-E752", "001_totals.driftflow.toml:1:1"),
        ("[[statement]]\non.number = 1\n", "DF-E752", "001_totals.driftflow.toml:1:1"),
        ("[[statement]]\non = { number = 1, colum = 'x' }\nsmall = true\n", "DF-E752", "001_totals.driftflow.toml:2:1"),
        ("[[statement]]\non.number = 0\nsmall = true\n", "DF-E752", "001_totals.driftflow.toml:2:1"),
        ("[[statement]]\non.number = 1\nsmall = false\n", "DF-E752", "001_totals.driftflow.toml:3:1"),
        ("[[statement]]\non.number = 1\nbackfill = { set = [1] }\n", "DF-E752", "001_totals.driftflow.toml:3:1"),
        ("[[statement]]\non.operation = 'add-colum'\nsmall = true\n", "DF-E752", "001_totals.driftflow.toml:1:1"),
        ("[[statement]]\non.number = 9\nsmall = true\n", "DF-E753", "001_totals.driftflow.toml:1:1"),
        ("[[statement]]\non.column = 'totl'\nsmall = true\n", "DF-E753", "001_totals.driftflow.toml:1:1"),
        ("[[statement]]\non.table = 'orders'\nsmall = true\n", "DF-E754", "001_totals.driftflow.toml:1:1"),
        (
            "[[statement]]\non.number = 1\nsmall = true\n[[statement]]\non.column = 'total_cents'\ngate.name = 'g'\n",
            "DF-E754",
            "001_totals.driftflow.toml:4:1",
        ),
        ("[file]\ntransaction = 'sometimes'\n", "DF-E752", "001_totals.driftflow.toml:2:1"),
    ],
)
def test_what_is_not_understood_is_an_error_with_its_place(tmp_path: Path, toml: str, code: str, where: str) -> None:
    found = fault(tmp_path, toml)
    assert (found.code, found.where.splitlines()[0]) == (code, f"db/{where}")
    assert found.hint and found.exit_code == 2


def test_what_a_comment_says_is_not_said_again(tmp_path: Path) -> None:
    found = fault(tmp_path, "[[statement]]\non.number = 1\nsmall = true\n", sql=f"-- driftflow: small\n{SQL}")
    assert found.code == "DF-E754" and "db/001_totals.sql:1:1 says it too" in found.why


def test_a_file_beside_no_migration_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "001_totals.sql").write_text(SQL)
    (tmp_path / "db" / "001_total.driftflow.toml").write_text("")
    with pytest.raises(SourceError) as caught:
        read(tmp_path)
    assert (caught.value.code, caught.value.where) == ("DF-E751", "db/001_total.driftflow.toml")
    assert caught.value.hint == "rename it to db/001_totals.driftflow.toml?"


def test_one_file_is_read_with_its_own_requests_only(tmp_path: Path) -> None:
    one(tmp_path, "[[statement]]\non.number = 1\nsmall = true\n")
    (tmp_path / "db" / "stray.driftflow.toml").write_text("")
    (migration,) = read(tmp_path, folder="db/001_totals.sql")
    assert [d.verb for d in migration.statements[0].directives] == ["small"]


def test_an_entry_may_be_about_what_cannot_be_read(tmp_path: Path) -> None:
    """Then the one error is that of the statement: a second one would send its reader the wrong way."""
    found = fault(tmp_path, "[[statement]]\non.column = 'b'\nsmall = true\n", sql="ALTER TABEL t ADD COLUMN b int;\nSELECT 1;\n")
    assert found.code == "DF-E201"


def test_the_words_of_the_whole_file(tmp_path: Path) -> None:
    migration = one(
        tmp_path,
        '[file]\ntransaction = "none"\nignore = [{ codes = ["DF104", "DF105"], reason = "old" }]\n'
        '[[statement]]\non.number = 3\nduplicates = "quarantine"\nignore = { codes = "DF101", reason = "small", until = 2027-01-31 }\n',
    )
    assert migration.transaction == "none"
    assert [(d.verb, d.arguments, dict(d.options)) for d in migration.directives] == [
        ("file", (), {"transaction": "none"}),
        ("file", ("ignore", "DF104", "DF105"), {"reason": "old"}),
    ]
    assert [(d.verb, d.arguments, dict(d.options)) for d in migration.statements[2].directives] == [
        ("duplicates", ("quarantine",), {}),
        ("ignore", ("DF101",), {"reason": "small", "until": "2027-01-31"}),
    ]


def test_a_directive_that_there_is_not_is_the_finding_that_it_is_in_a_comment(tmp_path: Path) -> None:
    migration = one(tmp_path, "[[statement]]\non.number = 1\nbackfil = { column = 'total_cents', set = '0' }\n")
    dialect = dialect_named("postgresql")
    (source,) = pipeline.find_sources([tmp_path / "db"], dialect=dialect, options={}, root=tmp_path)
    (found,) = (
        one for one in pipeline.lint([source], dialect=dialect, policy=Policy(), root=tmp_path).findings if one.code == "DF907"
    )
    assert (str(found.span), found.migration) == ("db/001_totals.driftflow.toml:3:1", migration.id)


def test_the_file_is_pinned_by_its_content(tmp_path: Path) -> None:
    migration = one(
        tmp_path, "[[statement]]\non.number = 1\nbackfill = { column = 'total_cents', csv = 'c.csv', key = 'id', value = 'v' }\n"
    )
    assert wanted_files([migration]) == ("db/001_totals.driftflow.toml", "db/c.csv")
    again = replace(migration, requests_sha256="")
    (tmp_path / "db" / "001_totals.driftflow.toml").write_text("[[statement]]\non.number = 1\nsmall = true # now\n")
    (other,) = read(tmp_path)
    assert again.sha256 == other.sha256 and migration.requests_sha256 != other.requests_sha256


PRISMA = {
    "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
    "prisma/migrations/20260101000000_totals/migration.sql": SQL,
}
DRIZZLE = {
    "drizzle/meta/_journal.json": json.dumps(
        {"version": "7", "dialect": "postgresql", "entries": [{"idx": 0, "version": "7", "when": 1, "tag": "0000_totals", "breakpoints": True}]}
    ),
    "drizzle/0000_totals.sql": SQL.replace(";\n", ";\n--> statement-breakpoint\n").removesuffix("--> statement-breakpoint\n"),
}  # fmt: skip
TOOLS = {
    "prisma": (PRISMA, "prisma/migrations/20260101000000_totals/migration.driftflow.toml"),
    "drizzle": (DRIZZLE, "drizzle/0000_totals.driftflow.toml"),
    "flyway": ({"sql/V12__totals.sql": SQL}, "sql/V12__totals.driftflow.toml"),
    "golang-migrate": ({"m/1_totals.up.sql": SQL, "m/1_totals.down.sql": "SELECT 1;\n"}, "m/1_totals.driftflow.toml"),
    "goose": ({"m/001_totals.sql": f"-- +goose Up\n{SQL}"}, "m/001_totals.driftflow.toml"),
    "dbmate": (
        {"db/migrations/001_totals.sql": f"-- migrate:up\n{SQL}\n-- migrate:down\n"},
        "db/migrations/001_totals.driftflow.toml",
    ),
    "diesel": ({"migrations/2026-01-01-000000_totals/up.sql": SQL}, "migrations/2026-01-01-000000_totals/up.driftflow.toml"),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_beside_the_files_of_every_tool(tmp_path: Path, tool: str) -> None:
    """The SQL stays byte for byte what the tool wrote, and has the checksum that it knows."""
    files, requests = TOOLS[tool]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (before,) = read(tmp_path, folder=requests.partition("/")[0], tool=tool)
    (tmp_path / requests).write_text("[[statement]]\non.column = 'total_cents'\nsmall = true\n")
    (after,) = read(tmp_path, folder=requests.partition("/")[0], tool=tool)
    assert requests_path(after.path) == requests == after.requests
    assert (after.checksum, after.sha256) == (before.checksum, before.sha256)
    assert [one.sql for one in after.statements] == [one.sql for one in before.statements]
    assert [[d.verb for d in one.directives] for one in after.statements] == [["small"], [], [], [], []]


def test_every_operation_has_a_name() -> None:
    assert len(OPERATIONS) > 60 and {"add-column", "change-column", "drop-constraint", "raw", "update"} <= set(OPERATIONS)
