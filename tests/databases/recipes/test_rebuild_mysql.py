"""The online rebuild on MySQL and MariaDB: what only a copy can do, beside the table, under an application that changes keys and deletes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from recipes.rig import Database, Place, Recipe, Texts, apply, edge, gates, replay, show, take_back, writing

from driftflow.engine.run import RunOptions, run_plan
from driftflow.errors import DriftflowError
from driftflow.model.event import StepDone
from driftflow.model.plan import Backfill, Plan, RunSql

SCHEMA = """
CREATE TABLE digits (n integer PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE orders (id bigint PRIMARY KEY, total integer, note varchar(100), code varchar(40) NOT NULL, state enum('new', 'paid', 'sent') NOT NULL,
    UNIQUE KEY orders_code (code), KEY orders_total (total));
INSERT INTO orders SELECT a.n + 10 * b.n + 100 * c.n + 1, a.n, concat('n', b.n), concat('c', a.n + 10 * b.n + 100 * c.n + 1), 'paid'
    FROM digits AS a JOIN digits AS b JOIN digits AS c;
ANALYZE TABLE orders;
"""
WRITES = (
    "UPDATE orders SET total = total + 1, note = NULL WHERE id = {n} % 1000 + 1",
    "INSERT INTO orders (id, total, code, state) VALUES (10000 + {n}, {n}, 'new{n}', 'new')",
    "UPDATE orders SET id = id + 100000 WHERE id = 10000 + {n} - 1",
    "DELETE FROM orders WHERE id = 110000 + {n} - 2",
    ("UPDATE orders SET code = 'between' WHERE id = {n} % 900 + 1", "UPDATE orders SET code = 'c{n}x' WHERE code = 'between'"),
    (
        "DELETE FROM orders WHERE id = {n} % 50 + 1",
        "INSERT INTO orders (id, total, code, state) VALUES ({n} % 50 + 1, 5, 'd{n}', 'sent')",
    ),
)


def rebuilt(place: Place, migration: str, *, schema: str = SCHEMA, old: Texts = WRITES) -> None:
    shown = show(place, Recipe(schema=schema, migration=migration, old=old))
    assert any(isinstance(step, Backfill) and step.fresh for step in shown.plan.steps), "no rebuild"


@pytest.mark.recipe("rebuild", "native", on=("mysql", "mariadb"))
@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "clause",
    [
        "MODIFY total bigint",
        pytest.param("MODIFY state enum('sent', 'paid', 'new') NOT NULL", marks=pytest.mark.slow),
        "ADD COLUMN twice bigint AS (total * 2) STORED",
        pytest.param("MODIFY code varchar(40) CHARACTER SET latin1 NOT NULL", marks=pytest.mark.slow),
        pytest.param("ADD CONSTRAINT total_ok CHECK (total >= 0)", marks=pytest.mark.slow),
        "MODIFY id bigint unsigned NOT NULL",
    ],
)
def test_what_only_a_copy_can_do(place: Place, clause: str) -> None:
    rebuilt(place, f"ALTER TABLE orders {clause};")


ODD = "a`b %s ÄÖÜ order by with a name of its very own kind, too"
NAMES = """
CREATE TABLE {name} (`k ``1` varchar(30) COLLATE utf8mb4_bin NOT NULL, `select` bigint unsigned NOT NULL, `100%` int, PRIMARY KEY (`k ``1`, `select`));
INSERT INTO {name} VALUES ('a', 18446744073709551615, 1), ('A', 1, 2), ('it''s', 2, NULL), ('ß', 3, 4);
ANALYZE TABLE {name};
"""


@pytest.mark.on("mysql", "mariadb-10")
def test_names_that_need_care(place: Place) -> None:
    name = "`" + ODD[:64].replace("`", "``") + "`"
    writes = (
        f"INSERT INTO {name} VALUES ('n{{n}}', {{n}}, 1)",
        f"UPDATE {name} SET `k ``1` = upper(`k ``1`), `100%` = NULL WHERE `select` = {{n}} - 1",
        f"DELETE FROM {name} WHERE `select` = {{n}} - 9",
    )
    rebuilt(place, f"ALTER TABLE {name} MODIFY `100%` bigint;", schema=NAMES.replace("{name}", name), old=writes)


TYPES = """
CREATE TABLE things (id binary(16) NOT NULL PRIMARY KEY, doc json, bits bit(10), big bigint unsigned, real_one float, real_two double, exact decimal(20, 6), at datetime(6),
    stamp timestamp NULL, day date, clock time(3), flags set('a', 'b', 'c'), raw blob, words text, short char(5), made int AS (big % 7) VIRTUAL, kept int, hidden varchar(9) DEFAULT 'x');
INSERT INTO things (id, doc, bits, big, real_one, real_two, exact, at, stamp, day, clock, flags, raw, words, short, kept) VALUES
    (unhex('00ff'), '{"a": [1, 2.50, null]}', b'1010101010', 18446744073709551615, 1.1, -0.0, 12345678901234.123456, '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05', '0001-01-01', '-12:34:56.789', 'a,c', x'00ff00', 'ä€𝄞 ', 'ab ', 1),
    (unhex('25'), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (unhex('5c27'), '[]', b'0', 0, 1e30, 1e-300, 0, '1999-12-31 23:59:59', NULL, '9999-12-31', '838:59:58', '', '', '', '', -1);
CREATE TABLE nothing (id int PRIMARY KEY, v int);
ANALYZE TABLE things;
"""


@pytest.mark.on("mysql", "mariadb-10")
def test_values_of_every_type(place: Place) -> None:
    """Those of columns that stay as they are come through untouched, written before or meanwhile; a table without rows too."""
    writes = (
        "INSERT INTO things (id, doc, bits, big, flags, raw) VALUES (unhex(lpad(hex({n}), 32, '0')), '{\"n\": {n}}', b'11', {n}, 'b', unhex('00'))",
        "UPDATE things SET real_two = real_one, bits = NULL, doc = '[0.1]' WHERE id = unhex(lpad(hex({n} - 1), 32, '0'))",
        "UPDATE things SET id = unhex(rpad(hex({n} - 1), 32, 'e')) WHERE id = unhex(lpad(hex({n} - 1), 32, '0'))",
    )
    rebuilt(place, "ALTER TABLE things MODIFY kept bigint; ALTER TABLE nothing MODIFY v bigint;", schema=TYPES, old=writes)


@pytest.mark.on("mysql", "mariadb-10")
def test_neighbouring_clauses_are_one_rebuild(place: Place) -> None:
    plan = place.fresh(SCHEMA).plan("ALTER TABLE orders MODIFY total bigint; ALTER TABLE orders ADD CHECK (total >= 0);")
    assert sum(isinstance(step, Backfill) and step.purpose.startswith("Copy orders") for step in plan.steps) == 1
    assert (
        sum(
            "RENAME TABLE" in sql and "_old_" in sql for step in plan.steps if isinstance(step, RunSql) for sql in step.statements
        )
        == 1
    )


class Once:
    """Something that the application does when a step of that purpose is done."""

    def __init__(self, plan: Plan, purpose: str, act: Callable[[], None]) -> None:
        self.steps = {step.id for step in plan.steps if purpose in step.purpose}
        self.act = act
        assert self.steps

    def __call__(self, event: object) -> None:
        if isinstance(event, StepDone) and event.step in self.steps:
            self.steps = set()
            self.act()


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("moment", ["trigger on DELETE)", "Copy orders into", "too (trigger on INSERT)", "Verify that"])
def test_a_value_that_does_not_fit(place: Place, moment: str) -> None:
    """The application's write succeeds whenever it comes; the run stops before the swap with the key, and goes on when the row is corrected."""
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE orders MODIFY total smallint;")
    wrong = "UPDATE orders SET total = 40000 WHERE id = 77"
    listener = Once(plan, moment, lambda: database.run(wrong))
    with pytest.raises(DriftflowError) as stopped:
        run_plan(plan, options=RunOptions(), **edge(database) | {"listener": listener})
    assert "77" in stopped.value.why and "40000" not in str(stopped.value)
    assert database.query("SELECT total FROM orders WHERE id = 77") == [(40000,)]
    database.run("UPDATE orders SET total = 4000 WHERE id = 77")
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    assert database.query("SELECT total FROM orders WHERE id = 77") == [(4000,)]
    assert nothing_left(database)


@pytest.mark.on("mysql", "mariadb-10")
def test_a_duplicate_under_the_new_form(place: Place) -> None:
    """What is new among the unique keys is an error, and no row goes."""
    database = place.fresh(SCHEMA)
    plan = database.plan(
        "ALTER TABLE orders MODIFY total bigint, ADD UNIQUE KEY orders_once (note, total, id), ADD UNIQUE KEY by_code (code(3));"
    )
    assert any(isinstance(step, Backfill) and step.fresh for step in plan.steps), "no rebuild"
    with pytest.raises(DriftflowError) as stopped:
        apply(plan, database)
    assert "key" in stopped.value.why or "values" in stopped.value.summary
    assert database.query("SELECT COUNT(*) FROM orders") == [(1000,)]


@pytest.mark.on("mysql", "mariadb-10")
def test_back_after_a_thousand_writes_to_the_new_form(place: Place) -> None:
    database, start = place.fresh(SCHEMA), place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE orders MODIFY total bigint, ADD COLUMN twice bigint AS (total * 2) STORED;")
    report = apply(plan, database)
    assert report.state == "waiting_at_gate"
    with writing(database, WRITES) as application:
        application.go_on(1000)
        back = take_back(report.run, database, open_gates=gates(plan))
        assert back.state == "rolled_back"
        application.go_on()
    assert application.failures == [], application.failures[:3]
    replay(start, application.committed)
    assert database.structure() == start.structure()
    assert database.rows() == start.rows()
    assert nothing_left(database)


@pytest.mark.on("mysql", "mariadb-10")
def test_back_with_a_value_that_the_old_form_rejects(place: Place) -> None:
    """It is named before anything changes, and nothing is lost."""
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE orders MODIFY total bigint;")
    report = apply(plan, database)
    database.run("UPDATE orders SET total = 5000000000 WHERE id = 5")
    with pytest.raises(DriftflowError) as stopped:
        take_back(report.run, database, open_gates=gates(plan))
    assert stopped.value.why.endswith("keys 5")
    assert database.query("SELECT total FROM orders WHERE id = 5") == [(5000000000,)]
    database.run("UPDATE orders SET total = 5 WHERE id = 5")
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.query("SELECT total FROM orders WHERE id = 5") == [(5,)]


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("gate", ["before", "behind"])
def test_back_with_digits_that_the_old_form_does_not_keep(place: Place, gate: str) -> None:
    """The server rounds them without an error: they are counted before anything of the way back begins."""
    database = place.fresh(SCHEMA + "ALTER TABLE orders ADD COLUMN price decimal(8, 2) DEFAULT 1.25;")
    plan = database.plan("ALTER TABLE orders MODIFY price decimal(12, 4), ADD COLUMN twice bigint AS (total * 2) STORED;")
    assert any(isinstance(step, Backfill) and step.fresh for step in plan.steps), "no rebuild"
    report = apply(plan, database, open_gates=gates(plan) if gate == "behind" else ())
    database.run("UPDATE orders SET price = 1.2345 WHERE id = 5")
    before = database.seen()
    with pytest.raises(DriftflowError) as stopped:
        take_back(report.run, database, open_gates=gates(plan))
    assert stopped.value.code == "DF-E305" and "1 rows of orders hold a price with digits" in stopped.value.summary
    after = database.seen()
    assert (after.structure, after.rows) == (before.structure, before.rows)
    database.run("UPDATE orders SET price = 1.5 WHERE id = 5")
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.query("SELECT DISTINCT price FROM orders ORDER BY price") == [(Decimal("1.25"),), (Decimal("1.50"),)]


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE orders MODIFY total bigint; ALTER TABLE orders MODIFY total smallint;",
        "ALTER TABLE orders CHANGE total sum_of bigint, ADD COLUMN twice bigint AS (sum_of * 2) STORED; ALTER TABLE orders MODIFY sum_of decimal(9, 1);",
    ],
)
def test_one_statement_says_a_column_once(place: Place, change: str) -> None:
    naive, database = place.fresh(SCHEMA), place.fresh(SCHEMA)
    naive.run(change)
    plan = database.plan(change)
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert (database.structure(), database.rows()) == (naive.structure(), naive.rows())


