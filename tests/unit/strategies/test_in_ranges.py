"""Which guards can go through a large table in ranges, and along what."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.model.plan import Guard, Ranges

TABLE = """
CREATE TABLE people (id integer PRIMARY KEY, firm integer NOT NULL, mail varchar(80), height double precision, n integer);
CREATE INDEX people_firm ON people (firm, n);
CREATE INDEX people_height ON people (height);
"""


def asked(schema: str, migration: str, vendor: str = "postgresql") -> list[Guard]:
    dialect = planning.named(vendor)
    plan = planning.plan_of(migration, dialect, catalog=planning.catalog_of(schema, dialect))
    return [guard for step in plan.steps for guard in step.guards if "%" not in guard.summary and "count" in guard.query]


def ranges_of(schema: str, migration: str, vendor: str = "postgresql") -> list[Ranges | None]:
    return [guard.ranges for guard in asked(schema, migration, vendor)]


@pytest.mark.parametrize(
    ("index", "along"),
    [
        ("(firm)", "firm"),
        ("(mail, firm)", "firm"),
        ("(firm, lower(mail))", "firm"),
        ("(id, mail)", "id"),
        ("(mail)", ""),
        ("(n)", ""),
        ("(height)", ""),
        ("(lower(mail))", ""),
        ("(firm) NULLS NOT DISTINCT", ""),
    ],
)
def test_equal_values_go_along_a_column_that_an_index_sorts(index: str, along: str) -> None:
    """Not along floats, which a client may not give back as they were, and not where NULLs are equal, which lie in no range."""
    found = ranges_of(TABLE, f"CREATE UNIQUE INDEX people_one ON people {index};")
    assert [one.key if one is not None else "" for one in found] == [along]
    if along:
        assert found[0] is not None and found[0].group


@pytest.mark.parametrize("other", ["ON people (mail) WHERE n > 5", "ON people (lower(mail))", "ON people USING hash (mail)"])
def test_an_index_of_other_rows_or_another_order_does_not_help(other: str) -> None:
    schema = f"{TABLE} CREATE INDEX people_other {other};"
    assert ranges_of(schema, "CREATE UNIQUE INDEX people_one ON people (mail);") == [None]


@pytest.mark.parametrize(
    ("vendor", "migration"),
    [
        ("postgresql", "ALTER TABLE people ALTER COLUMN n TYPE smallint;"),
        ("postgresql", "-- driftflow: too-long policy=reject\nALTER TABLE people ALTER COLUMN mail TYPE varchar(20);"),
        ("mariadb", "ALTER TABLE people MODIFY n smallint;"),
        ("mysql", "ALTER TABLE people MODIFY mail varchar(20);"),
    ],
)
def test_what_is_asked_of_each_row_goes_along_the_key(vendor: str, migration: str) -> None:
    found = [one for one in ranges_of(TABLE, migration, vendor) if one is not None]
    assert found and {one.key for one in found} == {"id"} and not any(one.group for one in found)


@pytest.mark.parametrize(("key", "along"), [("firm, mail", "firm"), ("mail, firm", ""), ("mail", "")])
def test_values_that_become_equal_go_along_a_column_that_stays(key: str, along: str) -> None:
    """Under another collation equal values may lie anywhere in the order of the old one."""
    schema = f"{TABLE} CREATE UNIQUE INDEX people_mail ON people ({key});"
    migration = "ALTER TABLE people MODIFY mail varchar(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;"
    schema = schema.replace("mail varchar(80)", "mail varchar(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    (found,) = [guard.ranges for guard in asked(schema, migration, "mysql") if "become equal" in guard.summary]
    assert (found.key if found is not None else "") == along and (found is None or bool(found.group))
