"""`driftflow compat` on real servers of all four databases: which query breaks at which step, with the server's own words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

import wanted
from driftflow.lab import mysql, mysql_programs
from driftflow.lab import postgresql as postgresql_lab
from driftflow.lab.binaries import installed

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "compatibility.json").read_text())
SETUP = {
    "postgresql": "CREATE TABLE users (id integer PRIMARY KEY, name varchar(40) NOT NULL);\n"
    "CREATE TABLE orders (id serial PRIMARY KEY, user_id integer NOT NULL, legacy varchar(30), total integer, UNIQUE (user_id, total));\n"
    "ALTER TABLE orders OWNER TO somebody_else;\nGRANT SELECT ON orders TO somebody_else;\n",
    "sqlite": "CREATE TABLE users (id integer PRIMARY KEY, name varchar(40) NOT NULL);\n"
    "CREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL, legacy varchar(30), total integer);\n",
}
SETUP["mysql"] = SETUP["mariadb"] = SETUP["sqlite"].replace("orders (id integer", "orders (id integer AUTO_INCREMENT")
QUERIES = """-- name: GetOrder :one
SELECT * FROM orders WHERE id = ?;
-- name: Legacy
SELECT legacy FROM orders WHERE user_id = %s AND legacy = 'hunter2';
-- name: Add
INSERT INTO orders (user_id, total) VALUES (:user, :total);
-- name: AddUser
INSERT INTO users VALUES (?, ?);
-- name: Wrong
SELECT nope FROM orders WHERE total = 4711;
BEGIN;
"""


def places() -> list[object]:
    """Every server that the suite must see, and what is here beside them."""
    found: list[object] = [pytest.param("sqlite-3", marks=pytest.mark.sqlite)]
    found += [pytest.param(f"postgresql-{version}", marks=pytest.mark.postgresql) for version in (16, 18)]
    here = {f"{one.flavour}-{one.version.major}" for one in mysql_programs.installed()}
    wanted = ["mariadb-10", *(name for name in ("mysql-9", "mariadb-11") if name in here)]
    return [*found, *(pytest.param(name, marks=getattr(pytest.mark, name.partition("-")[0])) for name in wanted)]


class Project:
    """A folder, and `driftflow compat` in it on one kind of server."""

    def __init__(self, folder: Path, place: str) -> None:
        self.folder = folder
        self.dialect, _, self.version = place.partition("-")
        self.write("setup.sql", SETUP[self.dialect])
        self.write("queries.sql", QUERIES)

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, *words: str, seconds: int = 120) -> subprocess.CompletedProcess[str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTFLOW_")}
        command = [sys.executable, "-m", "driftflow", *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=seconds, env=environ, check=False)

    @property
    def server(self) -> tuple[str, ...]:
        version = () if self.dialect == "sqlite" else ("--server-version", self.exact_version)
        return ("--dialect", self.dialect, *version)

    @property
    def exact_version(self) -> str:
        of_mysql = [one for one in mysql_programs.installed() if one.flavour == self.dialect]
        return next((str(one.version) for one in of_mysql if str(one.version.major) == self.version), self.version)

    def compat(self, *words: str, start: Sequence[str] = ("--setup", "setup.sql"), code: int) -> dict[str, Any]:
        """The document, which is as the schema says and tells no constant."""
        done = self.run("compat", *words, *start, *self.server, "--queries", "queries.sql", "--format", "json")
        assert done.returncode == code, done.stdout[-3000:] + done.stderr[-2000:]
        assert "hunter2" not in done.stdout + done.stderr and "4711" not in done.stdout + done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
        return document


def here(place: str) -> bool:
    dialect, _, version = place.partition("-")
    if dialect == "postgresql":
        return int(version) in installed()
    return dialect == "sqlite" or any(
        one.flavour == dialect and one.version.major == int(version) for one in mysql_programs.installed()
    )


def need(place: str) -> None:
    if not here(place):
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(f"no {place} here", pytrace=False)
        pytest.skip(f"no {place} here")


@pytest.fixture(params=places())
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    need(request.param)
    return Project(tmp_path, request.param)


@pytest.fixture(params=[pytest.param(f"postgresql-{version}", marks=pytest.mark.postgresql) for version in (16, 18)])
def postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    need(request.param)
    return Project(tmp_path, request.param)


def told(document: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """(title's first words, names of the queries that break there)"""
    names = {query["id"]: query.get("name", query["text"]) for query in document["queries"]}
    return [
        (" ".join(one["title"].split()[3:6]), [names[broken["query"]] for broken in one.get("broken", ())])
        for one in document["boundaries"]
    ]


def all_broken(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [broken for one in document["boundaries"] for broken in one.get("broken", ())]


def why(document: dict[str, Any], number: int) -> str:
    return " ".join(broken["why"] for broken in document["boundaries"][number - 1]["broken"])


def test_every_statement_says_what_it_breaks(project: Project) -> None:
    project.write(
        "migrations/001.sql",
        "ALTER TABLE orders ADD COLUMN note varchar(30);\nALTER TABLE orders DROP COLUMN legacy;\nALTER TABLE orders RENAME COLUMN total TO amount;\n",
    )
    document = project.compat("migrations", code=1)
    assert [names for _, names in told(document)] == [[], ["Legacy"], ["Add"]]
    assert "legacy" in why(document, 2) and "total" in why(document, 3)
    first = document["boundaries"][0]
    assert [change["what"] for change in first["changes"]] == [["column note is new"]]
    assert [one["query"]["name"] for one in document["already_broken"]] == ["Wrong"]
    assert [one["query"]["text"] for one in document["skipped"]] == ["BEGIN"]
    assert document["stopped"] == "" and document["not_built"] == []
    if project.dialect == "postgresql":
        assert document["server"] == f"PostgreSQL {project.version}"
        assert [one["code"] for one in all_broken(document)] == ["42703", "42703"]


def test_what_breaks_nothing_exits_zero(project: Project) -> None:
    project.write("migrations/001.sql", "ALTER TABLE orders ADD COLUMN note varchar(30);\n")
    document = project.compat("migrations", code=0)
    assert [names for _, names in told(document)] == [[]]
    assert project.compat("migrations", "--fail-on", "change", code=1)["boundaries"][0]["changes"]


def test_an_insert_without_columns(project: Project) -> None:
    """It breaks where the server counts values, and where the same number of values ends in other columns."""
    project.write("migrations/001.sql", "ALTER TABLE users ADD COLUMN mail varchar(9);\n")
    project.write("migrations/002.sql", "ALTER TABLE users DROP COLUMN name;\n")
    document = project.compat("migrations", code=1)
    broken = all_broken(document)
    if project.dialect == "postgresql":
        # Fewer values than columns are fine there; then the same two values end in other columns.
        assert [names for _, names in told(document)] == [[], ["AddUser"]]
        assert broken[0]["by"] == "other_columns" and "id, mail" in broken[0]["why"]
    else:
        # Then the number of values fits again; but it stays broken, for they end in other columns.
        assert [names for _, names in told(document)] == [["AddUser"], []]
        assert document["boundaries"][1]["standing"] == 1


@pytest.mark.parametrize("fill", [False, True])
def test_an_insert_that_gives_a_new_column_no_value(project: Project, fill: bool) -> None:
    if project.dialect == "sqlite":
        # ADD COLUMN takes no NOT NULL without a default there: the table is made anew.
        sql = "CREATE TABLE n (id integer PRIMARY KEY, user_id integer NOT NULL, legacy varchar(30), total integer, tenant integer NOT NULL);\nDROP TABLE orders;\nALTER TABLE n RENAME TO orders;\n"
        if fill:
            sql = sql.replace("tenant integer NOT NULL", "tenant integer NOT NULL DEFAULT 1")
    else:
        trigger = {
            "postgresql": "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ begin new.tenant := 1; return new; end $$;\n"
            "CREATE TRIGGER fill BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION fill();\n"
        }.get(project.dialect, "CREATE TRIGGER fill BEFORE INSERT ON orders FOR EACH ROW SET NEW.tenant = 1;\n")
        sql = "ALTER TABLE orders ADD COLUMN tenant integer;\n"
        sql += trigger if fill else ""
        sql += (
            "ALTER TABLE orders MODIFY tenant integer NOT NULL;\n"
            if project.dialect != "postgresql"
            else "ALTER TABLE orders ALTER tenant SET NOT NULL;\n"
        )
    project.write("migrations/001.sql", sql)
    document = project.compat("migrations", code=0 if fill else 1)
    broken = all_broken(document)
    assert [one["by"] for one in broken] == ([] if fill else ["missing_value"])
    assert all("tenant" in one["why"] for one in broken)


def test_a_change_that_fails_in_the_lab_says_where(project: Project) -> None:
    project.write(
        "migrations/001.sql", "ALTER TABLE orders ADD COLUMN note varchar(30);\nALTER TABLE orders DROP COLUMN no_such;\n"
    )
    document = project.compat("migrations", code=6)
    assert "001.sql:2" in document["stopped"] and "no_such" in document["stopped"]


def test_no_query_works_on_an_empty_schema(project: Project) -> None:
    project.write("setup.sql", "CREATE TABLE other (id integer PRIMARY KEY);\n")
    project.write("migrations/001.sql", "CREATE TABLE more (id integer PRIMARY KEY);\n")
    document = project.compat("migrations", code=6)
    assert document["queries"] == [] and len(document["already_broken"]) == 5


RELEASE = "ALTER TABLE orders ADD COLUMN note text;\nALTER TABLE orders DROP COLUMN legacy;\nALTER TABLE orders RENAME COLUMN total TO amount;\n"


def planned(project: Project, migration: str, *, setup: Path | None = None) -> Path:
    """The plan that driftflow makes for a database with the setup's schema, in its own file; and a snapshot of that database."""
    from driftflow.dialects.registry import dialect_named
    from driftflow.drivers.catalogs import read_catalog
    from driftflow.lab.scratch import scratch
    from driftflow.lab.start_schema import StartSchema, build
    from driftflow.model.names import Version
    from driftflow.model.snapshot import encode_snapshot
    from driftflow.readers.sources import loose_migration

    dialect = dialect_named(project.dialect)
    version = Version.parse(project.version) if project.dialect == "postgresql" else None
    with scratch(project.dialect, version) as place:
        start = StartSchema(
            name="setup", setup=(loose_migration(setup.read_text() if setup else SETUP[project.dialect], dialect=dialect),)
        )
        assert build(start, place, dialect) == ()
        project.write("snapshot.json", encode_snapshot(read_catalog(place.connector)))
    project.write("migrations/001.sql", migration)
    done = project.run("plan", "migrations", "--snapshot", "snapshot.json", "-o", "plan.json")
    assert done.returncode == 0, done.stdout + done.stderr
    return project.folder / "plan.json"


@pytest.mark.parametrize("start", [("--setup", "setup.sql"), ("--snapshot", "snapshot.json")])
def test_a_plan_is_safe_until_its_gate(postgresql: Project, start: tuple[str, str]) -> None:
    planned(postgresql, RELEASE)
    document = postgresql.compat("plan.json", start=start, code=1)
    assert document["planned"] and document["stopped"] == "" and document["not_built"] == []
    gate = next(one["number"] for one in document["boundaries"] if one.get("kind") == "gate")
    broken_at = [one["number"] for one in document["boundaries"] if one.get("broken")]
    assert [names for _, names in told(document) if names] == [["Legacy"], ["Add"]]
    assert min(broken_at) > gate
    assert all(one["phase"] == "contract" for one in document["boundaries"] if one.get("broken"))
    assert postgresql.compat("plan.json", "--fail-on", "before-gate", start=start, code=0) == document
    text = postgresql.run("compat", "plan.json", *start, "--queries", "queries.sql").stdout
    assert "N-1 safe until gate deployed: behind it 2 queries break" in text
    assert '42703  column "legacy" does not exist' in text and "hunter2" not in text


@pytest.mark.sqlite
def test_a_plan_of_sqlite_is_run_by_the_engine(tmp_path: Path) -> None:
    """A column that becomes NOT NULL rebuilds the table there."""
    project = Project(tmp_path, "sqlite-3")
    planned(project, "ALTER TABLE orders ADD COLUMN tenant integer NOT NULL DEFAULT 1;\nALTER TABLE orders DROP COLUMN legacy;\n")
    document = project.compat("plan.json", start=("--snapshot", "snapshot.json"), code=1)
    assert document["stopped"] == "" and document["not_built"] == []
    assert [names for _, names in told(document) if names] == [["Legacy"]]


def test_what_heals_inside_a_transaction_was_never_seen(postgresql: Project) -> None:
    text = "ALTER TABLE orders RENAME COLUMN total TO amount;\nALTER TABLE orders ADD COLUMN total integer;\n"
    postgresql.write(
        "queries.sql", QUERIES.replace("INSERT INTO orders (user_id, total) VALUES (:user, :total)", "SELECT total FROM orders")
    )
    postgresql.write("migrations/001.sql", text)
    assert all_broken(postgresql.compat("migrations", code=0)) == []
    postgresql.write(
        "migrations/001.sql", text.replace("\n", "\nCOMMIT;\nBEGIN;\n", 1).replace("ALTER", "BEGIN;\nALTER", 1) + "COMMIT;\n"
    )
    document = postgresql.compat("migrations", code=1)
    assert [names for _, names in told(document) if names] == [["Add"]]
    assert [len(one.get("works_again", ())) for one in document["boundaries"]][-2:] == [1, 0]


def test_the_planner_finds_what_prepare_does_not(postgresql: Project) -> None:
    """PREPARE is content with an ON CONFLICT whose unique index is gone; executing it is not."""
    add = "INSERT INTO orders (user_id, total) VALUES (:user, :total)"
    postgresql.write("queries.sql", QUERIES.replace(add, f"{add} ON CONFLICT (user_id, total) DO NOTHING"))
    postgresql.write("migrations/001.sql", "ALTER TABLE orders DROP CONSTRAINT orders_user_id_total_key;\n")
    document = postgresql.compat("migrations", code=1)
    assert [one["code"] for one in all_broken(document)] == ["42P10"]


def test_a_check_that_asks_for_a_value_refuses_new_rows_before_it_is_validated(postgresql: Project) -> None:
    postgresql.write(
        "migrations/001.sql",
        "ALTER TABLE orders ADD COLUMN tenant integer;\nALTER TABLE orders ADD CONSTRAINT t CHECK (tenant IS NOT NULL) NOT VALID;\n",
    )
    (broken,) = all_broken(postgresql.compat("migrations", code=1))
    assert broken["by"] == "missing_value" and "tenant" in broken["why"]


def recorded(url: str, *queries: str) -> None:
    """Run them on the server, in a session that is nobody's but the application's."""
    from driftflow.drivers.urls import connector_for

    with closing(connector_for(url).connect("app")) as connection:
        for query in queries:
            connection.query(query)


USED = ("SELECT legacy FROM orders WHERE id = 4711", "SELECT count(*) FROM orders WHERE id IN (4711, 2, 3)")


@pytest.fixture
def family(mysql_server: mysql.Server, tmp_path: Path) -> Iterator[tuple[Project, str]]:
    """A project, and the URL of a database with the setup's schema on a server of the family; queries are counted from now on."""
    project = Project(tmp_path, f"{mysql_server.flavour}-{mysql_server.version.major}")
    url = mysql_server.create_database()
    recorded(url, *[sql for sql in SETUP[mysql_server.flavour].split(";\n") if sql.strip()])
    with mysql_server.administration() as execute:
        execute("TRUNCATE TABLE performance_schema.events_statements_summary_by_digest")
    yield project, url
    mysql_server.drop_database(url)


def test_digests_of_performance_schema(family: tuple[Project, str], mysql_server: mysql.Server) -> None:
    project, url = family
    wide = f"SELECT {', '.join(f'total + {number} AS c{number}' for number in range(150))} FROM orders"
    recorded(
        url,
        *USED,
        USED[0],
        "INSERT INTO orders (user_id, total) VALUES (1, 4711), (2, 3)",
        "INSERT INTO users VALUES (1, 'hunter2')",
        wide,
        "SET @a = 1",
    )
    project.write("migrations/001.sql", "ALTER TABLE orders DROP COLUMN legacy;\nALTER TABLE users ADD COLUMN mail varchar(9);\n")
    with mysql_server.administration() as execute:
        execute("GRANT SELECT ON performance_schema.* TO 'driftflow'@'localhost'")
    done = project.run("compat", "migrations", "--url", url, "--from-url", url, "--format", "json")
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-2000:]
    assert "hunter2" not in done.stdout and "4711" not in done.stdout
    document = json.loads(done.stdout)
    assert document["not_built"] == [] and document["already_broken"] == []
    texts = {query["id"]: query for query in document["queries"]}
    assert [query["calls"] for query in texts.values() if "legacy" in query["text"]] == [2]
    first, second = document["boundaries"]
    assert ["legacy" in texts[one["query"]]["text"] for one in first["broken"]] == [True]
    assert ["users" in texts[one["query"]]["text"] for one in second["broken"]] == [True]
    reasons = {one["why"].partition(" (")[0] for one in document["skipped"]}
    assert "SET is not prepared: it is no query" in reasons
    wide_found = [query for query in texts.values() if "c40" in query["text"]]
    # MySQL keeps a whole sample beside a digest that it cut off; MariaDB keeps none.
    assert wide_found or "the server kept only its beginning" in reasons


@pytest.mark.postgresql
def test_pg_stat_statements(tmp_path: Path) -> None:
    version = wanted.postgresql_with_statistics()
    project = Project(tmp_path, f"postgresql-{version}")
    with postgresql_lab.start(version, settings={"shared_preload_libraries": "pg_stat_statements"}) as server:
        url = server.create_database()
        recorded(url, *[sql for sql in SETUP["postgresql"].split(";\n") if sql.strip() and "somebody" not in sql])
        project.write("migrations/001.sql", "ALTER TABLE orders DROP COLUMN legacy;\n")
        refused = project.run("compat", "migrations", "--url", url, "--from-url", url)
        assert refused.returncode == 6 and "DF-E481" in refused.stderr and "CREATE EXTENSION" in refused.stderr
        interval = "SELECT id FROM orders WHERE now() > now() - interval '3 days' AND date '2020-01-01' < now() LIMIT 4711"
        recorded(url, "CREATE EXTENSION pg_stat_statements", *USED, USED[0], interval, "SET work_mem = '4711kB'")
        done = project.run("compat", "migrations", "--url", url, "--from-url", url, "--format", "json")
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-2000:]
    document = json.loads(done.stdout)
    assert document["already_broken"] == [] and document["server"] == f"PostgreSQL {version}"
    texts = {query["id"]: query for query in document["queries"]}
    ((broken,),) = [one["broken"] for one in document["boundaries"]]
    assert texts[broken["query"]]["calls"] == 2 and "legacy" in texts[broken["query"]]["text"]
    assert any("interval $1" in query["text"] for query in texts.values())


