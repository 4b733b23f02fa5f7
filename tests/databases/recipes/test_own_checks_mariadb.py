"""MariaDB: what a table shows as checks. Those behind a column's definition go and come with it, a JSON column's among them; a period of time is one of its name."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, show

SCHEMA = "CREATE TABLE t (id int PRIMARY KEY, j json, a int CHECK (a > 0), b int, CONSTRAINT both_ok CHECK (b > 0)); INSERT INTO t VALUES (1, '{}', 1, 1); ANALYZE TABLE t;"
PERIOD = "CREATE TABLE t (id int PRIMARY KEY, s date DEFAULT '2020-01-01', e date NOT NULL DEFAULT '2030-01-01'{period}); INSERT INTO t (id) VALUES (1); ANALYZE TABLE t;"
CHANGES = (
    "MODIFY j json NOT NULL",
    "CHANGE j k json",
    "MODIFY a int NOT NULL",
    "MODIFY a bigint",
    "MODIFY a int CHECK (a > 10 - 10)",
    "CHANGE a aa int",
    "MODIFY b bigint",
)


@pytest.mark.on("mariadb-10", "mariadb-11")
@pytest.mark.parametrize("change", CHANGES)
def test_a_column_is_defined_anew(place: Place, change: str) -> None:
    """Its own checks are what the new definition says, and what the old one said on the way back. That a JSON column has its check already once refused any MODIFY of it (DF-E321)."""
    show(place, Recipe(schema=SCHEMA, migration=f"ALTER TABLE t {change};"))


@pytest.mark.on("mariadb-10", "mariadb-11")
@pytest.mark.parametrize(
    ("period", "change"), [(", PERIOD FOR valid (s, e)", "DROP PERIOD FOR valid"), ("", "ADD PERIOD FOR valid (s, e)")]
)
def test_a_period_comes_back_and_goes_again(place: Place, period: str, change: str) -> None:
    """A rollback once said it was done, and left the table without its period, or with one."""
    show(place, Recipe(schema=PERIOD.replace("{period}", period), migration=f"ALTER TABLE t {change};"))
