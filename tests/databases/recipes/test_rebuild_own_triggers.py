"""The online rebuild on MySQL and MariaDB of a table that has triggers of the application: each acts once for every row, whatever happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

import pytest
from recipes.rig import (
    POLICY,
    Application,
    Database,
    Place,
    PlainSession,
    Recipe,
    Texts,
    apply,
    edge,
    gates,
    show,
    take_back,
    writing,
)
from recipes.test_rebuild_mysql import Once

from driftflow.engine.run import RunOptions, resume, run_plan
from driftflow.errors import DriftflowError, LockTimeoutError, RefusedError
from driftflow.journal.inspect import runs
from driftflow.model.plan import Backfill, Plan
from driftflow.model.record import replace

SCHEMA = """
CREATE TABLE orders (id int PRIMARY KEY, total int, note varchar(40), seen int NOT NULL DEFAULT 0);
CREATE TABLE audit (id bigint AUTO_INCREMENT PRIMARY KEY, what varchar(10) NOT NULL, row_id int NOT NULL, total bigint, note varchar(40));
INSERT INTO orders (id, total, note) VALUES (1, 1, 'a'), (2, 2, 'b'), (3, NULL, 'c'), (4, 4, NULL);
CREATE TRIGGER orders_noted AFTER INSERT ON orders FOR EACH ROW INSERT INTO audit (what, row_id, total, note) VALUES ('insert', NEW.id, NEW.total, NEW.note);
CREATE TRIGGER orders_counted BEFORE UPDATE ON orders FOR EACH ROW SET NEW.seen = OLD.seen + 1, NEW.note = concat('seen ', NEW.seen);
ANALYZE TABLE orders;
"""
WRITES = (
    "INSERT INTO orders (id, total, note) VALUES (1000 + {n}, {n}, 'new')",
    "UPDATE orders SET total = total + 1 WHERE id = 1000 + {n} - 1",
    "UPDATE orders SET note = 'x' WHERE id = {n} % 4 + 1",
    "DELETE FROM orders WHERE id = 1000 + {n} - 3 AND {n} % 8 > 3",
)
CHANGE = "ALTER TABLE orders MODIFY total bigint, ADD CHECK (total >= 0);"


def rebuilds(plan: Plan) -> bool:
    return any(isinstance(step, Backfill) and step.fresh for step in plan.steps)


def triggers_of(database: Database) -> list[tuple[Any, ...]]:
    """To the letter: what is asked for, the mode and the collations that it runs under, and in which order."""
    listed = "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() "
    name = database.query("SELECT DATABASE()")[0][0]
    found = []
    for row in database.query(f"{listed} ORDER BY ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER"):
        said = database.query(f"SHOW CREATE TRIGGER {database.dialect.quote(row[0])}")[0][:6]
        found.append((*row, *(str(one).replace(name, "database") for one in said)))
    return found


@pytest.mark.recipe("rebuild", "native", on=("mysql", "mariadb"))
@pytest.mark.on("mysql", "mariadb-10")
def test_one_that_notes_and_one_that_changes(place: Place) -> None:
    """Rows of the table and of the audit as in the naive run, forth and back."""
    shown = show(place, Recipe(schema=SCHEMA, migration=CHANGE, old=WRITES))
    assert rebuilds(shown.plan)
    assert triggers_of(shown.planned) == triggers_of(shown.naive)


MANY = (
    """
