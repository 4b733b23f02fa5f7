"""Questions about data: how much they may read, how they go through a large table, and that what only counts is read on a replica."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from replicated import Pair, command, execute, value

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.replicas import known_replicas
from driftflow.drivers.urls import connector_for
from driftflow.engine.estimated import rows_read
from driftflow.engine.run import RunOptions, RunReport
from driftflow.errors import RefusedError
from driftflow.lab import mariadb, mysql, sqlite
from driftflow.lab.servers import AnyServer
from driftflow.model.event import Counted
from driftflow.model.plan import Guard, Plan, Ranges, Step
from driftflow.model.record import replace
from driftflow.strategies.recipe import bounded_count
from wanted import POSTGRESQL, mysql_family, mysql_programs_of

ROWS = 500
TABLES = (
    "CREATE TABLE orders (id integer PRIMARY KEY, note varchar(20))",
    "INSERT INTO orders WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 500) SELECT 7 * n, concat('n', n) FROM s",
)
NULLS = bounded_count("SELECT 1 FROM orders WHERE note IS NULL")
RANGES = Ranges(table="orders", key="id", where="note IS NULL")
DECIDES = Guard(
    query=NULLS, summary="{count} orders have no note", keys="SELECT id FROM orders WHERE note IS NULL ORDER BY id LIMIT 10"
)
COUNTS = replace(DECIDES, refuse_if="never")
TIGHT = Policy(small_table_rows=0, probe_rows=50)
EVERY = ["sqlite", *(f"postgresql-{version}" for version in POSTGRESQL), *mysql_family()]
MARKS = {name: getattr(pytest.mark, name.partition("-")[0]) for name in EVERY}


@pytest.fixture(scope="module")
def opened(either_server: Callable[[int], AnyServer]) -> Iterator[Callable[[str], AnyServer]]:
    """`opened("mariadb-10")`: started when it is first asked for."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        @cache
        def start(name: str) -> AnyServer:
            vendor, _, major = name.partition("-")
            if vendor != "postgresql":
                mysql_programs_of(name)
                return stack.enter_context((mysql if vendor == "mysql" else mariadb).start(int(major)))
            return either_server(int(major))

        yield start


@pytest.fixture(params=[pytest.param(name, marks=MARKS[name]) for name in EVERY])
def url(request: pytest.FixtureRequest, tmp_path: Path, opened: Callable[[str], AnyServer]) -> Iterator[str]:
    """A database with 500 orders, none without a note, and the server's statistics of them."""
    name = request.param
    server = None if name == "sqlite" else opened(name)
    made = f"sqlite:///{sqlite.create(tmp_path / 'shop.db')}" if server is None else server.create_database()
    fill = [one.replace("concat('n', n)", "'n' || n") if name == "sqlite" else one for one in TABLES]
    execute(made, *fill, "ANALYZE TABLE orders" if name.startswith(("mysql", "mariadb")) else "ANALYZE orders")
    yield made
    if server is not None:
        server.drop_database(made)


def run(
    url: str, guard: Guard, folder: Path, *, policy: Policy = TIGHT, accept: tuple[str, ...] = (), replicas: tuple[str, ...] = ()
) -> tuple[RunReport, list[str]]:
    """A plan of one step that asks this first; how it ended, and what was counted."""
    connector = connector_for(url)
    plan = asking(url, guard, folder)
    told: list[str] = []
    report = pipeline.apply_plan(
        plan,
        connector=connector,
        policy=policy,
        options=RunOptions(accept=accept),
        listener=lambda event: told.append(event.text) if isinstance(event, Counted) else None,
        root=folder,
        replicas=[connector_for(one, read_only=True) for one in replicas],
    )
    return report, told


def asking(url: str, guard: Guard, folder: Path) -> Plan:
    migrations = folder / "migrations"
    migrations.mkdir(exist_ok=True)
    (migrations / "001_made.sql").write_text(
        "CREATE TABLE made (id integer PRIMARY KEY);\nALTER TABLE orders ADD COLUMN more integer;\n"
    )
    with closing(connector_for(url).connect("test")) as connection:
        dialect = dialect_named(connection.dialect)
    sources = pipeline.find_sources([migrations], dialect=dialect, options={}, root=folder)
    plan = pipeline.make_plan(
        sources, dialect=dialect, catalog=pipeline.read_catalog(connector_for(url)), policy=TIGHT, root=folder
    )
    first: Step = replace(plan.steps[0], guards=(guard,))
    return replace(plan, steps=(first, *plan.steps[1:]))


