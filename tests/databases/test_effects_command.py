"""`driftflow effects "SQL" --observe`, as a person types it, on servers that it starts itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from driftflow.cli.main import cli
from driftflow.errors import DriftflowError
from driftflow.lab import postgresql, time_limit
from driftflow.lab.servers import AnyServer, GivenServer, server

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
    return int(done.return_value), done.output


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
    """A known one: the catalog holds no extended statistics."""
    code, said = observe("CREATE STATISTICS st ON user_id, total FROM orders; DROP STATISTICS st")
    assert code == 1, said
    assert "differs: locks on public.orders: predicted none; observed SHARE UPDATE EXCLUSIVE" in said


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
