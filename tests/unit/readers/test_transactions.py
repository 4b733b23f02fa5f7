"""Each tool's files as its own runner runs them: what is in which transaction, what fails there, which locks are still held."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.situation import Situation
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.walk import situations
from driftflow.errors import SourceError
from driftflow.model.catalog import Catalog, TableStatistics
from driftflow.model.finding import Finding
from driftflow.model.migration import Migration
from driftflow.model.names import Version
from driftflow.model.record import replace
from driftflow.plugins import discover
from driftflow.readers.base import SourceOptions

TABLES = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int); CREATE TABLE u (id bigint PRIMARY KEY, a int);"
VERSIONS = {"postgresql": "16.4", "mysql": "8.4.0", "mariadb": "10.11.6", "sqlite": "3.40.1"}
CONCURRENT = "CREATE INDEX CONCURRENTLY t_a ON t (a);\n"
TWO = "CREATE INDEX CONCURRENTLY t_a ON t (a);\nCREATE INDEX CONCURRENTLY t_b ON t (b);\n"
REFUSED = "DF304"


def project(tmp_path: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def read(tool: str, folder: Path, dialect_name: str, **options: str) -> tuple[Migration, ...]:
    registration = discover("reader").get("reader", tool)
    assert registration is not None
    dialect = dialect_named(dialect_name)
    migrations = registration.value().read(folder, dialect, SourceOptions(tool=tool, path=".", options=options))
    return tuple(replace(one, statements=tuple(dialect.parse(statement) for statement in one.statements)) for one in migrations)


def catalog(dialect_name: str, given: str = "") -> Catalog:
    dialect = dialect_named(dialect_name)
    schema = {"postgresql": "public", "sqlite": "main"}.get(dialect_name, "shop")
    found = Catalog(vendor=dialect_name, version=Version.parse(VERSIONS[dialect_name]), search_path=(schema,), schemas=(schema,))
    for statement in dialect.split(SourceText(text=TABLES + given)):
        for operation in dialect.parse(statement).operations:
            found = found.after(dialect.resolve(operation, found))
    return replace(
        found, tables={key: replace(table, new=False, statistics=TableStatistics()) for key, table in found.tables.items()}
    )


def walk(migrations: tuple[Migration, ...], dialect_name: str) -> list[Situation]:
    return list(situations(migrations, catalog=catalog(dialect_name), dialect=dialect_named(dialect_name), policy=Policy()))


def findings(migrations: tuple[Migration, ...], dialect_name: str = "postgresql", *, given: str = "") -> tuple[Finding, ...]:
    found = assess(migrations, catalog=catalog(dialect_name, given), dialect=dialect_named(dialect_name), policy=Policy())
    return found.findings


def dbmate(up: str, marker: str = "") -> dict[str, str]:
    return {"db/migrations/20240101000000_x.sql": f"-- migrate:up{marker}\n{up}-- migrate:down\nSELECT 1;\n"}


def golang(up: str) -> dict[str, str]:
    return {"migrations/000001_x.up.sql": up, "migrations/000001_x.down.sql": "SELECT 1;"}


def goose(up: str, marker: str = "") -> dict[str, str]:
    return {"migrations/00001_x.sql": f"{marker}-- +goose Up\n{up}-- +goose Down\nSELECT 1;\n"}


def flyway(up: str, conf: str = "") -> dict[str, str]:
    files = {"sql/V1__x.sql": up}
    return {**files, "sql/V1__x.sql.conf": conf} if conf else files


def prisma(up: str) -> dict[str, str]:
    return {
        "prisma/migrations/20240101000000_x/migration.sql": up,
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
    }


def drizzle(*ups: str, dialect: str = "postgresql") -> dict[str, str]:
    entries = ",".join(
        f'{{"idx":{number},"version":"7","when":{1704067200000 + number},"tag":"{number:04}_x","breakpoints":true}}'
        for number in range(len(ups))
    )
    files = {f"drizzle/{number:04}_x.sql": up for number, up in enumerate(ups)}
    return {**files, "drizzle/meta/_journal.json": f'{{"version":"7","dialect":"{dialect}","entries":[{entries}]}}'}


def diesel(up: str, metadata: str = "") -> dict[str, str]:
    files = {"migrations/2024-01-01-000000_x/up.sql": up, "migrations/2024-01-01-000000_x/down.sql": "SELECT 1;"}
    return {**files, "migrations/2024-01-01-000000_x/metadata.toml": metadata} if metadata else files


def plain(up: str) -> dict[str, str]:
    return {"migrations/001_x.sql": up}


@pytest.mark.parametrize(
    ("tool", "files", "options", "refused"),
    [
        pytest.param("dbmate", dbmate(CONCURRENT), {}, 1, id="dbmate: a transaction for each file"),
        pytest.param("dbmate", dbmate(CONCURRENT, " transaction:false"), {}, 0, id="dbmate transaction:false, alone"),
        pytest.param("dbmate", dbmate(TWO, " transaction:false"), {}, 2, id="dbmate transaction:false, one string of two"),
        pytest.param("golang-migrate", golang(CONCURRENT), {}, 0, id="golang-migrate, alone"),
        pytest.param("golang-migrate", golang(TWO), {}, 2, id="golang-migrate, one string of two"),
        pytest.param("golang-migrate", golang(TWO), {"multi_statement": "true"}, 0, id="golang-migrate x-multi-statement"),
        pytest.param("goose", goose(CONCURRENT), {}, 1, id="goose: a transaction for each file"),
        pytest.param("goose", goose(TWO, "-- +goose NO TRANSACTION\n"), {}, 0, id="goose NO TRANSACTION"),
        pytest.param("flyway", flyway(TWO), {}, 0, id="flyway sees that nothing may be in a transaction"),
        pytest.param("flyway", flyway(CONCURRENT, "executeInTransaction=true\n"), {}, 1, id="flyway executeInTransaction=true"),
        pytest.param(
            "flyway",
            flyway(f"SELECT 1;\n{CONCURRENT}", "executeInTransaction=false\n"),
            {},
            0,
            id="flyway executeInTransaction=false",
        ),
        pytest.param("flyway", flyway(f"SELECT 1;\n{CONCURRENT}"), {"mixed": "true"}, 0, id="flyway mixed=true"),
        pytest.param("prisma", prisma(CONCURRENT), {}, 0, id="prisma, alone"),
        pytest.param("prisma", prisma(TWO), {}, 2, id="prisma, one string of two"),
        pytest.param("prisma", prisma(TWO), {"splits_concurrently": "true"}, 0, id="prisma 7.4 splits"),
        pytest.param("drizzle", drizzle(CONCURRENT), {}, 1, id="drizzle: one transaction over all"),
        pytest.param("diesel", diesel(CONCURRENT), {}, 1, id="diesel: a transaction for each file"),
        pytest.param(
            "diesel", diesel(CONCURRENT, "run_in_transaction = false\n"), {}, 0, id="diesel run_in_transaction=false, alone"
        ),
        pytest.param("diesel", diesel(TWO, "run_in_transaction = false\n"), {}, 2, id="diesel, one string of two"),
        pytest.param("plain", plain(TWO), {}, 0, id="plain: what the statements allow"),
        pytest.param("plain", plain(TWO), {"transaction": "single"}, 2, id="plain, told to use a transaction"),
        pytest.param(
            "plain", plain(f"BEGIN;\nSELECT 1;\nCOMMIT;\n{CONCURRENT}"), {}, 0, id="plain, behind the file's own COMMIT"
        ),
        pytest.param("plain", plain(f"BEGIN;\n{CONCURRENT}COMMIT;\n"), {}, 1, id="plain, between BEGIN and COMMIT"),
    ],
)
def test_concurrently_where_the_tool_opens_a_transaction(
    tmp_path: Path, tool: str, files: Mapping[str, str], options: Mapping[str, str], refused: int
) -> None:
    found = findings(read(tool, project(tmp_path, files), "postgresql", **options))
    assert [(one.axis, one.severity) for one in found if one.code == REFUSED] == [("breaks", "error")] * refused


def test_flyway_refuses_a_mixture_itself(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read("flyway", project(tmp_path, flyway(f"SELECT 1;\n{CONCURRENT}")), "postgresql")
    assert caught.value.code == "DF-E234"


def test_locks_of_a_transaction_over_all_files_accumulate(tmp_path: Path) -> None:
    """The first file's lock on t is still there while the second waits for u: with dbmate it is gone by then."""
    alters = ("ALTER TABLE t ADD COLUMN c int;\n", "ALTER TABLE u ADD COLUMN c int;\n")
    together = read("drizzle", project(tmp_path / "drizzle", drizzle(*alters)), "postgresql")
    apart = read(
        "dbmate",
        project(
            tmp_path / "dbmate",
            {
                f"db/migrations/2024010100000{number}_x.sql": f"-- migrate:up\n{up}-- migrate:down\nSELECT 1;\n"
                for number, up in enumerate(alters)
            },
        ),
        "postgresql",
    )
    first, second = walk(together, "postgresql")
    assert second.earlier == (first.operation,)
    assert [claim.relation.name for one in second.before for claim in one.effects.locks] == ["t"]
    assert first.committed == second.committed  # both commit at the end, together
    assert [one.migration for one in findings(together) if one.code == "DF707"] == ["0001_x"]
    assert walk(apart, "postgresql")[1].earlier == ()
    assert [one for one in findings(apart) if one.code == "DF707"] == []


