"""What most migrations do, in the same words on every database: each statement by itself under an application that writes, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from recipes.rig import Place, Recipe, Texts, accepted, apply, edge, gates, show, there_and_back

from driftflow.engine.run import RunOptions, run_plan
from driftflow.errors import StepFailedError
from driftflow.model.event import AnyEvent
from driftflow.model.plan import Backfill, BuildIndex, RunSql, UndoNothing

ROWS = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)"
SCHEMA = {
    "postgresql": (
        "CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL);"
        "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, total integer, note text, code varchar(40) NOT NULL);"
        "CREATE INDEX orders_total ON orders (total);"
        "INSERT INTO customers SELECT n, 'c' || n FROM generate_series(1, 400) AS n;"
        "INSERT INTO orders SELECT n, n, n * 3, 'n' || n, 'code' || n FROM generate_series(1, 400) AS n;"
    ),
    "mysql": (
        "CREATE TABLE customers (id bigint PRIMARY KEY, name varchar(100) NOT NULL);"
        "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, total int, note varchar(100), code varchar(40) NOT NULL);"
        "CREATE INDEX orders_total ON orders (total);"
        f"INSERT INTO customers {ROWS} SELECT n, concat('c', n) FROM s;"
        f"INSERT INTO orders {ROWS} SELECT n, n, n * 3, concat('n', n), concat('code', n) FROM s;"
    ),
    "sqlite": (
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total INTEGER, note TEXT, code TEXT NOT NULL);"
        "CREATE INDEX orders_total ON orders (total);"
        f"{ROWS} INSERT INTO customers SELECT n, 'c' || n FROM s;"
        f"{ROWS} INSERT INTO orders SELECT n, n, n * 3, 'n' || n, 'code' || n FROM s;"
    ),
}
OLD = (
    "INSERT INTO orders (id, customer_id, total, note, code) VALUES (10000 + {n}, {n} % 400 + 1, {n}, 'x', 'new{n}')",
    "UPDATE orders SET total = total + 1 WHERE id = {n} % 400 + 1",
    "UPDATE customers SET name = 'm{n}' WHERE id = {n} % 400 + 1",
    "DELETE FROM orders WHERE id = 10000 + {n} - 3",
)
CHANGES = tuple(text for text in OLD if not text.startswith("INSERT"))
"""For what is said of the rows that there are: a row that comes meanwhile may be of either side of it."""


COLUMNS = "id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total INTEGER, note TEXT, code TEXT NOT NULL"


def rebuilt(more: str = "", *, columns: str = COLUMNS, copied: str = "*") -> str:
    """What a person writes on SQLite, whose ALTER TABLE has no such clause: the table made anew."""
    return (
        f"CREATE TABLE new ({columns}{', ' if more else ''}{more}); INSERT INTO new SELECT {copied} FROM orders;"
        "DROP TABLE orders; ALTER TABLE new RENAME TO orders; CREATE INDEX orders_total ON orders (total);"
    )


def said(text: str, *, naive: str | Mapping[str, str] = "", old: Texts = OLD, new: Texts | None = None) -> Recipe:
    return Recipe(schema=SCHEMA, migration=text, naive=naive, old=old, new=new)


@pytest.mark.recipe("add-column", "native")
@pytest.mark.parametrize("column", ["weight integer", "weight integer DEFAULT 7", "weight integer NOT NULL DEFAULT 7"])
def test_a_column_with_a_constant_or_none(place: Place, column: str) -> None:
    show(place, said(f"ALTER TABLE orders ADD COLUMN {column};"))


@pytest.mark.recipe("add-column-not-null", "native")
def test_a_column_that_must_be_filled(place: Place) -> None:
    recipe = said(
        '-- driftflow: backfill column=doubled set="coalesce(total, 0) * 2"\nALTER TABLE orders ADD COLUMN doubled integer NOT NULL;',
        naive={
            "postgresql": "ALTER TABLE orders ADD COLUMN doubled integer; UPDATE orders SET doubled = coalesce(total, 0) * 2;"
            "ALTER TABLE orders ALTER COLUMN doubled SET NOT NULL;",
            "mysql": "ALTER TABLE orders ADD COLUMN doubled integer; UPDATE orders SET doubled = coalesce(total, 0) * 2;"
            "ALTER TABLE orders MODIFY doubled integer NOT NULL;",
            "sqlite": rebuilt("doubled integer NOT NULL", copied="*, coalesce(total, 0) * 2"),
        },
        old=(
            "UPDATE customers SET name = 'm{n}' WHERE id = {n} % 400 + 1",
            "UPDATE orders SET note = 'm{n}' WHERE id = {n} % 400 + 1",
        ),
        new=(
            "INSERT INTO orders (id, customer_id, total, note, code, doubled) VALUES (10000 + {n}, 1, {n}, 'x', 'new{n}', {n} * 2)",
        ),
    )
    shown = show(place, recipe)
    assert any(isinstance(step, Backfill) for step in shown.plan.steps) or place.vendor == "sqlite"


@pytest.mark.recipe("add-column-volatile-default", "native")
def test_a_column_whose_default_differs(place: Place) -> None:
    text = {
        "postgresql": "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        "mysql": "ALTER TABLE orders ADD COLUMN token varchar(36) DEFAULT (uuid());",
        "sqlite": "ALTER TABLE orders ADD COLUMN token text DEFAULT (hex(randomblob(16)));",
    }
    naive = {
        "postgresql": text["postgresql"],
        # MySQL refuses the one statement where its log may hold statements.
        "mysql": "ALTER TABLE orders ADD COLUMN token varchar(36); UPDATE orders SET token = uuid();"
        "ALTER TABLE orders ALTER COLUMN token SET DEFAULT (uuid());",
        "sqlite": rebuilt("token text DEFAULT (hex(randomblob(16)))", copied="*, hex(randomblob(16))"),
    }
    shown = show(place, Recipe(schema=SCHEMA, migration=text, naive=naive, old=OLD, without=("token",)))
    found = shown.planned.query("SELECT count(*), count(token), count(DISTINCT token) FROM orders")[0]
    assert found[0] == found[1] == found[2]


SET_NOT_NULL = {
    "postgresql": "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
    "mysql": "ALTER TABLE orders MODIFY note varchar(100) NOT NULL;",
    "sqlite": "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
}


@pytest.mark.recipe("set-not-null", "native", on=("postgresql", "mysql", "mariadb"))
@pytest.mark.recipe("set-not-null", "emulated", on=("sqlite",), why="the table is rebuilt")
@pytest.mark.recipe("rebuild", "native", on=("sqlite",))
def test_not_null(place: Place) -> None:
    naive = {
        **SET_NOT_NULL,
        "sqlite": rebuilt(columns=COLUMNS.replace("note TEXT", "note TEXT NOT NULL")),
    }
    show(place, Recipe(schema=SCHEMA, migration=SET_NOT_NULL, naive=naive, old=OLD))


@pytest.mark.recipe("defaults", "native", on=("postgresql", "mysql", "mariadb"))
@pytest.mark.recipe("defaults", "emulated", on=("sqlite",), why="the table is rebuilt: its ALTER TABLE knows no default")
@pytest.mark.parametrize("text", ["SET DEFAULT 5", "DROP DEFAULT"])
def test_defaults(place: Place, text: str) -> None:
    plain = f"ALTER TABLE orders ALTER COLUMN total {text};"
    made = COLUMNS.replace("total INTEGER", "total INTEGER DEFAULT 5") if "5" in text else COLUMNS
    before = {vendor: re.sub(r"(?i)(total int\w*)", r"\1 DEFAULT 3", sql) for vendor, sql in SCHEMA.items()}
    naive = {"postgresql": plain, "mysql": plain, "sqlite": rebuilt(columns=made)}
    show(place, Recipe(schema=before, migration=plain, naive=naive, old=OLD))


@pytest.mark.recipe(
    "rebuild",
    "emulated",
    on=("postgresql",),
    why="never at once: what would write a table anew goes through a second column, filled in chunks and swapped in an instant; VACUUM FULL and CLUSTER stand as they are, and the plan names their stall",
)
@pytest.mark.on("postgresql")
def test_a_table_is_not_written_anew(place: Place) -> None:
    """By the server's own word: the table keeps its file, which the plain statement does not."""
    text, file = "ALTER TABLE orders ALTER COLUMN total TYPE bigint;", "SELECT pg_relation_filenode('orders')"
    plain, planned = place.fresh(SCHEMA), place.fresh(SCHEMA)
    before = [database.query(file) for database in (plain, planned)]
    plain.run(text)
    plan = planned.plan(text)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    assert plain.query(file) != before[0] and planned.query(file) == before[1]
    show(place, said(text, new=OLD))


