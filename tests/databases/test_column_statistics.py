"""How values are spread: read from each server's own statistics without a value, kept in the snapshot, and found again in rows that are made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from proving import FAMILY

import wanted
from driftflow.cli.main import main
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.catalogs import read_catalog
from driftflow.drivers.column_statistics import with_column_statistics
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connector
from driftflow.lab import mysql, sqlite
from driftflow.lab.rows.fill import fill
from driftflow.lab.scratch import scratch
from driftflow.lab.servers import AnyServer
from driftflow.lab.start_schema import StartSchema, build
from driftflow.model.catalog import Catalog, ColumnStatistics, Table
from driftflow.model.snapshot import Snapshot, decode_snapshot, encode_snapshot

ROWS = 2_000
TABLES = (
    "CREATE TABLE parent (id integer PRIMARY KEY)",
    """CREATE TABLE thing (id integer PRIMARY KEY, kind varchar(40) NOT NULL, note varchar(40), code varchar(40) NOT NULL,
        parent_id integer, CONSTRAINT thing_parent FOREIGN KEY (parent_id) REFERENCES parent (id))""",
    "CREATE INDEX thing_code ON thing (code)",
    "CREATE INDEX thing_parent_id ON thing (parent_id)",
)
ANALYZE = {
    "postgresql": ("ANALYZE",),
    "mysql": ("ANALYZE TABLE thing", "ANALYZE TABLE thing UPDATE HISTOGRAM ON kind, note, parent_id WITH 100 BUCKETS"),
    "mariadb": (
        "SET use_stat_tables = 'preferably'",
        "SET histogram_type = 'JSON_HB'",
        "SET histogram_size = 100",
        "ANALYZE TABLE thing PERSISTENT FOR ALL",
    ),
    "sqlite": ("ANALYZE",),
}


def kind(number: int) -> str:
    """Seven of ten rows are alike, two more, and one of four others."""
    return "secret-common" if number % 10 < 7 else "secret-second" if number % 10 < 9 else f"secret-{number % 8}"


def make(connector: Connector) -> None:
    with closing(connector.connect("test")) as connection:
        for sql in TABLES:
            connection.execute(sql)
        connection.begin()
        connection.execute_many("INSERT INTO parent VALUES (%s)", [(number,) for number in range(1, 101)])
        connection.execute_many(
            "INSERT INTO thing VALUES (%s, %s, %s, %s, %s)",
            [
                (
                    number,
                    kind(number),
                    f"secret note {number % 5}" if number % 4 == 0 else None,
                    f"secret code {number}",
                    1 if number % 2 else 1 + number % 100,
                )
                for number in range(1, ROWS + 1)
            ],
        )
        connection.commit()
        for sql in ANALYZE[connection.dialect]:
            connection.query(sql)


@contextmanager
def database(vendor: str, either_server: Callable[[int], AnyServer], folder: Path) -> Iterator[Connector]:
    match vendor:
        case "sqlite":
            yield connector_for(f"sqlite:///{sqlite.create(folder / 'real.db')}")
        case "postgresql":
            server = either_server(18)
            url = server.create_database()
            try:
                yield connector_for(url)
            finally:
                server.drop_database(url)
        case _:
            with mysql.begun(wanted.mysql_programs_of(vendor), folder=None, settings=None, durable=False) as started:
                started.create_database("real")
                # Only root may read mysql.column_stats of MariaDB.
                yield connector_for(started.url("real", user="root"))


def thing(catalog: Catalog) -> Table:
    return next(table for table in catalog.tables.values() if table.name.name == "thing")


VENDORS = [
    pytest.param("sqlite", marks=pytest.mark.sqlite),
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    *FAMILY,
]


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_read_is_found_again_in_made_up_rows(
    vendor: str, either_server: Callable[[int], AnyServer], tmp_path: Path
) -> None:
    with database(vendor, either_server, tmp_path) as connector:
        make(connector)
        catalog = with_column_statistics(connector, read_catalog(connector))
    told = {one.column: one for one in thing(catalog).statistics.columns}
    assert told["kind"].distinct == 6
    assert told["kind"].frequencies[:2] == pytest.approx((0.7, 0.2), abs=0.03)
    assert told["note"].null_fraction == pytest.approx(0.75, abs=0.03)
    assert told["code"].distinct is not None
    assert told["code"].distinct > 0.9 * ROWS
    assert told["parent_id"].frequencies[0] == pytest.approx(0.5, abs=0.05)
    text = encode_snapshot(Snapshot(catalog=catalog))
    assert "secret" not in text
    kept = decode_snapshot(text).catalog
    assert thing(kept).statistics == thing(catalog).statistics
    assert kept.fingerprint() == catalog.fingerprint()
    alike_in_made_up_rows(kept)


def alike_in_made_up_rows(catalog: Catalog) -> None:
    dialect = dialect_named(catalog.vendor)
    statistics = {name: table.statistics for name, table in catalog.tables.items()}
    with scratch(catalog.vendor, catalog.version, database=catalog.database) as place:
        assert build(StartSchema(name="snapshot", catalog=catalog), place, dialect) == ()
        filled = fill(place.connector, read_catalog(place.connector), dialect, rows=1_000, statistics=statistics)
        assert not filled.impossible
        with closing(place.connector.connect("look")) as connection:
            (row,) = connection.query(
                "SELECT count(*), count(DISTINCT kind), count(note), count(DISTINCT code), count(parent_id) FROM thing"
            )
            rows, kinds, notes, codes, _ = (int(one) for one in row)
            most = [int(n) for (n,) in connection.query("SELECT count(*) FROM thing GROUP BY kind ORDER BY 1 DESC LIMIT 2")]
            (parents,) = connection.query("SELECT count(*) FROM thing GROUP BY parent_id ORDER BY 1 DESC LIMIT 1")[0]
    assert rows == 1_000
    assert kinds == 6
    assert most == pytest.approx([700, 200], abs=60)
    assert notes == pytest.approx(250, abs=60)
    assert codes > 900
    assert int(parents) == pytest.approx(500, abs=60)


@pytest.mark.sqlite
def test_without_statistics_they_are_assumed(tmp_path: Path) -> None:
    connector = connector_for(f"sqlite:///{sqlite.create(tmp_path / 'real.db', ';'.join(TABLES))}")
    assert thing(with_column_statistics(connector, read_catalog(connector))).statistics.columns == ()


@pytest.mark.sqlite
def test_the_snapshot_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    make(connector_for(f"sqlite:///{sqlite.create(tmp_path / 'real.db')}"))
    assert main(["snapshot", "--url", "sqlite:///real.db", "-o", "real.json"]) == 0
    text = Path("real.json").read_text()
    assert "secret" not in text
    found = thing(decode_snapshot(text).catalog).statistics.column("note")
    assert found == ColumnStatistics(
        column="note", distinct=5, null_fraction=0.75, frequencies=found.frequencies, basis="the first rows"
    )
    capsys.readouterr()
