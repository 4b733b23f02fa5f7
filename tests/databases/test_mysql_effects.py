"""Predicted algorithms against a live server: every recorded statement, and statements made by chance from a grammar over the same schema.

Compared: accepted ALGORITHM and LOCK pairs, whether each writes the table anew, and whether the statement fails. Where rows decide, the
prediction's own probe query is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from mysql_statements import statements

from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.mysql_catalog import read_catalog
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection
from driftflow.lab import mysql
from driftflow.lab.observe_mysql import observe
from driftflow.model.catalog import Catalog
from mysql_predictions import CHECKS_OFF, DATA, hides_rebuild, predicted, setup_statements, spelled

SEED, COUNT = 7, 170
"""Per server; with the recorded ones about 260 statements, each tried with every algorithm. `make matrix` takes MORE."""
MORE_SEED, MORE = 11, 500
DATABASE = "d"

Ask = Callable[[str], Sequence[Sequence[Any]]]


@pytest.fixture(scope="module")
def connection(mysql_server: mysql.Server) -> Iterator[Connection]:
    mysql_server.drop_database(DATABASE)
    mysql_server.create_database(DATABASE)
    with closing(connector_for(mysql_server.url(DATABASE, user="root")).connect("observe")) as opened:
        for sql in setup_statements():
            opened.execute(sql)
        opened.execute(f"USE {DATABASE}")
        yield opened
    mysql_server.drop_database(DATABASE)


def differences(connection: Connection, wanted: Sequence[str]) -> list[str]:
    """What was predicted otherwise than it was observed, as text."""
    dialect = dialect_named(connection.dialect)
    catalog = read_catalog(connection)
    return [text for sql in wanted if (text := difference(connection, dialect, catalog, sql))]


def difference(connection: Connection, dialect: Dialect, catalog: Catalog, sql: str) -> str:
    prediction = predicted(dialect, catalog, sql)
    before = ("SET foreign_key_checks = 0",) if sql.startswith(CHECKS_OFF) else ()
    plain = sql.removeprefix(CHECKS_OFF)
    observed = observe(connection.query, plain, database=DATABASE, mariadb=dialect.name == "mariadb", before=before)
    pairs = {spelled(pair.algorithm, pair.lock): pair.rebuilds for pair in observed.algorithms}
    error = observed.fails_if[0].summary if observed.fails_if else ""
    if error:
        may_fail = [one for one in prediction.conditions if not one.probe or connection.query(one.probe)[0][0]]
        right = bool(prediction.refused or may_fail or prediction.unknown)
    else:
        offenders = [one for one in prediction.conditions if one.probe and connection.query(one.probe)[0][0]]
        same = set(prediction.pairs) == set(pairs) if hides_rebuild(plain) else prediction.pairs == pairs
        right = same and not prediction.refused and not offenders
    return "" if right else f"{sql}\n  predicted {prediction.pairs} {prediction.refused}\n  observed  {pairs} {error}"


def test_every_recorded_statement_is_predicted_as_this_server_does_it(connection: Connection) -> None:
    recorded = [str(one["sql"]) for one in json.loads((DATA / "mysql.json").read_text(encoding="utf-8"))]
    assert len(recorded) == 96
    assert differences(connection, recorded) == []


def test_statements_made_by_chance_are_predicted_as_this_server_does_them(connection: Connection) -> None:
    assert differences(connection, statements(SEED, COUNT)) == []


def test_a_column_that_is_written_must_be_there(connection: Connection) -> None:
    written = ("v = 'y'", "nope = 1", "V = 'y'", "p.v = 'y'", "`v` = 'y'")
    wanted = [f"update p set {one} where id = 7" for one in written]
    wanted += [f"insert into p ({one}) values (-1)" for one in ("id", "nope", "`ID`")]
    wanted += ["update p, c set c.pid = null where c.pid = p.id and p.id = 7", "update nowhere set i = 2", "delete from nowhere"]
    assert differences(connection, wanted) == []


def test_the_ends_of_a_foreign_key_keep_their_type_whatever_the_checks_say(connection: Connection) -> None:
    changes = ("alter table c modify pid bigint", "alter table c modify id bigint")
    assert differences(connection, [*changes, *(f"{CHECKS_OFF}{one}" for one in changes)]) == []


def test_a_column_of_a_foreign_key_becomes_not_null(connection: Connection) -> None:
    columns = ("pid int not null", "pid int not null default 5", "pid int null default 5", "pid int not null first")
    connection.execute("CREATE TABLE named (id INT PRIMARY KEY, k INT, UNIQUE KEY (k))")
    connection.execute("CREATE TABLE naming (id INT PRIMARY KEY, k INT NOT NULL, FOREIGN KEY (k) REFERENCES named (k))")
    changes = [f"alter table c modify {one}" for one in columns]
    changes += [
        "alter table named modify k int not null",
        "alter table naming modify k int null",
        "alter table c change pid q int not null",
    ]
    try:
        assert differences(connection, [*changes, *(f"{CHECKS_OFF}{one}" for one in changes)]) == []
    finally:
        connection.execute("DROP TABLE naming")
        connection.execute("DROP TABLE named")


HISTORY_SETUP = (
    "CREATE TABLE v (id INT PRIMARY KEY, a INT, s VARCHAR(10) CHARACTER SET latin1, KEY a (a)) WITH SYSTEM VERSIONING",
    "INSERT INTO v VALUES (1, 1, 'x')",
    "CREATE TABLE pk (id INT, a INT) WITH SYSTEM VERSIONING",
    "CREATE TABLE span (id INT PRIMARY KEY, s DATE, e DATE)",
    "INSERT INTO span VALUES (1, '2020-01-01', '2020-02-01')",
    "CREATE TABLE wrong (id INT PRIMARY KEY, s DATE, e DATE)",
    "INSERT INTO wrong VALUES (1, '2020-02-01', '2020-01-01'), (2, NULL, '2020-01-01')",
    "CREATE TABLE nulls (id INT PRIMARY KEY, s DATE, e DATE)",
    "INSERT INTO nulls VALUES (1, NULL, '2020-01-01')",
    "CREATE TABLE spanned (id INT PRIMARY KEY, s DATE, e DATE, PERIOD FOR q (s, e))",
    "CREATE TABLE divided (id INT PRIMARY KEY, a INT) PARTITION BY HASH (id) PARTITIONS 2",
    "CREATE TABLE lived (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING PARTITION BY HASH (id) PARTITIONS 2",
)
HISTORY = (
    "alter table divided add system versioning",
    "alter table lived drop system versioning",
    "alter table span add system versioning",
    "alter table span add system versioning, add column z int",
    "alter table span add system versioning, add index (s)",
    "alter table span drop system versioning",
    "alter table v add system versioning",
    "alter table v drop system versioning",
    "alter table v drop system versioning, add index k9 (s)",
    "alter table v drop system versioning, add column z int",
    "alter table v add column z int",
    "alter table v add column z int without system versioning",
    "alter table v drop column s",
    "alter table v modify a bigint",
    "alter table v modify a int",
    "alter table v modify a int without system versioning",
    "alter table v modify a int not null",
    "alter table v change a b int",
    "alter table v rename column a to b",
    "alter table v alter column a set default 5",
    "alter table v add index k9 (s)",
    "create unique index k9 on v (s)",
    "alter table v drop index a",
    "alter table v convert to character set utf8mb4",
    "alter table v drop primary key",
    "alter table pk add primary key (id)",
    "alter table v add check (a > 0)",
    "alter table v force",
    "alter table v engine=innodb",
    "alter table v comment='x'",
    "alter table v row_format=compact",
    "alter table span add period for q (s, e)",
    "alter table span add period for q (s, e), add column z int",
    "alter table wrong add period for q (s, e)",
    "alter table nulls add period for q (s, e)",
    "alter table spanned drop period for q",
)


@pytest.mark.parametrize("consent", ["ERROR", "KEEP"])
def test_tables_that_keep_the_history_of_their_rows(connection: Connection, consent: str) -> None:
    if connection.dialect != "mariadb":
        pytest.skip("MySQL keeps no history")
    for sql in HISTORY_SETUP:
        connection.execute(sql)
    try:
        connection.execute(f"SET system_versioning_alter_history = {consent}")
        assert differences(connection, HISTORY) == []
    finally:
        connection.execute("SET system_versioning_alter_history = ERROR")
        connection.execute("DROP TABLE v, pk, span, wrong, nulls, spanned, divided, lived")


BESIDE_VIRTUAL = {
    "v_indexed": "id int primary key, x int, y int, v int as (y + 1) virtual, z int, key (v)",
    "v_plain": "id int primary key, x int, y int, v int as (y + 1) virtual, z int, key i (x), key j (y, z)",
    "v_first": "id int primary key, v int as (y + 1) virtual, x int, y int, z int, key xx (x), key (v)",
    "v_text": "id int primary key, x int, y int, v int as (y + 1) virtual, z int, t text, key (v), fulltext (t)",
    "v_parts": "id int primary key, x int, y int, v int as (y + 1) virtual, z int, key (v)",
    "v_none": "id int primary key, x int, y int, z int, key k (z)",
}
"""What stands where among virtual columns decides on MariaDB."""
ON_THEM = (
    *(f"drop column {name}" for name in ("x", "y", "z", "v", "x, drop column v", "x, add index (z)", "z, add index (x)", "z, add column n int")),
    *(f"add column n int{rest}" for rest in ("", " default 2, alter z set default 3", ", add index (x)", " as (x) virtual, add index (n)", ", drop column x")),
    "drop index v, drop column v",
    "drop index v, drop column x",
    "drop index k, drop column x",
    "drop primary key, add primary key (id, y)",
    "force",
    "row_format=compact",
)  # fmt: skip


def test_what_comes_and_goes_beside_virtual_columns(connection: Connection) -> None:
    for name, columns in BESIDE_VIRTUAL.items():
        connection.execute(f"CREATE TABLE {name} ({columns}){' PARTITION BY HASH (id)' if name == 'v_parts' else ''}")
        connection.execute(f"INSERT INTO {name} (id, x, y, z) VALUES (1, 1, 1, 1)")
    try:
        assert differences(connection, [f"alter table {name} {change}" for name in BESIDE_VIRTUAL for change in ON_THEM]) == []
    finally:
        connection.execute(f"DROP TABLE {', '.join(BESIDE_VIRTUAL)}")


def test_what_comes_and_goes_beside_an_index_over_an_expression(connection: Connection) -> None:
    if connection.dialect == "mariadb":
        pytest.skip("MariaDB has no such index")
    columns = "id int primary key, x int, y int, v int as (y + 1) virtual, z varchar(20), key f ((lower(z)))"
    connection.execute(f"CREATE TABLE hidden ({columns})")
    changes = (
        *(f"add column n int{rest}" for rest in ("", " after x", " as (x) virtual", " as (x) virtual, add index (n)", ", drop column x")),
        *(f"drop column {name}" for name in ("x", "v", "z")),
        *("rename column z to zz", "rename column x to xx", "drop index f, add index f ((upper(z)))", "drop index f", "add index g ((upper(z)))"),
    )  # fmt: skip
    try:
        assert differences(connection, [f"alter table hidden {change}" for change in changes]) == []
    finally:
        connection.execute("DROP TABLE hidden")


@pytest.mark.slow
def test_many_statements_made_by_chance_are_predicted_as_this_server_does_them(connection: Connection) -> None:
    assert differences(connection, statements(MORE_SEED, MORE)) == []
