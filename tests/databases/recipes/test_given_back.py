"""A type that took more values is taken back where every value is the same in the old one; a rollback rounds and cuts nothing without a word."""

from __future__ import annotations

import pytest
from recipes.rig import Place, accepted, apply, changed_and_back, gates, take_back

from driftflow.config import Policy
from driftflow.errors import RefusedError, StepFailedError

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE TABLE t (id integer PRIMARY KEY, n integer, d numeric(8,2), r real, v varchar(5), at timestamp(0), z timestamptz(0), c time(1), i interval(0));
INSERT INTO t VALUES (1, 7, 1.25, 0.5, 'a', '2026-01-02 03:04:05', '2026-01-02 03:04:05+00', '03:04:05.5', '3 seconds'), (2, NULL, 'NaN', NULL, NULL, NULL, NULL, NULL, NULL);
"""
CASES = {
    "digits before": ("ALTER TABLE t ALTER COLUMN d TYPE numeric(10,2);", "d = 1000000", "d"),
    "digits behind": ("ALTER TABLE t ALTER COLUMN d TYPE numeric(10,4);", "d = 1.2345", "d"),
    "any digits": ("ALTER TABLE t ALTER COLUMN d TYPE numeric;", "d = 1.2345", "d"),
    "number": ("ALTER TABLE t ALTER COLUMN n TYPE numeric;", "n = 1.5", "n"),
    "large number": ("ALTER TABLE t ALTER COLUMN n TYPE bigint;", "n = 3000000000", "n"),
    "precision": ("ALTER TABLE t ALTER COLUMN r TYPE double precision;", "r = 0.1", "r"),
    "white space": ("ALTER TABLE t ALTER COLUMN v TYPE text;", "v = 'a    ' || '  '", "v"),
    "moment": ("ALTER TABLE t ALTER COLUMN at TYPE timestamp;", "at = '2026-01-02 03:04:05.5'", "at"),
    "moment in a zone": ("ALTER TABLE t ALTER COLUMN z TYPE timestamptz(3);", "z = '2026-01-02 03:04:05.5+00'", "z"),
    "time": ("ALTER TABLE t ALTER COLUMN c TYPE time(3);", "c = '03:04:05.25'", "c"),
    "interval": ("ALTER TABLE t ALTER COLUMN i TYPE interval(3);", "i = '3.5 seconds'", "i"),
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
    database.run(
        "UPDATE t SET n = 1, d = 1, r = 0.5, v = 'b', at = '2026-01-02', z = '2026-01-02', c = '01:02', i = '1 day' WHERE id = 1;"
    )
    assert take_back(report.run, database).state == "rolled_back"


def test_behind_the_gate_the_old_column_is_filled_anew_and_changes_no_new_value(place: Place) -> None:
    """Of a large table: the values of the old type went at the gate, and what fills them again is followed by nothing."""
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE t ALTER COLUMN d TYPE numeric(12,4);")
    report = apply(plan, database, open_gates=gates(plan))
    database.run("UPDATE t SET d = 1.2345 WHERE id = 1;")
    before = database.seen()
    with pytest.raises(RefusedError, match=r"1 rows of t hold a d that the old type numeric\(8,2\) does not give back"):
        take_back(report.run, database, open_gates=gates(plan))
    after = database.seen()
    assert (after.rows, after.structure) == (before.rows, before.structure)
    database.run("UPDATE t SET d = 1.5 WHERE id = 1;")
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.query("SELECT d::text FROM t ORDER BY id") == [("1.50",), ("NaN",)]


def test_numbers_in_a_list_are_not_asked_for_one_by_one(place: Place) -> None:
    """Nothing compares a list with a number: what a wider one holds by then is not known, so it has to be accepted that it stays."""
    database = place.fresh("CREATE TABLE l (id integer PRIMARY KEY, d numeric(8,2)[]); INSERT INTO l VALUES (1, '{1.25}');")
    plan = database.plan("ALTER TABLE l ALTER COLUMN d TYPE numeric(10,4)[];", policy=Policy())
    assert accepted(plan) == ("alter_column_type public.l.d",)
    plan = database.plan("ALTER TABLE l ALTER COLUMN d TYPE numeric(6,2)[];", policy=Policy())
    assert apply(plan, database).state == "done"
    assert database.query("SELECT d::text FROM l") == [("{1.25}",)]
