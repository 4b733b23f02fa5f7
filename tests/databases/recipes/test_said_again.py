"""What hangs on a column, an index, a constraint or a policy of PostgreSQL comes back with it: comments, rights, statistics targets, the marks that
CLUSTER ON and REPLICA IDENTITY set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from recipes.rig import Database, Place, Recipe, outcome, show, there_and_back

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE TABLE shops (id int PRIMARY KEY);
INSERT INTO shops SELECT n FROM generate_series(1, 200) AS n;
CREATE TABLE items (id int PRIMARY KEY, price int NOT NULL DEFAULT 1, name text, shop_id int DEFAULT 7);
INSERT INTO items SELECT n, n * 3, 'item ' || n, n FROM generate_series(1, 200) AS n;
GRANT SELECT (price), UPDATE (price, name) ON items TO caller WITH GRANT OPTION;
COMMENT ON COLUMN items.price IS 'in cents';
ALTER TABLE items ALTER price SET STATISTICS 77, ALTER price SET (n_distinct = 5);
ALTER TABLE items ADD CONSTRAINT items_price_key UNIQUE (price);
ALTER TABLE items ADD CONSTRAINT items_price_check CHECK (price > 0);
ALTER TABLE items ADD CONSTRAINT items_shop_fk FOREIGN KEY (shop_id) REFERENCES shops (id);
COMMENT ON CONSTRAINT items_price_key ON items IS 'one price each';
COMMENT ON CONSTRAINT items_price_check ON items IS 'above nothing';
COMMENT ON CONSTRAINT items_shop_fk ON items IS 'of one shop';
CREATE INDEX items_dear ON items (price DESC, id);
COMMENT ON INDEX items_dear IS 'for the dear ones';
COMMENT ON INDEX items_price_key IS 'of the key';
CREATE UNIQUE INDEX items_identity ON items (price);
ALTER TABLE items CLUSTER ON items_dear;
ALTER TABLE items REPLICA IDENTITY USING INDEX items_identity;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON items USING (price > 5);
COMMENT ON POLICY shown ON items IS 'to all';
ALTER TABLE items ADD COLUMN twice bigint GENERATED ALWAYS AS (price * 2) STORED;
COMMENT ON COLUMN items.twice IS 'computed';
GRANT SELECT (twice) ON items TO caller;
CREATE STATISTICS together (ndistinct, mcv) ON price, name, (price + 1) FROM items;
ALTER STATISTICS together SET STATISTICS 66;
COMMENT ON STATISTICS together IS 'go together';
ALTER STATISTICS together OWNER TO caller;
"""
COMMENTS = "SELECT (pg_identify_object(classoid, objoid, objsubid)).identity, description FROM pg_description WHERE objoid >= 16384 ORDER BY 1"


@pytest.fixture
def called(place: Place) -> Iterator[Database]:
    database = place.fresh()
    if not database.query("SELECT 1 FROM pg_roles WHERE rolname = 'caller'"):
        database.run("CREATE ROLE caller;")
    database.run("GRANT CREATE ON SCHEMA public TO caller;")
    yield database
    database.run("DROP OWNED BY caller; DROP ROLE caller;")


def said(database: Database) -> object:
    """The server tells the columns of statistics in the order in which they stand, and a column that comes back stands last."""
    seen = database.seen()
    details = {
        name: {
            fact: sorted(value.replace(",", "").split()) if name.startswith("statistics ") else value
            for fact, value in facts.items()
        }
        for name, facts in seen.details.items()
    }
    return seen.structure, details, database.query(COMMENTS)