@pytest.mark.recipe("add-check", "native")
def test_a_check(place: Place) -> None:
    text = "ALTER TABLE orders ADD CONSTRAINT total_ok CHECK (total >= 0);"
    naive = {
        "postgresql": text,
        "mysql": text,
        "sqlite": rebuilt("CONSTRAINT total_ok CHECK (total >= 0)"),
    }
    show(place, said(text, naive=naive))


@pytest.mark.recipe("add-foreign-key", "native")
def test_a_foreign_key(place: Place) -> None:
    text = "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id);"
    naive = {
        "postgresql": text,
        "mysql": text,
        "sqlite": rebuilt("CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)"),
    }
    show(place, said(text, naive=naive))


@pytest.mark.recipe("add-unique", "native")
def test_a_unique_constraint(place: Place) -> None:
    text = "ALTER TABLE orders ADD CONSTRAINT orders_code UNIQUE (code);"
    naive = {
        "postgresql": text,
        "mysql": text,
        "sqlite": rebuilt("CONSTRAINT orders_code UNIQUE (code)"),
    }
    show(place, said(text, naive=naive))


@pytest.mark.recipe("build-index", "native")
def test_an_index(place: Place) -> None:
    shown = show(place, said("CREATE INDEX orders_note ON orders (customer_id, total);"))
    online = [step for step in shown.plan.steps if isinstance(step, BuildIndex)]
    assert bool(online) == (place.vendor == "postgresql")