def test_what_one_file_adds_another_cannot_use_yet(tmp_path: Path) -> None:
    """NOT VALID and VALIDATE in two files gain nothing, and an enum label is unsafe, where both run in one transaction."""
    given = "CREATE TYPE mood AS ENUM ('sad');\nALTER TABLE t ADD COLUMN feels mood;\n"
    files = (
        "ALTER TABLE t ADD CONSTRAINT t_a CHECK (a > 0) NOT VALID;--> statement-breakpoint\nALTER TYPE mood ADD VALUE 'glad';\n",
        "ALTER TABLE t VALIDATE CONSTRAINT t_a;--> statement-breakpoint\nUPDATE t SET feels = 'glad' WHERE id = 1;\n",
    )
    migrations = read("drizzle", project(tmp_path, drizzle(*files)), "postgresql")
    found = findings(migrations, given=given)
    assert [(one.code, one.migration, one.axis) for one in found if one.code in ("DF203", "DF501")] == [
        ("DF203", "0001_x", "blocks"),
        ("DF501", "0001_x", "breaks"),
    ]


def test_each_file_of_a_transaction_over_several_has_a_number_of_its_own(tmp_path: Path) -> None:
    """The planner cuts by file, whatever the tool does."""
    files = drizzle("ALTER TABLE t ADD COLUMN c int;\n", "ALTER TABLE t ADD COLUMN d int;\n")
    first, second = walk(read("drizzle", project(tmp_path, files), "postgresql"), "postgresql")
    assert first.transaction != second.transaction
    assert first.in_transaction
    assert second.in_transaction