@pytest.mark.parametrize(
    "change",
    [
        "-- driftflow: cascade\n-- driftflow: archive\nALTER TABLE items DROP COLUMN price;",
        "ALTER TABLE items DROP COLUMN twice;",
        "ALTER TABLE items DROP CONSTRAINT items_price_check, DROP CONSTRAINT items_shop_fk, DROP CONSTRAINT items_price_key;",
        "DROP INDEX items_dear;",
        "DROP INDEX items_identity;",
        "DROP POLICY shown ON items;",
        "DROP STATISTICS together;",
        "ALTER TABLE items ALTER price SET STATISTICS 5, ALTER price RESET (n_distinct), ALTER name SET (n_distinct = 3);",
        "ALTER TABLE items SET WITHOUT CLUSTER; ALTER TABLE items REPLICA IDENTITY FULL;",
        "ALTER TABLE items CLUSTER ON items_price_key; ALTER TABLE items REPLICA IDENTITY USING INDEX items_pkey;",
    ],
)
def test_what_goes_comes_back_with_all_of_it(called: Database, change: str) -> None:
    called.run(SCHEMA)
    before = said(called)
    there_and_back(called, change)
    assert said(called) == before


WITHOUT = "ALTER TABLE items REPLICA IDENTITY DEFAULT; DROP INDEX items_identity; ALTER TABLE items DROP COLUMN twice; DROP POLICY shown ON items;"


def test_a_column_whose_values_are_gone_is_empty_where_one_default_in_all_rows_would_not_do(called: Database) -> None:
    """Its unique constraint, its foreign key, its rights and its comments are there."""
    called.run(SCHEMA + WITHOUT)
    comments = called.query(COMMENTS)
    there_and_back(called, "ALTER TABLE items DROP COLUMN price, DROP COLUMN shop_id;")
    table = called.catalog().tables["public.items"]
    assert {"items_price_key", "items_shop_fk", "items_price_check"} <= {one.name for one in table.constraints}
    assert called.query(COMMENTS) == comments
    assert called.query("SELECT stxowner::regrole::text FROM pg_statistic_ext WHERE stxname = 'together'") == [("caller",)]
    assert called.query("SELECT DISTINCT price, shop_id FROM items") == [(None, None)]
    assert called.query("SELECT has_column_privilege('caller', 'items', 'price', 'UPDATE')") == [(True,)]
    assert outcome(called, "INSERT INTO items (id) VALUES (900) ON CONFLICT (price) DO NOTHING") == ""
    assert called.query("SELECT price, shop_id FROM items WHERE id = 900") == [(1, 7)]


def test_a_column_whose_sequence_went_with_it_counts_again(called: Database) -> None:
    called.run("CREATE TABLE lines (id int PRIMARY KEY, place serial UNIQUE); INSERT INTO lines VALUES (1), (2);")
    called.run("GRANT USAGE ON SEQUENCE lines_place_seq TO caller; COMMENT ON SEQUENCE lines_place_seq IS 'order';")
    called.run("GRANT INSERT (id), SELECT ON lines TO caller;")
    before = called.query(COMMENTS), called.catalog().sequences
    there_and_back(called, "ALTER TABLE lines DROP COLUMN place;")
    assert (called.query(COMMENTS), called.catalog().sequences) == before
    called.run("SET ROLE caller; INSERT INTO lines (id) VALUES (3);")
    assert called.query("SELECT place FROM lines ORDER BY id") == [(None,), (None,), (1,)]


def test_the_sequence_of_an_identity_keeps_rights_and_comment(place: Place) -> None:
    schema = """
    CREATE TABLE lines (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text);
    INSERT INTO lines (name) SELECT 'line ' || n FROM generate_series(1, 200) AS n;
    GRANT USAGE ON SEQUENCE lines_id_seq TO PUBLIC;
    COMMENT ON SEQUENCE lines_id_seq IS 'counts';
    CREATE INDEX lines_id ON lines (id, name);
    COMMENT ON INDEX lines_id IS 'two';
    ALTER TABLE lines CLUSTER ON lines_id;
    """
    show(
        place,
        Recipe(
            schema=schema,
            migration="ALTER TABLE lines ALTER COLUMN id TYPE bigint;",
            old=("INSERT INTO lines (name) VALUES ('n')",),
        ),
    )
