"""Row-level security switched on, forced and changed while a least-privileged role reads: it never sees a row of others, nor misses one of its own."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, apply, gates, show, take_back

from driftflow.errors import RefusedError

ROLE = "DO $$ BEGIN CREATE ROLE recipes_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
DOCS = (
    ROLE
    + """
CREATE TABLE docs (id bigint PRIMARY KEY, tenant int NOT NULL, body text);
INSERT INTO docs SELECT n, n % 3, 'text' FROM generate_series(1, 300) AS n;
GRANT SELECT, INSERT, UPDATE ON docs TO recipes_reader;
"""
)
POLICY = "CREATE POLICY own ON docs TO recipes_reader USING (tenant = 1) WITH CHECK (tenant = 1);"
ENABLED = f"{DOCS} {POLICY} ALTER TABLE docs ENABLE ROW LEVEL SECURITY;"
OWN_ONLY = "SELECT 1 / (count(*) FILTER (WHERE tenant = 1) > 0 AND count(*) FILTER (WHERE tenant <> 1) = 0)::int FROM docs"
"""Divides by zero when the role sees a row of another tenant, or none of its own."""
OWN_THERE = "SELECT 1 / (count(*) FILTER (WHERE tenant = 1) > 0)::int FROM docs"
BECOME = "SET LOCAL ROLE recipes_reader"
READS = (BECOME, OWN_ONLY)
WRITES = (
    BECOME,
    "INSERT INTO docs VALUES (1000 + {n}, 1, 'own')",
    "UPDATE docs SET body = 'mine' WHERE tenant = 1 AND id = {n} % 300 + 1",
)


@pytest.mark.on("postgresql")
@pytest.mark.recipe("row-security", "native", why="the policies first, the switch behind the gate")
def test_switched_on_with_its_policies_already_there(place: Place) -> None:
    """Own rows are there all the time: before, at the gate, and afterwards, when they are the only ones."""
    shown = show(
        place,
        Recipe(
            schema=DOCS,
            migration=f"ALTER TABLE docs ENABLE ROW LEVEL SECURITY; ALTER TABLE docs FORCE ROW LEVEL SECURITY; {POLICY}",
            old=((BECOME, OWN_THERE), WRITES),
        ),
    )
    assert [step.strategy for step in shown.plan.steps][:2] == ["direct", "gate"]
    seen = shown.planned.query("SELECT count(*) FROM pg_policies WHERE policyname = 'own'")
    assert seen == [(1,)]


@pytest.mark.on("postgresql")
def test_a_policy_is_replaced_without_a_moment_without_one(place: Place) -> None:
    migration = "DROP POLICY own ON docs; CREATE POLICY own ON docs TO recipes_reader USING (tenant = 1 AND id > 0) WITH CHECK (tenant = 1);"
    shown = show(place, Recipe(schema=ENABLED, migration=migration, old=(READS, WRITES, READS)))
    assert len(shown.plan.steps) == 1


@pytest.mark.on("postgresql")
def test_a_policy_is_altered_and_renamed(place: Place) -> None:
    migration = "ALTER POLICY own ON docs USING (tenant = 1 AND id > 0); ALTER POLICY own ON docs RENAME TO mine;"
    show(place, Recipe(schema=ENABLED, migration=migration, old=(READS, WRITES, READS)))


@pytest.mark.on("postgresql-18")
def test_without_a_policy_nothing_is_switched_on(place: Place) -> None:
    database = place.fresh(DOCS)
    plan = database.plan("ALTER TABLE docs ENABLE ROW LEVEL SECURITY;")
    with pytest.raises(RefusedError, match="docs has no policy yet"):
        apply(plan, database, open_gates=("deployed",))


DOCS_ANYWHERE = "CREATE TABLE docs (id int PRIMARY KEY, tenant int NOT NULL);"
DIRECTIVE = "-- driftflow: row-security column=tenant variable=me view=my_docs role=app\n"


@pytest.mark.on("sqlite")
@pytest.mark.recipe(
    "row-security",
    "refused",
    why="it has no users from whom anything could be hidden: a file for each tenant, or the application, must do it",
)
def test_where_there_are_no_users_it_is_refused(place: Place) -> None:
    database = place.fresh(DOCS_ANYWHERE)
    for directive in ("", DIRECTIVE):
        with pytest.raises(RefusedError, match="no row-level security") as error:
            database.plan(f"{directive}ALTER TABLE docs ENABLE ROW LEVEL SECURITY;")
        assert "no users" in error.value.why


@pytest.mark.on("mariadb", "mysql")
def test_without_a_word_of_the_author_no_view_is_made(place: Place) -> None:
    database = place.fresh(DOCS_ANYWHERE)
    for statement in (
        "ALTER TABLE docs ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE docs FORCE ROW LEVEL SECURITY",
        "CREATE POLICY own ON docs USING (tenant = 1)",
    ):
        with pytest.raises(RefusedError, match="no row-level security") as error:
            database.plan(f"{statement};")
        assert "driftflow: row-security column=" in error.value.hint


@pytest.mark.on("postgresql-18")
def test_where_there_are_policies_no_view_takes_their_place(place: Place) -> None:
    database = place.fresh(DOCS)
    with pytest.raises(RefusedError, match="DF-E788"):
        database.plan(f"{DIRECTIVE}ALTER TABLE docs ENABLE ROW LEVEL SECURITY;")


NEWCOMER = """
DO $$ BEGIN CREATE ROLE "recipes Newcomer"; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE TABLE notes (id bigint PRIMARY KEY);
CREATE VIEW few AS SELECT id FROM notes;
"""


@pytest.mark.on("postgresql")
@pytest.mark.parametrize(
    ("granted", "had", "left"),
    [
        ('GRANT SELECT, UPDATE ON notes, few TO "recipes Newcomer"', False, (False, False, False)),
        (
            'GRANT ALL PRIVILEGES ON TABLE notes TO recipes_reader, "recipes Newcomer" WITH GRANT OPTION',
            False,
            (False, False, False),
        ),
        ('GRANT SELECT, UPDATE ON notes TO "recipes Newcomer"', True, (True, False, False)),
        ("GRANT SELECT ON notes TO PUBLIC", False, (False, False, False)),
        ('GRANT SELECT (id) ON notes TO "recipes Newcomer"', False, (False, False, False)),
    ],
    ids=["nobody had any", "everything, and to pass on", "one had some", "everybody", "a column"],
)
def test_rights_that_nobody_had_are_taken_back(place: Place, granted: str, had: bool, left: tuple[bool, ...]) -> None:
    """Who had some has those."""
    before = 'GRANT SELECT ON notes TO "recipes Newcomer";' if had else ""
    planned = place.fresh(DOCS + NEWCOMER + before)
    plan = planned.plan(f"{granted};")
    report = apply(plan, planned)
    assert planned.query("SELECT has_any_column_privilege('recipes Newcomer', 'notes', 'SELECT')") == [(True,)]
    assert take_back(report.run, planned).state == "rolled_back"
    asked = ("'notes', 'SELECT'", "'notes', 'UPDATE'", "'few', 'SELECT'")
    rights = ", ".join(f"has_table_privilege('recipes Newcomer', {one})" for one in asked)
    assert planned.query(f"SELECT {rights}") == [left]
    assert planned.query("SELECT has_table_privilege(current_user, 'notes', 'SELECT')") == [(True,)]


HELD = """
GRANT SELECT, UPDATE ON notes TO "recipes Newcomer" WITH GRANT OPTION;
GRANT INSERT (id) ON notes TO "recipes Newcomer";
GRANT SELECT ON notes TO PUBLIC;
GRANT SELECT ON few TO "recipes Newcomer";
GRANT UPDATE (id) ON few TO "recipes Newcomer";
CREATE SEQUENCE counted;
GRANT USAGE ON SEQUENCE counted TO "recipes Newcomer";
CREATE TABLE apart (id int, name text);
GRANT SELECT (id) ON apart TO "recipes Newcomer";
CREATE TABLE bare (id int, name text, "Odd, one) ON" text);
CREATE SEQUENCE bare_counted;
"""
RIGHTS = """
SELECT c.relname, '', r.grantee::regrole::text, r.privilege_type, r.is_grantable FROM pg_class c, aclexplode(c.relacl) r
WHERE c.relnamespace = 'public'::regnamespace AND r.grantee <> c.relowner
UNION ALL
SELECT c.relname, a.attname, r.grantee::regrole::text, r.privilege_type, r.is_grantable FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) r
WHERE c.relnamespace = 'public'::regnamespace
ORDER BY 1, 2, 3, 4
"""


@pytest.mark.on("postgresql")
@pytest.mark.parametrize(
    "change",
    [
        'REVOKE SELECT ON notes FROM "recipes Newcomer"',
        'REVOKE ALL ON notes, few FROM "recipes Newcomer", PUBLIC CASCADE',
        'REVOKE GRANT OPTION FOR UPDATE ON notes FROM "recipes Newcomer"',
        'REVOKE INSERT (id) ON notes FROM "recipes Newcomer"',
        'REVOKE USAGE ON SEQUENCE counted FROM "recipes Newcomer"',
        'GRANT SELECT (id), UPDATE (id, name) ON bare TO "recipes Newcomer"',
        'GRANT SELECT ("Odd, one) ON"), UPDATE (id) ON bare TO "recipes Newcomer"',
        'GRANT USAGE ON SEQUENCE bare_counted TO "recipes Newcomer"',
        'GRANT SELECT ON apart TO "recipes Newcomer"',
    ],
)
def test_rights_are_as_they_were(place: Place, change: str) -> None:
    """Those on columns too, which a REVOKE of the same on the table takes along."""
    planned = place.fresh(DOCS + NEWCOMER + HELD)
    before = planned.query(RIGHTS)
    plan = planned.plan(f"{change};")
    report = apply(plan, planned, open_gates=gates(plan))
    assert planned.query(RIGHTS) != before
    assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    assert planned.query(RIGHTS) == before


OWN = "SELECT c.relname, r.privilege_type FROM pg_class c, aclexplode(COALESCE(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", c.relowner))) r WHERE c.relname LIKE 'bare%' AND r.grantee = c.relowner ORDER BY 1, 2"


@pytest.mark.on("postgresql")
@pytest.mark.parametrize("change", ["REVOKE INSERT, DELETE ON bare FROM {}", "REVOKE USAGE ON SEQUENCE bare_counted FROM {}"])
def test_the_owner_has_its_own_rights_again(place: Place, change: str) -> None:
    """Where nobody has said anything of them before, no entry of the catalog holds them."""
    planned = place.fresh(DOCS + NEWCOMER + HELD)
    owner, before = planned.query("SELECT quote_ident(current_user)")[0][0], planned.query(OWN)
    plan = planned.plan(f"{change.format(owner)};")
    report = apply(plan, planned, open_gates=gates(plan))
    assert planned.query(OWN) != before
    assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    assert planned.query(OWN) == before
