"""Order, merging, ignores and worst-case versions of an assessment."""

from __future__ import annotations

import pytest

from driftflow.checks.run import OF_ONE_DATABASE, assess, checks_of
from driftflow.config import Policy
from driftflow.dialects.directives import file_directives
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog, Column, Table, TableStatistics
from driftflow.model.finding import Assessment
from driftflow.model.migration import Migration
from driftflow.model.names import Name, Version
from driftflow.model.record import encode
from driftflow.plugins import discover

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


def test_what_is_ignored_is_kept_with_its_reason_and_does_not_count() -> None:
    found = run('-- driftflow: ignore DF111 reason="nobody reads it"\nALTER TABLE a DROP COLUMN x;')
    (silent,) = found.suppressed
    assert (silent.finding.code, silent.kind, silent.reason) == ("DF111", "inSource", "nobody reads it")
    assert found.verdict("info")


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


def test_an_ignore_of_another_databases_rule_names_a_rule() -> None:
    assert codes(run('-- driftflow: ignore DF672 reason="the file is for both"\nSELECT 1;')) == ["DF901"]


def test_the_checks_in_a_databases_own_folder_look_at_no_other() -> None:
    """Else an assessment that leaves the folder out would not call them."""
    found = discover("check").of("check")
    for folder, dialects in OF_ONE_DATABASE.items():
        own = [one for one in found if one.module.startswith(f"driftflow.checks.{folder}.")]
        assert own
        assert [one.name for one in own if not set(one.info["dialects"]) or set(one.info["dialects"]) - set(dialects)] == []
        for dialect in ("postgresql", "mysql", "mariadb", "sqlite"):
            asked = {one.name for one in checks_of(dialect)}
            assert {one.name for one in own}.issubset(asked) == (dialect in dialects)


@pytest.mark.parametrize("option", ["until=soon", "until=2026-13-01", "untill=2020-01-01", "reasons=x"])
def test_an_ignore_that_cannot_be_read_hides_nothing(option: str) -> None:
    sql = f'-- driftflow: ignore DF111 reason="x" {option}\nALTER TABLE a DROP COLUMN x;'
    assert sorted(codes(run(sql))) == ["DF111", "DF905"]


@pytest.mark.parametrize(
    ("comment", "said", "hint"),
    [
        ("ignroe DF111", "there is no directive `ignroe`", "did you mean ignore?"),
        ("smal", "there is no directive `smal`", "did you mean small?"),
        ("file ingore DF111", "there is no directive `file ingore`", "did you mean file ignore?"),
        ("gate nam=x", "the directive `gate` has no option `nam`", "driftflow's directives are described in docs/directives.md"),
        ("as-is", "the directive `as-is` needs `reason`", "driftflow's directives are described in docs/directives.md"),
    ],
)
@pytest.mark.parametrize("vendor", ["postgresql", "sqlite", "mysql", "mariadb"])
def test_a_directive_that_nobody_follows_is_a_finding_where_it_stands(vendor: str, comment: str, said: str, hint: str) -> None:
    dialect = dialect_named(vendor)
    source = SourceText(text=f"-- driftflow: {comment}\nALTER TABLE a ADD COLUMN x int;", file="1.sql")
    migration = Migration(
        id="1",
        source="plain",
        path="1.sql",
        dialect=vendor,
        statements=tuple(dialect.parse(one) for one in dialect.split(source)),
        directives=file_directives(source),
        checksum="",
        sha256="",
    )
    catalog = Catalog(vendor=vendor, complete=False)
    found = assess([migration], catalog=catalog, dialect=dialect, policy=Policy()).findings
    (wrong,) = [one for one in found if one.code == "DF907"]
    assert (wrong.summary, wrong.severity, str(wrong.span)) == (said, "error", "1.sql:1:1")
    assert wrong.remedy is not None and wrong.remedy.summary == hint


def test_directives_that_are_followed_say_nothing() -> None:
    sql = '-- driftflow: file transaction=none\n-- driftflow: as-is reason="x"\n-- driftflow: small\nALTER TABLE a ADD COLUMN x int;'
    assert codes(run(sql)) == []