CREATE TABLE shops (id int PRIMARY KEY);
INSERT INTO shops VALUES (1), (2);
CREATE TABLE items (id int PRIMARY KEY, shop int, price int, note varchar(200), KEY items_by_shop (shop), CONSTRAINT items_shop FOREIGN KEY (shop) REFERENCES shops (id));
CREATE TABLE parts (id int PRIMARY KEY, item int, CONSTRAINT parts_item FOREIGN KEY (item) REFERENCES items (id));
CREATE TABLE audit (id bigint AUTO_INCREMENT PRIMARY KEY, what varchar(10) NOT NULL, row_id int NOT NULL, price bigint, note varchar(200));
INSERT INTO items VALUES (1, 1, 1, 'a'), (2, 2, 2, 'b'), (3, NULL, NULL, 'c');
INSERT INTO parts VALUES (1, 1);
""",
    "CREATE TRIGGER first_of_all AFTER INSERT ON items FOR EACH ROW /* why: ä€ */ INSERT INTO audit (what, row_id, note) VALUES ('insert', NEW.id, NEW.note)  -- to the end",
    "CREATE TRIGGER `before``it` AFTER INSERT ON items FOR EACH ROW PRECEDES first_of_all /* b */ SET @last = concat('p', NEW.id)",
    """CREATE TRIGGER in_between AFTER INSERT ON items FOR EACH ROW FOLLOWS `before``it` whole: BEGIN
    DECLARE times int DEFAULT 2;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET times = 0;
    IF NEW.price IS NULL THEN LEAVE whole; END IF;
    WHILE times > 0 DO INSERT INTO audit (what, row_id, price, note) VALUES ('twice', NEW.id, NEW.price, @last); SET times = times - 1; END WHILE;
