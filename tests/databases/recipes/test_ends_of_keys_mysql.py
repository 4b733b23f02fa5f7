"""Foreign keys of MySQL and MariaDB that the server takes from nobody: said at planning, and not behind the index that a plan builds for them."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Database, Place, apply, gates, outcome

from driftflow.config import Policy
from driftflow.errors import RefusedError

SCHEMA = """
CREATE TABLE p (id int PRIMARY KEY, a int, b int, n int, pre varchar(100), UNIQUE (a, b), KEY (n), UNIQUE KEY (pre (10)));
CREATE TABLE c (id int PRIMARY KEY, a int, b int, n int, nn int NOT NULL, pre varchar(100),
    g int GENERATED ALWAYS AS (a + 1) STORED, v int GENERATED ALWAYS AS (a + 1) VIRTUAL);
CREATE VIEW seen AS SELECT id FROM p;
INSERT INTO p (id, a, b) VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO c (id, a, b, nn) VALUES (1, 1, 1, 1);
"""
KEYS = (
    "(a) REFERENCES p (id)",
    "(A, B) REFERENCES p (A, b)",
    "(a, b) REFERENCES p (a, b) MATCH FULL ON DELETE CASCADE",
    "(b) REFERENCES p",
    "(a) REFERENCES p (a)",
    "(b) REFERENCES p (b)",
    "(b, a) REFERENCES p (b, a)",
    "(n) REFERENCES p (n)",
    "(pre) REFERENCES p (pre)",
    "(nn) REFERENCES p (id) ON DELETE SET NULL",
    "(nn) REFERENCES p (id) ON UPDATE SET NULL",
    "(nn) REFERENCES p (id) ON UPDATE CASCADE",
    "(g) REFERENCES p (id)",
    "(g) REFERENCES p (id) ON DELETE CASCADE",
    "(g) REFERENCES p (id) ON DELETE SET NULL",
    "(g) REFERENCES p (id) ON UPDATE CASCADE",
    "(v) REFERENCES p (id)",
    "(a) REFERENCES p (id, a)",
    "(a, a) REFERENCES p (a, b)",
    "(a) REFERENCES seen (id)",
)


def keys_of(database: Database) -> list[tuple[object, ...]]:
    return database.query(
        "SELECT table_name, referenced_table_name, delete_rule FROM information_schema.referential_constraints"
        " WHERE constraint_schema = database()"
    )


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("policy", [Policy(), POLICY], ids=["small", "large"])
def test_what_the_server_refuses_is_refused_before_and_nothing_else(place: Place, policy: Policy) -> None:
    taken, refused = [], []
    for key in KEYS:
        statement = f"ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY {key};"
        (refused if outcome(place.fresh(SCHEMA), statement) else taken).append(key)
        database = place.fresh(SCHEMA)
        if key in refused:
            with pytest.raises(RefusedError) as why:
                database.plan(statement, policy=policy)
            assert why.value.code == "DF-E321"
        else:
            plan = database.plan(statement, policy=policy)
            assert apply(plan, database, open_gates=gates(plan)).state == "done" and keys_of(database)
    assert KEYS[0] in taken and KEYS[6] in refused


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("policy", [Policy(), POLICY], ids=["small", "large"])
def test_a_key_that_names_no_columns(place: Place, policy: Policy) -> None:
    """MySQL 9 takes the primary key, MariaDB the columns of the same name; with foreign_key_checks off, as for a large table, neither (error 1239)."""
    naive, planned = place.fresh(SCHEMA), place.fresh(SCHEMA)
    statement = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES p;"
    naive.run(statement)
    plan = planned.plan(statement, policy=policy)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    assert planned.structure() == naive.structure() and keys_of(planned)


@pytest.mark.on("mysql", "mariadb")
def test_a_foreign_key_that_looks_at_the_end_of_the_transaction_is_refused(place: Place) -> None:
    with pytest.raises(RefusedError, match="no deferrable foreign key") as refused:
        place.fresh(SCHEMA).plan(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED;"
        )
    assert refused.value.code == "DF-E657"
