"""The catalog of a live MySQL or MariaDB is what its statements say: read from information_schema, and from the text of CREATE TABLE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.drivers.mysql_catalog import read_catalog, read_rows
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection
from driftflow.lab.mysql import Server
from driftflow.model.catalog import Catalog, structure
from driftflow.model.record import replace

SETUP = Path(__file__).parent / "data" / "effects" / "mysql-setup.sql"
DATABASE = "d"
SCHOOL = """
create table school (id bigint unsigned not null auto_increment, name varchar(80) not null default '', code char(3), opened date, fee decimal(12,4) not null default '0.0000', active tinyint(1) not null default 1, small tinyint unsigned, flags set('a','b c','it''s'), kind enum('x','y') not null default 'x', made timestamp not null default current_timestamp, changed datetime(3) null default current_timestamp(3) on update current_timestamp(3), bits bit(3) default b'101', raw varbinary(16), big longtext, ratio double, y year, t time(2), note varchar(20) character set latin1 collate latin1_bin default 'it''s', primary key (id), unique key u_code (code), key k_name (name(10), active), key k_down (fee desc, id), fulltext key ft (big)) comment='schools of the town' row_format=dynamic;
create table pupil (school_id bigint unsigned not null, nr int not null, full_name varchar(100) generated always as (concat(first,' ',last)) virtual, first varchar(40) not null, last varchar(40) not null, age int, initials char(2) as (concat(left(first,1),left(last,1))) stored, primary key (school_id, nr), key k_last (last), constraint in_school foreign key (school_id) references school (id) on delete cascade, constraint grown check (age is null or age >= 5 and age < 120));
create table mentor (id int primary key, pupil_school bigint unsigned, pupil_nr int, other int, constraint of_pupil foreign key (pupil_school, pupil_nr) references pupil (school_id, nr) on delete set null on update cascade, constraint of_mentor foreign key (other) references mentor (id));
create table mark (id int not null, at date not null, value int, primary key (id, at)) partition by range (to_days(at)) (partition old values less than (738000), partition rest values less than maxvalue);
create table lot (id int not null, kind int not null, primary key (id, kind)) partition by list (kind) (partition a values in (1,2), partition b values in (3));
create table spread (id int primary key, v varchar(5)) partition by hash (id) partitions 3;
create table `odd name``s` (`select` int, `a b` varchar(3) default 'x', key `k``1` (`a b`)) comment='it''s "odd"' engine=MyISAM;
create table shape (id int primary key, g geometry not null, spatial index sp (g));
create table doc (id int primary key, j json, key only_here (id))
""".strip().split(";\n")
"""What the recorded schema lacks."""


@pytest.fixture(params=["recorded", "school"])
def schema(request: pytest.FixtureRequest, mysql_server: Server) -> Iterator[tuple[Connection, Sequence[str]]]:
    """A session in the database, and the statements that made it."""
    recorded = [one for one in SETUP.read_text(encoding="utf-8").split(";\n") if one.strip().startswith("create table")]
    statements = recorded if request.param == "recorded" else SCHOOL
    mysql_server.drop_database(DATABASE)
    mysql_server.create_database(DATABASE)
    with closing(connector_for(mysql_server.url(DATABASE)).connect()) as connection:
        for statement in statements:
            connection.execute(statement)
        yield connection, statements
    mysql_server.drop_database(DATABASE)


def spoken(live: Catalog, statements: Sequence[str]) -> Catalog:
    """The catalog that the statements make of an empty database of the same server."""
    dialect = dialect_named(live.vendor)
    catalog = replace(live, tables={}, views={}, sequences={}, routines={})
    for sql in statements:
        (statement,) = dialect.split(SourceText(sql))
        for operation in dialect.parse(statement).operations:
            assert type(operation).__name__ == "CreateTable", (sql, operation)
            catalog = dialect.resolve(operation, catalog).after(catalog)
    return catalog


def differing(one: Catalog, other: Catalog) -> dict[str, Any]:
    """The parts of each table that differ."""
    assert set(one.tables) == set(other.tables)
    found: dict[str, Any] = {}
    for key, table in one.tables.items():
        mine, theirs = structure(table), structure(other.tables[key])
        for name in mine.__struct_fields__:
            if getattr(mine, name) != getattr(theirs, name):
                found[f"{key}.{name}"] = (getattr(mine, name), getattr(theirs, name))
    return found


def test_what_was_said_is_what_is_read(schema: tuple[Connection, Sequence[str]]) -> None:
    connection, statements = schema
    live = read_catalog(connection)
    assert differing(spoken(live, statements), live) == {}


def test_what_the_server_says_of_each_table_is_what_is_read(schema: tuple[Connection, Sequence[str]]) -> None:
    connection, _ = schema
    live = read_catalog(connection)
    quote = dialect_named(live.vendor).quote_name
    texts = [str(connection.query(f"SHOW CREATE TABLE {quote(table.name)}")[0][1]) for table in live.tables.values()]
    assert differing(spoken(live, texts), live) == {}


def test_statistics_settings_and_sizes_are_there(schema: tuple[Connection, Sequence[str]]) -> None:
    connection, _ = schema
    live = read_catalog(connection)
    assert {"sql_mode", "lower_case_table_names", "innodb_strict_mode", "foreign_key_checks", "version_comment"} <= set(
        live.settings
    )
    assert live.vendor == connection.dialect and live.version == connection.version and live.search_path == (DATABASE,)
    assert all(table.statistics.bytes is not None and table.statistics.basis for table in live.tables.values())


def test_a_slice_has_the_fingerprint_of_the_whole(schema: tuple[Connection, Sequence[str]]) -> None:
    """Whatever the relations are; of the other tables nothing is read."""
    connection, _ = schema
    tables = list(read_catalog(connection).tables.values())
    first, second = (quote(table.name.name) for table in tables[:2])
    connection.execute(f"create view seen as select count(*) as n from {first}")
    connection.execute("create view seen_again as select n from seen")
    connection.execute(f"create trigger mine before delete on {first} for each row set @a = 'it''s'")
    connection.execute(f"create trigger zzz_driftflow_x before delete on {second} for each row set @a = 1")
    whole = read_catalog(connection)
    names = [one.name for one in (*whole.tables.values(), *whole.views.values())]
    for some in [(one,) for one in names] + list(pairwise(names)) + [tuple(names)]:
        narrow = read_catalog(connection, relations=some)
        assert narrow.fingerprint(some) == whole.fingerprint(some), some
        assert whole.complete and not narrow.complete
        assert {*narrow.tables} == {one.text for one in some} & {*whole.tables}
    (one,) = read_catalog(connection, relations=names[:1]).tables.values()
    assert structure(one) == structure(whole.tables[one.name.text]) and [trigger.name for trigger in one.triggers] == ["mine"]


def test_two_hundred_tables_take_as_many_queries_as_one(mysql_server: Server) -> None:
    """Counted, not timed: each query more would be asked of every table of the largest database."""
    counts = []
    for tables in (1, 200):
        mysql_server.drop_database(DATABASE)
        mysql_server.create_database(DATABASE)
        with closing(connector_for(mysql_server.url(DATABASE)).connect()) as connection:
            for number in range(tables):
                connection.execute(f"create table t{number} (id int primary key, v varchar(10), key (v))")
            before = asked(connection)
            rows = read_rows(connection)
            counts.append(asked(connection) - before)
            assert len(rows["tables"]) == tables and len(rows["columns"]) == 2 * tables
    mysql_server.drop_database(DATABASE)
    assert counts[0] == counts[1] < 25


def test_the_work_grows_with_the_tables_and_not_with_their_square(mysql_server: Server) -> None:
    """Rows that the server looked at, not time. 4 times the tables are 16 times the work where two views are joined row by row."""
    looked_at = []
    for tables in (15, 60):
        mysql_server.drop_database(DATABASE)
        mysql_server.create_database(DATABASE)
        with closing(connector_for(mysql_server.url(DATABASE)).connect()) as connection:
            for number in range(tables):
                connection.execute(
                    f"create table t{number} (id int primary key, v int check (v > 0), parent int references t0 (id),"
                    f" constraint f{number} foreign key (parent) references t{max(number - 1, 0)} (id))"
                )
            read_rows(connection)
            before = handled(connection)
            rows = read_rows(connection)
            looked_at.append(handled(connection) - before)
            assert len(rows["checks"]) == tables
    mysql_server.drop_database(DATABASE)
    assert looked_at[1] < 7 * looked_at[0], looked_at


def handled(connection: Connection) -> int:
    return sum(int(count) for _, count in connection.query("SHOW SESSION STATUS LIKE 'Handler_read%'"))


def rows_of(url: str, table: str) -> int | None:
    """As somebody who begins now is told."""
    with closing(connector_for(url).connect()) as connection:
        return read_catalog(connection).tables[f"{connection.query('SELECT DATABASE()')[0][0]}.{table}"].statistics.rows


def filled(connection: Connection, table: str, *, doublings: int) -> None:
    connection.execute(f"INSERT INTO {table} (b) VALUES (1)")
    for _ in range(doublings):
        connection.execute(f"INSERT INTO {table} (b) SELECT b FROM {table}")


def test_a_table_that_was_empty_when_somebody_last_asked(mysql_url: str) -> None:
    """MySQL keeps for a day what information_schema said."""
    with closing(connector_for(mysql_url).connect()) as connection:
        if connection.dialect == "mysql":
            connection.execute("SET SESSION information_schema_stats_expiry = 86400")
        connection.execute("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, b int)")
        connection.query("SELECT table_rows, auto_increment FROM information_schema.tables WHERE table_schema = DATABASE()")
        filled(connection, "t", doublings=12)
    assert (rows_of(mysql_url, "t") or 0) > 1000


@pytest.mark.parametrize(("doublings", "rows"), [(14, None), (5, 32)])
def test_a_table_whose_statistics_are_from_when_it_was_empty(mysql_url: str, doublings: int, rows: int | None) -> None:
    """MySQL reads them again when the table is opened anew, as it is behind CREATE TRIGGER."""
    with closing(connector_for(mysql_url).connect()) as connection:
        connection.execute("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, b int) STATS_AUTO_RECALC=0")
        filled(connection, "t", doublings=doublings)
        connection.execute("CREATE TRIGGER t_b BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 1")
        assert rows_of(mysql_url, "t") == (rows if connection.dialect == "mysql" else 2**doublings)


def test_a_table_that_is_said_to_be_empty_and_cannot_be_counted(mysql_url: str) -> None:
    """Somebody holds it for longer than a count waits; the one beside it is counted."""
    with (
        closing(connector_for(mysql_url).connect()) as connection,
        closing(connector_for(mysql_url).connect()) as other,
    ):
        for name in ("held", "free"):
            connection.execute(f"CREATE TABLE {name} (id int PRIMARY KEY)")
        other.execute("LOCK TABLES held WRITE")
        rows = {row["table_name"]: row["table_rows"] for row in read_rows(connection)["tables"]}
        other.execute("UNLOCK TABLES")
    assert rows == {"held": None, "free": 0}


def asked(connection: Connection) -> int:
    return int(connection.query("SHOW SESSION STATUS LIKE 'Questions'")[0][1])