def test_a_log_that_the_server_writes(postgresql: Project) -> None:
    with postgresql_lab.start(int(postgresql.version), settings={"log_statement": "all"}) as server:
        url = server.create_database()
        recorded(url, *[sql for sql in SETUP["postgresql"].split(";\n") if sql.strip() and "somebody" not in sql], *USED)
        postgresql.write("server.log", server.log_text())
    postgresql.write("migrations/001.sql", "ALTER TABLE orders DROP COLUMN legacy;\n")
    done = postgresql.run("compat", "migrations", "--setup", "setup.sql", *postgresql.server, "--log", "server.log")
    assert done.returncode == 1 and "42703" in done.stdout and "4711" not in done.stdout, done.stdout + done.stderr


def test_logs_that_the_servers_of_the_family_write(family: tuple[Project, str], mysql_server: mysql.Server) -> None:
    project, url = family
    for name, switch in (("general", "general_log"), ("slow", "slow_query_log")):
        file = mysql_server.home / f"{name}.log"
        with mysql_server.administration() as execute:
            execute(f"SET GLOBAL {switch}_file = '{file}'")
            execute("SET GLOBAL long_query_time = 0")
            execute(f"SET GLOBAL {switch} = 1")
            recorded(url, *USED)
            execute(f"SET GLOBAL {switch} = 0")
        project.write(f"{name}.log", file.read_text())
        project.write("migrations/001.sql", "ALTER TABLE orders DROP COLUMN legacy;\n")
        done = project.run("compat", "migrations", "--setup", "setup.sql", *project.server, "--log", f"{name}.log")
        assert done.returncode == 1 and "1054" in done.stdout and "4711" not in done.stdout, done.stdout + done.stderr


