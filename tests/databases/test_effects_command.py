"""`driftflow effects "SQL" --observe`, as a person types it, on servers that it starts itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from test_sqlite_effects import MATRIX

from driftflow.cli.main import cli
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.drivers.urls import connector_for
from driftflow.errors import DriftflowError
from driftflow.lab import bench_sqlite, mariadb, mysql, mysql_programs, postgresql, sqlite, time_limit
from driftflow.lab.observe import observe_effects
from driftflow.lab.servers import AnyServer, GivenServer, server
from driftflow.readers.sources import loose_migration

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text);
INSERT INTO users SELECT g, 'u' || g FROM generate_series(1, 100) AS g;
CREATE TABLE orders (id bigserial PRIMARY KEY, user_id bigint, total numeric(10, 2), note varchar(20));
INSERT INTO orders (user_id, total) SELECT g % 100 + 1, g FROM generate_series(1, 200) AS g;
"""


@pytest.fixture
def setup(tmp_path: Path) -> Path:
    file = tmp_path / "schema.sql"
    file.write_text(SCHEMA)
    return file


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(one) for one in arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return int(done.return_value or 0), done.output


class OnPostgresql:
    """`effects SQL --observe` on a server that the command starts."""

    def __init__(self, version: int, setup: Path) -> None:
        self.words = ["--observe", "--dialect", "postgresql", "--server-version", str(version), "--setup", str(setup)]

    def __call__(self, sql: str, *more: str) -> tuple[int, str]:
        return run("effects", sql, *self.words, *more)


@pytest.fixture(params=[pytest.param(version, marks=pytest.mark.postgresql) for version in (16, 18)])
def observe(request: pytest.FixtureRequest, setup: Path, either_server: Callable[[int], AnyServer]) -> OnPostgresql:
    either_server(request.param)  # skips, or fails in CI, where there is none
    found = server(request.param)
    if found is None or found.url:
        pytest.skip("the environment names a server of this version; the command would have to start one")
    return OnPostgresql(request.param, setup)


def test_predicted_beside_observed(observe: OnPostgresql) -> None:
    code, said = observe("ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id)")
    assert code == 0, said
    assert "equal: refused, transaction, locks, written anew, read whole" in said
    (row,) = [line for line in said.splitlines() if line.strip().startswith("public.users ")]
    assert row.count("SHARE ROW EXCLUSIVE") == 2


def test_what_the_planner_need_not_read_is_no_difference(observe: OnPostgresql, setup: Path) -> None:
    setup.write_text("CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);")
    code, said = observe("ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id)")
    assert code == 0, said
    assert "equal: refused, transaction, locks, written anew, read whole" in said


def test_json_holds_both_and_the_statements_follow_each_other(observe: OnPostgresql) -> None:
    sql = "CREATE INDEX CONCURRENTLY i ON orders (note); DROP INDEX i; ALTER TABLE orders ALTER note SET NOT NULL; BEGIN"
    code, said = observe(sql, "--format", "json", "-q")
    assert code == 0, said
    found = json.loads(said)
    assert found["dialect"] == "postgresql" and "BEGIN" in found["notes"][0]
    first, second, third = found["statements"]
    assert first["observed"]["effects"]["transactional"] is False
    assert {"relation": {"schema": "public", "name": "orders"}, "mode": "SHARE UPDATE EXCLUSIVE"}.items() <= first["observed"][
        "effects"
    ]["locks"][0].items()
    assert second["compared"] == ["error", "transaction", "locks", "rewrite", "scan"]
    assert "null values" in third["observed"]["error"] and third["refusals"] and third["compared"] == ["error"]


def test_what_is_not_predicted_is_observed_and_exit_1(observe: OnPostgresql) -> None:
    code, said = observe("DO $$ BEGIN LOCK TABLE users IN SHARE MODE; END $$")
    assert code == 1, said
    assert "not compared: a DO block or CALL does what its body says" in said
    assert [line.split()[-1] for line in said.splitlines() if "public.users" in line] == ["SHARE"]


