"""Columns that go and columns that come: what depends on them, the values kept, several at once. Under a writing application, on real servers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, apply, gates, go_on_back, replay, show, take_back, writing

from driftflow import pipeline
from driftflow.dialects.source_text import SourceText
from driftflow.errors import ParseError, RefusedError
from driftflow.model.catalog import Publication
from driftflow.model.plan import Irreversible, RebuildTable, RunSql
from driftflow.model.record import replace

ROWS = {
    "mysql": "INSERT INTO orders (id, legacy, source, total) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 700) SELECT n, CONCAT('l', n % 7), CASE WHEN n % 3 = 0 THEN CONCAT('s', n) END, n FROM s;",
    "postgresql": "INSERT INTO orders (id, legacy, source, total) SELECT n, 'l' || n % 7, CASE WHEN n % 3 = 0 THEN 's' || n END, n FROM generate_series(1, 700) AS n;",
    "sqlite": (
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 700)"
        " INSERT INTO orders (id, legacy, source, total) SELECT n, 'l' || n % 7, CASE WHEN n % 3 = 0 THEN 's' || n END, n FROM s;"
    ),
}
TABLE = {
    "mysql": "CREATE TABLE orders (id bigint PRIMARY KEY, legacy varchar(40) NOT NULL DEFAULT 'none', source varchar(20), total integer NOT NULL DEFAULT 0);",
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
    "mysql": """
CREATE VIEW seen AS SELECT id, legacy FROM orders;
CREATE VIEW totals AS SELECT count(*) AS n FROM seen;
CREATE INDEX orders_legacy ON orders (legacy, total);
ALTER TABLE orders ADD COLUMN width integer AS (char_length(legacy)) STORED;
CREATE TRIGGER watch BEFORE UPDATE ON orders FOR EACH ROW SET NEW.legacy = lower(NEW.legacy);
""",
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
    "mysql": "DROP VIEW totals; DROP VIEW seen; DROP TRIGGER watch; ALTER TABLE orders DROP COLUMN width; ALTER TABLE orders DROP COLUMN legacy;",
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


@pytest.mark.on("postgresql")
@pytest.mark.parametrize("named", ["TABLE orders (id, legacy)", "TABLE orders WHERE (legacy <> 'x')"])
def test_a_publication_that_names_the_column_is_changed_first(place: Place, named: str) -> None:
    """The server refuses the drop, and with CASCADE it silently takes the table out of the publication."""
    database = place.fresh(f"{place.pick(TABLE)} ALTER TABLE orders REPLICA IDENTITY FULL; CREATE PUBLICATION feed FOR {named};")
    with pytest.raises(RefusedError) as refused:
        database.plan("ALTER TABLE orders DROP COLUMN legacy;")
    assert refused.value.code == "DF-E643" and "publication feed" in refused.value.where
    with pytest.raises(RefusedError) as refused:
        database.plan("-- driftflow: cascade\nALTER TABLE orders DROP COLUMN legacy;")
    assert refused.value.code == "DF-E644" and "publication feed" in refused.value.why
    plan = database.plan(
        "ALTER PUBLICATION feed SET TABLE orders (id);\n-- driftflow: archive\nALTER TABLE orders DROP COLUMN legacy;"
    )
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert database.query("SELECT count(*) FROM pg_publication_tables WHERE attnames = '{id}'") == [(1,)]


@pytest.mark.on("postgresql")
@pytest.mark.parametrize(
    ("changed", "stops"),
    [
        ("SET TABLE orders (legacy, id)", True),
        ("SET TABLE orders WHERE (id > 1 AND legacy <> 'x')", True),
        ("ADD TABLE other (id)", True),
        ("SET (publish = 'insert')", True),
        ("RENAME TO fed", True),
        ("DROP TABLE orders", False),
        ("SET TABLE other", False),
        ("SET TABLE orders", False),
        ("SET TABLES IN SCHEMA public", False),
    ],
)
def test_what_a_publication_names_after_it_was_changed(place: Place, changed: str, stops: bool) -> None:
    """In the same release: the server refuses the drop exactly where the plan does."""
    more = "ALTER TABLE orders REPLICA IDENTITY FULL; CREATE TABLE other (id integer); CREATE PUBLICATION feed FOR TABLE orders (id, legacy);"
    database, naive = (place.fresh(f"{place.pick(TABLE)} {more}") for _ in range(2))
    migration = f"ALTER PUBLICATION feed {changed};\n-- driftflow: archive\nALTER TABLE orders DROP COLUMN legacy;"
    if stops:
        with pytest.raises(RefusedError) as refused:
            database.plan(migration)
        assert refused.value.code == "DF-E643"
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            naive.run(migration)
        return
    plan = database.plan(migration)
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    naive.run(migration)
    assert database.catalog().publications == naive.catalog().publications


@pytest.mark.on("postgresql")
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE PUBLICATION more FOR TABLE orders (id), other WHERE (id > 1)",
        "CREATE PUBLICATION more FOR ALL TABLES",
        "CREATE PUBLICATION more FOR TABLES IN SCHEMA CURRENT_SCHEMA",
        "CREATE PUBLICATION more",
        "ALTER PUBLICATION feed ADD TABLE other (id)",
        "ALTER PUBLICATION feed ADD TABLES IN SCHEMA other",
        "ALTER PUBLICATION feed DROP TABLE orders",
        "ALTER PUBLICATION feed SET TABLE public.other WHERE (id > 2), parts",
        "ALTER PUBLICATION feed SET (publish = 'insert')",
        "ALTER PUBLICATION feed RENAME TO fed",
    ],
)
def test_what_a_publication_carries_is_what_the_server_says(place: Place, statement: str) -> None:
    more = (
        "CREATE SCHEMA other; CREATE TABLE other (id integer, note text); CREATE TABLE other.apart (id integer); CREATE UNLOGGED TABLE loose (id integer);"
        "CREATE TABLE parts (id integer) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parts FOR VALUES FROM (1) TO (9);"
        "CREATE VIEW seen AS SELECT id FROM other; CREATE PUBLICATION feed FOR TABLE orders"
    )
    database = place.fresh(f"{place.pick(TABLE)} {more};")
    before = database.catalog()
    (operation,) = database.dialect.parse(next(iter(database.dialect.split(SourceText(statement, file="a.sql"))))).operations
    predicted = before.after(database.dialect.resolve(operation, before))
    database.run(statement)
    found = database.catalog()
    assert list(map(carried, predicted.publications)) == list(map(carried, found.publications))
    assert {name: one.publications for name, one in predicted.tables.items()} == {
        name: one.publications for name, one in found.tables.items()
    }


def carried(publication: Publication) -> Publication:
    """Without the server's texts of filters and options, which are kept for the way back."""
    return replace(publication, narrowed=(), options=())


