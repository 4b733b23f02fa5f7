"""`if-unused` on servers that record queries: a replica's own records count, those that nobody named are told, and what found no room refuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from replicated import Pair, command, execute, value

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.urls import connector_for
from driftflow.engine.run import RunOptions
from driftflow.errors import RefusedError
from driftflow.lab import mariadb, mysql, postgresql
from driftflow.model.event import Counted
from driftflow.model.plan import Gate, Irreversible, Plan
from wanted import POSTGRESQL, mysql_family, mysql_programs_of, postgresql_with_statistics

TABLES = (
    "CREATE TABLE orders (id integer PRIMARY KEY, spare integer)",
    "INSERT INTO orders (id) VALUES (1), (2)",
)
STAND_IN = (
    "CREATE TABLE pg_stat_statements (query text, calls bigint, queryid bigint, dbid oid)",
    "CREATE TABLE pg_stat_statements_info (stats_reset timestamptz, dealloc bigint)",
    "INSERT INTO pg_stat_statements_info VALUES ('2026-09-01', 0)",
    "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET pg_stat_statements.track = top', current_database()); END$$",
)
"""Of the extension, which the wheel's servers come without."""
FAMILY = [pytest.param(name, marks=getattr(pytest.mark, name.partition("-")[0])) for name in mysql_family()]


@pytest.fixture(params=FAMILY)
def pair(request: pytest.FixtureRequest, pairs: Callable[[str], Pair]) -> Pair:
    return pairs(request.param)


def moment(url: str) -> str:
    """Now by the server's clock, when a second has gone by on both sides of it."""
    time.sleep(1.1)
    now: datetime = datetime.fromisoformat(str(value(url, "SELECT CAST(NOW() AS CHAR)")))
    time.sleep(1.1)
    return now.isoformat()


def drop(url: str, since: str, folder: Path, *, more: str = "", replicas: tuple[str, ...] = ()) -> list[str]:
    """Drop the column if it is unused; what was told. Raises what the run raises."""
    migrations = folder / "migrations"
    migrations.mkdir(exist_ok=True)
    text = f"-- driftflow: if-unused since={since}{more}\nALTER TABLE orders DROP COLUMN spare;\n"
    (migrations / "001_drop.sql").write_text(text)
    connector = connector_for(url)
    with closing(connector.connect("test")) as connection:
        dialect = dialect_named(connection.dialect)
    sources = pipeline.find_sources([migrations], dialect=dialect, options={}, root=folder)
    plan = pipeline.make_plan(sources, dialect=dialect, catalog=pipeline.read_catalog(connector), policy=Policy(), root=folder)
    told: list[str] = []
    report = pipeline.apply_plan(
        plan,
        connector=connector,
        policy=Policy(),
        options=RunOptions(open_gates=tuple(step.name for step in plan.steps if isinstance(step, Gate)), accept=accepted(plan)),
        listener=lambda event: told.append(event.text) if isinstance(event, Counted) else None,
        root=folder,
        replicas=[connector_for(one, read_only=True) for one in replicas],
    )
    assert report.state == "done"
    return told


def accepted(plan: Plan) -> tuple[str, ...]:
    return tuple(step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible))


def test_a_query_on_a_replica_keeps_the_column(pair: Pair, tmp_path: Path) -> None:
    name = pair.database(*TABLES)
    url, replica = pair.url(name), pair.replica_url(name)
    command(url, "SELECT id FROM orders")
    command(replica, "SELECT id FROM orders")
    since = moment(url)
    command(replica, "SELECT spare FROM orders")
    with pytest.raises(RefusedError, match="recorded queries") as refused:
        drop(url, since, tmp_path, replicas=(replica,))
    assert refused.value.code == "DF-E305" and "on the replica" in refused.value.where


def test_replicas_that_nobody_named_are_told(pair: Pair, tmp_path: Path) -> None:
    url = pair.url(pair.database(*TABLES))
    told = drop(url, moment(url), tmp_path)
    assert len(told) == 1 and told[0].startswith("1 replicas were not asked: server 2 at reader")


def test_a_server_that_records_since_later_knows_nothing(pair: Pair, tmp_path: Path) -> None:
    name = pair.database(*TABLES)
    with pytest.raises(RefusedError, match="holds nothing from before that day"):
        drop(pair.url(name), "2026-01-01", tmp_path)


@pytest.mark.parametrize(
    "star",
    [
        "SELECT * FROM orders",
        "SELECT o.*, 1 FROM orders o",
        "SELECT DISTINCT * FROM orders",
        "SELECT count(*) FROM (SELECT * FROM orders) AS o",
        "(SELECT * FROM orders) UNION ALL (SELECT * FROM orders)",
        "SELECT SQL_NO_CACHE * FROM orders",
        "INSERT INTO orders SELECT id + 10, 1 FROM orders WHERE id < 0",
        "INSERT INTO orders VALUES (3, NULL), (4, NULL)",
        "REPLACE INTO `orders` VALUES (3, NULL)",
    ],
)
def test_every_column_by_a_star_is_a_use(pair: Pair, tmp_path: Path, star: str) -> None:
    url = pair.url(pair.database(*TABLES))
    since = moment(url)
    command(url, star)
    with pytest.raises(RefusedError, match="read every column"):
        drop(url, since, tmp_path)