def test_a_difference_is_named_and_exit_1(observe: OnPostgresql) -> None:
    """What the body of a trigger locks is not predicted."""
    sql = (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN LOCK TABLE users IN SHARE MODE; RETURN new; END';"
        "CREATE TRIGGER tr BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f(); UPDATE orders SET note = 'x'"
    )
    code, said = observe(sql)
    assert code == 1, said
    assert "differs: locks on public.users: predicted none; observed SHARE" in said


def test_what_was_set_holds_for_the_statements_after_it(observe: OnPostgresql) -> None:
    sql = "CREATE SCHEMA s; SET search_path = s; CREATE TABLE t (id int); CREATE INDEX CONCURRENTLY i ON t (id); DROP TABLE t"
    code, said = observe(sql)
    assert code == 0, said
    assert "s.t" in said and "public.t" not in said


def test_the_role_is_no_superuser(observe: OnPostgresql) -> None:
    code, said = observe("COPY users (email) FROM PROGRAM 'id'")
    assert code == 1 and "permission denied" in said


def test_a_setup_that_fails_names_its_statement(observe: OnPostgresql, setup: Path) -> None:
    setup.write_text("CREATE TABLE users (id int);\nCREATE TABLE users (id int);\n")
    with pytest.raises(DriftflowError, match="the setup failed") as fault:
        observe("DROP TABLE users")
    assert fault.value.code == "DF-E470" and f"{setup}:2:1" in fault.value.where and "already exists" in fault.value.why


def test_a_statement_that_hangs_is_cancelled(observe: OnPostgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "STATEMENT_SECONDS_MAX", 1.0)
    with pytest.raises(DriftflowError, match="did not end within 1 s") as fault:
        observe("SET statement_timeout = 0; SELECT pg_sleep(600)")
    assert (fault.value.code, fault.value.exit_code) == ("DF-E471", 6)


@pytest.mark.postgresql
def test_a_version_that_is_not_here(setup: Path) -> None:
    with pytest.raises(DriftflowError) as fault:
        run("effects", "DROP TABLE users", "--observe", "--dialect", "postgresql", "--server-version", "9")
    assert fault.value.code == "DF-E443"


def test_setup_alone_makes_no_sense(setup: Path) -> None:
    with pytest.raises(DriftflowError) as fault:
        run("effects", "DROP TABLE users", "--dialect", "postgresql", "--setup", setup)
    assert fault.value.code == "DF-E138"


# MySQL and MariaDB

FAMILY = """
CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE c (id INT PRIMARY KEY, pid INT, v VARCHAR(20), CONSTRAINT cfk FOREIGN KEY (pid) REFERENCES p (id));
INSERT INTO p VALUES (1, 'a'), (2, 'a');
INSERT INTO c VALUES (1, 1, 'x'), (2, NULL, NULL);
"""
CHANGES = (
    "ALTER TABLE c ADD COLUMN n INT",
    "ALTER TABLE c MODIFY v VARCHAR(20) NOT NULL",
    "ALTER TABLE p ADD UNIQUE (name)",
    "CREATE INDEX i ON c (v)",
    "ALTER TABLE c DROP FOREIGN KEY cfk",
    "UPDATE p SET name = id",
    "ALTER TABLE p ENGINE=InnoDB",
    "TRUNCATE TABLE c",
    "SET foreign_key_checks = 0",
    "DROP TABLE p",
    "ALTER TABLE c ADD FOREIGN KEY (pid) REFERENCES p (id)",
    "ALTER TABLE c RENAME TO d, ADD COLUMN m INT",
    "CREATE TRIGGER tr BEFORE INSERT ON d FOR EACH ROW SET NEW.v = 'x'",
    "ALTER TABLE nope ADD x INT",
)


