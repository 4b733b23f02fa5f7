"""A check is called where its premises hold, and what holds is written as the checks ask for it."""

from __future__ import annotations

from typing import get_args

import pytest

from driftflow import pipeline
from driftflow.checks.premises import Premise, holding, needed
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.situation import Situation
from driftflow.dialects.walk import situations
from driftflow.model.record import replace
from driftflow.readers.sources import loose_migration


def walked(sql: str, *, transaction: str = "per_statement", policy: Policy | None = None) -> list[Situation]:
    dialect = dialect_named("postgresql")
    migration = replace(loose_migration(sql, dialect=dialect), transaction=transaction)
    catalog = pipeline.empty_catalog(dialect)
    return list(situations([migration], catalog=catalog, dialect=dialect, policy=policy or Policy()))


ALTER = "ALTER TABLE t ALTER COLUMN a TYPE bigint, ALTER COLUMN b SET NOT NULL"

CASES: dict[str, tuple[str, str, int]] = {
    "works": (ALTER, "per_statement", 0),
    "may_fail": (ALTER, "per_statement", 1),
    "unknown": ("DO $$ BEGIN END $$", "per_statement", 0),
    "refused_in_transactions": ("DROP INDEX CONCURRENTLY i", "per_statement", 0),
    "in_transaction": (ALTER, "single", 0),
    "outside_transactions": (ALTER, "per_statement", 0),
    "not_first_of_transaction": (ALTER, "single", 1),
    "first_clause": (ALTER, "per_statement", 0),
    "rewrites": (ALTER, "per_statement", 0),
    "stops_readers": (ALTER, "per_statement", 0),
    "adds_foreign_key": ("CREATE TABLE c (a int REFERENCES t (id))", "per_statement", 0),
    "adds_check": ("ALTER TABLE t ADD COLUMN c int CHECK (c > 0)", "per_statement", 0),
    "adds_key": ("ALTER TABLE t ADD UNIQUE (c)", "per_statement", 0),
    "adds_exclusion": ("ALTER TABLE t ADD EXCLUDE USING gist (c WITH &&)", "per_statement", 0),
    "if_not_exists": ("CREATE INDEX IF NOT EXISTS i ON t (c)", "per_statement", 0),
}
WITHOUT: dict[str, tuple[str, str, int]] = {
    "works": ("COMMENT ON TABLE t IS ''", "per_statement", 0),
    "may_fail": ("COMMENT ON TABLE t IS ''", "per_statement", 0),
    "unknown": (ALTER, "per_statement", 0),
    "refused_in_transactions": (ALTER, "per_statement", 0),
    "in_transaction": (ALTER, "per_statement", 0),
    "outside_transactions": (ALTER, "single", 0),
    "not_first_of_transaction": (ALTER, "single", 0),
    "first_clause": (ALTER, "per_statement", 1),
    "rewrites": ("ALTER TABLE t ALTER COLUMN b SET NOT NULL", "per_statement", 0),
    "stops_readers": ("COMMENT ON TABLE t IS ''", "per_statement", 0),
    "adds_foreign_key": ("CREATE TABLE c (a int UNIQUE)", "per_statement", 0),
    "adds_check": ("ALTER TABLE t ADD COLUMN c int UNIQUE", "per_statement", 0),
    "adds_key": ("ALTER TABLE t ADD CHECK (c > 0)", "per_statement", 0),
    "adds_exclusion": ("ALTER TABLE t ADD UNIQUE (c)", "per_statement", 0),
    "if_not_exists": ("CREATE INDEX i ON t (c)", "per_statement", 0),
}


@pytest.mark.parametrize("premise", list(CASES))
def test_what_holds_is_what_is_asked_for(premise: Premise) -> None:
    for cases, holds in ((CASES, True), (WITHOUT, False)):
        sql, transaction, place = cases[premise]
        assert bool(holding(walked(sql, transaction=transaction)[place]) & needed((premise,))) is holds


def test_what_the_policy_and_the_catalog_say() -> None:
    (by_tool,) = walked("SELECT 1", policy=Policy(applied_by_tool=True))
    (by_engine,) = walked("SELECT 1")
    assert holding(by_tool) ^ holding(by_engine) == needed(("applied_by_tool",))
    *_, at = walked("CREATE SCHEMA one; CREATE SCHEMA two; SELECT 1")
    assert holding(at) & needed(("several_schemas",))
    assert not holding(by_engine) & needed(("several_schemas",))


def test_each_premise_has_a_place_of_its_own() -> None:
    assert set(get_args(Premise)) == {*CASES, "applied_by_tool", "several_schemas"}
    assert needed(get_args(Premise)) == 2 ** len(get_args(Premise)) - 1
