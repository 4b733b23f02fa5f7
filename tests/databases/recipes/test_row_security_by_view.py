"""Row-level security where the server has no policies (MySQL, MariaDB): a view of the tenant's rows, and an account that is confined to it while it works."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pymysql
import pytest
from recipes.rig import Database, Place, PlainSession, apply, gates, go_on_back, outcome, take_back, writing

from driftflow.errors import ParseError, RefusedError
from driftflow.lab import mysql
from driftflow.lab.plain_driver import plain_connection
from driftflow.model.plan import Verify

pytestmark = pytest.mark.on("mysql", "mariadb")

ROWS = 300
ORDERS = f"""
CREATE TABLE tenants (id int PRIMARY KEY);
INSERT INTO tenants WITH RECURSIVE n AS (SELECT 0 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 9) SELECT x FROM n;
CREATE TABLE orders (
  id bigint PRIMARY KEY AUTO_INCREMENT, tenant_id int NOT NULL, code varchar(30) UNIQUE, total int DEFAULT 5, twice int AS (total * 2) STORED, note text,
  KEY (tenant_id), FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
INSERT INTO orders (tenant_id, code) WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < {ROWS})
SELECT x % 10, CONCAT('c', x) FROM n;
"""
DIRECTIVE = "-- driftflow: row-security column=tenant_id variable=app_tenant_id view=tenant_orders role={role}\n"
ENABLE = "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;"
AS_SEVEN = "SET @app_tenant_id = 7"


@dataclass
class Shop:
    """The orders of ten tenants, root, and an account that may read and write the table, and nothing else."""

    root: Database
    app: Database
    role: str
    migration: str

    def grants(self) -> dict[str, list[str]]:
        """What the account holds on each relation, as information_schema spells it."""
        held: dict[str, list[str]] = {}
        for view, column in (("TABLE_PRIVILEGES", "NULL"), ("COLUMN_PRIVILEGES", "COLUMN_NAME")):
            rows = self.root.query(
                f"SELECT TABLE_NAME, PRIVILEGE_TYPE, {column}, IS_GRANTABLE FROM information_schema.{view} "
                f"WHERE TABLE_SCHEMA = DATABASE() AND GRANTEE LIKE '%{self.role}%' ORDER BY 1, 2, 3"
            )
            for name, *right in rows:
                held.setdefault(name, []).append(str(right))
        return held

    def as_tenant(self, tenant: object, sql: str) -> list[tuple[object, ...]]:
        with closing(plain_connection(self.app.url, application="tenant", lock_timeout_ms=1000)) as raw, raw.cursor() as cursor:
            cursor.execute(f"SET @app_tenant_id = {tenant}")
            cursor.execute(sql)
            return list(cursor.fetchall())

    def error(self, sql: str, *, tenant: object = 7) -> int:
        """The server's number; 0 where it takes the statement."""
        try:
            self.as_tenant(tenant, sql)
        except pymysql.err.MySQLError as fault:
            return int(fault.args[0])
        return 0


@pytest.fixture
def shop(place: Place, server_named: Callable[[str], mysql.Server]) -> Iterator[Shop]:
    server, database = server_named(place.server), place.fresh(ORDERS)
    name, role = database.url.rpartition("/")[2].partition("?")[0], "app_" + secrets.token_hex(4)
    root = Database(server.url(name, user="root"), database.dialect)
    app = Database(re.sub(r":[^:/@]+@", "@", server.url(name, user=role)), database.dialect)
    root.run(f"CREATE USER '{role}'@'localhost'; GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO '{role}'@'localhost';")
    try:
        yield Shop(root, app, role, DIRECTIVE.replace("{role}", role) + ENABLE)
    finally:
        root.run(f"DROP USER '{role}'@'localhost'")


def old() -> Iterator[str | tuple[str, ...]]:
    yield "INSERT INTO orders (tenant_id, code) VALUES ({n} % 10, 'old{n}')"
    yield "UPDATE orders SET note = 'seen' WHERE id = {n} % 300 + 1"


