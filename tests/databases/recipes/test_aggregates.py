"""Aggregates of PostgreSQL are made, replaced and dropped as functions are, and come back with all that makes them."""

from __future__ import annotations

import pytest
from recipes.rig import Place, accepted, apply, gates, refused, there_and_back

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
DO $$ BEGIN CREATE ROLE aggregate_owner; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT CREATE ON SCHEMA public TO aggregate_owner;
CREATE SCHEMA app;
CREATE FUNCTION app.step(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT coalesce(a, 0) + b';
CREATE FUNCTION app.back(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a - b';
CREATE FUNCTION app.last(a integer) RETURNS text LANGUAGE sql AS 'SELECT ''is '' || a';
CREATE FUNCTION one_more(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a + 1';
CREATE AGGREGATE "Total of" (integer) (
    SFUNC = app.step, STYPE = integer, SSPACE = 16, FINALFUNC = app.last, FINALFUNC_MODIFY = SHAREABLE, COMBINEFUNC = int4pl, INITCOND = '7',
    MSFUNC = app.step, MINVFUNC = app.back, MSTYPE = integer, MSSPACE = 8, MFINALFUNC = app.last, MINITCOND = '7', PARALLEL = SAFE
);
CREATE AGGREGATE app.rows_of (*) (SFUNC = one_more, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE least_of (integer) (SFUNC = int4smaller, STYPE = integer, SORTOP = OPERATOR(pg_catalog.<));
CREATE AGGREGATE in_order (double precision ORDER BY anyelement) (
    SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA
);
CREATE AGGREGATE ranked (VARIADIC "any" ORDER BY VARIADIC "any") (
    SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL
);
COMMENT ON AGGREGATE "Total of" (integer) IS 'said';
COMMENT ON AGGREGATE app.rows_of (*) IS 'said too';
ALTER AGGREGATE least_of (integer) OWNER TO aggregate_owner;
REVOKE ALL ON FUNCTION in_order (double precision, anyelement) FROM PUBLIC;
CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3);
"""
MADE = """
SELECT a.aggfnoid::regprocedure::text, a.aggkind::text, a.aggtransfn::text, a.aggfinalfn::text, a.aggcombinefn::text, a.aggmtransfn::text, a.aggminvtransfn::text,
    a.aggmfinalfn::text, a.aggfinalextra, a.aggmfinalextra, a.aggfinalmodify::text, a.aggmfinalmodify::text, a.aggsortop::text, a.aggtranstype::text,
    a.aggtransspace, a.aggmtranstype::text, a.aggmtransspace, a.agginitval, a.aggminitval, p.proparallel::text, p.proowner::regrole::text,
    obj_description(p.oid, 'pg_proc'), ARRAY(SELECT unnest(coalesce(p.proacl, acldefault('f', p.proowner)))::text ORDER BY 1)
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.oid >= 16384 ORDER BY 1
"""
OLD = (
    '"Total of" (integer)',
    "app.rows_of (*)",
    "least_of (integer)",
    "in_order (float8 ORDER BY anyelement)",
    'ranked (VARIADIC "any" ORDER BY VARIADIC "any")',
)


@pytest.mark.parametrize("name", OLD)
def test_a_dropped_one_comes_back(place: Place, name: str) -> None:
    home = place.fresh(SCHEMA)
    before = home.query(MADE)
    assert accepted(there_and_back(home, f"DROP AGGREGATE {name};")) == ()
    assert home.query(MADE) == before
    assert home.query('SELECT "Total of"(id), app.rows_of(*), least_of(id), in_order(0.5) WITHIN GROUP (ORDER BY id) FROM t') == [
        ("is 13", 3, 1, 2)
    ]


@pytest.mark.parametrize(
    "change",
    [
        "CREATE AGGREGATE biggest (integer) (SFUNC = int4larger, STYPE = integer); COMMENT ON AGGREGATE biggest (integer) IS 'x';",
        "CREATE AGGREGATE app.made (*) (SFUNC = one_more, STYPE = bigint); GRANT EXECUTE ON FUNCTION app.made() TO aggregate_owner;",
        "CREATE AGGREGATE old_way (BASETYPE = integer, SFUNC = int4larger, STYPE = integer);",
        "CREATE AGGREGATE made (float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);",
        "CREATE AGGREGATE biggest (integer) (SFUNC = int4larger, STYPE = integer); DROP AGGREGATE biggest (integer);",
        "CREATE OR REPLACE AGGREGATE least_of (integer) (SFUNC = int4larger, STYPE = integer);",
        "DROP AGGREGATE least_of (integer); CREATE AGGREGATE least_of (integer) (SFUNC = int4larger, STYPE = integer);",
        "ALTER AGGREGATE app.rows_of (*) RENAME TO counted; DROP AGGREGATE app.counted (*);",
        "COMMENT ON AGGREGATE app.rows_of (*) IS 'new';",
        'GRANT EXECUTE ON FUNCTION "Total of"(integer) TO aggregate_owner; REVOKE ALL ON FUNCTION app.rows_of() FROM PUBLIC;',
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;",
    ],
)
def test_there_and_back(place: Place, change: str) -> None:
    home, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    before = home.query(MADE)
    naive.run(change)
    plan = home.plan(change)
    assert accepted(plan) == ()
    there_and_back(home, change)
    assert home.query(MADE) == before
    planned = place.fresh(SCHEMA)
    assert apply(planned.plan(change), planned, open_gates=gates(planned.plan(change))).state == "done"
    assert planned.query(MADE) == naive.query(MADE)


def test_one_that_is_there_or_is_not_is_said_before(place: Place) -> None:
    home = place.fresh(SCHEMA)
    assert "exists already" in refused(home, "CREATE AGGREGATE least_of (integer) (SFUNC = int4larger, STYPE = integer);").why
    assert "does not exist" in refused(home, "DROP AGGREGATE least_of (bigint);").why