def test_two_rules_of_one_statement_in_one_comment_or_two() -> None:
    drop = "ALTER TABLE a DROP COLUMN x, ADD COLUMN y bigint DEFAULT random();"
    alone = sorted(codes(run(drop)))
    assert len(set(alone)) > 1
    assert codes(run(f'-- driftflow: ignore {" ".join(sorted(set(alone)))} reason="known"\n{drop}')) == []
    one_each = "".join(f'-- driftflow: ignore {code} reason="known"\n' for code in sorted(set(alone)))
    assert codes(run(one_each + drop)) == []


def test_an_ignore_inside_a_statement_binds_it() -> None:
    assert codes(run('ALTER TABLE a\n  -- driftflow: ignore DF111 reason="x"\n  DROP COLUMN x;')) == []


@pytest.mark.parametrize("comment", ["-- ", "# ", "/* "])
def test_every_comment_of_mysql_may_hold_an_ignore(comment: str) -> None:
    mysql = dialect_named("mysql")
    sql = f'{comment}driftflow: ignore DF111 reason="x"{" */" if comment == "/* " else ""}\nALTER TABLE a DROP COLUMN x;'
    statements = tuple(mysql.parse(one) for one in mysql.split(SourceText(text=sql)))
    migration = Migration(id="1", source="plain", path="1.sql", dialect="mysql", statements=statements, checksum="", sha256="")
    catalog = Catalog(vendor="mysql", complete=False)
    assert "DF111" not in codes(assess([migration], catalog=catalog, dialect=mysql, policy=Policy()))


def test_an_ignore_in_a_way_back_is_one_that_nothing_needs() -> None:
    sql = '-- driftflow: ignore DF111 reason="x"\nALTER TABLE a DROP COLUMN x;'
    down = tuple(POSTGRESQL.parse(one) for one in POSTGRESQL.split(SourceText(text=sql, file="1.sql")))
    migration = Migration(id="1", source="dbmate", path="1.sql", dialect="postgresql", down=down, checksum="", sha256="")
    catalog = Catalog(vendor="postgresql", search_path=("public",), complete=False)
    assert codes(assess([migration], catalog=catalog, dialect=POSTGRESQL, policy=Policy())) == ["DF901"]


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


@pytest.mark.parametrize(
    ("statistics", "severity"),
    [
        (TableStatistics(), "error"),
        (TableStatistics(rows=5_000_000, bytes=10**9, table_bytes=10**9), "error"),
        (TableStatistics(rows=200, bytes=40_000, table_bytes=40_000), "info"),
        (TableStatistics(rows=20_000, bytes=4_000_000, table_bytes=3_000_000), "info"),
        (TableStatistics(rows=5_000_000, bytes=10**9, table_bytes=10**9, writes_per_second=0.0, reads_per_second=0.0), "warning"),
        (TableStatistics(rows=5_000_000, bytes=10**9, table_bytes=10**9, writes_per_second=0.0), "error"),
        (TableStatistics(rows=5_000_000, bytes=10**9, table_bytes=10**9, writes_per_second=3.0, reads_per_second=0.0), "error"),
    ],
)
def test_severity_follows_size_and_traffic(statistics: TableStatistics, severity: str) -> None:
    """Unknown counts as large and busy; work that fits the stall budget is no alarm whatever the number of rows."""
    name = Name(schema="public", name="a")
    table = Table(name=name, columns=(Column(name="x", type="integer"),), statistics=statistics)
    catalog = Catalog(vendor="postgresql", version=Version(major=16), search_path=("public",), tables={name.text: table})
    statements = tuple(
        POSTGRESQL.parse(one) for one in POSTGRESQL.split(SourceText(text="ALTER TABLE a ALTER COLUMN x SET NOT NULL"))
    )
    migration = Migration(
        id="1", source="plain", path="1.sql", dialect="postgresql", statements=statements, checksum="", sha256=""
    )
    found = assess([migration], catalog=catalog, dialect=POSTGRESQL, policy=Policy()).findings
    assert [finding.severity for finding in found if finding.code == "DF104"] == [severity]
