"""What is rendered makes the same object: the server shows both alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from driftflow.dialects.mysql.normal import normal
from driftflow.dialects.mysql.tokens import tokenize
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection
from driftflow.lab.mysql import Server
from driftflow.model.operations import RawSql
from mysql_predictions import operations_of

DATABASE = "d"
SETUP = (
    "CREATE TABLE p (id INT PRIMARY KEY, v VARCHAR(20))",
    "CREATE TRIGGER first AFTER DELETE ON p FOR EACH ROW SET @a = 1",
)
BOTH = {
    "VIEW w": "CREATE ALGORITHM=MERGE DEFINER=`root`@`localhost` SQL SECURITY INVOKER VIEW w AS SELECT id, v FROM p WHERE id > 5 WITH CHECK OPTION",
    "VIEW x": "CREATE ALGORITHM=TEMPTABLE DEFINER='somebody else'@'%' VIEW x (a) AS SELECT count(*) FROM p",
    "TRIGGER tr": "CREATE DEFINER='somebody else'@'%' TRIGGER tr AFTER DELETE ON p FOR EACH ROW PRECEDES first SET @a = 2",
    "PROCEDURE pr": "CREATE DEFINER=root@localhost PROCEDURE pr(IN a INT) SQL SECURITY INVOKER COMMENT 'it''s' UPDATE p SET id = a",
    "FUNCTION fn": "CREATE DEFINER='somebody else'@'%' FUNCTION fn(a INT) RETURNS VARCHAR(5) CHARSET latin1 DETERMINISTIC RETURN a",
    "DATABASE other": "CREATE DATABASE other CHARACTER SET latin1 COLLATE latin1_bin",
    "TABLE keyed": "CREATE TABLE keyed (id INT, a INT, PRIMARY KEY (id) USING BTREE, KEY a (a) USING BTREE, UNIQUE KEY b (a) USING HASH) ENGINE=MEMORY",
    "TABLE made": "CREATE TABLE made (id INT PRIMARY KEY, n VARCHAR(9)) ENGINE=InnoDB COMMENT='it''s' IGNORE AS SELECT id, v FROM p",
    "TABLE said": "CREATE TABLE said (id INT COMMENT 'a;b', PRIMARY KEY (id) COMMENT 'it''s') COMMENT='x=y'",
}
MARIADB = {
    "DATABASE other": "CREATE DATABASE other CHARACTER SET latin1 COMMENT 'it''s'",
    "SEQUENCE sq": "CREATE TEMPORARY SEQUENCE sq START WITH 3 INCREMENT BY 2 NOCACHE CYCLE",
    "TABLE p": "CREATE OR REPLACE TABLE p (id BIGINT PRIMARY KEY) COMMENT='new'",
    "TABLE made": "CREATE OR REPLACE TABLE made ENGINE=Aria AS SELECT id FROM p",
    "TRIGGER first": "CREATE OR REPLACE TRIGGER first BEFORE INSERT ON p FOR EACH ROW SET @a = 3",
}


@pytest.fixture
def connection(mysql_server: Server) -> Iterator[Connection]:
    with closing(connector_for(mysql_server.url(user="root")).connect("rendered")) as opened:
        yield opened
        for name in (DATABASE, "other"):
            opened.execute(f"DROP DATABASE IF EXISTS {name}")


def shown(connection: Connection, what: str, sql: str) -> list[str]:
    """What SHOW CREATE says of the object after the statement, in one spelling, in a database that holds nothing else."""
    for name in (DATABASE, "other"):
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
    connection.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    connection.execute(f"USE {DATABASE}")
    for one in (*SETUP, sql):
        connection.execute(one)
    row = connection.query(f"SHOW CREATE {what}")[0]
    if what.startswith("SEQUENCE"):
        connection.execute("DROP TEMPORARY SEQUENCE sq")  # fails where it is none
    # A trigger's row ends with the moment at which it was made.
    return [normal(tokenize(value, mariadb=True)[0]) for value in row[:6] if isinstance(value, str)]


@pytest.mark.parametrize("which", ["both", "mariadb"])
def test_the_server_shows_alike_what_was_written_and_what_is_rendered(
    connection: Connection, mysql_server: Server, which: str
) -> None:
    if which == "mariadb" and mysql_server.flavour != "mariadb":
        pytest.skip("MySQL has none of these")
    dialect = dialect_named(mysql_server.flavour)
    differences = []
    for what, sql in (BOTH if which == "both" else MARIADB).items():
        operations = operations_of(dialect, sql)
        assert not any(isinstance(one, RawSql) for one in operations), operations
        rendered = dialect.render(*operations)
        written, made = shown(connection, what, sql), shown(connection, what, rendered)
        if written != made:
            differences.append(f"{sql}\n  {rendered}\n  {written}\n  {made}")
    assert differences == []