@pytest.fixture
def on_family(mysql_family: str, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """`effects SQL --observe` on a server of the family that the command starts."""
    flavour, _, major = mysql_family.partition("-")
    file = tmp_path / "family.sql"
    file.write_text(FAMILY)

    def observed(sql: str, *more: str) -> tuple[int, str]:
        return run("effects", sql, "--observe", "--dialect", flavour, "--server-version", major, "--setup", file, *more)

    return observed


def test_the_family_does_what_is_predicted(on_family: Callable[..., tuple[int, str]]) -> None:
    code, said = on_family("; ".join(CHANGES), "--format", "json", "-q")
    found = {one["statement"]["sql"]: one for one in json.loads(said)["statements"]}
    assert {sql: one["differences"] for sql, one in found.items() if "differences" in one} == {}
    assert code == 0 and list(found) == list(CHANGES)
    altered = found["ALTER TABLE c ADD COLUMN n INT"]
    assert set(altered["compared"]) == {"error", "transaction", "rewrite", "locks", "algorithms"}
    assert altered["observed"]["effects"]["implicit_commit"] is True
    assert "implicit_commit" not in found["UPDATE p SET name = id"]["observed"]["effects"]
    assert [one["relation"]["name"] for one in found["ALTER TABLE p ENGINE=InnoDB"]["observed"]["effects"]["work"]] == ["p"]
    refused = [sql for sql, one in found.items() if one["observed"].get("error")]
    assert refused == [CHANGES[1], CHANGES[2], CHANGES[-1]]


def test_the_scratch_database_is_not_left(on_family: Callable[..., tuple[int, str]]) -> None:
    with pytest.raises(DriftflowError) as fault:
        on_family("USE mysql")
    assert fault.value.code == "DF-E473"


def test_a_statement_of_the_family_that_hangs_is_cancelled(
    on_family: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limit, "STATEMENT_SECONDS_MAX", 1.0)
    with pytest.raises(DriftflowError) as fault:
        on_family("INSERT INTO p SELECT SLEEP(600), 'x'")
    assert fault.value.code == "DF-E471"


@pytest.mark.mariadb
def test_a_version_of_the_family_that_is_not_here() -> None:
    with pytest.raises(DriftflowError) as fault:
        run("effects", "DROP TABLE p", "--observe", "--dialect", "mariadb", "--server-version", "10.2")
    assert fault.value.code == "DF-E462"


def test_a_marked_server_of_the_family_is_left_as_it_was(mysql_server: mysql.Server, tmp_path: Path) -> None:
    file = tmp_path / "family.sql"
    file.write_text(FAMILY)
    with mysql_server.administration() as execute:
        before = execute("SHOW DATABASES")
    code, said = run("effects", "ALTER TABLE c DROP COLUMN v", "--observe", "--on", mysql_server.url(), "--setup", file)
    assert code == 0 and "(given, " in said and mysql_server.url().partition("@")[0].rpartition(":")[2] not in said, said
    with mysql_server.administration() as execute:
        assert execute("SHOW DATABASES") == before


@pytest.mark.mariadb
def test_a_server_of_the_family_without_the_mark_is_refused() -> None:
    if not any(one.flavour == "mariadb" for one in mysql_programs.installed()):
        pytest.skip("no MariaDB: apt-get install --no-install-recommends mariadb-server")
    with mariadb.start(settings={"report-host": "replica-1"}) as started, pytest.raises(DriftflowError) as fault:
        run("effects", "SELECT 1", "--observe", "--on", started.url())
    assert (fault.value.code, fault.value.exit_code) == ("DF-E370", 3)


# SQLite

DIFFERENT = {
    "REINDEX t": "its only key is the rowid, which has no index: there is nothing to do",
    "ALTER TABLE t DROP COLUMN b": "`after` refuses every column of a foreign key; SQLite lets an inline REFERENCES go",
}
PAIRS = [
    (setup, sql) for setup, sql in MATRIX if sql not in DIFFERENT or (sql.endswith("COLUMN b") and "REFERENCES t)" not in setup)
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("setup", "sql"), PAIRS, ids=lambda text: text[-70:])
def test_sqlite_does_what_is_predicted(setup: str, sql: str) -> None:
    dialect = dialect_named("sqlite")
    with closing(bench_sqlite.started()) as bench:
        before = dialect.split(SourceText(setup))
        (found,) = observe_effects(loose_migration(sql, dialect=dialect), dialect=dialect, bench=bench, setup=before).statements
    assert found.differences == ()
    assert found.verdict == "equal"


@pytest.mark.sqlite
def test_what_sqlite_was_seen_to_do(tmp_path: Path) -> None:
    file = tmp_path / "schema.sql"
    file.write_text("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); INSERT INTO t VALUES (1, 1, 'x'), (2, NULL, 'x');")
    sql = "ALTER TABLE t DROP COLUMN a; PRAGMA journal_mode = WAL; CREATE INDEX i ON t (b); VACUUM; SELECT * FROM t"
    code, said = run("effects", sql, "--observe", "--dialect", "sqlite", "--setup", file, "--format", "json", "-q")
    assert code == 0, said
    drop, _, index, vacuum, query = [one["observed"] for one in json.loads(said)["statements"]]
    assert [one["relation"]["name"] for one in drop["effects"]["work"]] == ["t"]
    assert [one["effects"]["locks"][0]["mode"] for one in (drop, index)] == ["EXCLUSIVE", "RESERVED"]
    assert vacuum["effects"]["transactional"] is False
    assert "locks" in query["parts"] and "effects" not in query


@pytest.mark.sqlite
def test_a_file_is_never_observed_on(tmp_path: Path) -> None:
    file = sqlite.create(tmp_path / "mine.db")
    with pytest.raises(DriftflowError) as fault:
        run("effects", "DROP TABLE t", "--observe", "--on", f"sqlite:///{file}")
    assert (fault.value.code, fault.value.exit_code) == ("DF-E370", 3)


@pytest.mark.sqlite
def test_a_version_of_sqlite_that_is_not_here() -> None:
    with pytest.raises(DriftflowError) as fault:
        run("effects", "SELECT 1", "--observe", "--dialect", "sqlite", "--server-version", "3.1")
    assert fault.value.code == "DF-E472"


@pytest.mark.sqlite
def test_a_statement_of_sqlite_that_hangs_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "STATEMENT_SECONDS_MAX", 0.5)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(DriftflowError) as fault:
        run("effects", endless, "--observe", "--dialect", "sqlite")
    assert fault.value.code == "DF-E471"


