"""What metadata locks statements take on the servers of the family: the tables that a statement does not name, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from driftflow.drivers.urls import connector_for
from driftflow.lab.mysql import Server
from driftflow.lab.mysql_locks import locks_of, strongest

SCHEMA = (
    "CREATE TABLE p (id INT PRIMARY KEY, v VARCHAR(10))",
    "CREATE TABLE c (id INT PRIMARY KEY, pid INT, KEY (pid), CONSTRAINT cfk FOREIGN KEY (pid) REFERENCES p (id))",
    "CREATE TABLE t (id INT PRIMARY KEY, i INT, v VARCHAR(50), KEY k_i (i))",
    "INSERT INTO p VALUES (1, 'x')",
    "INSERT INTO c VALUES (1, 1)",
    "INSERT INTO t VALUES (1, 1, 'a')",
)
DATABASE = "locks_lab"


@pytest.fixture
def fresh(mysql_server: Server) -> Iterator[Callable[[], str]]:
    def make() -> str:
        mysql_server.drop_database(DATABASE)
        mysql_server.create_database(DATABASE)
        with mysql_server.administration() as execute:
            execute(f"USE {DATABASE}")
            for statement in SCHEMA:
                execute(statement)
        return DATABASE

    yield make
    mysql_server.drop_database(DATABASE)


ALIKE = {
    "ALTER TABLE t ADD COLUMN x INT": {"t": "EXCLUSIVE"},
    "ALTER TABLE t MODIFY i BIGINT, ALGORITHM=COPY": {"t": "EXCLUSIVE"},
    "CREATE INDEX k ON t (v)": {"t": "EXCLUSIVE"},
    "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.i = 1": {"t": "EXCLUSIVE"},
    "CREATE VIEW v AS SELECT * FROM t": {"t": "SHARED_READ", "v": "EXCLUSIVE"},
    "TRUNCATE TABLE c": {"c": "EXCLUSIVE"},
    "INSERT INTO t VALUES (5, 1, '')": {"t": "SHARED_WRITE"},
    "SELECT * FROM t FOR UPDATE": {"t": "SHARED_WRITE"},
    "SELECT * FROM t": {"t": "SHARED_READ"},
    # It fails, and has stood in everybody's way until then.
    "ALTER TABLE t ADD UNIQUE (nothing)": {"t": "SHARED_UPGRADABLE"},
}
"""The strongest mode by table, the same on every server."""
FOREIGN = {
    # MySQL 8.0 and later keep the parent and the children of foreign keys up to date in the dictionary, and lock them for it.
    "DROP TABLE c": ({"c": "EXCLUSIVE", "p": "EXCLUSIVE"}, {"c": "EXCLUSIVE"}),
    "ALTER TABLE c DROP FOREIGN KEY cfk": ({"c": "EXCLUSIVE", "p": "EXCLUSIVE"}, {"c": "EXCLUSIVE"}),
    "ALTER TABLE p MODIFY v VARCHAR(20)": ({"c": "EXCLUSIVE", "p": "EXCLUSIVE"}, {"p": "EXCLUSIVE"}),
    # With its checks on, MariaDB stops the writers of the parent while the child is copied.
    "ALTER TABLE c ADD CONSTRAINT c2 FOREIGN KEY (pid) REFERENCES p (id)": (
        {"c": "EXCLUSIVE", "p": "EXCLUSIVE"},
        {"c": "EXCLUSIVE", "p": "SHARED_NO_WRITE"},
    ),
    "DELETE FROM p WHERE id = 7": ({"p": "SHARED_WRITE"}, {"c": "SHARED_READ", "p": "SHARED_WRITE"}),
}
"""On MySQL, and on MariaDB."""


def test_locks_of_one_table(mysql_server: Server, fresh: Callable[[], str]) -> None:
    connector = connector_for(mysql_server.url())
    for statement, expected in ALIKE.items():
        tables = [name for name in ("t", "c") if name in expected]
        found = locks_of(connector, statement, tables=tables, fresh=fresh)
        seen = {name: strongest(modes) for name, modes in found.items() if name in expected}
        assert seen == expected, statement


def test_locks_of_tables_that_the_statement_does_not_name(mysql_server: Server, fresh: Callable[[], str]) -> None:
    connector = connector_for(mysql_server.url())
    for statement, (mysql, mariadb) in FOREIGN.items():
        found = locks_of(connector, statement, tables=("c", "p"), fresh=fresh)
        expected = mysql if mysql_server.flavour == "mysql" else mariadb
        assert {name: strongest(modes) for name, modes in found.items()} == expected, statement


def test_settings_are_in_force(mysql_server: Server, fresh: Callable[[], str]) -> None:
    """Without the check no row is read, so MariaDB lets the parent alone."""
    statement = "ALTER TABLE c ADD CONSTRAINT c2 FOREIGN KEY (pid) REFERENCES p (id)"
    connector = connector_for(mysql_server.url())
    found = locks_of(connector, statement, tables=("c", "p"), fresh=fresh, before=("SET foreign_key_checks = 0",))
    assert strongest(found["c"]) == "EXCLUSIVE" and "SHARED_NO_WRITE" not in found.get("p", frozenset())
