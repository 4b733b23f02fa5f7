"""Logs as real servers wrote them (PostgreSQL 15, MySQL 9.7, MariaDB 10.11), shortened."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftflow.dialects.mysql.digest import expanded
from driftflow.dialects.query_text import masked
from driftflow.dialects.registry import dialect_named
from driftflow.errors import SourceError
from driftflow.usage.query_file import read_queries
from driftflow.usage.query_log import read_log

STDERR = """2026-11-26 16:17:59.175 UTC [7809] app LOG:  statement: select * from orders where id = 5
2026-11-26 16:17:59.206 UTC [7809] app LOG:  duration: 0.418 ms
2026-11-26 16:17:59.206 UTC [7809] app LOG:  statement: select *
\t\tfrom orders
\t where note = 'se''cret
\tline2'
2026-11-26 16:17:59.207 UTC [7809] app LOG:  duration: 0.047 ms  parse <unnamed>: select * from orders where id = $1
2026-11-26 16:17:59.207 UTC [7809] app LOG:  duration: 0.041 ms  bind <unnamed>: select * from orders where id = $1
2026-11-26 16:17:59.207 UTC [7809] app DETAIL:  parameters: $1 = 'hunter2'
2026-11-26 16:17:59.207 UTC [7809] app LOG:  duration: 0.033 ms  execute _pg3_0: select * from orders where id = $1
2026-11-26 16:17:59.214 UTC [7809] app LOG:  statement: select 1; select 2
2026-11-26 16:17:59.214 UTC [7809] app ERROR:  column "nope" does not exist at character 8
2026-11-26 16:17:59.214 UTC [7809] app STATEMENT:  select nope from orders
"""
ROW = '2026-11-26 16:17:59.206 UTC,"postgres","shop",7809,"[local]",6b08.1e81,7,"idle",2026-11-26 16:17:59 UTC,3/7,0,{},00000,"{}",,,,,,,,,"","client backend",,0\n'
CSV = (
    ROW.format("LOG", 'statement: select *\n\tfrom orders\n where note = \'a ""b""\'')
    + ROW.format("LOG", "duration: 0.1 ms")
    + ROW.format("ERROR", "statement: no")
    + ROW.format("LOG", "duration: 5.1 ms  statement: select * from orders where id = 7")
)
JSON = (
    '{"timestamp":"x","error_severity":"LOG","message":"statement: select * from orders where id = 5"}\n'
    '{"timestamp":"x","error_severity":"LOG","message":"execute <unnamed>: select * from orders where id = $1","detail":"parameters: $1 = \'hunter2\'"}\n'
    '{"timestamp":"x","error_severity":"LOG","message":"statement: sele'
)
GENERAL_MYSQL = """/usr/sbin/mysqld, Version: 9.7.4-2 ((Debian)). started with:
Tcp port: 53813  Unix socket: /run/socket
Time                 Id Command    Argument
2026-11-26T16:17:48.502059Z\t   13 Connect\troot@localhost on shop using SSL/TLS
2026-11-26T16:17:48.521072Z\t   13 Query\tselect * from orders where id = 5
2026-11-26T16:17:48.524477Z\t   13 Query\tselect count(*) from orders where note = 'se;cr
et'
2026-11-26T16:17:48.535651Z\t   13 Prepare\tselect note from orders where id = ?
2026-11-26T16:17:48.535931Z\t   13 Execute\tselect note from orders where id = 1
2026-11-26T16:17:48.536091Z\t   13 Quit\t
"""
GENERAL_MARIADB = """Time\t\t    Id Command\tArgument
261126 16:17:41\t     8 Query\tselect * from orders where id = 5
\t\t     8 Query\tselect * from orders where id = 6
261126 16:17:42\t     9 Connect\troot@localhost on shop using Socket
\t\t     9 Query\tselect /* c */ id from orders # hi
 where user_id = 1