def test_what_is_missing_on_the_command_line_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path, "sqlite-3")
    project.write("migrations/001.sql", "SELECT 1;\n")
    for words, code in (
        (("--setup", "setup.sql"), "DF-E151"),
        (("--queries", "queries.sql"), "DF-E150"),
        (("--queries", "queries.sql", "--setup", "setup.sql", "--url", "sqlite:///x.db"), "DF-E139"),
        (("--log", "queries.sql", "--setup", "setup.sql"), "DF-E270"),
    ):
        done = project.run("compat", "migrations", "--dialect", "sqlite", *words)
        assert done.returncode == 2 and code in done.stderr, done.stderr


def test_a_snapshot_of_the_family_is_built_again(family: tuple[Project, str]) -> None:
    project, url = family
    recorded(
        url,
        "CREATE VIEW big AS SELECT id, total FROM orders WHERE total > 9",
        "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW SET NEW.name = 'x'",
    )
    done = project.run("snapshot", "--url", url, "-o", "snapshot.json")
    assert done.returncode == 0, done.stderr
    project.write("migrations/001.sql", "ALTER TABLE orders RENAME COLUMN total TO amount;\n")
    project.write("queries.sql", "SELECT id FROM big;\nSELECT * FROM users;\n")
    document = project.compat("migrations", start=("--snapshot", "snapshot.json"), code=1)
    assert document["not_built"] == [] and document["already_broken"] == []
    assert [one["code"] for one in all_broken(document)] == ["1356"]  # a view whose column is gone