def new() -> Iterator[str | tuple[str, ...]]:
    """Each transaction for another tenant: the variable is set anew, as on each checkout from a pool."""
    context = "SET @app_tenant_id = {n} % 10"
    yield (
        context,
        "INSERT INTO tenant_orders (tenant_id, code) VALUES ({n} % 10, 'new{n}') ON DUPLICATE KEY UPDATE note = 'again'",
    )
    yield context, "UPDATE tenant_orders SET note = 'mine'"
    yield context, "DELETE FROM tenant_orders WHERE note = 'nothing'"


@pytest.mark.recipe(
    "row-security",
    "emulated",
    why="a view of the tenant's rows (`-- driftflow: row-security`), the account has rights on nothing but the view: behind the gate",
)
def test_an_account_is_confined_to_its_tenants_view_while_it_writes(shop: Shop) -> None:
    """Old and new application side by side until the gate; behind it the view is all that there is. Taken back, everything is as it was."""
    plan = shop.root.plan(shop.migration)
    before, rights = shop.root.structure(), shop.grants()
    with writing(shop.app, tuple(old())) as first, writing(shop.app, ()) as second:
        report = apply(plan, shop.root)
        assert report.state == "waiting_at_gate"
        first.go_on()
        second.switch(tuple(new()))
        second.go_on()
        first.switch(())
        done = apply(plan, shop.root, open_gates=("deployed",))
        assert done.state == "done", done
        second.go_on()
        assert set(shop.grants()) == {"tenant_orders"}
        assert shop.error("SELECT 1 FROM orders") == 1142
        back = take_back(report.run, shop.root)
        assert (back.state, back.gate) == ("waiting_at_gate", "deployed-back")
        second.go_on()
        first.switch(tuple(old()))
        first.go_on()
        second.switch(())
        back = go_on_back(report.run, shop.root, open_gates=gates(plan))
        assert back.state == "rolled_back", back
        first.go_on()
    assert first.failures == second.failures == []
    assert (shop.root.structure(), shop.grants()) == (before, rights)
    left = "SELECT (SELECT count(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()), (SELECT count(*) FROM information_schema.TABLE_PRIVILEGES WHERE TABLE_NAME = 'tenant_orders')"
    assert shop.root.query(left) == [(0, 0)]


def confined(shop: Shop) -> Shop:
    plan = shop.root.plan(shop.migration)
    assert apply(plan, shop.root, open_gates=gates(plan)).state == "done"
    return shop


def test_a_tenant_sees_and_writes_its_own_rows_and_no_others(shop: Shop) -> None:
    """What the application's account can say, through all forms of writing. 1369 is what the view's own condition is refused with."""
    confined(shop)
    assert shop.as_tenant(7, "SELECT count(*), min(tenant_id), max(tenant_id) FROM tenant_orders") == [(30, 7, 7)]
    nobody = ("NULL", "''", "'abc'", "'7x'", "'7 OR 1=1'", "99999999999999999999999", "4711", "_binary'x'")
    for tenant in nobody:
        assert shop.as_tenant(tenant, "SELECT count(*) FROM tenant_orders") == [(0,)], tenant
    for tenant in ("7", "'7'", "_latin1'7'", "_binary'7'"):
        assert shop.as_tenant(tenant, "SELECT count(*) FROM tenant_orders") == [(30,)], tenant
    assert shop.error("INSERT INTO tenant_orders (tenant_id, code) VALUES (7, 'mine')") == 0
    refused = {
        "INSERT INTO tenant_orders (tenant_id, code) VALUES (8, 'x')": 1369,
        "UPDATE tenant_orders SET tenant_id = 8 WHERE code = 'mine'": 1369,
        "UPDATE tenant_orders AS o JOIN tenant_orders AS p ON o.id = p.id SET o.tenant_id = 9": 1369,
        "INSERT INTO tenant_orders (tenant_id, code) VALUES (7, 'c2') ON DUPLICATE KEY UPDATE note = 'x'": 1369,
        "INSERT INTO tenant_orders (tenant_id, code) VALUES (7, 'c2') ON DUPLICATE KEY UPDATE tenant_id = 7": 1369,
        "TRUNCATE tenant_orders": 1142,
        "SELECT 1 FROM orders": 1142,
        "SELECT tenant_orders_tenant_id()": 1370,
        "EXPLAIN SELECT * FROM tenant_orders": 1345,
    }
    assert {sql: shop.error(sql) for sql in refused} == refused
    assert shop.error("REPLACE INTO tenant_orders (tenant_id, code) VALUES (7, 'c2')") in (1369, 3059)
    assert shop.error("INSERT INTO tenant_orders (code) VALUES ('no tenant')") in (1364, 1423)
    for sql in ("INSERT INTO tenant_orders (tenant_id, code) VALUES (7, 'x')", "UPDATE tenant_orders SET note = 'x'"):
        assert shop.error(sql, tenant="NULL") == (1369 if sql.startswith("INSERT") else 0)
    assert shop.error("UPDATE tenant_orders SET note = 'x' WHERE tenant_id <> 7") == 0
    assert shop.error("DELETE FROM tenant_orders WHERE code = 'c2'") == 0
    assert shop.root.query("SELECT tenant_id, note FROM orders WHERE code = 'c2' OR note = 'x'") == [(2, None)]
    own = "INSERT INTO tenant_orders (tenant_id, code) VALUES (7, 'mine') ON DUPLICATE KEY UPDATE total = total + 1"
    assert shop.error(own) == shop.error("REPLACE INTO tenant_orders (tenant_id, code) VALUES (7, 'c7')") == 0
    assert shop.error("DELETE o FROM tenant_orders AS o WHERE o.code = 'mine'") == 0
    with closing(plain_connection(shop.app.url, application="tenant", lock_timeout_ms=1000)) as raw, raw.cursor() as cursor:
        cursor.execute(AS_SEVEN)
        cursor.execute("INSERT INTO tenant_orders (tenant_id, code) VALUES (7, 'last')")
        cursor.execute("SELECT LAST_INSERT_ID(), (SELECT id FROM tenant_orders WHERE code = 'last')")
        ((told, there),) = cursor.fetchall()
        assert told == there > ROWS