# on a server that is given


@pytest.fixture
def own_server(postgresql_server: AnyServer) -> AnyServer:
    if isinstance(postgresql_server, GivenServer):
        pytest.skip("whether that server is marked is not ours to say")
    return postgresql_server


def test_a_marked_server_is_used_and_left_as_it_was(own_server: AnyServer, setup: Path) -> None:
    import psycopg

    def databases() -> list[str]:
        with psycopg.connect(own_server.url()) as connection:
            return sorted(str(name) for (name,) in connection.execute("SELECT datname FROM pg_database"))

    before = databases()
    code, said = run("effects", "VACUUM FULL orders", "--observe", "--on", own_server.url(), "--setup", setup)
    assert code == 0 and "(given, postgresql://" in said, said
    assert databases() == before


@pytest.fixture(scope="module")
def unmarked(either_server: Callable[[int], AnyServer]) -> Iterator[str]:
    if isinstance(either_server(18), GivenServer):
        pytest.skip("an unmarked server has to be started")
    with postgresql.start(18, settings={"driftflow.disposable": "off"}) as started:
        yield started.url()


@pytest.mark.postgresql
@pytest.mark.parametrize("brought", ["", f"&options={quote('-c driftflow.disposable=on')}"])
def test_a_server_without_the_mark_is_refused(unmarked: str, brought: str) -> None:
    with pytest.raises(DriftflowError) as fault:
        run("effects", "SELECT 1", "--observe", "--on", unmarked + brought)
    assert (fault.value.code, fault.value.exit_code) == ("DF-E370", 3)


# the tables of a database or snapshot, made again

