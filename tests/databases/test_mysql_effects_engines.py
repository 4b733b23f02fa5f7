"""Predicted algorithms against a live server: tables of other engines, and what keys, checks, JSON and special indexes make of a clause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from test_mysql_effects import DATABASE, connection, differences  # noqa: F401 - pytest finds the fixture by its name here

from driftflow.dialects.registry import dialect_named
from driftflow.drivers.mysql_catalog import read_catalog
from driftflow.engine.ports import Connection
from driftflow.lab.observe_mysql import observe
from driftflow.model.migration import Statement
from driftflow.model.names import Span
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


TEXTS = "id int not null primary key, tx text, bl blob, j json, tt tinytext, n text not null, w varchar(1000), v varchar(300)"
WITHOUT_LENGTH = (
    "add index (tx)",
    "add index (bl)",
    "add index (j)",
    "add index (tt)",
    "add index (tx) using hash",
    "add index (tx, v)",
    "add index (w)",
    "add unique (tx)",
    "add unique (tx, v)",
    "add unique (bl)",
    "add unique (w)",
    "add unique (w, v)",
    "add unique (v)",
    "add index (tx), add index (v)",
    "modify tx mediumtext, add index (tx)",
    "drop primary key, add primary key (n)",
)


def test_a_text_is_indexed_without_a_length(connection: Connection) -> None:  # noqa: F811 - the fixture, not the import
    """By MariaDB alone: an index holds the beginning of each text, a unique one a hash that a copy computes."""
    connection.execute(f"CREATE TABLE texts ({TEXTS}) charset utf8mb4")
    try:
        wrong = differences(connection, [f"alter table texts {clause}" for clause in WITHOUT_LENGTH])
        if connection.dialect == "mariadb":
            dialect, before = dialect_named("mariadb"), read_catalog(connection)
            for column in ("tx", "bl", "j", "tt"):
                statement = dialect.parse(Statement(sql=f"ALTER TABLE texts ADD INDEX ({column})", span=Span()))
                (operation,) = [dialect.resolve(one, before) for one in statement.operations]
                connection.execute(statement.sql)
                after = operation.after(before).table(operation.index.table).indexes
                wrong += [repr(one) for one in after if one not in read_catalog(connection).table(operation.index.table).indexes]
                before = read_catalog(connection)
    finally:
        connection.execute("DROP TABLE texts")
    assert wrong == []


STORED_BY = {
    "by_id": "id int not null, b int, c varchar(9) not null, primary key (id), key (b)",
    "by_other": "id int not null, b int not null, c varchar(9) not null, primary key (id), unique key ub (b)",
    "by_nullable": "id int not null, b int, c varchar(9) not null, primary key (id), unique key ub (b)",
    "by_beginning": "id int not null, b int, c varchar(9) not null, primary key (id), unique key ub (c(4))",
}
LEFT = (
    "drop primary key",
    "drop primary key, add unique (id)",
    "drop primary key, add unique ubb (b)",
    "drop primary key, add unique ucc (c)",
    "drop primary key, modify b int not null",
    "drop primary key, modify b int null",
    "drop primary key, add column z int",
    "drop primary key, add column z int, add unique (id)",
    "drop primary key, drop index ub, add unique (id)",
    "drop primary key, drop index ub",
)


def test_another_key_takes_the_place_of_the_primary_one(connection: Connection) -> None:  # noqa: F811 - the fixture, not the import
    """Where a unique key is over whole columns that are NOT NULL, the rows are stored by it, and the table is not copied."""
    for table, columns in STORED_BY.items():
        connection.execute(f"CREATE TABLE {table} ({columns})")
    try:
        assert differences(connection, [f"alter table {table} {clause}" for table in STORED_BY for clause in LEFT]) == []
    finally:
        connection.execute(f"DROP TABLE {', '.join(STORED_BY)}")


def test_a_column_that_others_are_computed_from_gets_another_name(connection: Connection) -> None:  # noqa: F811 - the fixture, not the import
    connection.execute(
        "CREATE TABLE summed (id int primary key, a int, s int as (a + 1) stored, v int as (a + 2) virtual, b int)"
    )
    clauses = (
        "change a aa int",
        "change a a bigint",
        "rename column a to aa",
        "change b bb int",
        "change a aa int, drop column s",
    )
    try:
        assert differences(connection, [f"alter table summed {clause}" for clause in clauses]) == []
    finally:
        connection.execute("DROP TABLE summed")
