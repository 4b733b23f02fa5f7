"""Columns that go and columns that come: what depends on them, the values kept, several at once. Under a writing application, on real servers."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, show

from driftflow.errors import RefusedError
from driftflow.model.plan import Irreversible, RebuildTable, RunSql

ROWS = {
    "postgresql": "INSERT INTO orders (id, legacy, source, total) SELECT n, 'l' || n % 7, CASE WHEN n % 3 = 0 THEN 's' || n END, n FROM generate_series(1, 700) AS n;",
    "sqlite": (
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 700)"
        " INSERT INTO orders (id, legacy, source, total) SELECT n, 'l' || n % 7, CASE WHEN n % 3 = 0 THEN 's' || n END, n FROM s;"
    ),
}
TABLE = {
    "postgresql": "CREATE TABLE orders (id bigint PRIMARY KEY, legacy text NOT NULL DEFAULT 'none', source varchar(20), total integer NOT NULL DEFAULT 0);",
    "sqlite": "CREATE TABLE orders (id INTEGER PRIMARY KEY, legacy TEXT NOT NULL DEFAULT 'none', source TEXT, total INTEGER NOT NULL DEFAULT 0);",
}
PLAIN = {vendor: TABLE[vendor] + ROWS[vendor] for vendor in TABLE}
OLD = (
    "INSERT INTO orders (id, legacy, total) VALUES (100000 + {n}, 'w{n}', 1)",
    "UPDATE orders SET legacy = 'u{n}', source = 'x' WHERE id = {n} % 700 + 1",
    "DELETE FROM orders WHERE id = 100000 + {n} - 40",
    "UPDATE orders SET total = total + 1 WHERE id = {n} * 7 % 700 + 1",
)
NEW = (
    "INSERT INTO orders (id, total) VALUES (200000 + {n}, 1)",
    "UPDATE orders SET total = total + 1 WHERE id = {n} % 700 + 1",
    "DELETE FROM orders WHERE id = 200000 + {n} - 40",
)
HUNG = {
    "postgresql": """
CREATE VIEW lines AS SELECT id, legacy FROM orders;
CREATE VIEW totals AS SELECT count(*) AS n FROM lines;
COMMENT ON VIEW lines IS 'for the old report';
GRANT SELECT ON lines TO PUBLIC;
GRANT SELECT, UPDATE ON lines TO pg_monitor WITH GRANT OPTION;
CREATE MATERIALIZED VIEW counted AS SELECT legacy, count(*) AS n FROM orders GROUP BY legacy;
CREATE UNIQUE INDEX counted_key ON counted (legacy);
CREATE INDEX orders_legacy ON orders (legacy, total);
ALTER TABLE orders ADD CONSTRAINT short CHECK (length(legacy) < 100);
ALTER TABLE orders ADD COLUMN width integer GENERATED ALWAYS AS (length(legacy)) STORED;
CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE UPDATE OF legacy ON orders FOR EACH ROW EXECUTE FUNCTION seen();
COMMENT ON COLUMN orders.legacy IS 'of the first shop';
""",
    "sqlite": """
CREATE VIEW lines AS SELECT id, legacy FROM orders;
CREATE VIEW totals AS SELECT count(*) AS n FROM lines;
CREATE INDEX orders_legacy ON orders (legacy, total);
CREATE TABLE log (id INTEGER PRIMARY KEY, said TEXT);
CREATE TRIGGER watch AFTER UPDATE OF legacy ON orders WHEN NEW.legacy = 'never' BEGIN INSERT INTO log (said) VALUES (NEW.legacy); END;
""",
}
HUNG_SCHEMA = {vendor: TABLE[vendor] + HUNG[vendor] + ROWS[vendor] for vendor in HUNG}
CASCADED = {
    "postgresql": "ALTER TABLE orders DROP COLUMN legacy CASCADE;",
    "sqlite": "DROP VIEW totals; DROP VIEW lines; DROP TRIGGER watch; DROP INDEX orders_legacy; ALTER TABLE orders DROP COLUMN legacy;",
}


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe(
    "drop-map",
    "native",
    why="views over views, triggers, indexes, checks and generated columns go in order and come back in order",
)
def test_what_depends_goes_in_order_and_comes_back(place: Place) -> None:
    recipe = Recipe(
        schema=HUNG_SCHEMA,
        migration="-- driftflow: cascade\n-- driftflow: archive\nALTER TABLE orders DROP COLUMN legacy;",
        naive=CASCADED,
        old=OLD,
        new=NEW,
    )
    shown = show(place, recipe)
    (found,) = shown.plan.dependents
    texts = [one.text.replace("public.", "").replace("main.", "") for one in found.dependents]
    assert texts[:2] == ["view totals (through view lines)", "view lines"]
    assert "index orders_legacy on orders" in texts
    assert "trigger watch on orders" in texts


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe("drop-map", "native")
def test_what_depends_is_named_and_refused(place: Place) -> None:
    database = place.fresh(HUNG_SCHEMA)
    with pytest.raises(RefusedError) as refused:
        database.plan("ALTER TABLE orders DROP COLUMN legacy;")
    assert refused.value.code == "DF-E643"
    for name in ("totals", "lines", "watch"):
        assert name in refused.value.where


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe(
    "drop-archive", "native", why="the values are kept with the key, exact to the moment of the drop, and put back in chunks"
)
def test_the_values_are_kept_and_come_back(place: Place) -> None:
    recipe = Recipe(
        schema=PLAIN,
        migration="-- driftflow: archive\nALTER TABLE orders DROP COLUMN legacy;",
        old=OLD,
        new=NEW,
    )
    shown = show(place, recipe)
    assert not shown.plan.point_of_no_return


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe("drop-several", "native", why="one lock on PostgreSQL, one rebuild on SQLite")
def test_several_columns_go_at_once(place: Place) -> None:
    recipe = Recipe(
        schema=PLAIN,
        migration=(
            "-- driftflow: archive\nALTER TABLE orders DROP COLUMN legacy;\n"
            "-- driftflow: archive\nALTER TABLE orders DROP COLUMN source;"
        ),
        old=OLD,
        new=NEW,
    )
    shown = show(place, recipe)
    last = shown.plan.steps[-1]
    assert isinstance(last, RunSql | RebuildTable)
    assert len([step for step in shown.plan.steps if isinstance(step, RebuildTable) or step.purpose.startswith("Drop ")]) == 1


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe("drop-several", "native")
def test_several_without_an_archive_are_accepted_by_one_name(place: Place) -> None:
    recipe = Recipe(
        schema=PLAIN,
        migration="ALTER TABLE orders DROP COLUMN legacy;\nALTER TABLE orders DROP COLUMN source;",
        old=OLD,
        new=NEW,
    )
    shown = show(place, recipe)
    names = [step.undo.name for step in shown.plan.steps if isinstance(step.undo, Irreversible)]
    assert len(names) == 1
    assert names[0].endswith("orders (legacy, source)")
