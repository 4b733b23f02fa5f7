"""A table that is small takes its statement as it stands. What the statement itself makes is not asked for before."""

from __future__ import annotations

import pytest
from recipes.rig import Place, accepted, apply, gates, take_back

from driftflow.config import Policy

SCHEMA = """
CREATE TABLE owners (id integer PRIMARY KEY);
CREATE TABLE pets (id integer PRIMARY KEY, name varchar(20));
INSERT INTO owners VALUES (1), (2);
INSERT INTO pets VALUES (1, 'a'), (2, 'b');
"""
TOGETHER = [
    "ALTER TABLE pets ADD COLUMN owner integer, ADD CONSTRAINT pets_owner FOREIGN KEY (owner) REFERENCES owners (id);",
    "ALTER TABLE pets ADD COLUMN owner integer DEFAULT 1, ADD CONSTRAINT pets_owner FOREIGN KEY (owner) REFERENCES owners (id);",
    "ALTER TABLE pets ADD COLUMN age integer, ADD CONSTRAINT pets_age CHECK (age > 0);",
    "ALTER TABLE pets ADD COLUMN age integer, ADD CONSTRAINT pets_age UNIQUE (age);",
    "ALTER TABLE pets ADD COLUMN age integer NOT NULL DEFAULT 1, ADD CONSTRAINT pets_age CHECK (age > 0), ADD CONSTRAINT pets_key UNIQUE (age, id);",
]
APART = [
    "ALTER TABLE pets ADD COLUMN age integer; CREATE UNIQUE INDEX pets_age ON pets (age);",
    "ALTER TABLE pets RENAME COLUMN name TO called; CREATE UNIQUE INDEX pets_called ON pets (called);",
    "ALTER TABLE pets RENAME TO animals; CREATE UNIQUE INDEX animals_name ON animals (name);",
]
ON_MYSQL = [
    "ALTER TABLE pets RENAME COLUMN name TO called, ADD CONSTRAINT pets_called CHECK (called <> '');",
    "ALTER TABLE pets CHANGE name called varchar(30), ADD UNIQUE KEY pets_called (called);",
]


@pytest.mark.on("postgresql", "mysql", "mariadb")
@pytest.mark.parametrize("change", TOGETHER)
def test_a_column_with_its_constraint(place: Place, change: str) -> None:
    as_the_naive_one(place, change)


@pytest.mark.parametrize("change", APART)
def test_one_after_the_other(place: Place, change: str) -> None:
    as_the_naive_one(place, change)


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("change", ON_MYSQL)
def test_a_new_name_with_its_constraint(place: Place, change: str) -> None:
    as_the_naive_one(place, change)


def as_the_naive_one(place: Place, change: str) -> None:
    naive, planned = place.fresh(SCHEMA), place.fresh(SCHEMA)
    before = planned.structure()
    naive.run(change)
    plan = planned.plan(change, policy=Policy())
    assert accepted(plan) == ()
    report = apply(plan, planned, open_gates=gates(plan))
    assert report.state == "done"
    assert (planned.structure(), planned.rows()) == (naive.structure(), naive.rows())
    assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    assert (planned.structure(), planned.left()) == (before, [])