def test_names_in_double_quotes_on_sqlite_are_told_apart(tmp_path: Path) -> None:
    """Django quotes every name so; a word that is no name there is a string, and not shown."""
    project = Project(tmp_path, "sqlite-3")
    project.write("migrations/001.sql", "ALTER TABLE orders DROP COLUMN legacy;\n")
    project.write(
        "queries.sql",
        'SELECT "legacy" FROM "orders";\nSELECT "total" FROM "orders" WHERE "legacy" = "hunter2";\nSELECT "id" FROM "orders";\n',
    )
    document = project.compat("migrations", code=1)
    assert [query["text"] for query in document["queries"]] == [
        'SELECT "legacy" FROM "orders"',
        'SELECT "total" FROM "orders" WHERE "legacy" = ?',
        'SELECT "id" FROM "orders"',
    ]
    # SQLite itself would take "legacy" for a string from now on, and give that back for every row.
    assert [one["why"] for one in all_broken(document)] == ["no such column: legacy"] * 2


def test_a_trigger_that_looks_at_another_table_counts_until_it_is_taken_away(project: Project) -> None:
    """The lab has no rows, so the tables that are referenced get one each before the insert is tried."""
    if project.dialect == "sqlite":
        pytest.skip("a trigger cannot fill a column there")
    project.write(
        "setup.sql",
        SETUP[project.dialect]
        + "ALTER TABLE users ADD COLUMN tenant integer NOT NULL;\nALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id);\n",
    )
    look = "(SELECT u.tenant FROM users u WHERE u.id = NEW.user_id)"
    if project.dialect == "postgresql":
        trigger = (
            f"CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ begin new.tenant := {look}; return new; end $$;\n"
        )
        trigger += "CREATE TRIGGER fill BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION fill();\n"
        strict, away = "ALTER TABLE orders ALTER tenant SET NOT NULL;\n", "DROP TRIGGER fill ON orders;\n"
    else:
        trigger = f"CREATE TRIGGER fill BEFORE INSERT ON orders FOR EACH ROW SET NEW.tenant = {look};\n"
        strict, away = "ALTER TABLE orders MODIFY tenant integer NOT NULL;\n", "DROP TRIGGER fill;\n"
    project.write("migrations/001.sql", "ALTER TABLE orders ADD COLUMN tenant integer;\n" + trigger + strict)
    project.write("migrations/002.sql", away)
    document = project.compat("migrations", code=1)
    assert [names for _, names in told(document)][-1] == ["Add"]
    assert len(all_broken(document)) == 1 and document["boundaries"][-1]["title"].startswith("DROP TRIGGER")


