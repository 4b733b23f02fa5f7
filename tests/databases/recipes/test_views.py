"""What PostgreSQL refuses because of views, done with the views: owner, rights, comments, options and order as before."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Place, Recipe, RunOptions, apply, edge, forward, gates, outcome, roll_back, show, there_and_back

from driftflow.errors import RefusedError
from driftflow.model.record import replace

SCHEMA = """
CREATE TABLE items (id int PRIMARY KEY, price int NOT NULL, name varchar(20));
INSERT INTO items SELECT n, n * 3, 'item ' || n FROM generate_series(1, 200) AS n;
CREATE VIEW priced WITH (security_barrier = true) AS SELECT id, price FROM items WHERE price > 10 WITH LOCAL CHECK OPTION;
CREATE VIEW dear AS SELECT id, price FROM priced WHERE price > 100;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n, sum(price) AS total FROM dear;
CREATE UNIQUE INDEX totals_n ON totals (n);
CREATE VIEW names AS SELECT id, name FROM items;
COMMENT ON VIEW priced IS 'what has a price';
GRANT SELECT, UPDATE ON priced TO PUBLIC;
GRANT SELECT ON totals TO PUBLIC;
"""
PRICED = (
    "CREATE VIEW priced WITH (security_barrier = true) AS SELECT id, price FROM items WHERE price > 10 WITH LOCAL CHECK OPTION;"
)
REST = """
CREATE VIEW dear AS SELECT id, price FROM priced WHERE price > 100;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n, sum(price) AS total FROM dear;
CREATE UNIQUE INDEX totals_n ON totals (n);
COMMENT ON VIEW priced IS 'what has a price';
GRANT SELECT, UPDATE ON priced TO PUBLIC; GRANT SELECT ON totals TO PUBLIC;
"""
DROPS = "DROP MATERIALIZED VIEW totals; DROP VIEW dear; DROP VIEW priced;"
WRITES = (
    "UPDATE priced SET price = price + 1 WHERE id = {n} % 200 + 1",
    "INSERT INTO items VALUES (1000 + {n}, {n} + 11, 'new')",
    "SELECT count(*) FROM dear",
    "SELECT n FROM totals",
)


@pytest.mark.on("postgresql")
@pytest.mark.recipe("views", "native", why="dropped and made again in one transaction")
def test_the_type_of_a_column_that_views_read(place: Place) -> None:
    type_change = "ALTER TABLE items ALTER COLUMN price TYPE bigint;"
    shown = show(place, Recipe(schema=SCHEMA, migration=type_change, naive=DROPS + type_change + PRICED + REST, old=WRITES))
    assert [step.strategy for step in shown.plan.steps] == ["change_under_views"]
    for name in ("public.priced", "public.totals", "public.dear"):
        planned, naive = (one.catalog().views[name] for one in (shown.planned, shown.naive))
        assert (planned.grants, planned.owner, planned.comment) == (naive.grants, naive.owner, naive.comment)


WITHOUT_TOTALS = """
CREATE TABLE items (id int PRIMARY KEY, price int NOT NULL DEFAULT 5, name varchar(20));
CREATE INDEX items_price ON items (price);
INSERT INTO items SELECT n, n * 3, 'item ' || n FROM generate_series(1, 200) AS n;
CREATE VIEW priced WITH (security_barrier = true) AS SELECT id, price FROM items WHERE price > 10 WITH LOCAL CHECK OPTION;
CREATE VIEW dear AS SELECT id, price FROM priced WHERE price > 100;
COMMENT ON VIEW priced IS 'what has a price';
GRANT SELECT, UPDATE ON priced TO PUBLIC;
"""


@pytest.mark.on("postgresql")
@pytest.mark.recipe(
    "views", "native", why="over a column of a large table they are dropped and made again in the swap of the second column"
)
def test_a_column_of_a_large_table_changes_under_its_views(place: Place) -> None:
    type_change = "ALTER TABLE items ALTER COLUMN price TYPE bigint;"
    views = (
        PRICED
        + "CREATE VIEW dear AS SELECT id, price FROM priced WHERE price > 100; COMMENT ON VIEW priced IS 'what has a price'; GRANT SELECT, UPDATE ON priced TO PUBLIC;"
    )
    naive = "DROP VIEW dear; DROP VIEW priced;" + type_change + views
    shown = show(
        place,
        Recipe(
            schema=WITHOUT_TOTALS,
            migration=type_change,
            naive=naive,
            old=(*WRITES[:1], "INSERT INTO items (id, price, name) VALUES (1000 + {n}, {n} + 11, 'new')", WRITES[2]),
        ),
    )
    assert "shadow_column" in {step.strategy for step in shown.plan.steps}
    swap = next(step for step in shown.plan.steps if step.purpose.startswith("Swap"))
    assert all(claim.held == "instant" for claim in swap.claims)
    for name in ("public.priced", "public.dear"):
        planned, naively = (one.catalog().views[name] for one in (shown.planned, shown.naive))
        assert (planned.grants, planned.owner, planned.comment) == (naively.grants, naively.owner, naively.comment)


@pytest.mark.on("postgresql")
@pytest.mark.recipe("views", "native", why="dropped and made again in one transaction")
def test_a_view_is_replaced_by_one_with_other_columns(place: Place) -> None:
    said = "VIEW priced AS SELECT id, name, price FROM items;"
    show(
        place,
        Recipe(
            schema=SCHEMA,
            migration=f"CREATE OR REPLACE {said}",
            naive=f"{DROPS} CREATE {said} {REST}",
            old=WRITES,
        ),
    )


@pytest.mark.on("postgresql")
def test_the_owner_and_the_rights_of_somebody_else_come_back(place: Place) -> None:
    database = place.fresh(SCHEMA)
    role = "v" + database.url.rpartition("/")[2].partition("?")[0].replace("-", "_")
    database.run(
        f"CREATE ROLE {role}; GRANT SELECT ON items TO {role}; ALTER VIEW dear OWNER TO {role}; GRANT SELECT ON dear TO PUBLIC;"
    )
    try:
        before = database.catalog().views["public.dear"]
        apply(database.plan("ALTER TABLE items ALTER COLUMN price TYPE bigint;"), database)
        after = database.catalog().views["public.dear"]
        assert (after.owner, after.grants) == (before.owner, before.grants)
        assert after.owner == role
    finally:
        database.run(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role};")


ON_SQLITE = """
CREATE TABLE items (id INTEGER PRIMARY KEY, price INTEGER{}, name TEXT);
WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200) INSERT INTO items SELECT n, n * 3, 'item ' || n FROM s;
"""
VIEWS = """
CREATE VIEW priced AS SELECT id, price FROM items WHERE price > 10;
CREATE VIEW dear AS SELECT id, price FROM priced WHERE price > 100;
CREATE VIEW names AS SELECT id, name FROM items;
CREATE TRIGGER priced_update INSTEAD OF UPDATE ON priced BEGIN UPDATE items SET price = NEW.price WHERE id = NEW.id; END;
"""
THROUGH_VIEWS = (
    "UPDATE priced SET price = price + 1 WHERE id = {n} % 200 + 1",
    "INSERT INTO items VALUES (1000 + {n}, {n} + 11, 'new')",
    "SELECT count(*) FROM dear",
    "DELETE FROM items WHERE id = 1000 + {n} - 6",
)


@pytest.mark.on("sqlite")
@pytest.mark.recipe(
    "views", "native", on=("sqlite",), why="with their triggers, dropped and made again in the transaction of the swap"
)
def test_a_rebuild_under_views(place: Place) -> None:
    """There is no statement to compare with: the naive migration makes the table anew by hand."""
    by_hand = (
        "DROP VIEW names; DROP VIEW dear; DROP VIEW priced; ALTER TABLE items RENAME TO items_old;"
        "CREATE TABLE items (id INTEGER PRIMARY KEY, price INTEGER NOT NULL, name TEXT); INSERT INTO items SELECT * FROM items_old; DROP TABLE items_old;"
    )
    shown = show(
        place,
        Recipe(
            schema=ON_SQLITE.format("") + VIEWS,
            migration="ALTER TABLE items ALTER COLUMN price SET NOT NULL;",
            naive=by_hand + VIEWS,
            old=THROUGH_VIEWS,
        ),
    )
    assert [step.strategy for step in shown.plan.steps] == ["rebuild_table"]


@pytest.mark.on("sqlite")
@pytest.mark.recipe(
    "views", "native", on=("sqlite",), why="with their triggers, dropped and made again in the transaction of the swap"
)
def test_a_view_gets_another_query_in_one_transaction(place: Place) -> None:
    migration = "DROP VIEW names; CREATE VIEW names AS SELECT id, upper(name) AS name, price FROM items;"
    shown = show(
        place,
        Recipe(schema=ON_SQLITE.format("") + VIEWS, migration=migration, old=(*THROUGH_VIEWS, "SELECT name FROM names LIMIT 1")),
    )
    (step,) = shown.plan.steps
    assert len(getattr(step, "statements", ())) == 2


SAID = """
CREATE TABLE items (id int PRIMARY KEY, price int NOT NULL, name text);
INSERT INTO items SELECT n, n * 3, 'item ' || n FROM generate_series(1, 200) AS n;
CREATE VIEW priced AS SELECT id, price, name FROM items GROUP BY id, price, name;
COMMENT ON COLUMN priced.price IS 'in cents';
ALTER VIEW priced ALTER COLUMN price SET DEFAULT 7;
GRANT UPDATE (name), SELECT (name) ON priced TO PUBLIC;
CREATE RULE added AS ON INSERT TO priced DO INSTEAD INSERT INTO items VALUES (NEW.id, NEW.price, NEW.name);
COMMENT ON RULE added ON priced IS 'writes items';
CREATE FUNCTION passed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER changed INSTEAD OF UPDATE ON priced FOR EACH ROW EXECUTE FUNCTION passed();
COMMENT ON TRIGGER changed ON priced IS 'nothing';
"""
READ_AGAIN = """
CREATE MATERIALIZED VIEW dear AS SELECT id, price FROM items WHERE price > 100;
CREATE UNIQUE INDEX dear_id ON dear (id);
COMMENT ON INDEX dear_id IS 'one each';
ALTER MATERIALIZED VIEW dear CLUSTER ON dear_id;
ALTER MATERIALIZED VIEW dear ALTER COLUMN price SET STATISTICS 55;
COMMENT ON COLUMN dear.price IS 'high';
CREATE MATERIALIZED VIEW later AS SELECT price FROM items WITH NO DATA;
"""
COMMENTS = "SELECT (pg_identify_object(classoid, objoid, objsubid)).identity, description FROM pg_description WHERE objoid >= 16384 ORDER BY 1"
HERE = "SELECT matviewname, ispopulated FROM pg_matviews ORDER BY 1"


@pytest.mark.on("postgresql")
@pytest.mark.parametrize("more", ["", READ_AGAIN], ids=["views", "materialized"])
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE items ALTER COLUMN price TYPE bigint;",
        "-- driftflow: cascade\n-- driftflow: archive\nALTER TABLE items DROP COLUMN price;",
    ],
    ids=["type", "drop"],
)
def test_all_that_is_said_of_a_view_comes_again(place: Place, more: str, change: str) -> None:
    """Its rules, triggers and indexes with their comments; defaults, rights, comments and statistics of its columns; whether it holds rows."""
    database = place.fresh(SAID + more)

    def said() -> object:
        views = list(database.catalog().views.values())
        return (
            [(view.rules, view.said, [(one.name, one.clustered) for one in view.indexes], view.populated) for view in views],
            database.query(COMMENTS),
            database.query(HERE),
        )

    before = said()
    plan = database.plan(change)
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    if "TYPE" in change:
        assert said() == before
        assert outcome(database, "INSERT INTO priced (id, name) VALUES (900, 'new')") == ""
        assert database.query("SELECT price FROM items WHERE id = 900") == [(7,)]
        database.run("DELETE FROM items WHERE id = 900;")
    report = roll_back(report.run, options=RunOptions(open_gates=gates(plan)), **edge(database))
    assert report.state == "rolled_back"
    assert said() == before


RENAMED = """
CREATE TABLE items (id int PRIMARY KEY, price int NOT NULL, name text);
CREATE TABLE notes (id int PRIMARY KEY, item int REFERENCES items, text text);
INSERT INTO items SELECT n, n * 3, 'item ' || n FROM generate_series(1, 200) AS n;
CREATE VIEW priced AS SELECT id, price, price + 1 AS more FROM items WHERE price > 10;
CREATE VIEW noted AS SELECT i.id, i.price AS amount, n.text FROM items i JOIN notes n ON n.item = i.id AND i.price > 3;
CREATE VIEW dear AS SELECT s.price, s.n FROM (SELECT price, count(*) AS n FROM items GROUP BY price) s WHERE s.price > 100;
CREATE VIEW above AS SELECT priced.price FROM priced;
"""


@pytest.mark.on("postgresql")
@pytest.mark.parametrize("type", ["bigint", "numeric(12, 2)"])
def test_a_column_gets_another_name_and_another_type_under_its_views(place: Place, type: str) -> None:
    """The text that makes a view again is of the new name by then."""
    renamed = "ALTER TABLE items RENAME COLUMN price TO cents;"
    type_change = f"ALTER TABLE items ALTER COLUMN cents TYPE {type};"
    drops = "DROP VIEW above; DROP VIEW priced; DROP VIEW noted; DROP VIEW dear;"
    again = """
    CREATE VIEW priced AS SELECT id, cents AS price, cents + 1 AS more FROM items WHERE cents > 10;
    CREATE VIEW noted AS SELECT i.id, i.cents AS amount, n.text FROM items i JOIN notes n ON n.item = i.id AND i.cents > 3;
    CREATE VIEW dear (price, n) AS SELECT s.cents, s.n FROM (SELECT cents, count(*) AS n FROM items GROUP BY cents) s WHERE s.cents > 100;
    CREATE VIEW above AS SELECT priced.price FROM priced;
    """
    shown = forward(place, Recipe(schema=RENAMED, migration=renamed + type_change, naive=renamed + drops + type_change + again))
    assert shown.planned.query("SELECT count(*), max(price) FROM priced") == [(197, 600)]
    if type != "bigint":
        return  # Nothing brings the old values back.
    database = place.fresh(RENAMED)

    def seen() -> object:
        views = [database.query(f"SELECT * FROM {name} ORDER BY 1, 2") for name in ("priced", "noted", "dear")]
        return database.seen().structure["tables"], database.rows(), views, database.query("SELECT max(price) FROM above")

    before = seen()
    there_and_back(database, renamed + type_change)
    assert seen() == before


DATED = """
CREATE TABLE events (id int PRIMARY KEY, at timestamp NOT NULL, note varchar(20));
INSERT INTO events SELECT n, timestamp '2024-07-01 10:00' + n * interval '1 hour', 'note ' || n FROM generate_series(1, 200) AS n;
CREATE VIEW seen AS SELECT id, at, note FROM events;
COMMENT ON COLUMN seen.at IS 'when';
GRANT SELECT (at) ON seen TO PUBLIC;
"""
ZONED = "SELECT (SELECT min(at AT TIME ZONE 'UTC') FROM events), (SELECT max(at AT TIME ZONE 'UTC') FROM seen)"
ZONE = "-- driftflow: convert zone=Europe/Berlin\nALTER TABLE events ALTER COLUMN at TYPE timestamptz;"
CUT = "-- driftflow: too-long policy=truncate\nALTER TABLE events ALTER COLUMN note TYPE varchar(5);"


@pytest.mark.on("postgresql")
@pytest.mark.parametrize(
    "more", ["", "CREATE MATERIALIZED VIEW kept AS SELECT at, note FROM seen;"], ids=["views", "materialized"]
)
@pytest.mark.parametrize("rows", [0, 1_000_000], ids=["large", "small"])
def test_what_is_said_of_a_type_change_holds_under_views(place: Place, more: str, rows: int) -> None:
    policy = replace(POLICY, small_table_rows=rows)
    database = place.fresh(DATED + more)
    before = database.seen()
    plan = database.plan(ZONE, policy=policy)
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    assert [str(at) for at in database.query(ZONED)[0]] == ["2024-07-01 09:00:00", "2024-07-09 16:00:00"]
    report = roll_back(report.run, options=RunOptions(open_gates=gates(plan)), **edge(database))
    assert report.state == "rolled_back" and database.seen() == before
    plan = database.plan(CUT, policy=policy)
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert database.query("SELECT DISTINCT note FROM seen") == [("note ",)]


@pytest.mark.on("postgresql")
def test_a_zone_that_is_not_said_is_asked_for_under_views_too(place: Place) -> None:
    """The server would take that of whatever session runs the statement."""
    with pytest.raises(RefusedError, match="DF-E630"):
        place.fresh(DATED).plan("ALTER TABLE events ALTER COLUMN at TYPE timestamptz;")


@pytest.mark.on("postgresql")
@pytest.mark.parametrize("change", [ZONE, "ALTER TABLE events ALTER COLUMN note TYPE varchar(30);", "DROP VIEW seen;"])
def test_nobody_gets_a_right_by_default_on_a_view_that_is_made_again(place: Place, change: str) -> None:
    """Rights that are given by default since the view was made are none on it."""
    database = place.fresh("CREATE SCHEMA apart;" + DATED)
    database.run("ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO PUBLIC;")
    database.run("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT UPDATE ON TABLES TO pg_monitor;")
    before = database.query("SELECT relacl::text FROM pg_class WHERE relname = 'seen'")
    rights = "SELECT r.* FROM pg_class c, aclexplode(c.relacl) r WHERE c.relname = 'seen' AND r.grantee <> c.relowner"
    assert before == [(None,)] and database.query(rights) == []
    plan = database.plan(change)
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done" and database.query(rights) == []
    report = roll_back(report.run, options=RunOptions(open_gates=gates(plan)), **edge(database))
    assert report.state == "rolled_back" and database.query(rights) == []