def nothing_left(database: Database) -> bool:
    tables = database.query(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '\\_driftflow\\_%orders%'"
    )
    triggers = database.query("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()")
    return [*tables, *triggers] == []


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [("TRUNCATE TABLE orders", "emptied|not as expected"), ("ALTER TABLE orders ADD COLUMN other int", "somebody has changed")],
)
def test_somebody_else_changes_the_table(place: Place, meanwhile: str, said: str) -> None:
    for moment in ("Copy orders into", "Verify that"):
        database = place.fresh(SCHEMA)
        plan = database.plan("ALTER TABLE orders MODIFY total bigint;")
        with pytest.raises(DriftflowError, match=said):
            run_plan(
                plan, options=RunOptions(), **edge(database) | {"listener": Once(plan, moment, partial(database.run, meanwhile))}
            )


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("ALTER TABLE orders DROP PRIMARY KEY, DROP KEY orders_code;", "no unique key"),
        (
            "CREATE TABLE parts (id int PRIMARY KEY, code varchar(40) NOT NULL, FOREIGN KEY (code) REFERENCES orders (code));",
            "points at code, which becomes another",
        ),
        (
            "ALTER TABLE orders ADD COLUMN digit bigint, ADD FOREIGN KEY (digit) REFERENCES orders (id) ON DELETE CASCADE;",
            "changes rows in a circle",
        ),
    ],
)
def test_what_stands_in_the_way_is_said(place: Place, more: str, why: str) -> None:
    change = "MODIFY total bigint, MODIFY code varchar(300) NOT NULL" if "parts" in more else "MODIFY total bigint"
    plan = place.fresh(SCHEMA + more).plan(f"ALTER TABLE orders {change};")
    assert not any(isinstance(step, Backfill) for step in plan.steps)
    assert any("writers wait" in note and why in note for note in plan.notes)


