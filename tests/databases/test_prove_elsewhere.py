"""`driftflow prove --lab-url`: a marked server is used and left as it was; another is refused before anything happens on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from proving import FAMILY, claim, flavour, question, shop

import wanted
from driftflow.cli.main import main
from driftflow.drivers.urls import connector_for
from driftflow.errors import DriftflowError
from driftflow.lab import mysql, postgresql
from driftflow.lab.proof.prove import EVERY, prove
from driftflow.lab.servers import AnyServer, GivenServer
from driftflow.usage.query_file import read_queries

NICKNAME = "ALTER TABLE users ADD COLUMN nickname varchar(255);"
SEEN_POSTGRESQL = (
    "SELECT 'database ' || datname FROM pg_database UNION ALL SELECT 'role ' || rolname FROM pg_roles",
    "SELECT 'setting ' || setdatabase || setrole || setconfig::text FROM pg_db_role_setting",
    "SELECT 'table ' || schemaname || '.' || tablename FROM pg_tables WHERE schemaname = 'public'",
)
SEEN_MYSQL = (
    "SELECT CONCAT('database ', SCHEMA_NAME) FROM information_schema.SCHEMATA",
    "SELECT CONCAT('table ', TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'beside'",
    "SELECT CONCAT('row ', id) FROM beside.kept",
)


def seen(url: str, queries: tuple[str, ...]) -> list[str]:
    with closing(connector_for(url).connect("test")) as connection:
        return sorted(str(row[0]) for sql in queries for row in connection.query(sql))


def queries(tmp_path: Path, vendor: str) -> tuple[object, ...]:
    from driftflow.dialects.registry import dialect_named

    (tmp_path / "app.sql").write_text("-- name: Seeds\nSELECT totp_seed FROM users;\n")
    return tuple(read_queries(tmp_path / "app.sql", dialect_named(vendor)))


@pytest.fixture(scope="module")
def newest(either_server: Callable[[int], AnyServer]) -> AnyServer:
    found = either_server(18)
    if isinstance(found, GivenServer):
        pytest.skip("whether that server is marked is not ours to say")
    return found


@pytest.mark.postgresql
def test_a_marked_postgresql_is_used_and_left_as_it_was(newest: AnyServer, tmp_path: Path) -> None:
    before = seen(newest.url(), SEEN_POSTGRESQL)
    asked = question(NICKNAME, shop("postgresql"), tmp_path, on=newest.url(), queries=queries(tmp_path, "postgresql"))
    proof = prove(asked)
    assert proof.green, proof
    assert claim(proof, "queries").state == "proved"
    assert "postgresql://" in proof.server
    assert seen(newest.url(), SEEN_POSTGRESQL) == before


@pytest.mark.postgresql
def test_a_postgresql_without_the_mark_is_refused(tmp_path: Path) -> None:
    with postgresql.start(18, settings={"driftflow.disposable": "off"}) as server:
        before = seen(server.url(), SEEN_POSTGRESQL)
        with pytest.raises(DriftflowError) as fault:
            prove(question(NICKNAME, shop("postgresql"), tmp_path, on=server.url()))
        assert (fault.value.code, fault.value.exit_code) == ("DF-E370", 3)
        assert "--lab-url" in fault.value.hint
        assert seen(server.url(), SEEN_POSTGRESQL) == before


@pytest.fixture(scope="module", params=FAMILY)
def marked(request: pytest.FixtureRequest) -> Iterator[tuple[str, mysql.Server]]:
    """A server with somebody else's database and somebody else's journal."""
    with mysql.begun(wanted.mysql_programs_of(request.param), folder=None, settings=None, durable=False) as server:
        for name in ("beside", "driftflow"):
            server.create_database(name)
        with closing(connector_for(server.url("beside")).connect("test")) as connection:
            connection.execute("CREATE TABLE kept (id int PRIMARY KEY)")
            connection.execute("INSERT INTO kept VALUES (1), (2)")
        yield request.param, server


def test_a_marked_server_of_the_family_is_used_and_left_as_it_was(marked: tuple[str, mysql.Server], tmp_path: Path) -> None:
    vendor, server = marked
    before = seen(server.url(), SEEN_MYSQL)
    given = queries(tmp_path, flavour(vendor))
    proof = prove(question(NICKNAME, shop(vendor), tmp_path, on=server.tcp_url(), queries=given), only=("writers", "queries"))
    assert [(one.name, one.state) for one in proof.claims if one.state != "proved"] == []
    assert {one.name for one in proof.claims} == {*EVERY} - {"crashes"}
    assert proof.not_proved == ()
    assert seen(server.url(), SEEN_MYSQL) == before
    assert seen(server.url(), ("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'driftflow'",)) == []


def test_a_database_of_the_plans_name_is_somebody_elses(marked: tuple[str, mysql.Server], tmp_path: Path) -> None:
    vendor, server = marked
    server.create_database("shop")
    try:
        before = seen(server.url(), SEEN_MYSQL)
        with pytest.raises(DriftflowError) as fault:
            prove(question(NICKNAME, shop(vendor), tmp_path, on=server.url()))
        assert (fault.value.code, fault.value.exit_code) == ("DF-E679", 3)
        assert seen(server.url(), SEEN_MYSQL) == before
    finally:
        server.drop_database("shop")


def test_another_sql_mode_is_told(marked: tuple[str, mysql.Server], tmp_path: Path) -> None:
    vendor, server = marked
    with server.administration() as execute:
        execute("SET GLOBAL sql_mode = 'ANSI_QUOTES'")
    try:
        proof = prove(question(NICKNAME, shop(vendor), tmp_path, on=server.url()), only=())
        assert not proof.green
        assert any("sql_mode" in text for text in proof.not_proved)
    finally:
        with server.administration() as execute:
            execute("SET GLOBAL sql_mode = DEFAULT")


@pytest.mark.mariadb
def test_a_server_of_the_family_without_the_mark_is_refused(tmp_path: Path) -> None:
    programs = wanted.mysql_programs_of("mariadb-10")
    with mysql.begun(programs, folder=None, settings={"report-host": "replica-1"}, durable=False) as server:
        for vendor, code in (("mariadb-10", "DF-E370"), ("postgresql", "DF-E680")):
            with pytest.raises(DriftflowError) as fault:
                prove(question(NICKNAME, shop(vendor), tmp_path, on=server.url()))
            assert (fault.value.code, fault.value.exit_code) == (code, 3)


@pytest.mark.sqlite
def test_sqlite_has_no_server_to_give(tmp_path: Path) -> None:
    with pytest.raises(DriftflowError) as fault:
        prove(question(NICKNAME, shop("sqlite"), tmp_path, on="postgresql://localhost/lab"))
    assert (fault.value.code, fault.value.exit_code) == ("DF-E681", 3)


@pytest.mark.postgresql
def test_the_command_takes_the_url_and_does_not_repeat_its_password(
    newest: AnyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from driftflow.model.snapshot import Snapshot, encode_snapshot

    monkeypatch.chdir(tmp_path)
    start = shop("postgresql")
    assert start.catalog is not None
    Path("shop.json").write_text(encode_snapshot(Snapshot(catalog=start.catalog, applied={}, made_with="test")))
    Path("migrations").mkdir()
    Path("migrations/001.sql").write_text(NICKNAME)
    assert main(["plan", "migrations", "--snapshot", "shop.json", "-o", "plan.json"]) == 0
    url = newest.url() + ("&" if "?" in newest.url() else "?") + "password=hush-hush"
    code = main(["prove", "plan.json", "--snapshot", "shop.json", "--rows", "30", "--lab-url", url, "-o", "proof.json"])
    said = "".join(capsys.readouterr())
    assert code == 0, said
    assert "hush-hush" not in said + Path("proof.json").read_text()