def test_a_prepared_statement_asks_again_for_each_tenant(shop: Shop) -> None:
    """The function is DETERMINISTIC so that the index is used; the variable may change from one execution to the next all the same."""
    confined(shop)
    with closing(plain_connection(shop.app.url, application="tenant", lock_timeout_ms=1000)) as raw, raw.cursor() as cursor:
        cursor.execute("PREPARE seen FROM 'SELECT DISTINCT tenant_id FROM tenant_orders'")
        found = []
        for tenant in ("1", "2", "NULL", "3"):
            cursor.execute(f"SET @app_tenant_id = {tenant}")
            cursor.execute("EXECUTE seen")
            found.append(cursor.fetchall())
    assert found == [((1,),), ((2,),), (), ((3,),)]


def test_the_index_of_the_tenant_is_used(shop: Shop, place: Place) -> None:
    """As if the condition had been written out, which it would not be with a function that is not DETERMINISTIC."""
    confined(shop)
    shop.root.run("ANALYZE TABLE orders")
    with closing(plain_connection(shop.root.url, application="root", lock_timeout_ms=1000)) as raw, raw.cursor() as cursor:
        cursor.execute(AS_SEVEN)
        cursor.execute("EXPLAIN SELECT id, tenant_id, code, note FROM tenant_orders")
        explained = str(cursor.fetchall())
    assert ("'ref', 'tenant_id'" if place.vendor == "mariadb" else "Index lookup on orders using tenant_id") in explained, (
        explained
    )


def test_an_account_without_a_tenant_in_its_session_is_not_held_up(shop: Shop) -> None:
    """The triggers speak to sessions that have said who they are: work over all tenants goes on, and so do foreign keys and later migrations."""
    confined(shop)
    shop.root.run("UPDATE orders SET note = 'all'; DELETE FROM orders WHERE id = 1;")
    assert shop.root.query("SELECT count(*) FROM orders WHERE note = 'all'") == [(ROWS - 1,)]
    with (
        closing(PlainSession(shop.root.url)) as session,
        pytest.raises(pymysql.err.MySQLError, match="belongs to another tenant"),
    ):
        session.run((AS_SEVEN, "UPDATE orders SET note = 'x' WHERE tenant_id = 8"))