@pytest.mark.recipe("drop-index", "native")
def test_an_index_goes(place: Place) -> None:
    text = {
        "postgresql": "DROP INDEX orders_total;",
        "mysql": "DROP INDEX orders_total ON orders;",
        "sqlite": "DROP INDEX orders_total;",
    }
    show(place, Recipe(schema=SCHEMA, migration=text, old=OLD))


@pytest.mark.recipe("backfill", "native")
@pytest.mark.parametrize(
    "text", ["UPDATE orders SET note = concat(note, '!') WHERE total > 0;", "DELETE FROM orders WHERE total > 600;"]
)
def test_many_rows(place: Place, text: str) -> None:
    text = text.replace("concat(note, '!')", "note || '!'") if place.vendor == "sqlite" else text
    old = (
        "UPDATE customers SET name = 'm{n}' WHERE id = {n} % 400 + 1",
        "UPDATE orders SET code = 'm{n}' WHERE id = {n} % 200 + 1",
    )
    shown = show(place, said(text, old=old))
    assert any(isinstance(step, Backfill) for step in shown.plan.steps)
    assert not any("UPDATE" in sql for step in shown.plan.steps if isinstance(step, RunSql) for sql in step.statements)


def test_what_the_server_says_of_a_failed_step_shows_no_value(place: Place) -> None:
    """Its message goes to terminals, to logs and into the journal."""
    database = place.fresh(
        "CREATE TABLE codes (id integer PRIMARY KEY, code varchar(40), other varchar(40));"
        "CREATE UNIQUE INDEX codes_code ON codes (code); INSERT INTO codes VALUES (1, 'a', 'a private word'), (2, 'b', 'a private word');"
    )
    told: list[AnyEvent] = []
    plan = database.plan("UPDATE codes SET code = other;")
    options = RunOptions(accept=accepted(plan))
    with pytest.raises(StepFailedError) as failed:
        run_plan(plan, options=options, **{**edge(database), "listener": told.append})
    assert "private" not in str(failed.value)
    assert "code" in failed.value.why
    assert told and not any("private" in repr(event) for event in told)


def test_rows_that_stay_filled_on_the_way_back_are_told(place: Place) -> None:
    """The column was there before the release: that its values go with it would be untrue."""
    database = place.fresh(
        "CREATE TABLE stock (id integer NOT NULL PRIMARY KEY, colour varchar(10)); INSERT INTO stock VALUES (1, NULL), (2, 'red');"
    )
    not_null = (
        "ALTER TABLE stock MODIFY colour varchar(10) NOT NULL;"
        if place.vendor in ("mysql", "mariadb")
        else "ALTER TABLE stock ALTER COLUMN colour SET NOT NULL;"
    )
    plan = there_and_back(database, f"""-- driftflow: backfill column=colour set="'grey'"\n{not_null}""")
    (fill,) = (step for step in plan.steps if isinstance(step, Backfill) and step.table.name == "stock")
    assert isinstance(fill.undo, UndoNothing) and "stay filled" in fill.undo.reason
    assert database.query("SELECT colour FROM stock ORDER BY id") == [("grey",), ("red",)]
    database.run("INSERT INTO stock VALUES (3, NULL)")