def test_whoever_names_the_database_is_heard_in_another(pair: Pair, tmp_path: Path) -> None:
    name, elsewhere = pair.database(*TABLES), pair.database()
    since = moment(pair.url(name))
    command(pair.url(elsewhere), f"SELECT spare FROM {name}.orders")
    with pytest.raises(RefusedError, match="recorded queries"):
        drop(pair.url(name), since, tmp_path)


def test_a_query_whose_end_is_cut_off_is_told(pair: Pair, tmp_path: Path) -> None:
    """The server keeps so much of a digest and no more, and does not say so."""
    url = pair.url(pair.database(*TABLES))
    since = moment(url)
    command(url, f"SELECT {', '.join(f'id AS a_long_name_{n}' for n in range(100))}, spare FROM orders")
    with pytest.raises(RefusedError, match="whether their ends named orders is not known") as refused:
        drop(url, since, tmp_path)
    assert "evicted=accept" in refused.value.hint


def test_a_server_that_records_no_digests_knows_nothing(pair: Pair, tmp_path: Path) -> None:
    url = pair.url(pair.database(*TABLES))
    since = moment(url)
    with pair.primary.administration() as execute_as_root:
        execute_as_root("UPDATE performance_schema.setup_consumers SET enabled = 'NO' WHERE name = 'statements_digest'")
        try:
            with pytest.raises(RefusedError, match="its consumer statements_digest"):
                drop(url, since, tmp_path)
        finally:
            execute_as_root("UPDATE performance_schema.setup_consumers SET enabled = 'YES' WHERE name = 'statements_digest'")


@pytest.mark.parametrize("flavour", FAMILY)
def test_statements_without_a_place_refuse(flavour: str, tmp_path: Path) -> None:
    """A server with room for very few: what is new after that is counted without its text."""
    programs = mysql_programs_of(flavour)
    lab = mysql if programs.flavour == "mysql" else mariadb
    with lab.start(programs.version.major, settings={"performance-schema-digests-size": "40"}) as server:
        url, other = (server.create_database() for _ in range(2))
        for one in (url, other):
            execute(one, *TABLES)
        since = moment(url)
        for number in range(60):
            command(url, f"SELECT id AS n{number} FROM orders")
        with pytest.raises(RefusedError, match="found no place among the digests") as refused:
            drop(url, since, tmp_path)
        assert "evicted=accept" in refused.value.hint
        told = drop(other, since, tmp_path, more=" evicted=accept")
    assert any("found no place among the digests" in text for text in told)


@pytest.mark.postgresql
def test_what_the_extension_itself_records(tmp_path: Path) -> None:
    """The application's queries count; what we ask about the column at one try is no use of it at the next."""
    with postgresql.start(
        postgresql_with_statistics(),
        settings={"shared_preload_libraries": "pg_stat_statements", "track_activity_query_size": "4096"},
    ) as server:
        url = server.create_database()
        execute(
            url,
            "CREATE EXTENSION pg_stat_statements",
            *TABLES,
            "INSERT INTO orders VALUES (3, 7)",
            "SELECT pg_stat_statements_reset()",
        )
        time.sleep(1.1)
        since = str(value(url, "SELECT to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS')"))

        def kept(match: str) -> None:
            with pytest.raises(RefusedError, match=match):
                drop(url, since, tmp_path)
            run = str(value(url, "SELECT id FROM driftflow.run WHERE status NOT IN ('done', 'rolled_back')"))
            end = {"connector": connector_for(url), "policy": Policy(), "listener": lambda event: None}
            gate = pipeline.roll_back(run, options=RunOptions(), **end).gate
            back = pipeline.resume_run(run, options=RunOptions(open_gates=(gate,)), **end)
            assert back.state == "rolled_back"

        kept("hold something else than its default")
        execute(url, "DELETE FROM orders WHERE id = 3")
        command(url, "SELECT id, spare FROM orders")
        kept("1 recorded queries")
        execute(url, "SELECT pg_stat_statements_reset()")
        kept("was reset after that day")
        time.sleep(1.1)
        drop(url, str(value(url, "SELECT to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS')")), tmp_path)
        assert value(url, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders'") == 1


@pytest.mark.postgresql
def test_a_standby_that_nobody_named_is_told(tmp_path: Path, pairs: Callable[[str], Pair]) -> None:
    pair = pairs(f"postgresql-{POSTGRESQL[-1]}")
    first, second = (pair.database(*TABLES, *STAND_IN) for _ in range(2))
    told = drop(pair.url(first), "2026-10-01", tmp_path)
    assert told == ["1 replicas were not asked: reader at local; about reads there nothing is known (--replica-url asks them)"]
    told = drop(pair.url(second), "2026-10-01", tmp_path, replicas=(pair.replica_url(second),))
    assert len(told) == 1 and "is read on the replica" in told[0]