def test_an_extension_that_the_lab_does_not_have(postgresql: Project) -> None:
    setup = "CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;\nCREATE EXTENSION postgis;\nCREATE SCHEMA app;\n"
    setup += "CREATE TABLE app.users (id integer PRIMARY KEY, mail public.citext NOT NULL);\nGRANT SELECT ON app.users TO nobody_here;\n"
    postgresql.write("setup.sql", setup)
    postgresql.write("queries.sql", "SELECT id FROM users WHERE mail = $1;\n")
    postgresql.write(
        "migrations/001.sql",
        "ALTER TABLE app.users RENAME COLUMN mail TO email;\nCREATE POLICY p ON app.users TO somebody_new USING (true);\n",
    )
    document = postgresql.compat("migrations", code=1)
    assert [one["code"] for one in all_broken(document)] == ["42703"] and document["stopped"] == ""
    assert [("citext" in one and "stand-ins" in one, "postgis" in one) for one in document["not_built"]] == [
        (True, False),
        (False, True),
    ]


def test_what_a_step_makes_belongs_to_the_owner_of_the_tables(postgresql: Project, postgresql_url: str) -> None:
    """Since 15 a role may make nothing in `public` unless it is told so; in the lab rights are left out."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2))")
        connection.execute("INSERT INTO orders SELECT g, 1 FROM generate_series(1, 10) g")
    postgresql.write("migrations/001.sql", "ALTER TABLE orders RENAME COLUMN total TO amount;")
    postgresql.write("queries.sql", "SELECT total FROM orders;\n")
    done = postgresql.run("plan", "migrations", "--url", postgresql_url, "-o", "plan.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OWNER TO" in (postgresql.folder / "plan.json").read_text()
    done = postgresql.run("compat", "plan.json", "--url", postgresql_url, "--queries", "queries.sql", "--format", "json")
    assert json.loads(done.stdout)["stopped"] == "", done.stdout[-2000:]


def test_the_plan_of_the_example_is_safe_until_its_trigger_goes(postgresql: Project) -> None:
    """examples/tenants: a trigger fills the new column for the old application, until the gate says that it is gone."""
    shop = Path(__file__).parents[2] / "examples"
    postgresql.write("setup.sql", (shop / "shop" / "postgresql.sql").read_text())
    postgresql.write(
        "queries.sql",
        "INSERT INTO orders (user_id, product_id, quantity, total_cents) VALUES (%s, %s, %s, %s);\nSELECT * FROM users;\n",
    )
    text = "".join(file.read_text() for file in sorted((shop / "tenants" / "postgresql" / "enhanced").glob("*.sql")))
    planned(postgresql, text, setup=postgresql.folder / "setup.sql")
    document = postgresql.compat("plan.json", start=("--snapshot", "snapshot.json"), code=1)
    assert document["stopped"] == "" and document["not_built"] == []
    gate = next(one["number"] for one in document["boundaries"] if one.get("kind") == "gate")
    (broken,) = [one for one in document["boundaries"] if one.get("broken")]
    assert broken["number"] == gate + 1 and "trigger" in broken["title"]
    assert broken["broken"][0]["by"] == "missing_value"
