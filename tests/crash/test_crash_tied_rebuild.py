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
REBUILT = Rebuilt(
    schema=SCHEMA, change=CHANGE, writes=WRITES, left="TABLE_NAME NOT IN ('account', 'entry', 'note', '_driftflow_migration')"
)


FOLLOWING = Rebuilt(
    schema=(
        "CREATE TABLE area (id INT PRIMARY KEY)",
        "INSERT INTO area VALUES (1), (2), (3)",
        "CREATE TABLE account (id INT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE, area INT)",
        "ALTER TABLE account ADD CONSTRAINT account_area FOREIGN KEY (area) REFERENCES area (id) ON DELETE CASCADE ON UPDATE CASCADE",
        "INSERT INTO account (code, area) VALUES ('a', 1), ('b', 1), ('c', 2), ('d', 2), ('e', 3), ('f', NULL)",
        "CREATE TABLE entry (id INT PRIMARY KEY, account INT, FOREIGN KEY (account) REFERENCES account (id) ON DELETE CASCADE ON UPDATE CASCADE)",
        "INSERT INTO entry VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, NULL)",
        (
            "CREATE TABLE line (id INT PRIMARY KEY, entry INT, account INT, KEY by_entry (entry), KEY by_account (account), CONSTRAINT line_entry FOREIGN KEY (entry) REFERENCES entry (id) ON DELETE CASCADE, "
            "CONSTRAINT line_account FOREIGN KEY (account) REFERENCES account (id) ON DELETE SET NULL ON UPDATE CASCADE)"
        ),
        "INSERT INTO line VALUES (1, 1, 6), (2, 2, 1), (3, 3, 3), (4, 4, NULL), (6, 6, 2)",
    ),
    change="ALTER TABLE account MODIFY id BIGINT AUTO_INCREMENT; ALTER TABLE entry MODIFY id BIGINT, MODIFY account BIGINT;"
    " ALTER TABLE line MODIFY entry BIGINT, MODIFY account BIGINT;",
    writes=(
        "INSERT INTO account (code) VALUES ('new')",
        "DELETE FROM account WHERE code = 'b'",
        "UPDATE account SET id = 50 WHERE code = 'a'",
        "UPDATE area SET id = 20 WHERE id = 2",
        "DELETE FROM area WHERE id = 3",
        "INSERT INTO entry SELECT 8, id FROM account WHERE code = 'new'",
        "DELETE FROM entry WHERE id = 3",
        "REPLACE INTO account (id, code) VALUES (6, 'g')",
    ),
    left="TABLE_NAME NOT IN ('area', 'account', 'entry', 'line', '_driftflow_migration')",
)
REBUILDS = {"refusing": REBUILT, "following": FOLLOWING}
SAMPLES = {"refusing": 401, "following": 1303}
"""CI takes every so many calls; `make soak` takes all."""


@pytest.fixture(params=["following", pytest.param("refusing", marks=pytest.mark.slow)])
def rebuilt(request: pytest.FixtureRequest) -> Rebuilt:
    """Keys that refuse, and keys that take rows along."""
    return REBUILDS[request.param]


@pytest.fixture
def sample(rebuilt: Rebuilt) -> int:
    return next(SAMPLES[name] for name, one in REBUILDS.items() if one is rebuilt)


@pytest.fixture
def place(rebuilt: Rebuilt, mysql_server: Server, mysql_url: str, tmp_path: Path) -> Iterator[Place]:
    yield from rebuilt.place(mysql_server, mysql_url, tmp_path)


def test_there_and_back_is_where_it_began(rebuilt: Rebuilt, place: Place) -> None:
    rebuilt.there_and_back(place)


def test_kill_points_forth(
    rebuilt: Rebuilt, sample: int, place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    rebuilt.forth(place, capsys, mysql_server, every=sample)


def test_kill_points_back(
    rebuilt: Rebuilt, sample: int, place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    rebuilt.back(place, capsys, mysql_server, every=sample, moments=("after",))


@pytest.mark.slow
def test_every_kill_point(rebuilt: Rebuilt, place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    rebuilt.forth(place, capsys, mysql_server)
    rebuilt.back(place, capsys, mysql_server)