def test_the_server_says_how_much_would_be_read(url: str) -> None:
    with closing(connector_for(url).connect("test")) as connection:
        assert rows_read(NULLS, connection) in range(400, 600)
        assert (rows_read("SELECT count(*) FROM orders WHERE id = 7", connection) or 0) <= 10
        joined = rows_read("SELECT count(*) FROM orders AS a JOIN orders AS b ON b.note > a.note", connection)
        assert joined is not None and joined > 100_000
        assert rows_read("SELECT count(*) FROM not_there", connection) is None
        assert not connection.in_transaction


def test_what_only_counts_is_left_out_and_says_so(url: str, tmp_path: Path) -> None:
    _, told = run(url, COUNTS, tmp_path)
    assert len(told) == 1 and "not counted: that would read about" in told[0] and "probe_rows is 50" in told[0]


def test_below_the_limit_it_is_counted(url: str, tmp_path: Path) -> None:
    execute(url, "UPDATE orders SET note = NULL WHERE id IN (7, 70)")
    _, told = run(url, COUNTS, tmp_path, policy=replace(TIGHT, probe_rows=5_000))
    assert told == ["2 orders have no note"]


def test_what_decides_goes_through_the_table_in_ranges(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftflow.engine.ranged.ROWS", 120)
    report, told = run(url, replace(DECIDES, ranges=RANGES), tmp_path)
    assert report.state == "done"
    assert told[0].startswith("the table was looked through in 5 ranges of its key")


def test_in_ranges_it_refuses_as_in_one_query(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first row, one on the edge of a range, and the last."""
    monkeypatch.setattr("driftflow.engine.ranged.ROWS", 120)
    execute(url, "UPDATE orders SET note = NULL WHERE id IN (7, 840, 3500)")
    with pytest.raises(RefusedError) as caught:
        run(url, replace(DECIDES, ranges=RANGES), tmp_path)
    assert (caught.value.code, caught.value.summary) == ("DF-E305", "3 orders have no note")
    assert "7, 840, 3500" in caught.value.why


GROUPS = Ranges(table="orders", key="note", where="note IS NOT NULL", group="note")
ALIKE = bounded_count("SELECT 1 FROM orders WHERE note IS NOT NULL GROUP BY note HAVING count(*) > 1")
TWICE = Guard(query=ALIKE, summary="{count} notes occur more than once", ranges=GROUPS)


@pytest.mark.parametrize("alike", [False, True])
def test_equal_values_are_looked_for_in_ranges_of_one_of_them(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alike: bool
) -> None:
    """More than fit into a range, two on the edge of one, the last two; NULLs, which come first on some servers, are equal to nothing."""
    monkeypatch.setattr("driftflow.engine.ranged.ROWS", 40)
    execute(url, "CREATE INDEX orders_note ON orders (note)", "UPDATE orders SET note = NULL WHERE id <= 700")
    if not alike:
        report, told = run(url, TWICE, tmp_path)
        assert report.state == "done" and told[0].startswith("the table was looked through in 10 ranges of a column")
        return
    execute(
        url,
        "UPDATE orders SET note = 'n200' WHERE id BETWEEN 1000 AND 1700",
        "UPDATE orders SET note = 'n99' WHERE id = 7 * 98",
        "UPDATE orders SET note = 'n99' WHERE id = 7 * 97",
        "UPDATE orders SET note = 'n400' WHERE id = 7 * 401",
    )
    with pytest.raises(RefusedError) as caught:
        run(url, TWICE, tmp_path)
    assert (caught.value.code, caught.value.summary) == ("DF-E305", "3 notes occur more than once")


@pytest.mark.parametrize("indexed", [True, False])
def test_a_unique_index_on_a_large_table(url: str, tmp_path: Path, indexed: bool) -> None:
    """As it is planned: where an index has the values in order the question goes in ranges; elsewhere each would read the whole table."""
    if indexed:
        execute(url, "CREATE INDEX orders_note ON orders (note)")
    connector = connector_for(url)
    dialect = dialect_named(url.partition(":")[0])
    sources_of = tmp_path / "migrations"
    sources_of.mkdir()
    (sources_of / "001_unique.sql").write_text("CREATE UNIQUE INDEX orders_one_note ON orders (note);\n")
    sources = pipeline.find_sources([sources_of], dialect=dialect, options={}, root=tmp_path)
    plan = pipeline.make_plan(sources, dialect=dialect, catalog=pipeline.read_catalog(connector), policy=TIGHT, root=tmp_path)
    execute(url, "UPDATE orders SET note = 'n1' WHERE id = 3500")
    with pytest.raises(RefusedError) as caught:
        pipeline.apply_plan(
            plan, connector=connector, policy=TIGHT, options=RunOptions(), root=tmp_path, listener=lambda event: None
        )
    assert caught.value.code == ("DF-E305" if indexed else "DF-E755")
    if indexed:
        execute(url, "UPDATE orders SET note = 'n500' WHERE id = 3500")
        pipeline.apply_plan(
            plan, connector=connector, policy=TIGHT, options=RunOptions(), root=tmp_path, listener=lambda event: None
        )


def test_what_decides_and_has_no_ranges_is_accepted_by_name(url: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        run(url, DECIDES, tmp_path)
    assert caught.value.code == "DF-E755" and "--accept 'probe " in caught.value.hint
    name = caught.value.hint.partition("--accept '")[2].partition("'")[0]
    report, _ = run(url, DECIDES, tmp_path, accept=(name,))
    assert report.state == "done"


# replicas

PAIRS = [pytest.param(name, marks=MARKS[name]) for name in (f"postgresql-{POSTGRESQL[-1]}", *mysql_family())]


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest, pairs: Callable[[str], Pair]) -> Pair:
    return pairs(request.param)


def test_what_only_counts_is_read_on_the_replica(pair: Pair, tmp_path: Path) -> None:
    """Shown by what the replica cannot know: replication is held there, and the rows that come meanwhile are not counted."""
    name = pair.database(*TABLES, "UPDATE orders SET note = NULL WHERE id IN (7, 70)")
    plan_first = asking(pair.url(name), COUNTS, tmp_path)
    assert plan_first.steps
    hold, release = HELD[pair.vendor]
    command(pair.replica_url(name), hold)
    try:
        execute(pair.url(name), "UPDATE orders SET note = NULL WHERE id = 700")
        report, told = run(
            pair.url(name), COUNTS, tmp_path, policy=Policy(small_table_rows=0), replicas=(pair.replica_url(name),)
        )
    finally:
        command(pair.replica_url(name), release)
    assert report.state == "done"
    assert "is read on the replica" in told[0]
    assert told[1].startswith("2 orders have no note (on the replica ")


HELD = {
    "postgresql": ("SELECT pg_wal_replay_pause()", "SELECT pg_wal_replay_resume()"),
    "mariadb": ("STOP SLAVE SQL_THREAD", "START SLAVE SQL_THREAD"),
    "mysql": ("STOP REPLICA SQL_THREAD", "START REPLICA SQL_THREAD"),
}


def test_what_decides_is_read_on_the_primary(pair: Pair, tmp_path: Path) -> None:
    name = pair.database(*TABLES)
    hold, release = HELD[pair.vendor]
    command(pair.replica_url(name), hold)
    try:
        execute(pair.url(name), "UPDATE orders SET note = NULL WHERE id = 700")
        with pytest.raises(RefusedError) as caught:
            run(pair.url(name), DECIDES, tmp_path, policy=Policy(small_table_rows=0), replicas=(pair.replica_url(name),))
    finally:
        command(pair.replica_url(name), release)
    assert (caught.value.code, caught.value.summary) == ("DF-E305", "1 orders have no note")


def test_a_server_that_is_no_replica_is_refused(pair: Pair, tmp_path: Path) -> None:
    """The primary itself, and another database of the replica: nothing is changed."""
    name, other = pair.database(*TABLES), pair.database(*TABLES)
    for wrong, why in ((pair.url(name), NO_REPLICA[pair.vendor]), (pair.replica_url(other), "it is connected to the database")):
        with pytest.raises(RefusedError) as caught:
            run(pair.url(name), COUNTS, tmp_path, replicas=(wrong,))
        assert caught.value.code == "DF-E756" and why in caught.value.why
    with pytest.raises(Exception, match="made"):
        value(pair.url(name), "SELECT count(*) FROM made")


NO_REPLICA = {"postgresql": "it is not in recovery", "mariadb": "it is not read-only", "mysql": "it is not read-only"}


def test_replicas_that_nobody_named_are_known(pair: Pair) -> None:
    name = pair.database()
    with (
        closing(connector_for(pair.url(name)).connect("t")) as primary,
        closing(connector_for(pair.replica_url(name)).connect("t")) as replica,
    ):
        (known,) = known_replicas(primary, ())
        assert "reader" in known
        assert known_replicas(primary, (replica,)) == ()


def test_a_copy_of_a_file_is_no_replica(tmp_path: Path) -> None:
    first, second = (f"sqlite:///{sqlite.create(tmp_path / name)}" for name in ("a.db", "b.db"))
    execute(first, TABLES[0])
    with pytest.raises(RefusedError) as caught:
        run(first, COUNTS, tmp_path, replicas=(second,))
    assert caught.value.code == "DF-E756" and "SQLite has no replicas" in caught.value.why
