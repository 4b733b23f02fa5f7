"""MySQL and MariaDB tell no letters apart in the names of columns and routines: what says one in others than it was made with means it all the same."""

from __future__ import annotations

import pytest
from recipes.rig import Place, apply, changed_and_back, gates

from driftflow.config import Policy
from driftflow.errors import RefusedError

pytestmark = pytest.mark.on("mysql", "mariadb")
SCHEMA = """
CREATE TABLE items (id int PRIMARY KEY, fullName varchar(20), unitPrice int);
INSERT INTO items VALUES (1, 'One', 3), (2, 'Two', 30);
CREATE PROCEDURE tellAll() SELECT 1;
CREATE FUNCTION oneOf() RETURNS int DETERMINISTIC RETURN 1;
"""


@pytest.mark.parametrize(
    "clause",
    [
        "ADD CONSTRAINT sold_ok CHECK (SOLD > 0)",
        "ADD UNIQUE KEY sold_once (SOLD, ID)",
        "ADD COLUMN twice int AS (SOLD * UNITPRICE)",
    ],
)
def test_what_is_made_beside_a_new_column_says_it_in_other_letters(place: Place, clause: str) -> None:
    """Nothing is counted of a column that is not there yet."""
    change = f"ALTER TABLE items ADD COLUMN Sold int DEFAULT 5, {clause};"
    database, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    plan = database.plan(change, policy=Policy())
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    naive.run(change)
    assert database.rows() == naive.rows()


@pytest.mark.parametrize(
    "change",
    [
        "DROP PROCEDURE tellall;",
        "DROP PROCEDURE IF EXISTS TELLALL;",
        "DROP FUNCTION ONEOF;",
        "DROP FUNCTION IF EXISTS oneof;",
    ],
)
def test_a_routine_is_meant_in_any_letters_and_comes_back(place: Place, change: str) -> None:
    database = place.fresh(SCHEMA)
    changed_and_back(database, change, database.structure)


@pytest.mark.on("mysql")
@pytest.mark.parametrize("index", ["(unitPrice + 1)", "(UNITPRICE + 1)"])
def test_a_column_that_an_index_over_an_expression_reads_keeps_its_name(place: Place, index: str) -> None:
    """The server says so in the middle of the run (3837)."""
    database = place.fresh(f"{SCHEMA}CREATE INDEX i ON items ({index});")
    with pytest.raises(RefusedError, match="index i is over an expression of unitPrice"):
        database.plan("ALTER TABLE items RENAME COLUMN unitPrice TO price;")
