"""MySQL and MariaDB make an index for a foreign key, and take it away when somebody makes one that begins with its columns: then the key stands on that
one, which cannot be dropped any more."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Place, accepted, apply, changed_and_back, gates, outcome, there_and_back

from driftflow.config import Policy
from driftflow.errors import RefusedError
from mysql_predictions import predicted

pytestmark = pytest.mark.on("mysql", "mariadb")
SCHEMA = """
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE pets (id int PRIMARY KEY, owner int, vet int, age int, CONSTRAINT pets_owner FOREIGN KEY (owner) REFERENCES owners (id),
  KEY by_vet (vet), CONSTRAINT pets_vet FOREIGN KEY (vet) REFERENCES owners (id));
INSERT INTO owners VALUES (1), (2);
INSERT INTO pets VALUES (1, 1, 2, 1), (2, 1, 1, 2), (3, 2, NULL, 1);
"""
POLICIES = {"small": Policy(), "large": POLICY}


@pytest.mark.parametrize(
    "change",
    [
        "CREATE INDEX k ON pets (owner);",
        "CREATE INDEX k ON pets (owner DESC, age);",
        "CREATE UNIQUE INDEX k ON pets (owner, id);",
        "ALTER TABLE pets ADD CONSTRAINT k UNIQUE (owner, id), ADD COLUMN z int;",
        "ALTER TABLE pets DROP PRIMARY KEY, ADD PRIMARY KEY (owner, id), MODIFY owner int NOT NULL;",
        "CREATE INDEX k ON pets (vet, age);",
        "ALTER TABLE pets ADD INDEX k (vet, age), DROP INDEX by_vet;",
        "ALTER TABLE pets DROP INDEX by_vet, ADD UNIQUE INDEX by_vet (vet, id);",
        "CREATE INDEX k ON pets (owner); CREATE INDEX k2 ON pets (owner, age); DROP INDEX k ON pets;",
        "CREATE INDEX k ON pets (age, owner);",
        "ALTER TABLE pets ADD CONSTRAINT pets_age FOREIGN KEY (age) REFERENCES owners (id);",
    ],
)
def test_an_index_over_the_columns_of_a_key_is_taken_back(place: Place, change: str) -> None:
    database = place.fresh(SCHEMA)
    changed_and_back(database, change, lambda: (database.structure(), database.rows()))


KEY = "ALTER TABLE pets ADD COLUMN sitter int; ALTER TABLE pets ADD CONSTRAINT pets_sitter FOREIGN KEY (sitter) REFERENCES owners (id);"
UNNAMED = "ALTER TABLE pets ADD COLUMN sitter int; ALTER TABLE pets ADD FOREIGN KEY (sitter) REFERENCES owners (id);"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "change",
    [
        f"{KEY} CREATE INDEX k ON pets (sitter);",
        f"{KEY} CREATE UNIQUE INDEX k ON pets (sitter, id); CREATE INDEX k2 ON pets (sitter, age);",
        f"{KEY} CREATE INDEX k ON pets (sitter); CREATE INDEX k2 ON pets (sitter, age); DROP INDEX k ON pets;",
        f"{UNNAMED} ALTER TABLE pets ADD INDEX (sitter);",
        f"{UNNAMED} ALTER TABLE pets ADD UNIQUE (sitter, id);",
        "ALTER TABLE pets ADD COLUMN sitter int, ADD CONSTRAINT pets_sitter FOREIGN KEY (sitter) REFERENCES owners (id), ADD INDEX k (sitter, age);",
    ],
)
def test_a_key_of_the_release_leaves_no_second_index(place: Place, change: str, policy: str) -> None:
    naive, planned = place.fresh(SCHEMA), place.fresh(SCHEMA)
    naive.run(change)
    plan = planned.plan(change, policy=POLICIES[policy])
    assert accepted(plan) == ()
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    assert planned.structure() == naive.structure()
    back = place.fresh(SCHEMA)
    before = back.structure()
    there_and_back(back, change)
    assert (back.structure(), back.left()) == (before, [])


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("ALTER TABLE pets DROP INDEX pets_owner, ADD INDEX k (owner, age)", False),
        ("ALTER TABLE pets ADD INDEX k (owner, age), DROP INDEX pets_owner", False),
        ("ALTER TABLE pets DROP INDEX by_vet, DROP FOREIGN KEY pets_vet", False),
        ("ALTER TABLE pets DROP INDEX pets_owner, ADD INDEX k (age, owner)", True),
        ("ALTER TABLE pets DROP INDEX by_vet", True),
    ],
)
def test_an_index_that_a_key_needs_goes_where_the_statement_brings_another(place: Place, statement: str, refused: bool) -> None:
    database = place.fresh(SCHEMA)
    assert bool(predicted(database.dialect, database.catalog(), statement).refused) == refused
    assert bool(outcome(database, statement)) == refused


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX by_vet ON pets;",
        "ALTER TABLE pets ADD COLUMN z int AFTER nothing;",
        "ALTER TABLE pets MODIFY age bigint AFTER nothing;",
    ],
)
@pytest.mark.parametrize("policy", POLICIES)
def test_what_the_server_will_refuse_is_refused_before(place: Place, change: str, policy: str) -> None:
    database = place.fresh(SCHEMA)
    assert outcome(database, change) != ""
    with pytest.raises(RefusedError, match="DF-E321"):
        database.plan(change, policy=POLICIES[policy])


@pytest.mark.parametrize("policy", POLICIES)
def test_a_key_in_the_place_of_another_is_taken_back(place: Place, policy: str) -> None:
    """MariaDB passes over DROP CONSTRAINT of a foreign key where the same statement adds a constraint."""
    database = place.fresh(SCHEMA)
    before = database.structure()
    change = "ALTER TABLE pets ADD CONSTRAINT pets_other FOREIGN KEY (owner) REFERENCES owners (id), DROP FOREIGN KEY pets_owner;"
    there_and_back(database, change, policy=POLICIES[policy])
    assert database.structure() == before
