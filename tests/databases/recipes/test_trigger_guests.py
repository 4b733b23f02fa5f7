"""Every recipe that puts a trigger on a table, under an application that may do nothing but read and write that table: on PostgreSQL behind row-level
security too, so that a trigger which looks elsewhere must not look with the application's rights. And whoever applies a plan without the rights that
its triggers need is told before anything is done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from recipes.rig import Database, Place, PlainSession, apply, gates, go_on_back, take_back, writing

import wanted
from driftflow.errors import RefusedError
from driftflow.lab import mysql

KEY = "bigint PRIMARY KEY"
ROWS = ", ".join(
    f"({n}, {n % 2 + 1}, 'name {n % 40 if n < 8 else n}', {n}, 'old {n}', 'post', {n % 5 + 1})" for n in range(1, 81)
)
SCHEMA = (
    f"CREATE TABLE posts (id {KEY}); CREATE TABLE photos (id {KEY}); CREATE TABLE shops (id {KEY}, name varchar(40));"
    f"CREATE TABLE items (id {KEY}, tenant integer NOT NULL DEFAULT 1, name varchar(40), amount integer, legacy varchar(40), kind varchar(10) NOT NULL, target bigint);"
    "INSERT INTO posts VALUES (1), (2), (3), (4), (5); INSERT INTO shops VALUES (1, 'one'), (2, 'two');"
    f"INSERT INTO items VALUES {ROWS};"
)
HIDDEN = (
    "ALTER TABLE items ENABLE ROW LEVEL SECURITY;"
    "CREATE POLICY own ON items USING (tenant = current_setting('app.tenant')::integer);"
)
WRITES = (
    "INSERT INTO items (id, tenant, name, amount, kind, target) VALUES (1000 + {n}, 1, 'new {n}', 3, 'post', {n} % 5 + 1)",
    "UPDATE items SET amount = amount + 1, target = {n} % 5 + 1 WHERE id = {n} % 80 + 1",
    "UPDATE items SET name = 'newer {n}' WHERE id = 1000 + {n} - 2",
    "DELETE FROM items WHERE id = 1000 + {n} - 12",
)
LOOKUP = "(SELECT s.name FROM shops AS s WHERE s.id = NEW.tenant)"


@dataclass(frozen=True)
class Guest:
    migration: str
    on: tuple[str, ...] = ("postgresql-18", "mysql", "mariadb")
    later: tuple[str, ...] = WRITES
    """What the new application does, behind the first gate."""


RECIPES = {
    "dual-write": Guest(
        f'-- driftflow: dual-write column=shop set="{LOOKUP}"\n'
        '-- driftflow: backfill column=shop from="shops s" on="s.id = items.tenant" set="s.name"\n'
        "ALTER TABLE items ADD COLUMN shop varchar(40);"
    ),
    "maintained": Guest(
        f'-- driftflow: maintained column=shop set="{LOOKUP}" lookups=when-written\nALTER TABLE items ADD COLUMN shop varchar(40);'
    ),
    "rule": Guest("-- driftflow: rule existing=keep\nALTER TABLE items ADD CONSTRAINT items_rule CHECK (amount < 100000);"),
    "shadow column": Guest("ALTER TABLE items ALTER COLUMN amount TYPE bigint;", on=("postgresql-18",)),
    "duplicates": Guest("-- driftflow: duplicates keep=first by=id\nALTER TABLE items ADD CONSTRAINT items_name UNIQUE (name);"),
    "two names": Guest(
        "-- driftflow: rename by=columns\nALTER TABLE items RENAME COLUMN amount TO pieces;",
        later=tuple(text.replace("amount", "pieces") for text in WRITES),
    ),
    "rebuild": Guest("ALTER TABLE items MODIFY COLUMN amount bigint;", on=("mysql", "mariadb")),
    "archive": Guest("-- driftflow: archive\nALTER TABLE items DROP COLUMN legacy;"),
    "soft drop": Guest("-- driftflow: soft-drop until=2001-01-01\nALTER TABLE items DROP COLUMN legacy;"),
    "polymorphic": Guest(
        '-- driftflow: polymorphic type=kind id=target targets="post=posts(id), photo=photos(id)"\n'
        "ALTER TABLE items ADD CONSTRAINT items_target CHECK (kind IN ('post', 'photo'));"
    ),
}
CASES = [pytest.param(name, id=name.replace(" ", "-"), marks=pytest.mark.on(*guest.on)) for name, guest in RECIPES.items()]


@pytest.fixture
def root(server_named: Callable[[str], object], place: Place) -> Callable[[Database], Database]:
    """The same database for a user who may give rights away."""

    def of(database: Database) -> Database:
        server = server_named(place.server)
        if not isinstance(server, mysql.Server):
            return database
        return Database(server.url(database.url.partition("?")[0].rpartition("/")[2], user="root"), place.dialect)

    return of


@contextmanager
def application_of(place: Place, database: Database) -> Iterator[str]:
    """The URL of a user who may read and write `items`, and do nothing else."""
    name, secret = f"guest_{secrets.token_hex(4)}", secrets.token_hex(12)
    parts = urlsplit(database.url)
    if place.vendor == "postgresql":
        database.run(
            f"CREATE ROLE {name} LOGIN PASSWORD '{secret}'; ALTER ROLE {name} SET app.tenant = '1';"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON items TO {name};"
        )
        gone = f"DROP OWNED BY {name}; DROP ROLE {name};"
    else:
        schema = database.query("SELECT database()")[0][0]
        database.run(f"CREATE USER {name}@localhost IDENTIFIED BY '{secret}';")
        database.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.items TO {name}@localhost;")
        gone = f"DROP USER {name}@localhost;"
    host = parts.netloc.rpartition("@")[2]
    try:
        yield urlunsplit(parts._replace(netloc=f"{name}:{quote(secret)}@{host}"))
    finally:
        database.run(gone)


@pytest.mark.parametrize("name", CASES)
def test_an_application_that_may_do_little_never_notices(place: Place, name: str, root: Callable[[Database], Database]) -> None:
    guest = RECIPES[name]
    database = place.fresh(SCHEMA + (HIDDEN if place.vendor == "postgresql" else ""))
    plan = database.plan(guest.migration)
    without = (name == "soft drop" and place.vendor != "postgresql") or (name == "rebuild" and place.server == "mariadb-11")
    assert without or any("TRIGGER" in sql for step in plan.steps for sql in getattr(step, "statements", ()))
    with application_of(place, root(database)) as url, writing(Database(url, place.dialect), WRITES) as application:
        opened: tuple[str, ...] = ()
        report = apply(plan, database)
        while report.state == "waiting_at_gate":
            application.go_on()
            application.switch(guest.later)
            opened = (*opened, report.gate)
            report = apply(plan, database, open_gates=opened)
        assert report.state == "done"
        application.go_on()
        if not plan.point_of_no_return:
            report = take_back(report.run, database)
            while report.state == "waiting_at_gate":
                application.switch(WRITES)
                report = go_on_back(report.run, database, open_gates=gates(plan))
            assert report.state == "rolled_back"
            application.go_on()
    assert application.failures == [], application.failures[:3]


@pytest.mark.on("postgresql", "mysql", "mariadb")
def test_what_the_application_may_not_see_counts_all_the_same(place: Place, root: Callable[[Database], Database]) -> None:
    """A column made of a table that the application may not read, and a rule over its own row."""
    database = place.fresh(SCHEMA + (HIDDEN if place.vendor == "postgresql" else ""))
    for name in ("maintained", "rule"):
        apply(database.plan(RECIPES[name].migration), database)
    with application_of(place, root(database)) as url, closing(PlainSession(url)) as session:
        session.run(("INSERT INTO items (id, tenant, name, amount, kind) VALUES (5001, 1, 'x', 3, 'post')",))
        with pytest.raises(Exception, match=r"(?i)check constraint|CONSTRAINT `"):
            session.run(("UPDATE items SET amount = 100001 WHERE id = 5001",))
        with pytest.raises(Exception, match=r"(?i)denied"):
            session.run(("SELECT name FROM shops",))
    assert database.query("SELECT shop FROM items WHERE id = 5001") == [("one",)]


@pytest.mark.on("postgresql")
def test_its_functions_belong_to_the_owner_and_look_only_where_they_should(place: Place) -> None:
    """SECURITY DEFINER never without a pinned search_path that begins with pg_catalog and ends with pg_temp; and nobody else may call it."""
    for name, guest in RECIPES.items():
        if "postgresql-18" not in guest.on:
            continue
        database = place.fresh(SCHEMA)
        database.run("DROP ROLE IF EXISTS items_owner; CREATE ROLE items_owner;")
        try:
            database.run("".join(f"ALTER TABLE {one} OWNER TO items_owner;" for one in ("items", "shops", "posts", "photos")))
            plan = database.plan(guest.migration.replace("2001-01-01", "2099-01-01"))
            apply(plan, database)
            found = database.query(
                "SELECT p.proname, array_to_string(p.proconfig, ' '), has_function_privilege('public', p.oid, 'EXECUTE'), p.prosecdef "
                "FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'public'"
            )
            for function, path, callable_by_all, definer in found:
                assert "search_path=pg_catalog" in path.replace('"', "") and path.replace('"', "").rstrip().endswith("pg_temp"), (
                    name,
                    function,
                    path,
                )
                assert not (definer and callable_by_all), (name, function)
        finally:
            database.run("REASSIGN OWNED BY items_owner TO CURRENT_USER; DROP OWNED BY items_owner; DROP ROLE items_owner;")


def migrator(database: Database, *grants: str) -> str:
    """The URL of a new user with these grants on the database, on MySQL or MariaDB."""
    name, secret = f"migrator_{secrets.token_hex(4)}", secrets.token_hex(12)
    schema = database.query("SELECT database()")[0][0]
    database.run(f"CREATE USER {name}@localhost IDENTIFIED BY '{secret}';")
    database.run(f"GRANT {', '.join(grants)} ON {schema}.* TO {name}@localhost;")
    parts = urlsplit(database.url)
    return urlunsplit(parts._replace(netloc=f"{name}:{quote(secret)}@{parts.netloc.rpartition('@')[2]}"))


RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES")


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("name", ["dual-write", "maintained", "rule", "polymorphic"])
def test_who_may_make_no_trigger_is_told_before(place: Place, name: str, root: Callable[[Database], Database]) -> None:
    database = place.fresh(SCHEMA)
    plan = database.plan(RECIPES[name].migration)
    assert plan.requires
    before = database.structure()
    with pytest.raises(RefusedError, match="no TRIGGER right") as refused:
        apply(plan, Database(migrator(root(database), *RIGHTS), place.dialect))
    assert refused.value.code
    assert database.structure() == before
    able = Database(migrator(root(database), *RIGHTS, "TRIGGER"), place.dialect)
    assert apply(plan, able).state in ("done", "waiting_at_gate")


@pytest.mark.on("mysql", "mariadb")
def test_a_binary_log_that_trusts_nobody_is_told_before(place: Place) -> None:
    """Another server: the setting is global."""
    programs = wanted.mysql_programs_of(place.server)
    with mysql.begun(programs, folder=None, settings={"log-bin-trust-function-creators": "OFF"}, durable=False) as server:
        database = Database(server.create_database(), place.dialect)
        database.run(SCHEMA)
        as_root = Database(server.url(database.url.partition("?")[0].rpartition("/")[2], user="root"), place.dialect)
        plan = database.plan(RECIPES["rule"].migration)
        before = database.structure()
        with pytest.raises(RefusedError, match="log_bin_trust_function_creators is off"):
            apply(plan, Database(migrator(as_root, *RIGHTS, "TRIGGER"), place.dialect))
        assert database.structure() == before
        assert apply(plan, as_root).state == "done"


@pytest.mark.on("mysql", "mariadb")
def test_a_function_that_the_binary_log_does_not_let_be_made_is_told_before_the_old_one_goes(place: Place) -> None:
    programs = wanted.mysql_programs_of(place.server)
    with mysql.begun(programs, folder=None, settings={"log-bin-trust-function-creators": "OFF"}, durable=False) as server:
        database = Database(server.create_database(), place.dialect)
        as_root = Database(server.url(database.url.partition("?")[0].rpartition("/")[2], user="root"), place.dialect)
        able = Database(migrator(as_root, *RIGHTS, "CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE"), place.dialect)
        name = able.query("SELECT current_user()")[0][0].replace("@", "`@`")
        as_root.run(f"CREATE DEFINER = `{name}` FUNCTION rate() RETURNS integer DETERMINISTIC RETURN 1;")
        plan = able.plan("DROP FUNCTION rate;\nCREATE FUNCTION rate() RETURNS integer DETERMINISTIC RETURN 2;")
        with pytest.raises(
            RefusedError, match="log_bin_trust_function_creators is off: only a user with SUPER may create a function"
        ):
            apply(plan, able)
        assert as_root.query("SELECT rate()") == [(1,)]
        unsaid = as_root.plan("DROP FUNCTION rate;\nCREATE FUNCTION rate() RETURNS integer NOT DETERMINISTIC RETURN 2;")
        with pytest.raises(RefusedError, match="has to say DETERMINISTIC, NO SQL or READS SQL DATA"):
            apply(unsaid, as_root, open_gates=gates(unsaid))
        assert as_root.query("SELECT rate()") == [(1,)]
        for said in ("NOT DETERMINISTIC READS SQL DATA", "NO SQL"):
            plan = as_root.plan(f"DROP FUNCTION rate;\nCREATE FUNCTION rate() RETURNS integer {said} RETURN 1;")
            assert apply(plan, as_root, open_gates=gates(plan)).state == "done"
