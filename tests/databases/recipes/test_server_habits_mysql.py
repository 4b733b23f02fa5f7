"""What an administrator of MySQL or MariaDB set for every session, with people at a prompt in mind, stops neither a run nor its way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from recipes.rig import Place, there_and_back

pytestmark = pytest.mark.on("mysql", "mariadb")
SCHEMA = """
CREATE TABLE digits (n integer PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE items (id bigint PRIMARY KEY, v integer, code varchar(30) NOT NULL, note text, UNIQUE KEY items_code (code), KEY items_v (v));
INSERT INTO items SELECT a.n + 10 * b.n + 1, a.n, concat('c', a.n + 10 * b.n), 'n' FROM digits AS a JOIN digits AS b;
"""
FILLED = '-- driftflow: backfill column=w set="v + 1"\nALTER TABLE items ADD COLUMN w integer NOT NULL;'
CHECKED = "ALTER TABLE items ADD CONSTRAINT v_ok CHECK (v >= 0);"
HABITS = {
    "no-autocommit": {"autocommit": "0"},
    "safe-updates": {"sql_safe_updates": "1"},
    "few-rows": {"sql_select_limit": "3"},
    "small-joins": {"sql_big_selects": "0", "max_join_size": "5"},
    "commit-and-chain": {"completion_type": "1"},
    "commit-and-release": {"completion_type": "2"},
    "read-only": {"transaction_read_only": "1"},
}


@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS)
def test_habits_of_people_are_not_ours(place: Place, server_named: Callable[[str], Any], habits: dict[str, str]) -> None:
    database = place.fresh(SCHEMA)
    before = database.seen()
    names = {name: "tx_read_only" if name == "transaction_read_only" and place.vendor == "mariadb" else name for name in habits}
    with server_named(place.server).administration() as execute:
        try:
            for name, value in habits.items():
                execute(f"SET GLOBAL {names[name]} = {value}")
            for migration in (FILLED, CHECKED):
                there_and_back(database, migration)
            assert database.seen() == before
        finally:
            for name in names.values():
                execute(f"SET GLOBAL {name} = DEFAULT")
