"""Generated columns of MySQL and MariaDB: which definitions a server takes, and what a column that becomes generated has lost."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Place, accepted, outcome

from driftflow.config import Policy
from driftflow.errors import ParseError

SCHEMA = "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 10), (2, 20);"
DEFINITIONS = (
    "int AS (a + 1) STORED NOT NULL",
    "int AS (a + 1) NULL",
    "int NOT NULL AS (a + 1)",
    "int COMMENT 'x' AS (a + 1) STORED",
    "int INVISIBLE AS (a + 1)",
    "int UNIQUE AS (a + 1)",
    "int AS (a + 1) STORED DEFAULT 4",
    "int AS (a + 1) STORED AUTO_INCREMENT",
    "int AS (a + 1) PERSISTENT",
    "int AS (a + 1) STORED CHECK (c > 0)",
    "varchar(9) AS (a + 1) STORED COLLATE utf8mb4_bin",
    "varchar(9) COLLATE utf8mb4_bin AS (a + 1) STORED",
    "varchar(9) CHARACTER SET utf8mb4 GENERATED ALWAYS AS (a + 1) STORED UNIQUE COMMENT 'x' INVISIBLE",
)


@pytest.mark.on("mysql", "mariadb-10", "mariadb-11")
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_what_the_server_takes_is_planned(place: Place, definition: str) -> None:
    """And nothing else: a recipe would meet the error in its middle, and leave things behind."""
    change = f"ALTER TABLE t ADD COLUMN c {definition};"
    if said := outcome(place.fresh(SCHEMA), change):
        with pytest.raises(ParseError) as fault:
            place.fresh(SCHEMA).plan(change)
        assert fault.value.code == "DF-E201", said
    else:
        assert place.fresh(SCHEMA).plan(change).steps


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("policy", [Policy(), POLICY])
@pytest.mark.parametrize("change", ["MODIFY a int AS (id + 1) STORED", "CHANGE a b int AS (id + 1) STORED"])
def test_a_column_that_becomes_generated_has_lost_its_values(place: Place, change: str, policy: Policy) -> None:
    """Once a rollback said that all was as before, and the values were the computed ones: it has to be accepted by name."""
    database = place.fresh(SCHEMA)
    plan = database.plan(f"ALTER TABLE t {change};", policy=policy)
    assert [name.partition(" ")[0] for name in accepted(plan)] == ["change_column"]
