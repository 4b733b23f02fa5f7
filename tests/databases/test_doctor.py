"""`doctor` on real databases: each examination when all is well and when it is not, and what its hint is worth."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from refusals import Project

from driftflow import pipeline
from driftflow.doctor import Examined
from driftflow.drivers.urls import connector_for
from driftflow.lab.postgresql import start
from driftflow.lab.servers import AnyServer


def doctor(url: str) -> tuple[Examined, ...]:
    return pipeline.doctor(connector_for(url))


def said(url: str, name: str) -> list[Examined]:
    return [line for line in doctor(url) if line.name == name]


def states(url: str, name: str) -> list[str]:
    return [line.state for line in said(url, name)]


@pytest.fixture(params=[pytest.param(16, marks=pytest.mark.postgresql), pytest.param(18, marks=pytest.mark.postgresql)])
def served(request: pytest.FixtureRequest, either_server: Callable[[int], AnyServer], tmp_path: Path) -> Iterator[Project]:
    server = either_server(request.param)
    url = server.create_database()
    try:
        yield Project(tmp_path / "project", url)
    finally:
        server.drop_database(url)


@pytest.fixture
def role(served: Project) -> Iterator[str]:
    """An ordinary role, which `served.url` names from now on."""
    name = f"doctor_{os.getpid()}"
    served.execute(f"CREATE ROLE {name} LOGIN")
    found = psycopg.conninfo.conninfo_to_dict(served.admin_url)
    served.url = f"postgresql://{name}@/{found['dbname']}?host={found['host']}&port={found['port']}"
    try:
        yield name
    finally:
        served.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_all_is_well(cornered: Project) -> None:
    before = cornered.state()
    lines = doctor(cornered.url)
    wrong = [line for line in lines if line.state != "ok" and line.name != "journal mode"]
    assert wrong == []
    assert cornered.state() == before
    done = cornered.run("doctor")
    assert done.returncode == 0
    assert "next: driftflow plan" in done.stdout


def test_a_role_without_rights_is_told_the_grant_that_works(served: Project, role: str) -> None:
    (line,) = said(served.url, "journal")
    assert line.state == "problem"
    done = served.run("doctor")
    assert done.returncode == 1
    assert line.hint in done.stdout
    served.execute(line.hint)
    assert states(served.url, "journal") == ["ok"]


def test_the_journal_of_another_role(served: Project, role: str) -> None:
    served.plan(url=served.admin_url)
    served.ok("apply", "plan.json", url=served.admin_url)
    (line,) = said(served.url, "journal")
    assert line.state == "problem"
    assert f'GRANT ALL ON ALL TABLES IN SCHEMA driftflow TO "{role}";' in line.hint
    served.execute(line.hint)
    assert states(served.url, "journal") == ["ok"]
    served.ok("status")


def test_tables_of_somebody_else(served: Project, role: str) -> None:
    (line,) = said(served.url, "ownership")
    assert line.state == "warning"
    assert "2 tables" in line.found
    served.execute(f"ALTER TABLE orders OWNER TO {role}", f"ALTER TABLE customers OWNER TO {role}")
    assert states(served.url, "ownership") == ["ok"]


def test_sessions_that_are_hidden(served: Project, role: str) -> None:
    (line,) = said(served.url, "statistics")
    assert line.state == "warning"
    served.execute(line.hint)
    assert states(served.url, "statistics") == ["ok"]


def test_a_long_transaction(served: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftflow.doctor import postgresql

    monkeypatch.setattr(postgresql, "LONG_TRANSACTION_SECONDS", 0)
    with psycopg.connect(served.admin_url) as other:
        other.execute(b"SELECT count(*) FROM orders")
        lines = [line for line in said(served.url, "long transactions") if str(other.info.backend_pid) in line.found]
    assert [line.state for line in lines] == ["warning"]
    monkeypatch.undo()
    assert states(served.url, "long transactions") == ["ok"]


def test_a_prepared_transaction(tmp_path: Path) -> None:
    with start(18, settings={"max_prepared_transactions": "2"}) as server:
        url = server.create_database()
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(b"BEGIN")
            other.execute(b"CREATE TABLE left_open (id integer)")
            other.execute(b"PREPARE TRANSACTION 'forgotten'")
            (line,) = said(url, "prepared transactions")
            assert line.state == "warning"
            other.execute(line.hint.rpartition(" or ")[2].encode())
        assert states(url, "prepared transactions") == ["ok"]


def test_an_invalid_index(served: Project) -> None:
    served.execute("INSERT INTO orders (id, customer_id) VALUES (90, 1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        served.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON orders (customer_id)")
    (line,) = said(served.url, "invalid indexes")
    assert line.state == "warning"
    served.execute(line.hint.partition(" --")[0])
    assert states(served.url, "invalid indexes") == ["ok"]


def test_publications(served: Project) -> None:
    served.execute("CREATE PUBLICATION listed FOR TABLE orders")
    assert states(served.url, "publications") == ["ok"]
    served.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    assert sorted(states(served.url, "publications")) == ["ok", "problem"]
    served.execute(
        "DROP PUBLICATION everything", "CREATE SCHEMA driftflow", "CREATE PUBLICATION ours FOR TABLES IN SCHEMA driftflow"
    )
    (line,) = [line for line in said(served.url, "publications") if line.state == "problem"]
    served.execute(line.hint)
    assert "problem" not in states(served.url, "publications")


def test_a_slot_that_nobody_uses() -> None:
    with start(16, settings={"wal_level": "logical"}) as server:
        url = server.create_database()
        assert states(url, "replication slots") == ["ok"]
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(b"SELECT pg_create_physical_replication_slot('idle', true)")
            (line,) = said(url, "replication slots")
            assert line.state == "warning"
            other.execute(line.hint.partition("; --")[0].encode())
        assert states(url, "replication slots") == ["ok"]


def test_a_run_that_nobody_ended_and_what_it_left(cornered: Project) -> None:
    assert states(cornered.url, "runs") == ["ok"]
    cornered.write({"001_note.sql": GATED})
    cornered.plan()
    done = cornered.run("apply", "plan.json")
    assert done.returncode == 4, done.stdout + done.stderr
    (line,) = said(cornered.url, "runs")
    assert line.state == "warning"
    assert "waiting at gate" in line.found
    for command in line.hint.split(", then: driftflow ", 1)[0:1]:
        assert command.startswith("driftflow gate open ")
        cornered.ok(*command.split()[1:])
    cornered.ok("resume")
    assert states(cornered.url, "runs") == ["ok"]
    assert states(cornered.url, "debris") == ["ok"]
    with closing(connector_for(cornered.url).connect("test")) as connection:
        from driftflow.engine.ports import Debris
        from driftflow.journal.inspect import JOURNAL, runs

        table = "main.left_over" if cornered.vendor == "sqlite" else "public.left_over"
        found = runs(connection)[0].run
        JOURNAL.register(
            connection, Debris(run=found, step="s", kind="table", name=table, drop_sql=f"DROP TABLE IF EXISTS {table}")
        )
    cornered.execute("CREATE TABLE left_over (id integer)")
    (line,) = said(cornered.url, "debris")
    assert (line.state, line.hint) == ("warning", "driftflow clean")
    assert "left_over" in line.found
    cornered.ok("clean", "--yes")
    assert states(cornered.url, "debris") == ["ok"]


GATED = '-- driftflow: gate name=ready question="Is it?"\nALTER TABLE orders ADD COLUMN note text;\n'


def test_a_damaged_journal(cornered: Project) -> None:
    cornered.plan()
    cornered.ok("apply", "plan.json")
    meta = "_driftflow_meta" if cornered.vendor == "sqlite" else "driftflow.meta"
    cornered.execute(f"DELETE FROM {meta} WHERE key = 'version'")
    assert states(cornered.url, "runs") == ["problem"]


def test_the_mode_of_a_file(small: Project) -> None:
    assert states(small.url, "journal mode") == ["warning"]
    small.execute("PRAGMA journal_mode = WAL")
    assert states(small.url, "journal mode") == ["ok"]


def test_somebody_writes(small: Project) -> None:
    import sqlite3

    with closing(sqlite3.connect(small.file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        assert states(small.url, "write lock") == ["problem"]
        other.execute("ROLLBACK")
    assert states(small.url, "write lock") == ["ok"]


def test_a_file_that_is_read_only(small: Project) -> None:
    """What a file system that is mounted read-only answers, asked for by the URL."""
    lines = pipeline.doctor(connector_for(small.url, read_only=True))
    assert [line.state for line in lines if line.name == "write lock"] == ["problem"]


def test_a_view_that_does_not_work(small: Project) -> None:
    small.execute("CREATE VIEW fine AS SELECT id FROM orders", "CREATE VIEW broken AS SELECT missing FROM orders")
    (line,) = said(small.url, "views")
    assert line.state == "warning"
    small.execute(line.hint.partition("; or")[0])
    assert states(small.url, "views") == ["ok"]


def test_rows_that_point_at_nothing(small: Project) -> None:
    small.execute("CREATE TABLE lines (id integer, order_id integer REFERENCES orders (id))", "INSERT INTO lines VALUES (1, 999)")
    (line,) = said(small.url, "foreign keys")
    assert line.state == "warning"
    assert small.rows(line.hint.rstrip(";")) != []
    small.execute("DELETE FROM lines")
    assert states(small.url, "foreign keys") == ["ok"]


def test_a_damaged_file(small: Project) -> None:
    small.execute("CREATE INDEX totals ON orders (total)")
    small.execute("PRAGMA writable_schema = ON")
    data = bytearray(small.file.read_bytes())
    page = int.from_bytes(data[16:18], "big")
    root = small.rows("SELECT rootpage FROM sqlite_master WHERE name = 'totals'")[0][0]
    for at in range(root * page - 16, root * page):
        data[at] = 0
    small.file.write_bytes(data)
    lines: list[Any] = said(small.url, "integrity")
    assert [line.state for line in lines] == ["problem"]
