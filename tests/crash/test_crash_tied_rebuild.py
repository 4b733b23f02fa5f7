"""Kill points of tables that are rebuilt together on MySQL and MariaDB, forth and back: the same tables, keys, rows and counters in the end, nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rebuilt_tables import Place, Rebuilt

from driftflow.lab.mysql import Server

SCHEMA = (
    "CREATE TABLE account (id INT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE, under INT)",
    "ALTER TABLE account ADD CONSTRAINT account_under FOREIGN KEY (under) REFERENCES account (id)",
    "INSERT INTO account (code) VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f')",
    "DELETE FROM account WHERE id = 6",
    "UPDATE account SET under = 4 WHERE id = 5",
    "CREATE TABLE entry (id INT PRIMARY KEY, account INT, code VARCHAR(20), FOREIGN KEY (account) REFERENCES account (id))",
    "INSERT INTO entry VALUES (1, 1, 'a'), (2, 2, 'b'), (4, NULL, NULL)",
    "CREATE TABLE note (id INT PRIMARY KEY, code VARCHAR(20), CONSTRAINT note_code FOREIGN KEY (code) REFERENCES account (code) ON UPDATE CASCADE)",
    "INSERT INTO note VALUES (1, 'e')",
)
CHANGE = "ALTER TABLE account MODIFY id BIGINT AUTO_INCREMENT, MODIFY under BIGINT; ALTER TABLE entry MODIFY account BIGINT;"
WRITES = (
    "UPDATE account SET code = 'between' WHERE id = 1",
    "UPDATE account SET code = 'a' WHERE id = 2",
    "DELETE FROM account WHERE id = 3",
    "INSERT INTO account (code) VALUES ('new')",
    "INSERT INTO entry SELECT 3, id, 'n' FROM account WHERE code = 'new'",
    "UPDATE entry SET account = 4 WHERE id = 1",
    "DELETE FROM entry WHERE id = 2",
    "DELETE FROM account WHERE id = 2",
)
SAMPLE = 401
"""CI takes every so many calls; `make soak` takes all."""
REBUILT = Rebuilt(
    schema=SCHEMA, change=CHANGE, writes=WRITES, left="TABLE_NAME NOT IN ('account', 'entry', 'note', '_driftflow_migration')"
)


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