@pytest.mark.on("postgresql-18")
def test_a_materialized_view_over_a_view_goes_before_it(place: Place) -> None:
    more = "CREATE VIEW lines AS SELECT id, legacy FROM orders; CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n FROM lines; CREATE VIEW over AS SELECT n FROM sums;"
    database = place.fresh(TABLE["postgresql"] + more)
    plan = database.plan("-- driftflow: cascade\nALTER TABLE orders DROP COLUMN legacy;")
    assert [one.name for one in plan.dependents[0].dependents] == ["public.over", "public.sums", "public.lines"]
    assert apply(plan, database, open_gates=gates(plan)).state == "done"


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


SOFT = "-- driftflow: soft-drop until={day}\n-- driftflow: archive\nALTER TABLE orders DROP COLUMN legacy;"


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe("drop-soft", "native", why="a comment, and a warning to whoever writes it", on=("postgresql",))
@pytest.mark.recipe("drop-soft", "emulated", why="neither hidden nor warned about: only the gate with its day", on=("sqlite",))
def test_a_column_goes_after_its_deprecation_period(place: Place) -> None:
    recipe = Recipe(
        schema=PLAIN,
        migration=SOFT.format(day="2026-01-31"),
        naive="ALTER TABLE orders DROP COLUMN legacy;",
        old=OLD,
        new=NEW,
    )
    show(place, recipe)


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe("drop-soft", "native", on=("postgresql",))
@pytest.mark.recipe("drop-soft", "emulated", why="only the gate with its day", on=("sqlite",))
def test_the_gate_stays_shut_until_the_day(place: Place) -> None:
    database = place.fresh(PLAIN)
    plan = database.plan(SOFT.format(day="2199-12-31"))
    early = apply(plan, database, open_gates=("drop-orders-legacy",))
    assert (early.state, early.gate, early.not_before) == ("waiting_at_gate", "drop-orders-legacy", "2199-12-31")
    with pytest.raises(RefusedError) as refused:
        pipeline.request(early.run, "gate", connector=database.connector, arguments={"name": "drop-orders-legacy"})
    assert refused.value.code == "DF-E645" and "2199-12-31" in refused.value.summary
    (summary,) = pipeline.status(database.connector)
    assert summary.not_before == "2199-12-31"
    if place.vendor == "postgresql":
        assert warnings_of(database, "UPDATE orders SET legacy = 'x' WHERE id = 1") == 1
        assert warnings_of(database, "UPDATE orders SET total = 1 WHERE id = 1") == 0
        assert warnings_of(database, "INSERT INTO orders (id) VALUES (-1)") == 0
        assert warnings_of(database, "INSERT INTO orders (id, legacy) VALUES (-2, 'y')") == 1
    assert take_back(early.run, database).state == "rolled_back"
    if place.vendor == "postgresql":
        assert warnings_of(database, "UPDATE orders SET legacy = 'z' WHERE id = 1") == 0