"""
SLOW = """# Time: 261126 16:17:42
# User@Host: root[root] @ localhost []
# Thread_id: 9  Schema: shop  QC_hit: No
# Query_time: 0.000061  Lock_time: 0.000000  Rows_sent: 0  Rows_examined: 0
use `shop`;
SET timestamp=1795709862;
select * from orders where id = 5;
# User@Host: root[root] @ localhost []
# Query_time: 0.000229  Lock_time: 0.000108  Rows_sent: 0  Rows_examined: 0
SET timestamp=1795709862;
select count(*) from orders where note = 'se;cr
# et';
# User@Host: root[root] @ localhost []
# administrator command: Quit;
"""


def read(folder: Path, dialect: str, text: str) -> list[tuple[int, str]]:
    file = folder / "server.log"
    file.write_text(text, newline="")
    found = read_log(file, dialect_named(dialect))
    shown = [(one.calls, masked(one.text, dialect)) for one in found]
    assert "hunter2" not in str([one.text for one in found]) and "se'" not in str(shown)
    return shown


def test_postgresql_as_text(tmp_path: Path) -> None:
    assert read(tmp_path, "postgresql", STDERR) == [
        (1, "select * from orders where id = ?"),
        (1, "select * from orders where note = ?"),
        (1, "select * from orders where id = $1"),
        (2, "select ?"),
    ]


def test_a_message_over_several_lines_is_the_same_text_again(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(STDERR)
    assert [one.text for one in read_log(file, dialect_named("postgresql"))][
        1
    ] == "select *\n\tfrom orders\n where note = 'se''cret\nline2'"


def test_postgresql_as_csv(tmp_path: Path) -> None:
    assert read(tmp_path, "postgresql", CSV) == [
        (1, "select * from orders where note = ?"),
        (1, "select * from orders where id = ?"),
    ]


def test_postgresql_as_json(tmp_path: Path) -> None:
    assert read(tmp_path, "postgresql", JSON) == [
        (1, "select * from orders where id = ?"),
        (1, "select * from orders where id = $1"),
    ]


def test_the_general_log_of_mysql(tmp_path: Path) -> None:
    assert read(tmp_path, "mysql", GENERAL_MYSQL) == [
        (1, "select * from orders where id = ?"),
        (1, "select count(*) from orders where note = ?"),
        (2, "select note from orders where id = ?"),
    ]


def test_the_general_log_of_mariadb(tmp_path: Path) -> None:
    assert read(tmp_path, "mariadb", GENERAL_MARIADB) == [
        (2, "select * from orders where id = ?"),
        (1, "select id from orders where user_id = ?"),
    ]


def test_the_slow_log(tmp_path: Path) -> None:
    assert read(tmp_path, "mariadb", SLOW) == [
        (1, "select * from orders where id = ?"),
        (1, "select count(*) from orders where note = ?"),
    ]


@pytest.mark.parametrize(
    ("dialect", "text"), [("postgresql", "nothing\n"), ("mysql", ""), ("sqlite", "x"), ("postgresql", "\x00\xff")]
)
def test_a_log_without_queries_is_an_error(tmp_path: Path, dialect: str, text: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, dialect, text)
    assert caught.value.code == "DF-E270"


def test_digests_become_statements() -> None:
    columns = {"orders": 4}.__getitem__
    assert expanded("SELECT COUNT ( * ) FROM `orders` WHERE `id` IN (...) AND `note` = ?", columns) == (
        "SELECT COUNT ( * ) FROM `orders` WHERE `id` IN (?) AND `note` = ?",
    )
    assert expanded("INSERT INTO `orders` ( `user_id` , `note` ) VALUES (...) /* , ... */", columns) == (
        "INSERT INTO `orders` ( `user_id` , `note` ) VALUES (?, ?)",
    )
    assert expanded("INSERT IGNORE INTO `shop` . `orders` VALUES (...)", columns) == (
        "INSERT IGNORE INTO `shop` . `orders` VALUES (?, ?, ?, ?)",
    )
    assert (
        expanded("SELECT `f` (...) , `data` -> ? , @? FROM `t`", columns)[1]
        == "SELECT `f` (?, ?) , `data` -> '$' , @driftflow FROM `t`"
    )


def test_files_of_queries(tmp_path: Path) -> None:
    dialect = dialect_named("postgresql")
    forms = {
        "q.sql": "-- name: One :one\nSELECT 1;\n\n-- other\nSELECT 2",
        "q.json": '[{"query": "SELECT 1", "calls": 5, "name": "One"}, "SELECT 2"]',
        "q.jsonl": '{"query": "SELECT 1", "calls": 5, "name": "One"}\n"SELECT 2"\n',
        "q.csv": 'name,query,calls\nOne,"SELECT 1",5\n,SELECT 2,\n',
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        found = read_queries(tmp_path / name, dialect)
        assert [(one.text, one.name) for one in found] == [("SELECT 1", "One"), ("SELECT 2", "")], name
        assert [one.calls for one in found] == ([0, 0] if name == "q.sql" else [5, 0])


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("q.sql", "-- nothing\n", "DF-E270"),
        ("q.json", "{}", "DF-E270"),
        ("q.json", "[1]", "DF-E270"),
        ("q.json", "[" * 100_000, "DF-E270"),
        ("q.csv", "a,b\n1,2\n", "DF-E270"),
        ("q.sql", "SELECT 1;\nSELECT 'hunter2", "DF-E270"),
        ("q.sql", None, "DF-E132"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, name: str, text: str | None, code: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as caught:
        read_queries(tmp_path / name, dialect_named("postgresql"))
    assert caught.value.code == code and "hunter2" not in str(caught.value)