SHOP = """
CREATE TABLE shops (id int PRIMARY KEY, name varchar(20)); CREATE TABLE kinds (id int PRIMARY KEY);
INSERT INTO shops VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'); INSERT INTO kinds VALUES (1), (2);
CREATE TABLE items (id int PRIMARY KEY, shop int NOT NULL, kind int, price int, CONSTRAINT items_shop FOREIGN KEY (shop) REFERENCES shops (id), FOREIGN KEY (kind) REFERENCES kinds (id) ON DELETE RESTRICT);
INSERT INTO items VALUES (1, 1, 1, 5), (2, 2, 2, 6), (3, 3, NULL, NULL);
ANALYZE TABLE items;
"""
SHOP_WRITES = (
    "INSERT INTO shops VALUES (100 + {n} + 5, 'x')",
    "INSERT INTO items VALUES (100 + {n}, 100 + {n} - 1 + 5, 1, {n})",
    "UPDATE items SET price = price + 1, shop = {n} % 4 + 1 WHERE id = {n} % 3 + 1",
    # A shop goes right behind its last item: no stale row of a copy may hold on to it.
    "DELETE FROM items WHERE id = 100 + {n} - 2",
    "DELETE FROM shops WHERE id = 100 + {n} - 4 + 5",
)


@pytest.mark.on("mysql", "mariadb-10")
def test_foreign_keys_of_the_table_keep_their_names(place: Place) -> None:
    rebuilt(place, "ALTER TABLE items MODIFY price bigint;", schema=SHOP, old=SHOP_WRITES)
    database = place.fresh(SHOP)
    plan = database.plan("ALTER TABLE items MODIFY price bigint;")
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    with pytest.raises(Exception, match="foreign key constraint fails"):
        database.run("INSERT INTO items VALUES (9, 77, 1, 1)")
    with pytest.raises(Exception, match="foreign key constraint fails"):
        database.run("DELETE FROM shops WHERE id = 1")
