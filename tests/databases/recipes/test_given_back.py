"""A type that took more values is taken back where every value is the same in the old one; a rollback rounds and cuts nothing without a word."""

from __future__ import annotations

import pytest
from recipes.rig import Place, accepted, apply, changed_and_back, take_back

from driftflow.config import Policy
from driftflow.errors import RefusedError, StepFailedError

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE TABLE t (id integer PRIMARY KEY, n integer, d numeric(8,2), r real, v varchar(5));
INSERT INTO t VALUES (1, 7, 1.25, 0.5, 'a'), (2, NULL, 'NaN', NULL, NULL);
"""
CASES = {
    "digits before": ("ALTER TABLE t ALTER COLUMN d TYPE numeric(10,2);", "d = 1000000", "d"),
    "digits behind": ("ALTER TABLE t ALTER COLUMN d TYPE numeric(10,4);", "d = 1.2345", "d"),
    "any digits": ("ALTER TABLE t ALTER COLUMN d TYPE numeric;", "d = 1.2345", "d"),
    "number": ("ALTER TABLE t ALTER COLUMN n TYPE numeric;", "n = 1.5", "n"),
    "large number": ("ALTER TABLE t ALTER COLUMN n TYPE bigint;", "n = 3000000000", "n"),
    "precision": ("ALTER TABLE t ALTER COLUMN r TYPE double precision;", "r = 0.1", "r"),
    "white space": ("ALTER TABLE t ALTER COLUMN v TYPE text;", "v = 'a    ' || '  '", "v"),
    "length": ("ALTER TABLE t ALTER COLUMN v TYPE varchar(9);", "v = 'abcdefg'", "v"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_comes_back(place: Place, name: str) -> None:
    database = place.fresh(SCHEMA)
    changed_and_back(database, CASES[name][0], lambda: (database.structure(), database.rows()))


@pytest.mark.parametrize("name", CASES)
def test_a_value_that_would_not_be_the_same_stops_it(place: Place, name: str) -> None:
    database = place.fresh(SCHEMA)
    statement, written, column = CASES[name]
    plan = database.plan(statement, policy=Policy())
    report = apply(plan, database)
    assert report.state == "done"
    database.run(f"UPDATE t SET {written} WHERE id = 1;")
    before = database.rows()
    with pytest.raises(
        (RefusedError, StepFailedError), match=f"1 rows of t hold a {column} that the old type .* does not give back"
    ) as error:
        take_back(report.run, database)
    assert error.value.code == "DF-E305" and database.rows() == before
    database.run("UPDATE t SET n = 1, d = 1, r = 0.5, v = 'b' WHERE id = 1;")
    assert take_back(report.run, database).state == "rolled_back"


def test_numbers_in_a_list_are_not_asked_for_one_by_one(place: Place) -> None:
    """Nothing compares a list with a number: what a wider one holds by then is not known, so it has to be accepted that it stays."""
    database = place.fresh("CREATE TABLE l (id integer PRIMARY KEY, d numeric(8,2)[]); INSERT INTO l VALUES (1, '{1.25}');")
    plan = database.plan("ALTER TABLE l ALTER COLUMN d TYPE numeric(10,4)[];", policy=Policy())
    assert accepted(plan) == ("alter_column_type public.l.d",)
    plan = database.plan("ALTER TABLE l ALTER COLUMN d TYPE numeric(6,2)[];", policy=Policy())
    assert apply(plan, database).state == "done"
    assert database.query("SELECT d::text FROM l") == [("{1.25}",)]