SHOP = """
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('sad', 'happy');
CREATE TABLE shop.users (id bigint PRIMARY KEY, email text UNIQUE, mood shop.mood);
CREATE TABLE shop.orders (id bigserial PRIMARY KEY, user_id bigint REFERENCES shop.users, total numeric(10, 2));
CREATE INDEX by_total ON shop.orders (total);
CREATE VIEW shop.large AS SELECT id, total FROM shop.orders WHERE total > 100;
INSERT INTO shop.users VALUES (1, 'secret@example.org', 'sad');
"""


def test_the_tables_of_a_database_are_made_again_without_their_rows(postgresql_url: str, tmp_path: Path) -> None:
    with closing(connector_for(postgresql_url).connect("test")) as connection:
        for sql in SHOP.strip().split(";\n"):
            connection.query(sql.rstrip(";"))
        database = connection.query("SELECT current_database()")[0][0]
        connection.query(f'ALTER DATABASE "{database}" SET search_path TO shop, public')
    sql = "ALTER TABLE orders ADD CHECK (total > 0); ALTER TABLE users ALTER mood SET NOT NULL; ALTER TABLE orders DROP COLUMN total"
    code, said = run("effects", sql, "--observe", "--url", postgresql_url, "--format", "json", "-q")
    found = json.loads(said)
    assert code == 0, said
    assert "example.org" not in said
    first, second, third = found["statements"]
    assert {one["relation"]["schema"] for one in first["observed"]["effects"]["locks"]} == {"shop"}
    assert "error" not in second["observed"], "there is no row with a NULL"
    assert "large" in third["observed"]["error"]
    file = tmp_path / "shop.json"
    assert run("snapshot", "--url", postgresql_url, "-o", file)[0] == 0
    assert run("effects", sql, "--observe", "--snapshot", file, "--format", "json", "-q") == (code, said)


def test_what_cannot_be_made_is_said(postgresql_url: str) -> None:
    with closing(connector_for(postgresql_url).connect("test")) as connection:
        connection.query("CREATE TABLE t (id int)")
        connection.query("CREATE FUNCTION odd() RETURNS int LANGUAGE internal AS 'int4um'")
    code, said = run("effects", "ALTER TABLE t ADD c int", "--observe", "--url", postgresql_url)
    assert code == 0, said
    assert "not made here: function public.odd: permission denied for language internal" in said


def test_tables_of_the_family_are_made_again(mysql_url: str, mysql_family: str) -> None:
    with closing(connector_for(mysql_url).connect("test")) as connection:
        for sql in FAMILY.strip().split(";\n"):
            connection.query(sql.rstrip(";"))
        connection.query("CREATE VIEW names AS SELECT name FROM p")
    sql = "ALTER TABLE c MODIFY v VARCHAR(20) NOT NULL; ALTER TABLE p ADD UNIQUE (name); ALTER TABLE c DROP FOREIGN KEY cfk"
    code, said = run("effects", sql, "--observe", "--url", mysql_url, "--format", "json", "-q")
    found = json.loads(said)
    assert code == 0, said
    assert [one["observed"].get("error", "") for one in found["statements"]] == ["", "", ""]
    assert {one["relation"]["name"] for one in found["statements"][2]["observed"]["effects"]["locks"]} >= {"c"}


def test_tables_of_a_file_are_made_again(sqlite_file: Path) -> None:
    with closing(connector_for(f"sqlite:///{sqlite_file}").connect("test")) as connection:
        connection.query("CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT)")
        connection.query("CREATE TABLE c (id INTEGER PRIMARY KEY, pid INTEGER REFERENCES p (id)) STRICT")
        connection.query("CREATE INDEX by_pid ON c (pid)")
        connection.query("CREATE VIEW names AS SELECT name FROM p")
    code, said = run(
        "effects", "ALTER TABLE p DROP COLUMN name", "--observe", "--url", f"sqlite:///{sqlite_file}", "--format", "json", "-q"
    )
    (found,) = json.loads(said)["statements"]
    assert (code, "names" in found["observed"]["error"]) == (0, True), said