def test_rights_on_columns_are_given_on_the_same_columns(shop: Shop) -> None:
    host = f"'{shop.role}'@'localhost'"
    shop.root.run(
        f"REVOKE ALL ON orders FROM {host}; GRANT SELECT (id, tenant_id, code), UPDATE (note), ALTER ON orders TO {host} WITH GRANT OPTION;"
    )
    rights = shop.grants()
    plan = shop.root.plan(shop.migration)
    assert "(not ALTER)" in str([step.purpose for step in plan.steps])
    done = apply(plan, shop.root, open_gates=gates(plan))
    assert shop.as_tenant(7, "SELECT count(code) FROM tenant_orders") == [(30,)]
    assert shop.error("UPDATE tenant_orders SET note = 'x' WHERE id = 7") == 0
    assert {shop.error("SELECT note FROM tenant_orders"), shop.error("UPDATE tenant_orders SET total = 1")} == {1143}
    assert shop.error("ALTER TABLE tenant_orders COMMENT 'x'") == 1142
    take_back(done.run, shop.root, open_gates=gates(plan))
    assert shop.grants() == rights


def test_the_plan_says_who_still_sees_every_row(shop: Shop) -> None:
    other = f"report_{secrets.token_hex(3)}"
    shop.root.run(f"CREATE USER '{other}'@'%'; GRANT SELECT ON orders TO '{other}'@'%';")
    try:
        plan = shop.root.plan(shop.migration)
    finally:
        shop.root.run(f"DROP USER '{other}'@'%'")
    purposes = " ".join(step.purpose for step in plan.steps)
    assert f"every row is seen by {other}@%" in purposes
    assert "whoever sets it chooses the tenant" in purposes


WAYS_AROUND = {
    "the database": "GRANT SELECT ON {database}.* TO {who}",
    "a pattern of databases": "GRANT SELECT ON `{pattern}`.* TO {who}",
    "everything": "GRANT DELETE ON *.* TO {who}",
    "a role": "CREATE ROLE {role}; GRANT UPDATE ON orders TO {role}; GRANT {role} TO {who}",
    "a role of a role": "CREATE ROLE {role}; CREATE ROLE {role}2; GRANT SELECT ON {database}.* TO {role}2; GRANT {role}2 TO {role}; GRANT {role} TO {who}",
}


EVERYBODYS = {
    "everybody's on the table": "GRANT SELECT ON orders TO PUBLIC",
    "everybody's on the database": "GRANT SELECT ON {database}.* TO PUBLIC",
    "everybody's on everything": "GRANT SELECT ON *.* TO PUBLIC",
}


@pytest.mark.on("mariadb")
@pytest.mark.parametrize("way", EVERYBODYS)
def test_a_right_of_everybody_leads_around_the_view_too(shop: Shop, way: str) -> None:
    name = shop.root.url.rpartition("/")[2].partition("?")[0]
    shop.root.run(EVERYBODYS[way].format(database=name))
    try:
        with pytest.raises(RefusedError, match="rights that lead around the view"):
            apply(shop.root.plan(shop.migration), shop.root)
    finally:
        shop.root.run(EVERYBODYS[way].format(database=name).replace("GRANT", "REVOKE").replace(" TO ", " FROM "))


@pytest.mark.parametrize("way", WAYS_AROUND)
def test_a_right_that_leads_around_the_view_stops_the_run_before_it_begins(shop: Shop, way: str) -> None:
    name, role = shop.root.url.rpartition("/")[2].partition("?")[0], f"crew_{secrets.token_hex(3)}"
    words = {"database": name, "pattern": name[:-1] + "%", "role": role, "who": f"'{shop.role}'@'localhost'"}
    shop.root.run(WAYS_AROUND[way].format(**words))
    before = shop.root.structure()
    try:
        with pytest.raises(RefusedError, match="rights that lead around the view"):
            apply(shop.root.plan(shop.migration), shop.root)
        assert shop.root.structure() == before
    finally:
        shop.root.run(f"DROP ROLE IF EXISTS {role}; DROP ROLE IF EXISTS {role}2;")


def test_a_right_that_is_given_behind_the_gate_is_found_at_the_end(shop: Shop) -> None:
    plan = shop.root.plan(shop.migration)
    apply(plan, shop.root)
    name = shop.root.url.rpartition("/")[2].partition("?")[0]
    shop.root.run(f"GRANT SELECT ON {name}.* TO '{shop.role}'@'localhost'")
    with pytest.raises(Exception, match="has no right on orders"):
        apply(plan, shop.root, open_gates=gates(plan))


