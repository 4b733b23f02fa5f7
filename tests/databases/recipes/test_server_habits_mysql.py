"""What an administrator of MySQL or MariaDB set for every session, with people at a prompt in mind, stops neither a run nor its way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from recipes.rig import Place, apply, gates, there_and_back

from driftflow.errors import ConnectError, RefusedError

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


OTHERWISE = {
    "PIPES_AS_CONCAT": "ALTER TABLE items ADD COLUMN w varchar(60) AS (note || code) STORED;",
    "ANSI": "UPDATE items SET note = concat(code, '!') WHERE code || note = 'c1n';",
    "ANSI_QUOTES": 'UPDATE items SET note = "code";',
    "NO_BACKSLASH_ESCAPES": r"UPDATE items SET note = 'a\\b';",
    "": 'ALTER TABLE "items" ADD COLUMN w integer;',
}
ALIKE = {
    "PIPES_AS_CONCAT": "ALTER TABLE items ADD COLUMN w varchar(60) AS (concat(note, code)) STORED; UPDATE items SET note = 'a||b';",
    "ANSI_QUOTES": 'ALTER TABLE "items" ADD COLUMN "w" integer;',
    "NO_BACKSLASH_ESCAPES": "UPDATE items SET note = X'615C62';",
    "": r"""UPDATE items SET note = "a\\b" WHERE v = 1 || v = 2;""",
}


@pytest.mark.parametrize("mode", OTHERWISE, ids=lambda mode: mode or "default")
def test_a_text_that_the_server_reads_otherwise_is_refused(place: Place, server_named: Callable[[str], Any], mode: str) -> None:
    """What ran would not be what was planned: a column of 0 and 1 in the place of joined texts."""
    database = place.fresh(SCHEMA)
    with server_named(place.server).administration() as execute:
        try:
            execute(f"SET GLOBAL sql_mode = '{mode}'")
            with pytest.raises(RefusedError) as refused:
                database.plan(OTHERWISE[mode])
            assert refused.value.code == "DF-E799" and (mode or "ANSI_QUOTES").removesuffix("ANSI") in refused.value.why
        finally:
            execute("SET GLOBAL sql_mode = DEFAULT")


@pytest.mark.parametrize("mode", ALIKE, ids=lambda mode: mode or "default")
def test_a_text_that_every_mode_reads_alike_does_what_it_says(
    place: Place, server_named: Callable[[str], Any], mode: str
) -> None:
    naive, planned = place.fresh(SCHEMA), place.fresh(SCHEMA)
    with server_named(place.server).administration() as execute:
        try:
            execute(f"SET GLOBAL sql_mode = '{mode}'")
            naive.run(ALIKE[mode])
            plan = planned.plan(ALIKE[mode])
            assert apply(plan, planned, open_gates=gates(plan)).state == "done"
            assert naive.seen() == planned.seen()
            rows = "SELECT * FROM items ORDER BY id"
            assert naive.query(rows) == planned.query(rows)
        finally:
            execute("SET GLOBAL sql_mode = DEFAULT")


@pytest.mark.on("mariadb")
@pytest.mark.parametrize("mode", ["ORACLE", "EMPTY_STRING_IS_NULL"])
def test_a_server_that_speaks_another_language_is_refused(place: Place, server_named: Callable[[str], Any], mode: str) -> None:
    """Its own statements would fail in the middle of a run."""
    database = place.fresh(SCHEMA)
    with server_named(place.server).administration() as execute:
        try:
            execute(f"SET GLOBAL sql_mode = '{mode}'")
            with pytest.raises(ConnectError) as refused:
                database.plan(FILLED)
            assert refused.value.code == "DF-E418" and mode in refused.value.summary
        finally:
            execute("SET GLOBAL sql_mode = DEFAULT")
    there_and_back(database, FILLED)
