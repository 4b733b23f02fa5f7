"""What PostgreSQL is known to refuse is refused before anything runs; what one clause mends of another is no failure."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Place, gates, refused, there_and_back
from recipes.rig import apply as carry_out

from driftflow.config import Policy
from driftflow.errors import RefusedError

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE TABLE p (id integer PRIMARY KEY, code text UNIQUE, plain integer, j jsonb);
CREATE TABLE c (id integer PRIMARY KEY, p_id integer REFERENCES p, p_code text REFERENCES p (code));
CREATE TABLE s (id integer PRIMARY KEY, parent integer REFERENCES s);
CREATE DOMAIN name AS text;
CREATE VIEW v AS SELECT id FROM p;
CREATE TABLE parts (id integer) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (10);
CREATE TABLE computed (id integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO p VALUES (1, '1'); INSERT INTO c VALUES (1, 1, '1'); INSERT INTO s VALUES (1, NULL), (2, 1);
"""
FIRST = "ALTER TABLE p ADD COLUMN note text; "
"""What would have been done before the error."""


@pytest.mark.parametrize("policy", [Policy(), POLICY], ids=["small", "large"])
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE c ALTER COLUMN p_id TYPE text;",
        "ALTER TABLE c ALTER COLUMN p_id TYPE numeric;",
        "ALTER TABLE p ALTER COLUMN id TYPE text;",
        "ALTER TABLE c ALTER COLUMN p_code TYPE integer USING p_code::integer;",
        "ALTER TABLE c ALTER COLUMN p_id TYPE public.name;",
        "ALTER TABLE s ALTER COLUMN parent TYPE text;",
        "ALTER TABLE c ADD COLUMN other text REFERENCES p (id);",
        "ALTER TABLE c ADD CONSTRAINT x FOREIGN KEY (p_code) REFERENCES p (id);",
        "ALTER TABLE c ADD CONSTRAINT x FOREIGN KEY (p_id) REFERENCES p (plain);",
        "ALTER TABLE c ADD CONSTRAINT x FOREIGN KEY (p_id) REFERENCES v (id);",
        "CREATE TABLE n (id integer, other text REFERENCES p);",
        "ALTER TABLE p ALTER COLUMN j TYPE integer;",
        "ALTER TABLE p RENAME COLUMN plain TO code;",
        "CREATE TABLE p (id integer);",
        "DROP SEQUENCE nope;",
        "COMMENT ON COLUMN p.nope IS 'x';",
        "COMMENT ON SCHEMA nope IS 'x';",
        "CREATE TABLE part PARTITION OF p FOR VALUES FROM (1) TO (2);",
        "CREATE TABLE more PARTITION OF parts FOR VALUES FROM (5) TO (15);",
        "CREATE POLICY mine ON v USING (true);",
        "CREATE POLICY mine ON p USING (nope > 1);",
        "GRANT SELECT ON nope TO PUBLIC;",
        "GRANT SELECT (nope) ON p TO PUBLIC;",
        "GRANT EXECUTE ON FUNCTION nope(integer) TO PUBLIC;",
        "ALTER TABLE p ADD CONSTRAINT x CHECK (nope > 0);",
        "ALTER TABLE p ADD COLUMN other integer CHECK (nope > 0);",
        "UPDATE computed SET twice = 1;",
        "INSERT INTO computed (id, twice) VALUES (7, 1);",
        "CREATE INDEX x ON p USING gin (plain);",
        "CREATE INDEX x ON v (id);",
        "CREATE INDEX x ON p (plain) WHERE nope > 1;",
        "ALTER TABLE p ALTER COLUMN plain SET DEFAULT 'x';",
        "ALTER TABLE p ALTER COLUMN plain SET DEFAULT now();",
        "ALTER TABLE p ADD COLUMN other integer DEFAULT plain;",
        "CREATE TABLE n (id integer, CHECK (nope > 0));",
        "ALTER TABLE p ADD COLUMN other integer DEFAULT 'x';",
        "ALTER TABLE p ADD COLUMN other integer CHECK ((SELECT 1) > 0);",
        "CREATE PUBLICATION x FOR TABLE v;",
    ],
)
def test_before_anything_runs(place: Place, change: str, policy: Policy) -> None:
    database = place.fresh(SCHEMA)
    with pytest.raises(RefusedError, match="DF-E321"):
        database.plan(FIRST + change, policy=policy)


def test_the_way_out_is_told(place: Place) -> None:
    error = refused(place.fresh(SCHEMA), "ALTER TABLE c ALTER COLUMN p_id TYPE text;")
    assert "p_id is text and id is integer" in error.why and "make it again" in error.hint


@pytest.mark.parametrize("policy", [Policy(), POLICY], ids=["small", "large"])
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE s ALTER COLUMN id TYPE text, ALTER COLUMN parent TYPE text;",
        "ALTER TABLE s ALTER COLUMN parent TYPE text, ALTER COLUMN id TYPE text;",
        "ALTER TABLE s ALTER COLUMN parent TYPE text, DROP CONSTRAINT s_parent_fkey;",
        "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey; ALTER TABLE c ALTER COLUMN p_id TYPE text;",
    ],
)
def test_what_the_same_migration_mends(place: Place, change: str, policy: Policy) -> None:
    planned, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    naive.run(change)
    plan = planned.plan(change, policy=policy)
    assert carry_out(plan, planned, open_gates=gates(plan)).state == "done"
    assert planned.seen() == naive.seen()
    there_and_back(place.fresh(SCHEMA), change, policy=policy)