@pytest.mark.parametrize(
    "column", ["varchar(36) CHARACTER SET latin1", "char(5) COLLATE utf8mb4_bin", "binary(16)", "bigint unsigned", "uuid"]
)
def test_tenants_of_each_type(shop: Shop, place: Place, column: str) -> None:
    if column == "uuid" and place.vendor == "mysql":
        pytest.skip("MySQL has no type uuid")
    texts = {
        "uuid": ("6ccd780c-baba-1026-9564-5b8c656024db", "6ccd780c-baba-1026-9564-5b8c656024dc"),
        "bigint unsigned": ("18446744073709551615", "1"),
    }
    mine, other = texts.get(column, ("ab", "xy"))
    shop.root.run(f"CREATE TABLE docs (id int PRIMARY KEY, tenant {column} NOT NULL, KEY (tenant, id));")
    for number, tenant in enumerate((mine, other, other)):
        shop.root.run(f"INSERT INTO docs VALUES ({number}, '{tenant}')")
    shop.root.run(f"GRANT SELECT, INSERT ON docs TO '{shop.role}'@'localhost'")
    said = f"-- driftflow: row-security column=tenant variable=@me view=my_docs role={shop.role}@localhost\nALTER TABLE docs ENABLE ROW LEVEL SECURITY;"
    plan = shop.root.plan(said)
    apply(plan, shop.root, open_gates=gates(plan))
    with closing(plain_connection(shop.app.url, application="tenant", lock_timeout_ms=1000)) as raw, raw.cursor() as cursor:
        for tenant, rows in ((f"'{mine}'", 1), (f"'{other}'", 2), ("''", 0), ("NULL", 0)):
            cursor.execute(f"SET @me = {tenant}")
            cursor.execute("SELECT count(*) FROM my_docs")
            assert cursor.fetchall() == ((rows,),), tenant
        cursor.execute(f"SET @me = '{mine}'")
        with pytest.raises(pymysql.err.MySQLError, match="CHECK OPTION failed"):
            cursor.execute(f"INSERT INTO my_docs VALUES (9, '{other}')")


def test_an_empty_table_is_no_obstacle(shop: Shop) -> None:
    shop.root.run("DELETE FROM orders")
    confined(shop)
    assert shop.error("INSERT INTO tenant_orders (tenant_id) VALUES (7)") == 0
    assert shop.error("INSERT INTO tenant_orders (tenant_id) VALUES (8)") == 1369


def test_the_isolation_is_tested_before_the_gate(shop: Shop) -> None:
    """Whoever changes the view between two steps is found out."""
    plan = shop.root.plan(shop.migration)
    tested = next(step for step in plan.steps if isinstance(step, Verify))
    summaries = [one.summary for one in tested.expectations]
    assert "a row for another tenant is refused" in summaries
    assert [step.phase for step in plan.steps].index("contract") > plan.steps.index(tested)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("column=nothing", "DF-E653", "has no column nothing"),
        ("role=stranger", "DF-E785", "stranger has no rights on orders itself"),
        ("view=tenants", "DF-E787", "tenants is there already"),
        ("column=total", "DF-E787", "no index begins with total"),
        ("column=note", "DF-E787", "and not text"),
    ],
)
def test_what_cannot_be_held_is_refused_before_anything_is_done(shop: Shop, change: str, code: str, said: str) -> None:
    key, _, value = change.partition("=")
    migration = re.sub(rf"{key}=\S+", change, shop.migration)
    if value == "note":
        migration = f"-- driftflow: small\n{migration}"
    with pytest.raises(RefusedError, match=code) as error:
        shop.root.plan(migration)
    assert said in str(error.value.summary) + error.value.why


def test_the_words_of_the_directive_are_checked(shop: Shop) -> None:
    with pytest.raises(ParseError, match="DF-E213"):
        shop.root.plan(shop.migration.replace("variable=app_tenant_id", 'variable="app tenant"'))
    with pytest.raises(ParseError, match="DF-E213"):
        shop.root.plan(shop.migration.replace("view=tenant_orders ", ""))
    with pytest.raises(RefusedError, match="DF-E786"):
        shop.root.plan(shop.migration.replace(ENABLE, "ALTER TABLE orders ADD COLUMN more int;"))
    assert outcome(shop.app, "SELECT 1 FROM orders LIMIT 1") == ""