END whole""",
    "CREATE TRIGGER makes_one BEFORE INSERT ON items FOR EACH ROW SET NEW.note = concat(coalesce(NEW.note, ''), '|one')",
    "CREATE TRIGGER makes_two BEFORE INSERT ON items FOR EACH ROW SET NEW.note = concat(NEW.note, '|two')",
    "CREATE TRIGGER makes_none BEFORE INSERT ON items FOR EACH ROW PRECEDES makes_one SET NEW.note = concat(coalesce(NEW.note, ''), '|none')",
    "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
    """CREATE TRIGGER items_changed AFTER UPDATE ON items FOR EACH ROW BEGIN INSERT INTO audit (what, row_id, price, "note") VALUES ('update', NEW.id, NEW.price, OLD.note || '\\' || NEW.note); END""",
    "SET SESSION sql_mode = DEFAULT",
    "CREATE DEFINER = {keeper} TRIGGER items_gone AFTER DELETE ON items FOR EACH ROW INSERT INTO audit (what, row_id, price, note) VALUES ('delete', OLD.id, OLD.price, OLD.note)",
    "CREATE DEFINER = {keeper} TRIGGER items_dearer BEFORE UPDATE ON items FOR EACH ROW SET NEW.note = concat('from ', coalesce(OLD.price, '?'))",
)


def many_writes(own: int) -> Texts:
    """Of one session after the other: rows from `own` on."""
    one, other = own + 10_000, own + 20_000
    return (
        f"INSERT INTO items VALUES ({own} + {{n}}, {{n}} % 2 + 1, nullif({{n}} % 5, 0), NULL)",
        f"UPDATE items SET price = price + 1 WHERE id IN (1, 2, {own} + {{n}} - 1)",
        (
            f"INSERT INTO items VALUES ({one} + {{n}}, NULL, 7, 'x'), ({other} + {{n}}, 1, NULL, 'y')",
            f"UPDATE items SET id = id + 20000 WHERE id = {one} + {{n}}",
        ),
        "INSERT IGNORE INTO items VALUES (1, 1, 1, 'there already')",
        f"INSERT INTO items VALUES ({own} + {{n}} - 4, 2, 3, 'again') ON DUPLICATE KEY UPDATE price = 99",
        f"REPLACE INTO items VALUES ({own} + {{n}} - 5, 1, 4, 'in its place')",
        f"DELETE FROM items WHERE id IN ({own} + {{n}} - 6, {other} + {{n}} - 4)",
    )


Named = Callable[[str], Any]


def by_root(place: Place, server_named: Named, schema: str = "") -> Database:
    """As somebody who may name others as definers."""
    database = place.fresh(schema)
    name = database.query("SELECT DATABASE()")[0][0]
    return Database(server_named(place.server).url(name, user="root"), place.dialect)


@pytest.fixture
def keeper(place: Place, server_named: Named) -> Iterator[str]:
    """An account that triggers run as, with rights on whatever database."""
    name = "'driftflow_keeper'@'localhost'"
    database = by_root(place, server_named)
    database.run(f"CREATE USER IF NOT EXISTS {name}; GRANT ALL ON *.* TO {name};")
    yield name
    database.run(f"DROP USER {name};")


def made(place: Place, server_named: Named, keeper: str) -> Database:
    database = by_root(place, server_named, MANY[0])
    with closing(PlainSession(database.url)) as session:
        for statement in MANY[1:]:
            session.run((statement.replace("{keeper}", keeper),))
    return database


@pytest.mark.on("mysql", "mariadb-10")
def test_many_that_are_not_simple(place: Place, server_named: Named, keeper: str) -> None:
    """Several for one event in an order that was asked for, blocks, labels and handlers, comments, other modes and accounts, keys in both directions: as in the
    naive run, in the end and again at the start."""
    change = "ALTER TABLE items MODIFY price bigint, ADD CHECK (price >= 0);"
    planned, naive, start = (made(place, server_named, keeper) for _ in range(3))
    plan = planned.plan(change)
    assert rebuilds(plan)
    with writing(planned, many_writes(100_000)) as application:
        report = apply(plan, planned, open_gates=gates(plan))
        assert report.state == "done", report
        application.go_on()
    assert application.failures == [], application.failures[:3]
    with closing(PlainSession(naive.url)) as session:
        for statements in application.committed:
            session.run(statements)
    naive.run(change)
    assert planned.structure() == naive.structure()
    assert planned.rows() == naive.rows()
    assert triggers_of(planned) == triggers_of(naive)
    assert len(triggers_of(planned)) == len(triggers_of(start)) == 9

    with writing(planned, many_writes(200_000)) as application:
        back = take_back(report.run, planned, open_gates=gates(plan))
        while back.state == "waiting_at_gate":
            back = resume(back.run, options=RunOptions(open_gates=gates(plan)), **edge(planned))
        assert back.state == "rolled_back", back
        application.go_on()
    assert application.failures == [], application.failures[:3]
    assert planned.structure() == start.structure()
    assert triggers_of(planned) == triggers_of(start)


EACH = """
CREATE TRIGGER orders_changed AFTER UPDATE ON orders FOR EACH ROW INSERT INTO audit (what, row_id, total, note) VALUES ('update', NEW.id, NEW.total, NEW.note);
CREATE TRIGGER orders_gone AFTER DELETE ON orders FOR EACH ROW INSERT INTO audit (what, row_id, total, note) VALUES ('delete', OLD.id, OLD.total, OLD.note);
"""


def writes_of(number: int) -> Texts:
    """Rows that no other session writes, so that every statement writes one row, by itself or with others in a transaction whose snapshot is older."""
    own = 100_000 * (number + 1)
    insert = f"INSERT INTO orders (id, total, note) VALUES ({own} + {{n}}, {{n}}, 'new')"
    return (
        insert,
        f"UPDATE orders SET total = total + 1 WHERE id = {own} + {{n}} - 1",
        f"DELETE FROM orders WHERE id = {own} + {{n}} - 2",
        ("SELECT COUNT(*) FROM shops", "SELECT SLEEP(0.01)", insert, f"UPDATE orders SET note = 'y' WHERE id = {own} + {{n}}"),
    )


def committed(applications: list[Application]) -> Counter[str]:
    texts = [text for one in applications for statements in one.committed for text in statements]
    return Counter(word.lower() for word in (text.split()[0] for text in texts) if word in ("INSERT", "UPDATE", "DELETE"))


def noted(database: Database) -> Counter[str]:
    return Counter({str(what): int(count) for what, count in database.query("SELECT what, COUNT(*) FROM audit GROUP BY what")})


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("way", ["to the end", "back from the gate", "back from the end"])
def test_every_row_is_noted_once(place: Place, way: str) -> None:
    """Under three sessions: as many notes as rows that were written, and the note says what the row became."""
    database = place.fresh(SCHEMA + EACH + "CREATE TABLE shops (id int PRIMARY KEY);")
    plan = database.plan(CHANGE)
    options = RunOptions(open_gates=gates(plan))
    with ExitStack() as stack:
        applications = [stack.enter_context(writing(database, writes_of(number))) for number in range(3)]
        report = apply(plan, database, open_gates=() if way == "back from the gate" else gates(plan))
        applications[0].go_on()
        if way != "to the end":
            assert report.state in ("waiting_at_gate", "done")
            report = take_back(report.run, database, open_gates=gates(plan))
            while report.state == "waiting_at_gate":
                report = resume(report.run, options=options, **edge(database))
            assert report.state == "rolled_back", report
        for one in applications:
            one.go_on()
    assert [one.failures[:2] for one in applications] == [[], [], []]
    assert noted(database) == committed(applications)
    assert database.query("SELECT COUNT(*) FROM audit WHERE what = 'update' AND note NOT LIKE 'seen%'") == [(0,)]
    assert (
        database.query("SELECT id FROM orders WHERE id > 4 AND id NOT IN (SELECT row_id FROM audit WHERE what = 'insert')") == []
    )


@pytest.mark.on("mysql", "mariadb-10")
def test_a_transaction_that_began_before_the_swap(place: Place) -> None:
    """It sees the tables as they were, and on MySQL the list of triggers too; what it writes is noted all the same, and once."""
    for moment in ("Swap: ", "again, in place of the stand-in"):
        database = place.fresh(SCHEMA + "CREATE TABLE shops (id int PRIMARY KEY);")
        plan = database.plan(CHANGE)
        swap = next(step for step in plan.steps if step.purpose.startswith("Swap"))
        before = plan.steps[plan.steps.index(swap) - 1]
        with closing(PlainSession(database.url)) as session:
            session._execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")

            def begun(session: PlainSession = session) -> None:
                for text in ("BEGIN", "SELECT COUNT(*) FROM shops", "SELECT COUNT(*) FROM information_schema.TRIGGERS"):
                    session._execute(text)

            def written(session: PlainSession = session) -> None:
                session._execute("INSERT INTO orders (id, total) VALUES (77, 7)")
                session._execute("COMMIT")

            listeners = [Once(plan, before.purpose, begun), Once(plan, moment, written)]

            def listen(event: object, listeners: list[Once] = listeners) -> None:
                for one in listeners:
                    one(event)

            report = run_plan(plan, options=RunOptions(open_gates=gates(plan)), **edge(database) | {"listener": listen})
        assert report.state == "done"
        assert database.query("SELECT row_id, total FROM audit") == [(77, 7)]


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    ("held", "waited_for"),
    [("SELECT COUNT(*) FROM orders", ("mysql", "mariadb")), ("SELECT COUNT(*) FROM audit", ("mysql",)), ("INSERT INTO audit (what, row_id) VALUES ('held', 0)", ("mysql",))],
)  # fmt: skip
def test_somebody_is_in_the_way_of_the_exchange(place: Place, held: str, waited_for: tuple[str, ...]) -> None:
    """The triggers are not made again as long as LOCK TABLES is not granted: the run stops, the stand-ins do their work, and it goes on when it can."""
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    impatient = {"policy": replace(POLICY, lock_tries=2, lock_rest_ms=10)}
    stopped = None
    with closing(PlainSession(database.url)) as session:

        def hold() -> None:
            for text in ("BEGIN", held):
                session._execute(text)

        try:
            run_plan(
                plan,
                options=RunOptions(open_gates=gates(plan)),
                **edge(database) | impatient | {"listener": Once(plan, "Swap: ", hold)},
            )
        except LockTimeoutError as fault:
            stopped = fault
        database.run("INSERT INTO orders (id) VALUES (88); UPDATE orders SET total = 8 WHERE id = 88;")
        session._execute("ROLLBACK")
    assert (stopped is not None) == (place.vendor in waited_for)
    assert stopped is None or "in place of the stand-in" in str(stopped.where)
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert database.query("SELECT what, row_id FROM audit") == [("insert", 88)]
    assert database.query("SELECT seen, note FROM orders WHERE id = 88") == [(1, "seen 1")]
    database.run("INSERT INTO orders (id) VALUES (89)")
    assert database.query("SELECT row_id FROM audit ORDER BY id") == [(88,), (89,)]


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "meanwhile",
    [
        "DROP TRIGGER orders_noted; CREATE TRIGGER orders_noted AFTER INSERT ON orders FOR EACH ROW SET @other = 1;",
        "DROP TRIGGER orders_noted;",
        "CREATE TRIGGER another AFTER DELETE ON orders FOR EACH ROW SET @other = 1;",
    ],
)
def test_somebody_changes_the_triggers(place: Place, meanwhile: str) -> None:
    """Before the run begins, and before the swap: it stops, and the way back leaves theirs."""
    database = place.fresh(SCHEMA)
    plan = database.plan(CHANGE)
    listener = Once(plan, "Copy orders into", partial(database.run, meanwhile))
    with pytest.raises(DriftflowError, match=r"triggers of orders are not|a trigger or a foreign key meanwhile"):
        run_plan(plan, options=RunOptions(), **edge(database) | {"listener": listener})
    theirs = [row for row in triggers_of(database) if not row[0].startswith("zzz_driftflow")]
    with closing(database.connector.connect("look")) as connection:
        (run,) = runs(connection)
    assert take_back(run.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert triggers_of(database) == theirs
    with pytest.raises(RefusedError):
        apply(plan, database)


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    ("more", "change", "why"),
    [
        ("", "ALTER TABLE orders CHANGE note remark varchar(40), MODIFY total bigint;", "the trigger orders_counted of orders"),
        ("DROP TRIGGER orders_noted; CREATE TRIGGER odd AFTER INSERT ON orders FOR EACH ROW SET @rows = ROW_COUNT();", CHANGE, "asks for ROW_COUNT before"),
        ("", f"{CHANGE} DROP TRIGGER orders_noted;", "another statement of the release changes the triggers"),
        ("CREATE TABLE shops (id int PRIMARY KEY); ALTER TABLE orders ADD COLUMN shop int, ADD FOREIGN KEY (shop) REFERENCES shops (id) ON DELETE CASCADE;", CHANGE, "has triggers of its own, and"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_said(place: Place, more: str, change: str, why: str) -> None:
    plan = place.fresh(SCHEMA + more).plan(change)
    assert not rebuilds(plan)
    assert any("writers wait" in note and why in note for note in plan.notes), plan.notes


@pytest.mark.on("mysql", "mariadb-10")
def test_rights_are_asked_for_before_anything_is_done(place: Place, server_named: Named) -> None:
    """An account that triggers run as, with rights on their table alone: on another it could not act, so the application would fail."""
    database = by_root(place, server_named, SCHEMA)
    name = database.query("SELECT DATABASE()")[0][0]
    user = "'driftflow_narrow'@'localhost'"
    database.run(
        f"CREATE USER {user}; GRANT SELECT, UPDATE, TRIGGER ON {name}.orders TO {user}; GRANT INSERT ON {name}.audit TO {user};"
    )
    try:
        database.run(
            f"CREATE DEFINER = {user} TRIGGER orders_gone AFTER DELETE ON orders FOR EACH ROW INSERT INTO audit (what, row_id) VALUES ('delete', OLD.id);"
        )
        database.run("DELETE FROM orders WHERE id = 4")
        before = database.structure()
        with pytest.raises(RefusedError) as said:
            apply(database.plan(CHANGE), database)
        assert "orders_gone runs as driftflow_narrow@localhost" in f"{said.value} {said.value.why}"
        assert database.structure() == before
        database.run(f"GRANT SELECT, TRIGGER ON {name}.* TO {user};")
        plan = database.plan(CHANGE)
        assert apply(plan, database, open_gates=gates(plan)).state == "done"
        database.run("DELETE FROM orders WHERE id = 3")
        assert database.query("SELECT row_id FROM audit ORDER BY id") == [(4,), (3,)]
    finally:
        database.run(f"DROP USER {user};")