@pytest.mark.recipe("drop-soft", "native", on=("postgresql", "mysql", "mariadb"))
@pytest.mark.recipe(
    "drop-soft", "emulated", why="where the author accepts it the column is called otherwise until the day", on=("sqlite",)
)
def test_a_column_is_called_otherwise_where_that_is_accepted(place: Place) -> None:
    """Behind the gate of the deployment: who still says the old name fails then, and a rollback gives it back."""
    said = "-- driftflow: soft-drop until={day} rename=accepted\n{archive}ALTER TABLE orders DROP COLUMN legacy;"
    archive = "-- driftflow: archive\n" if place.vendor in ("postgresql", "sqlite") else ""
    migration = said.format(day="2026-01-31", archive=archive)
    show(place, Recipe(schema=PLAIN, migration=migration, naive="ALTER TABLE orders DROP COLUMN legacy;", old=OLD, new=NEW))
    database = place.fresh(PLAIN)
    before = database.structure()
    plan = database.plan(said.format(day="2199-12-31", archive=archive))
    assert apply(plan, database).gate == "deployed"
    database.run("UPDATE orders SET legacy = 'still here' WHERE id = 1;")
    early = apply(plan, database, open_gates=("deployed", "drop-orders-legacy"))
    assert early.gate == "drop-orders-legacy"
    with closing(PlainSession(database.url)) as session, pytest.raises(Exception, match="legacy"):
        session.run(("UPDATE orders SET legacy = 'x' WHERE id = 1",))
    assert database.query("SELECT driftflow_dropped_legacy FROM orders WHERE id = 1") == [("still here",)]
    assert take_back(early.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.structure() == before
    with pytest.raises(ParseError, match="`accepted` or left out"):
        database.plan("-- driftflow: soft-drop until=2199-12-31 rename=yes\nALTER TABLE orders DROP COLUMN legacy;")


def warnings_of(database: Database, statement: str) -> int:
    """How many warnings about a deprecated column the statement gets."""
    heard: list[str] = []
    with psycopg.connect(database.url, autocommit=True) as session:
        session.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
        session.execute(statement)
    return len([one for one in heard if "deprecated" in one])


UNUSED = "-- driftflow: if-unused since=2026-10-01\nALTER TABLE orders DROP COLUMN {column};"
EMPTY = {
    vendor: PLAIN[vendor] + "ALTER TABLE orders ADD COLUMN spare integer; ALTER TABLE orders ADD COLUMN kind integer DEFAULT 3;"
    for vendor in PLAIN
}
STATISTICS = """
CREATE TABLE said (query text, calls bigint, queryid bigint, dbid oid);
CREATE TABLE info (stats_reset timestamptz, dealloc bigint);
INSERT INTO info VALUES ('2026-09-01', 0);
CREATE VIEW pg_stat_statements AS SELECT * FROM said;
CREATE VIEW pg_stat_statements_info AS SELECT * FROM info;
"""
"""The two views of the extension, which the wheel's servers come without, in the shape that its documentation gives them."""


TRACK = "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET pg_stat_statements.track = {what}', current_database()); END$$;"
USES = (
    ("SELECT spare FROM orders WHERE id = $1", True),
    ("/* shop:orders */ SELECT spare FROM orders", True),
    ("-- the page of orders\n(SELECT spare FROM orders) UNION ALL SELECT id FROM others", True),
    ("DECLARE all_of_them CURSOR FOR SELECT spare FROM orders", True),
    ("select * from orders", True),
    ("SELECT o.*, 1 FROM orders o", True),
    ('SELECT "orders".* FROM "orders" WHERE "orders"."id" = $1', True),
    ("SELECT public.orders.* FROM public.orders", True),
    ("SELECT DISTINCT ON (id) * FROM orders", True),
    ("SELECT count(*) FROM (SELECT * FROM orders) o", True),
    ("UPDATE orders SET total = $1 RETURNING *", True),
    ("INSERT INTO orders VALUES ($1, $2, $3)", True),
    ('INSERT INTO public."orders" AS o SELECT id, total FROM others', True),
    ("COPY orders FROM STDIN", True),
    ("TABLE orders", True),
    ("SELECT row_to_json(o) FROM orders AS o", True),
    ("SELECT to_jsonb(orders) FROM orders", True),
    ("SELECT count(*) FROM orders", False),
    ("SELECT total * $1 FROM orders", False),
    ("SELECT sum(total) * id FROM orders GROUP BY id", False),
    ("INSERT INTO orders (id, total) VALUES ($1, $2) RETURNING id", False),
    ("COPY orders (id, total) TO STDOUT", False),
    ("SELECT json_agg(total) FROM orders o", False),
    ("SELECT spare FROM others", False),
    ("ALTER TABLE orders ADD COLUMN spare integer", False),
)


@pytest.mark.on("sqlite")
@pytest.mark.recipe("drop-if-unused", "emulated", why="the rows are looked at; SQLite records no queries, and the plan says so")
@pytest.mark.parametrize("column", ["spare", "kind"])
def test_a_column_without_data_goes(place: Place, column: str) -> None:
    recipe = Recipe(
        schema=EMPTY, migration=UNUSED.format(column=column), naive=f"ALTER TABLE orders DROP COLUMN {column};", old=OLD
    )
    shown = show(place, recipe)
    assert "records no queries" in shown.plan.steps[-1].purpose


@pytest.mark.on("sqlite", "postgresql")
@pytest.mark.recipe("drop-if-unused", "native", on=("postgresql",))
@pytest.mark.recipe("drop-if-unused", "emulated", why="the rows are looked at, and no queries", on=("sqlite",))
def test_a_column_with_data_stays(place: Place) -> None:
    database = place.fresh(EMPTY)
    plan = database.plan(UNUSED.format(column="source"))
    with pytest.raises(RefusedError, match="hold something else than its default") as refused:
        apply(plan, database, open_gates=gates(plan))
    assert refused.value.code == "DF-E305"
    assert "source" in str(database.structure())


@pytest.mark.on("postgresql")
@pytest.mark.recipe("drop-if-unused", "native", why="its rows, and pg_stat_statements; without the extension it is refused")
def test_recorded_queries_keep_a_column(place: Place) -> None:
    database = place.fresh(EMPTY)
    plan = database.plan(UNUSED.format(column="spare"))
    assert "no evidence of use since 2026-10-01" in plan.steps[-1].purpose
    with pytest.raises(RefusedError, match="this database has no pg_stat_statements") as unknown:
        apply(plan, database, open_gates=gates(plan))
    assert "CREATE EXTENSION" in str(unknown.value.hint)
    database.run(STATISTICS + TRACK.format(what="top"))
    here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    for query, uses in USES:
        database.run("DELETE FROM said;")
        with psycopg.connect(database.url) as session:
            session.execute(f"INSERT INTO said SELECT %s, 7, 4711, {here}", (query,))
        if not uses:
            assert database.query(plan.steps[-1].guards[-1].query) == [(0,)], query
            continue
        assert database.query(plan.steps[-1].guards[-1].query) == [(1,)], query
    with pytest.raises(RefusedError) as refused:
        database.run(f"INSERT INTO said VALUES ('SELECT spare FROM orders', 7, 4711, {here});")
        apply(plan, database, open_gates=gates(plan))
    assert refused.value.code == "DF-E305" and "1 recorded queries" in refused.value.summary
    assert "SELECT queryid, calls" in refused.value.hint
    for hidden in ("'<insufficient privilege>'", "NULL"):
        database.run(f"DELETE FROM said; INSERT INTO said VALUES ({hidden}, 7, 4711, {here});")
        with pytest.raises(RefusedError, match="1 recorded queries do not show their text") as blind:
            apply(plan, database, open_gates=gates(plan))
        assert "pg_read_all_stats" in blind.value.hint
    database.run("DELETE FROM said;" + TRACK.format(what="none"))
    with pytest.raises(RefusedError, match="records none"):
        apply(plan, database, open_gates=gates(plan))
    database.run(TRACK.format(what="top"))
    database.run("UPDATE info SET stats_reset = '2026-11-01'")
    with pytest.raises(RefusedError, match="was reset after that day"):
        apply(plan, database, open_gates=gates(plan))
    database.run("UPDATE info SET stats_reset = '2026-09-01', dealloc = 12; DELETE FROM said;")
    with pytest.raises(RefusedError, match="was full 12 times since its reset") as forgot:
        apply(plan, database, open_gates=gates(plan))
    assert "evicted=accept" in forgot.value.hint
    accepted = database.plan(UNUSED.format(column="kind").replace("-01\n", "-01 evicted=accept\n"))
    assert [guard.refuse_if for guard in accepted.steps[-1].guards] == [
        *("not_zero", "zero", "not_zero", "never", "zero"),
        *("not_zero", "not_zero"),
    ]
    database.run("UPDATE info SET dealloc = 0")
    assert apply(plan, database, open_gates=gates(plan)).state == "done"


MYSQL = pytest.mark.on("mysql", "mariadb")


@MYSQL
@pytest.mark.recipe("drop-map", "native", why="each in a statement of its own; what came before the drop can be taken back")
def test_what_depends_goes_in_order_on_mysql(place: Place) -> None:
    recipe = Recipe(
        schema=HUNG_SCHEMA,
        migration="-- driftflow: cascade\nALTER TABLE orders DROP COLUMN legacy;",
        naive=CASCADED,
        old=OLD,
        new=NEW,
    )
    shown = show(place, recipe)
    kinds = [one.kind for one in shown.plan.dependents[0].dependents]
    assert kinds[:3] == ["view", "view", "trigger"] and "generated column" in kinds and "index" in kinds


@MYSQL
@pytest.mark.recipe("drop-several", "native", why="one ALTER TABLE")
def test_several_columns_go_in_one_statement(place: Place) -> None:
    recipe = Recipe(
        schema=PLAIN, migration="ALTER TABLE orders DROP COLUMN legacy;\nALTER TABLE orders DROP COLUMN source;", old=OLD, new=NEW
    )
    shown = show(place, recipe)
    assert len([step for step in shown.plan.steps if isinstance(step, RunSql)]) == 1


@MYSQL
@pytest.mark.recipe(
    "drop-archive", "native", why="triggers that bear a column's absence keep the archive up to the drop and go after it"
)
@pytest.mark.parametrize(
    ("columns", "schema"),
    [(("legacy",), PLAIN), (("legacy", "source"), HUNG_SCHEMA)],
    ids=["one", "several-with-all-that-hangs-on-them"],
)
def test_the_values_are_kept_and_come_back_on_mysql(place: Place, columns: tuple[str, ...], schema: dict[str, str]) -> None:
    said = "-- driftflow: archive\n" + ("-- driftflow: cascade\n" if len(columns) > 1 else "")
    drops = [f"ALTER TABLE orders DROP COLUMN {name};" for name in columns]
    naive = CASCADED["mysql"] + drops[1] if len(columns) > 1 else ""
    recipe = Recipe(schema=schema, migration="\n".join(said + one for one in drops), naive=naive, old=OLD, new=NEW)
    shown = show(place, recipe)
    assert not shown.plan.point_of_no_return


@MYSQL
def test_the_archive_is_exact_to_the_moment_of_the_drop(place: Place) -> None:
    """The old application goes on writing the column until the server tells it that there is none; what it got through comes back."""
    planned, start = place.fresh(PLAIN), place.fresh(PLAIN)
    plan = planned.plan("-- driftflow: archive\nALTER TABLE orders DROP COLUMN legacy;")
    with writing(planned, OLD) as application:
        report = apply(plan, planned, open_gates=gates(plan))
        application.go_on()
    assert report.state == "done"
    assert application.failures and all("1054" in one for one in application.failures)
    home = take_back(report.run, planned, open_gates=gates(plan))
    while home.state == "waiting_at_gate":
        home = go_on_back(report.run, planned, open_gates=gates(plan))
    replay(start, application.committed)
    assert (planned.structure(), planned.rows()) == (start.structure(), start.rows())


@MYSQL
def test_what_a_foreign_key_changes_is_not_archived(place: Place) -> None:
    schema = PLAIN["mysql"] + (
        "CREATE TABLE shops (id bigint PRIMARY KEY); ALTER TABLE orders ADD COLUMN shop bigint;"
        "ALTER TABLE orders ADD CONSTRAINT orders_shop FOREIGN KEY (shop) REFERENCES shops (id) ON DELETE SET NULL;"
    )
    with pytest.raises(RefusedError) as refused:
        place.fresh(schema).plan("-- driftflow: archive\n-- driftflow: cascade\nALTER TABLE orders DROP COLUMN shop;")
    assert refused.value.code == "DF-E710"


@MYSQL
@pytest.mark.recipe("drop-soft", "native", why="INVISIBLE until the day")
def test_a_column_is_invisible_until_its_day(place: Place) -> None:
    migration = "-- driftflow: soft-drop until={day}\nALTER TABLE orders DROP COLUMN legacy;"
    show(
        place,
        Recipe(
            schema=PLAIN,
            migration=migration.format(day="2026-01-31"),
            naive="ALTER TABLE orders DROP COLUMN legacy;",
            old=OLD,
            new=NEW,
        ),
    )
    database = place.fresh(PLAIN)
    before = database.structure()
    early = apply(database.plan(migration.format(day="2199-12-31")), database, open_gates=("drop-orders-legacy",))
    assert early.state == "waiting_at_gate"
    (table,) = [one for one in database.catalog().tables.values() if one.name.name == "orders"]
    assert [one.name for one in table.columns if not one.visible] == ["legacy"]
    assert take_back(early.run, database).state == "rolled_back"
    assert database.structure() == before


@MYSQL
@pytest.mark.recipe("drop-if-unused", "native", why="its rows, and the digests of performance_schema")
def test_a_column_with_data_stays_on_mysql(place: Place, server_named: Callable[[str], Any]) -> None:
    with server_named(place.server).administration() as execute:
        # The tests before this one may have filled it; then the server records nothing new.
        execute("TRUNCATE TABLE performance_schema.events_statements_summary_by_digest")
    database = place.fresh(PLAIN)
    plan = database.plan(UNUSED.format(column="source"))
    with pytest.raises(RefusedError, match="hold something else than its default"):
        apply(plan, database, open_gates=gates(plan))
    database = place.fresh(PLAIN)
    empty = database.plan(UNUSED.format(column="legacy"))
    database.run("UPDATE orders SET legacy = 'none'")
    ((recording,),) = database.query("SELECT @@performance_schema")
    if not recording:
        with pytest.raises(RefusedError, match="performance_schema is off"):
            apply(empty, database, open_gates=gates(empty))
        return
    with pytest.raises(RefusedError, match="recorded queries"):
        apply(empty, database, open_gates=gates(empty))


INDEXED = {vendor: text + "CREATE INDEX orders_legacy ON orders (legacy);" for vendor, text in PLAIN.items()}
DROP_INDEX = {
    "postgresql": "DROP INDEX orders_legacy;",
    "sqlite": "DROP INDEX orders_legacy;",
    "mysql": "DROP INDEX orders_legacy ON orders;",
}
HIDE = {vendor: f"-- driftflow: soft-drop until={{day}}\n{text}" for vendor, text in DROP_INDEX.items()}


def hide(place: Place, day: str) -> str:
    return place.pick(HIDE).format(day=day)


@MYSQL
@pytest.mark.recipe("drop-index", "native", why="in an instant; with soft-drop it is hidden first")
def test_an_index_is_hidden_until_its_day(place: Place) -> None:
    show(place, Recipe(schema=INDEXED, migration=hide(place, "2026-01-31"), naive=DROP_INDEX, old=OLD))
    database = place.fresh(INDEXED)
    before = database.structure()
    early = apply(database.plan(hide(place, "2199-12-31")), database, open_gates=("drop-orders_legacy",))
    assert early.state == "waiting_at_gate"
    (table,) = [one for one in database.catalog().tables.values() if one.name.name == "orders"]
    assert [one.name.name for one in table.indexes if not one.visible] == ["orders_legacy"]
    told = " ".join(map(str, database.query("EXPLAIN SELECT id FROM orders WHERE legacy = 'x'")[0]))
    assert "orders_legacy" not in told
    assert take_back(early.run, database).state == "rolled_back"
    assert database.structure() == before


@pytest.mark.on("postgresql", "sqlite")
def test_no_index_can_be_hidden(place: Place) -> None:
    with pytest.raises(RefusedError) as refused:
        place.fresh(INDEXED).plan(hide(place, "2026-01-31"))
    assert refused.value.code == "DF-E758" and "whether queries use it" in refused.value.why
