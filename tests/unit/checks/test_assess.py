"""Order, merging, ignores and worst-case versions of an assessment."""

from __future__ import annotations

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog
from driftflow.model.finding import Assessment
from driftflow.model.migration import Migration
from driftflow.model.names import Version
from driftflow.model.record import encode

POSTGRESQL = dialect_named("postgresql")


def run(*files: str, version: str = "", today: str = "2026-06-01") -> Assessment:
    catalog = Catalog(
        vendor="postgresql", version=Version.parse(version) if version else None, search_path=("public",), complete=False
    )
    migrations = [
        Migration(
            id=str(number),
            source="plain",
            path=f"{number}.sql",
            dialect="postgresql",
            statements=tuple(POSTGRESQL.parse(one) for one in POSTGRESQL.split(SourceText(text=sql, file=f"{number}.sql"))),
            checksum="",
            sha256="",
        )
        for number, sql in enumerate(files)
    ]
    return assess(migrations, catalog=catalog, dialect=POSTGRESQL, policy=Policy(), today=today)


def codes(assessment: Assessment) -> list[str]:
    return [finding.code for finding in assessment.findings]


def test_the_same_input_gives_the_same_bytes() -> None:
    sql = "ALTER TABLE a DROP COLUMN x; CREATE INDEX i ON a (y); ALTER TABLE b RENAME TO c;"
    assert encode(run(sql)) == encode(run(sql))


def test_order_is_that_of_the_files() -> None:
    found = run("ALTER TABLE b DROP COLUMN x;", "ALTER TABLE a DROP COLUMN x;").findings
    assert [finding.span.file for finding in found] == sorted(finding.span.file for finding in found)


def test_an_ignore_binds_one_rule_to_one_statement() -> None:
    sql = """
        -- driftflow: ignore DF111 reason="nobody reads it"
        ALTER TABLE a DROP COLUMN x;
        ALTER TABLE a DROP COLUMN y;
    """
    assert codes(run(sql)) == ["DF111"]
    assert run(sql).findings[0].span.line == 4


def test_an_ignore_of_another_rule_hides_nothing() -> None:
    sql = '-- driftflow: ignore DF301 reason="small"\nALTER TABLE a DROP COLUMN x;'
    assert codes(run(sql)) == ["DF901", "DF111"]


def test_an_expired_ignore_hides_nothing() -> None:
    sql = '-- driftflow: ignore DF111 reason="soak" until=2026-05-31\nALTER TABLE a DROP COLUMN x;'
    assert codes(run(sql)) == ["DF902", "DF111"]
    assert codes(run(sql, today="2026-05-31")) == []


def test_an_ignore_must_say_why_and_name_a_rule() -> None:
    assert codes(run("-- driftflow: ignore DF111\nALTER TABLE a DROP COLUMN x;")) == ["DF903"]
    assert codes(run('-- driftflow: ignore DF000 reason="x"\nSELECT 1;')) == ["DF904"]


def test_unknown_version_is_the_worst_of_all() -> None:
    found = run("ALTER TABLE a ADD CONSTRAINT nn NOT NULL b NOT VALID;").findings
    (newer,) = [finding for finding in found if finding.code == "DF005"]
    assert newer.severity == "warning"
    assert "PostgreSQL 12 to 17" in newer.summary
    assert "DF005" not in codes(run("ALTER TABLE a ADD CONSTRAINT nn NOT NULL b NOT VALID;", version="18"))


def test_every_statement_is_assessed_once() -> None:
    assessed = run("ALTER TABLE a ADD COLUMN x int, ADD COLUMN y int;", "SELECT 1;").statements
    assert [len(one.effects) for one in assessed] == [2, 1]


def test_lock_timeouts_are_the_runners_business() -> None:
    assert codes(run("ALTER TABLE a ADD COLUMN x int;")) == []
