"""Predicted algorithms against a live server: tables of other engines, and what keys, checks, JSON and special indexes make of a clause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from test_mysql_effects import DATABASE, connection, differences  # noqa: F401 - pytest finds the fixture by its name here

from driftflow.dialects.registry import dialect_named
from driftflow.drivers.mysql_catalog import read_catalog
from driftflow.engine.ports import Connection
from driftflow.lab.observe_mysql import observe
from mysql_predictions import predicted, spelled

ENGINES = ("myisam", "memory", "aria")
CLAUSES = (
    "add column z int",
    "add column z int, alter a set default 3",
    "drop column t",
    "rename column b to bb",
    "alter a set default 4",
    "modify a int comment 'x'",
    "modify a bigint",
    "modify a int after t",
    "modify t varchar(12)",
    "modify e enum('a','b','c')",
    "add index (a)",
    "add unique (a)",
    "drop index ix",
    "rename index ix to iy",
    "drop primary key",
    "comment 'x'",
    "auto_increment = 5",
    "row_format = fixed",
    "force",
    "default charset latin1",
    "convert to character set latin1",
    "stats_persistent = 1",
    "rename column b to bb, alter e set default 'b'",
)


def test_another_engine_copies_what_innodb_does_in_place(connection: Connection) -> None:  # noqa: F811 - the fixture, not the import
    """Whether the table is written anew cannot be seen there: only InnoDB says so."""
    dialect, wrong = dialect_named(connection.dialect), []
    engines = [one for one in ENGINES if one != "aria" or connection.dialect == "mariadb"]
    columns = "id int primary key, a int, b int, t varchar(10), e enum('a','b') default 'a', key ix (a)"
    for engine in engines:
        connection.execute(f"CREATE TABLE of_{engine} ({columns}) ENGINE={engine}")
    try:
        catalog = read_catalog(connection)
        for sql in (f"alter table of_{engine} {clause}" for engine in engines for clause in CLAUSES):
            seen = observe(connection.query, sql, database=DATABASE, mariadb=dialect.name == "mariadb", before=())
            pairs = {spelled(one.algorithm, one.lock) for one in seen.algorithms}
            if pairs != (said := set(predicted(dialect, catalog, sql).pairs)):
                wrong.append(f"{sql}: predicted {said}, observed {pairs}")
    finally:
        connection.execute(f"DROP TABLE {', '.join(f'of_{engine}' for engine in engines)}")
    assert wrong == []


TABLES = {
    "parent": "(id int not null primary key, x int not null, u int, unique key uq (u))",
    "kid": "(p int not null, n int not null, v int not null, primary key (p, n), foreign key (p) references parent (id))",
    "kid_u": "(u int, foreign key (u) references parent (u))",
    "checked": "(id int primary key, a int, b int, c int check (c > 0), d int, constraint k1 check (a > 0), constraint k2 check (b > d))",
    "document": "(id int primary key, meta json, plain longtext)",
    "worded": "(id int primary key, a int, b int, note text, st int as (a + 1) stored, v int as (b + 2) virtual, fulltext key note_ft (note))",
    "worded_plain": "(id int primary key, a int, note text, fulltext key note_ft (note))",
    "placed": "(id int primary key, a int, g point not null, h point not null, spatial index (g))",
    "paged": "(id int primary key, a int)",
    "split": "(id int primary key, a int) partition by hash (id) partitions 2",
    "two": "(id int primary key, a int)",
}
STATEMENTS = (
    "parent drop primary key, add primary key (id, x)",
    "parent drop primary key, add primary key (id)",
    "parent drop index uq, add unique (u, x)",
    "parent drop index uq",
    "parent engine = myisam",
    "parent discard tablespace",
    "kid drop primary key",
    "kid drop primary key, add index (p)",
    "kid drop primary key, add index (p), add primary key (n, v)",
    "checked rename column a to aa",
    "checked rename column c to cc",
    "checked change b bb int",
    "checked rename column a to aa, drop constraint k1",
    "checked drop column a",
    "checked drop column b",
    "checked drop column c",
    "checked drop column a, add column z int",
    "checked modify c int",
    "checked modify c int check (c > 0)",
    "checked modify c int check (c > 5)",
    "checked modify c int not null check (c > 0)",
    "checked modify a int check (a > 2)",
    "document modify meta longtext",
    "document modify meta longtext character set utf8mb4 collate utf8mb4_bin",
    "document modify meta json",
    "document modify plain json",
    "worded drop column st",
    "worded add column z int",
    "worded_plain drop index note_ft",
    "worded_plain drop index note_ft, add column z int",
    "worded_plain drop index note_ft, drop column a",
    "worded_plain drop index note_ft, add index (a)",
    "placed add column z int",
    "placed modify a int not null",
    "placed force",
    "placed add spatial index (h)",
    "split add foreign key (a) references two (id)",
    "two add foreign key (a) references split (id)",
    "two add column z int not null unique",
    "two add column z bigint not null references paged (id)",
    "two add column z int references paged (id)",
    "two add column z int references paged (id), add column y int",
    "two add column z int, add check (z > 0)",
)
MARIADB = ("paged page_compressed = 1", "paged page_compressed = 0")


@pytest.fixture
def tables(connection: Connection) -> Iterator[Connection]:  # noqa: F811 - the fixture, not the import
    for name, text in TABLES.items():
        connection.execute(f"CREATE TABLE {name} {text}")
    connection.execute("INSERT INTO two (id) VALUES (1), (2)")
    connection.execute("INSERT INTO paged (id) VALUES (1)")
    yield connection
    connection.execute(f"DROP TABLE {', '.join(reversed(TABLES))}")


def test_keys_checks_json_and_special_indexes(tables: Connection) -> None:
    more = MARIADB if tables.dialect == "mariadb" else ()
    assert differences(tables, [f"alter table {one}" for one in (*STATEMENTS, *more)]) == []


def test_alter_ignore_copies_for_a_new_unique_key(tables: Connection) -> None:
    if tables.dialect != "mariadb":
        pytest.skip("MySQL has no ALTER IGNORE")
    wanted = ("add unique (a)", "add index (a)", "add column z int", "modify a int not null", "comment 'x'")
    assert differences(tables, [f"alter ignore table paged {one}" for one in wanted]) == []
