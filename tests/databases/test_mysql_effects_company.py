"""Predicted algorithms against a live server: tables with generated columns and indexes of every kind, and clauses that change what others cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from test_mysql_effects import connection, differences  # noqa: F401 - pytest finds the fixture by its name here

from driftflow.engine.ports import Connection

TABLES = {
    "computed": "create table computed (id int primary key, v varchar(10), n int, g int as (n + 1) virtual, e varchar(20), z int not null)",
    "computed_indexed": "create table computed_indexed (id int primary key, v varchar(10), n int, g int as (n + 1) virtual, e varchar(20), z int not null, key (g))",
    "plain": "create table plain (id int primary key, v varchar(10), n int, e varchar(20), z int not null, key (e, n), key (z))",
    "kept": "create table kept (id int primary key, v varchar(10), n int, g int as (n + 1) stored, e varchar(20), z int not null, key (e))",
}
CLAUSES = (
    "modify v varchar(10) first, add column q int",
    "modify v varchar(10) first, add column q int, add key kk (n)",
    "modify v varchar(10) first, comment='x'",
    "modify v varchar(10) first, rename column z to zz",
    "modify v varchar(10) first, alter n set default 4",
    "modify v varchar(20) first, add column q int",
    "modify v varchar(10) first, modify e varchar(20) after v, drop column z",
    "add key e (e, z), drop key e",
    "add column q int after e, drop column e",
    "add column q int after zz",
    "modify v varchar(10) after zz",
    "drop key e, add key kk (z), add column q int",
    "drop key e, modify z bigint not null",
    "drop key e, comment='x'",
    "drop key e, modify z int null",
    "drop key e, add unique key e (e)",
    "drop key e",
    "add constraint ckz check (z > 0), drop column e",
    "drop key e, drop column v",
    "drop key e, add column q int",
    "drop column e, drop key e",
    "drop key e, rename column v to w",
    "drop column e, rename column v to w",
    "drop column z, add column q int",
    "drop column z, modify v varchar(10) first",
    "add column q int after z",
    "add column q int after g",
    "drop column v, drop column e",
    "drop column e, add column q int",
    "drop column e, comment='x'",
    "modify g int as (n + 1) virtual",
    "modify g int as (n + 1) virtual first",
    "change g gg int as (n + 1) virtual",
    "modify g int as (n + 2) virtual",
    "drop column g, drop column e",
    "drop column g, add column q int",
    "drop key g",
    "drop column v, add key kk (n)",
    "drop column e, add key kk (n)",
    "add column q int first, comment='x'",
    "modify v varchar(10) first, modify e varchar(10) after v",
    "modify n int not null, add column q int",
    "modify n bigint",
    "add column q int as (z) virtual, add column r int",
    "add column q int as (z) virtual, drop column e",
    "add column q int as (z) virtual, drop column v",
    "add column q int as (z) virtual after v",
    "drop primary key, add primary key (z)",
    "add fulltext key ff (e)",
    "modify v varchar(20) after z",
    "rename column g to gg",
    "modify e varchar(20) null default 'x' first",
    "add index i1 (g)",
    "add index i1 (g, n)",
    "modify z int null, comment='x'",
    "modify z int null, modify v varchar(20)",
    "drop column v",
    "drop column e",
    "add column q int",
    "add column q int first",
    "add column q int after n",
    "add column q int as (n) virtual",
    "add column q int as (n) stored",
    "modify v varchar(20)",
    "modify v varchar(300)",
    "modify v varchar(10) first",
    "modify e varchar(20) first",
    "modify v int",
    "modify z int null",
    "modify n int not null",
    "modify z bigint not null",
    "change v w varchar(10)",
    "rename column e to ee",
    "alter v set default 'x'",
    "add key kk (n)",
    "add unique key kk (e)",
    "add constraint c1 check (z > 0)",
    "drop column g",
    "drop column g, drop column v",
    "add column q int, add column r int",
    "drop column v, add column q int",
    "comment='x'",
    "auto_increment=5",
    "force",
    "row_format=compact",
    "add column q int, comment='x'",
    "drop column v, comment='x'",
    "rename column v to w, comment='x'",
    "modify v varchar(20), comment='x'",
    "modify z bigint not null, comment='x'",
    "add key kk (n), comment='x'",
    "alter v set default 'x', comment='x'",
    "rename column v to w, add column q int",
    "drop primary key",
    "add column q int unique",
    "add column q text not null",
    "modify v varchar(10) character set latin1",
    "modify v varchar(10) collate utf8mb4_bin",
    "rename column v to w, default character set latin1",
    "modify v varchar(20) comment 'x'",
    "modify v varchar(10) after z",
    "add key kk (v), drop column e",
    "add column q int as (n) virtual, add key kk (q)",
    "modify g int as (n + 1) virtual comment 'x'",
    "modify z int null, add column q int",
    "modify v varchar(10) character set latin1, drop column e",
    "convert to character set latin1",
)


@pytest.fixture(scope="module")
def tables(connection: Connection) -> Iterator[Connection]:  # noqa: F811 - the fixture, not the import
    for name, statement in TABLES.items():
        connection.execute(statement)
        connection.execute(f"insert into {name} (id, v, n, e, z) values (1, 'a', 1, 'b', 1)")
    yield connection
    for name in TABLES:
        connection.execute(f"drop table {name}")


@pytest.mark.parametrize("name", TABLES)
def test_clauses_are_predicted_as_this_server_does_them(tables: Connection, name: str) -> None:
    assert differences(tables, [f"alter table {name} {clauses}" for clauses in CLAUSES]) == []


BINARY, GENERAL = (f"character set utf8mb4 collate utf8mb4_{name}" for name in ("bin", "general_ci"))
WORDS = (
    f"modify bio text {GENERAL}",
    f"modify v varchar(10) {GENERAL}",
    f"modify v varchar(20) {BINARY}",
    f"modify e enum('a','b','c') {BINARY}",
    "modify n int null default 4",
    "rename column v to w",
    "change n m int null",
    "alter v set default 'q'",
    "drop column n",
)
BESIDE = (
    "comment='x'",
    "auto_increment=7",
    f"default {GENERAL}",
    "row_format=compact",
    "add index k (id)",
    "add column z int",
    "modify o int not null",
)


def test_options_and_texts_beside_each_other(connection: Connection) -> None:  # noqa: F811 - the fixture, not the import
    connection.execute(
        f"create table worded (id int primary key auto_increment, bio text, v varchar(10), n int, o int, e enum('a','b')) default {BINARY}"
    )
    connection.execute("insert into worded (bio, v, n, o, e) values ('a', 'b', 1, 1, 'a')")
    try:
        assert differences(connection, [f"alter table worded {one}, {other}" for one in WORDS for other in BESIDE]) == []
    finally:
        connection.execute("drop table worded")