def test_flyway_group_is_one_transaction_over_all_scripts(tmp_path: Path) -> None:
    files = {"sql/V1__x.sql": "ALTER TABLE t ADD COLUMN c int;", "sql/V2__y.sql": "ALTER TABLE u ADD COLUMN c int;"}
    folder = project(tmp_path, files)
    assert [len(at.earlier) for at in walk(read("flyway", folder, "postgresql", group="true"), "postgresql")] == [0, 1]
    assert [len(at.earlier) for at in walk(read("flyway", folder, "postgresql"), "postgresql")] == [0, 0]


CHANGE, ALTER = "UPDATE t SET a = 1 WHERE id = 1;\n", "ALTER TABLE t ADD COLUMN c int;\n"


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_ddl_commits_on_mysql_and_what_follows_has_no_transaction(tmp_path: Path, dialect: str) -> None:
    migrations = read("goose", project(tmp_path, goose(CHANGE + ALTER + CHANGE)), dialect)
    assert [at.in_transaction for at in walk(migrations, dialect)] == [True, True, False]
    assert [one.axis for one in findings(migrations, dialect) if one.code == "DF667"] == ["breaks"]


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_a_commit_in_one_file_ends_the_transaction_over_all(tmp_path: Path, dialect: str) -> None:
    """Drizzle's BEGIN is over with the first DDL: nothing of the next file can be rolled back."""
    migrations = read("drizzle", project(tmp_path, drizzle(CHANGE + ALTER, CHANGE, dialect="mysql")), dialect)
    assert [at.in_transaction for at in walk(migrations, dialect)] == [True, True, False]


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
@pytest.mark.parametrize(("tool", "files"), [("golang-migrate", golang(CHANGE + ALTER)), ("plain", plain(CHANGE + ALTER))])
def test_tools_that_open_no_transaction_on_mysql(tmp_path: Path, tool: str, files: Mapping[str, str], dialect: str) -> None:
    assert [at.in_transaction for at in walk(read(tool, project(tmp_path, files), dialect), dialect)] == [False, False]


@pytest.mark.parametrize(
    ("tool", "files", "inside"),
    [
        ("dbmate", dbmate("PRAGMA foreign_keys = OFF;\n"), True),
        ("dbmate", dbmate("PRAGMA foreign_keys = OFF;\n", " transaction:false"), False),
        ("goose", goose("PRAGMA foreign_keys = OFF;\n"), True),
        ("goose", goose("PRAGMA foreign_keys = OFF;\n", "-- +goose NO TRANSACTION\n"), False),
        ("golang-migrate", golang("PRAGMA foreign_keys = OFF;\n"), True),
        ("drizzle", drizzle("PRAGMA foreign_keys = OFF;\n", dialect="sqlite"), True),
        ("diesel", diesel("PRAGMA foreign_keys = OFF;\n"), True),
    ],
)
def test_a_pragma_without_effect_on_sqlite(tmp_path: Path, tool: str, files: Mapping[str, str], inside: bool) -> None:
    found = findings(read(tool, project(tmp_path, files), "sqlite"), "sqlite")
    assert ("DF653" in {one.code for one in found}) is inside
