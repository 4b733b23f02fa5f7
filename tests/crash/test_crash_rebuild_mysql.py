"""Kill points of the online rebuild on MySQL and MariaDB, forth and back: the same table, rows and counter in the end, and nothing of ours beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rebuilt_tables import Place, Rebuilt

from driftflow.lab.mysql import Server

SCHEMA = (
    "CREATE TABLE account (id INT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE, balance INT)",
    "INSERT INTO account (code, balance) VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5), ('f', 6)",
    "DELETE FROM account WHERE id = 6",
    "CREATE TABLE owner (id INT PRIMARY KEY)",
    "INSERT INTO owner VALUES (1), (2), (3)",
    "ALTER TABLE account ADD COLUMN owner INT, ADD KEY account_by_owner (owner), ADD CONSTRAINT account_owner FOREIGN KEY (owner) REFERENCES owner (id) ON DELETE CASCADE ON UPDATE CASCADE",
    "UPDATE account SET owner = id - 3 WHERE id > 3",
    "ALTER TABLE account ADD COLUMN under INT, ADD CONSTRAINT account_under FOREIGN KEY (under) REFERENCES account (id)",
    "UPDATE account SET under = 4 WHERE id = 5",
    "CREATE TABLE entry (id INT PRIMARY KEY, account INT, FOREIGN KEY (account) REFERENCES account (id) ON UPDATE CASCADE)",
    "INSERT INTO entry VALUES (1, 1), (2, 2), (4, NULL)",
)
CHANGE = "ALTER TABLE account MODIFY balance BIGINT, ADD COLUMN twice BIGINT AS (balance * 2) STORED;"
WRITES = (
    "UPDATE account SET code = 'between' WHERE id = 1",
    "UPDATE account SET code = 'a' WHERE id = 2",
    "UPDATE account SET code = 'b', id = 20 WHERE id = 1",
    "DELETE FROM account WHERE id = 3",
    "INSERT INTO account (code, balance) VALUES ('new', NULL)",
    "UPDATE owner SET id = 30 WHERE id = 1",
    "DELETE FROM owner WHERE id = 2",
    "INSERT INTO entry SELECT 3, id FROM account WHERE code = 'new'",
)
SAMPLE = 307
"""CI takes every so many calls; `make soak` takes all."""
REBUILT = Rebuilt(schema=SCHEMA, change=CHANGE, writes=WRITES, left="TABLE_NAME LIKE '%account\\_%'")


@pytest.fixture
def place(mysql_server: Server, mysql_url: str, tmp_path: Path) -> Iterator[Place]:
    yield from REBUILT.place(mysql_server, mysql_url, tmp_path)


def test_there_and_back_is_where_it_began(place: Place) -> None:
    REBUILT.there_and_back(place)


def test_kill_points_forth(place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    REBUILT.forth(place, capsys, mysql_server, every=SAMPLE)


def test_kill_points_back(place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    REBUILT.back(place, capsys, mysql_server, every=SAMPLE, moments=("after",))


@pytest.mark.slow
def test_every_kill_point(place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    REBUILT.forth(place, capsys, mysql_server)
    REBUILT.back(place, capsys, mysql_server)
