"""The catalog of a live MySQL or MariaDB equals the one that reading the statements gives; and it goes on to after each further statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from mysql_statements import statements

from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.mysql_catalog import read_catalog
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.model.catalog import Catalog, structure
from driftflow.model.names import Name
from driftflow.model.operations import CatalogConflict
from driftflow.model.record import replace
from mysql_predictions import operations_of, setup_statements

MORE = """
create table types (a tinyint(1) default 0, b int(5) zerofill, c decimal(8) not null default '2', d float(7,2), e double, f bit(3) default b'101', g date default '2020-01-01', h time(3), i datetime(6) default current_timestamp(6) on update current_timestamp(6), j year, k char(5) default 'it''s', l binary(4), m varbinary(9), n tinytext, o longblob, p set('x','y') default 'x', q enum('a','b') not null default 'b' comment 'said', r timestamp null default null, s bigint unsigned, t varchar(20) character set latin1 collate latin1_bin, u int default (1 + 2), v int as (a + 1) stored, w int as (a * 2) virtual, primary key (s), unique key uq (k, j), key pre (n(10)), key de (e desc), fulltext key ft (n)) comment='all of them'
create table child (id int primary key, pid int, qid bigint unsigned, constraint fk_p foreign key (pid) references p (id) on delete cascade on update set null, foreign key (qid) references types (s), check (id > 0), constraint named check (id < 100 or id is null))
create table hashed (id int primary key) partition by hash (id) partitions 4
create table listed (id int, r int) partition by list (r) (partition a values in (1, 2), partition b values in (3))
create view vw as select p.id, t.vc from p join t on t.pid = p.id where p.v like 'x%'
create trigger tr before insert on p for each row set new.v = concat(new.v, 'x')
create function fn(a int) returns int deterministic return a + 1
""".strip().splitlines()


@pytest.fixture
def connection(mysql_url: str) -> Iterator[Connection]:
    with closing(connector_for(mysql_url).connect("catalog")) as opened:
        yield opened


def schema_statements() -> list[str]:
    return [sql for sql in setup_statements() if not sql.startswith(("drop database", "create database", "use "))]


def moved(dialect: Dialect, catalog: Catalog, sql: str) -> Catalog:
    for operation in operations_of(dialect, sql):
        catalog = dialect.resolve(operation, catalog).after(catalog)
    return catalog


def unlike(predicted: Catalog, live: Catalog) -> list[str]:
    """Tables and views that are not the same, with what differs."""
    found = []
    for key in sorted({*predicted.tables, *live.tables}):
        one, other = predicted.tables.get(key), live.tables.get(key)
        if one is None or other is None:
            found.append(f"{key} is only {'live' if one is None else 'predicted'}")
        elif structure(one) != structure(other):
            found += [
                f"{key}.{field}: predicted {before}\n    live {after}"
                for field in one.__struct_fields__
                if (before := getattr(structure(one), field)) != (after := getattr(structure(other), field))
            ]
    return found


def test_the_live_catalog_is_what_the_statements_say(connection: Connection) -> None:
    dialect = dialect_named(connection.dialect)
    predicted = read_catalog(connection)
    for sql in [*schema_statements(), *MORE]:
        connection.execute(sql)
        predicted = moved(dialect, predicted, sql)
    live = read_catalog(connection)
    assert unlike(predicted, live) == []
    schema = predicted.database
    assert live.views[f"{schema}.vw"].depends_on == (Name(schema=schema, name="p"), Name(schema=schema, name="t"))
    assert live.views[f"{schema}.vw"].columns == ("id", "vc")
    assert [one.name.name for one in live.routines.values()] == ["fn"]
    assert live.tables[f"{schema}.t"].statistics.basis == "information_schema.tables"


def test_each_alter_leaves_the_catalog_that_was_foretold(connection: Connection) -> None:
    """Statements made by chance, one after the other on the same schema; those that the server refuses change nothing."""
    dialect = dialect_named(connection.dialect)
    for sql in schema_statements():
        connection.execute(sql)
    catalog = read_catalog(connection)
    applied = 0
    for sql in statements(5, 150):
        before = catalog
        try:
            catalog = moved(dialect, catalog, sql)
        except CatalogConflict:
            catalog = before
        try:
            connection.execute(sql)
        except DatabaseFault:
            catalog = before
            continue
        applied += 1
        live = read_catalog(connection)
        assert unlike(catalog, live) == [], sql
        catalog = replace(live)
    assert applied > 40
