"""MySQL: a trigger is made and dropped while its table is locked with all that is tied to it, where that is free; and all the same where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from engine_rig import apply, take_back
from mysql_rig import planned, session

from driftflow.drivers.urls import connector_for
from driftflow.lab.mysql import Server, database_of
from driftflow.model.plan import Plan, RunSql
from driftflow.model.record import replace

pytestmark = pytest.mark.parametrize("mysql_family", [pytest.param("mysql-9", marks=pytest.mark.mysql)], indirect=True)
SCHEMA = (
    "CREATE TABLE parent (id INT PRIMARY KEY, v INT NOT NULL DEFAULT 0)",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT NOT NULL, CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (id))",
    "CREATE TABLE log (id INT PRIMARY KEY)",
    "CREATE TABLE gone (id INT PRIMARY KEY)",
    "CREATE TRIGGER kept BEFORE DELETE ON child FOR EACH ROW INSERT INTO gone VALUES (OLD.id)",
    "INSERT INTO parent (id) VALUES (1), (2)",
)
MIGRATION = "CREATE TRIGGER noted AFTER INSERT ON child FOR EACH ROW INSERT INTO log VALUES (NEW.id);"
LOCK, UNLOCK, CREATE, DROP = "LOCK TABLES", "UNLOCK TABLES", "CREATE TRIGGER", "DROP TRIGGER"


@pytest.fixture
def shop(mysql_url: str) -> Iterator[str]:
    with session(mysql_url) as db:
        for statement in SCHEMA:
            db.query(statement)
    yield mysql_url
    with session(mysql_url) as db:
        db.execute("DROP DATABASE IF EXISTS driftflow")


class Heard:
    """A connector that keeps which of these statements the session of the plan is asked for, each once in a row."""

    def __init__(self, url: str) -> None:
        self._inner = connector_for(url)
        self.dialect, self.display = self._inner.dialect, self._inner.display
        self.statements: list[str] = []

    def connect(self, purpose: str = "apply") -> Any:
        connection = self._inner.connect(purpose)
        execute = connection.execute

        def heard(sql: str, *arguments: Any) -> int:
            begins = " ".join(sql.split()[:2])
            if purpose == "apply" and begins in (LOCK, UNLOCK, CREATE, DROP) and self.statements[-1:] != [begins]:
                self.statements.append(begins)
            return execute(sql, *arguments)

        connection.execute = heard
        return connection


@contextmanager
def somebody(server: Server, url: str, *rights: str) -> Iterator[str]:
    """A user with these rights beside those that every plan needs; the URL as whom he comes."""
    database, user = database_of(url), "'poor'@'127.0.0.1'"
    with server.administration() as run:
        run(f"CREATE USER {user} IDENTIFIED BY 'a-word'")
        run("GRANT ALL ON driftflow.* TO " + user)
        for right in ("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, TRIGGER ON `{}`.*", *rights):
            run(f"GRANT {right.format(database)} TO {user}")
    try:
        yield server.tcp_url(database, user="poor", password="a-word")
    finally:
        with server.administration() as run:
            run(f"DROP USER {user}")


def locks(plan: Plan) -> list[tuple[str, str]]:
    (step,) = (one for one in plan.steps if isinstance(one, RunSql) and one.locked_when_free is not None)
    return [(claim.relation.name, claim.mode) for claim in step.claims]


def triggers(url: str) -> set[str]:
    with session(url) as db:
        return {
            name for (name,) in db.query("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()")
        }


def test_the_plan_names_what_is_locked_and_it_is(shop: str, tmp_path: Path) -> None:
    plan = planned(shop, MIGRATION, tmp_path)
    assert locks(plan) == [("child", "EXCLUSIVE"), ("gone", "SHARED_NO_READ_WRITE"), ("parent", "SHARED_READ_ONLY")]
    heard = Heard(shop)
    report = apply(shop, plan, connector=heard)
    assert report.state == "done"
    assert heard.statements == [LOCK, CREATE, UNLOCK]
    assert triggers(shop) == {"kept", "noted"}
    heard.statements.clear()
    assert take_back(shop, report.run, connector=heard).state == "rolled_back"
    assert heard.statements == [LOCK, DROP, UNLOCK]
    assert triggers(shop) == {"kept"}


def test_who_may_not_lock_goes_without(shop: str, tmp_path: Path, mysql_server: Server) -> None:
    plan = planned(shop, MIGRATION, tmp_path)
    with somebody(mysql_server, shop, "SELECT ON performance_schema.*") as url:
        heard = Heard(url)
        assert apply(url, plan, connector=heard).state == "done"
    assert heard.statements == [LOCK, UNLOCK, CREATE]
    assert triggers(shop) == {"kept", "noted"}


def test_who_may_not_see_whether_they_are_free_does_not_lock(shop: str, tmp_path: Path, mysql_server: Server) -> None:
    plan = planned(shop, MIGRATION, tmp_path)
    with somebody(mysql_server, shop, "LOCK TABLES ON `{}`.*") as url:
        heard = Heard(url)
        assert apply(url, plan, connector=heard).state == "done"
    assert heard.statements == [CREATE]


def test_a_table_that_is_gone_meanwhile(shop: str, tmp_path: Path) -> None:
    plan = replace(planned(shop, MIGRATION, tmp_path), catalog_fingerprint="")
    with session(shop) as db:
        db.execute("DROP TABLE gone")
    heard = Heard(shop)
    assert apply(shop, plan, connector=heard).state == "done"
    assert heard.statements == [LOCK, UNLOCK, CREATE]
    assert triggers(shop) == {"kept", "noted"}


def test_what_is_never_free_is_not_waited_for(shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who writes the parent stands in the way of the locks, and not of the trigger."""
    monkeypatch.setattr("driftflow.engine.actions.when_free.PATIENCE_SECONDS", 0.2)
    plan = planned(shop, MIGRATION, tmp_path)
    heard = Heard(shop)
    with session(shop) as application:
        application.begin()
        application.execute("INSERT INTO parent (id) VALUES (3)")
        assert apply(shop, plan, connector=heard).state == "done"
        assert application.execute("INSERT INTO parent (id) VALUES (4)") == 1
        application.commit()
    assert heard.statements == [LOCK, CREATE]
    assert triggers(shop) == {"kept", "noted"}


def test_a_trigger_that_somebody_has_moved_to_another_table(shop: str, tmp_path: Path) -> None:
    """The server refuses to drop it under locks that do not name its table."""
    plan = replace(planned(shop, "DROP TRIGGER kept;", tmp_path), catalog_fingerprint="")
    with session(shop) as db:
        db.execute("DROP TRIGGER kept")
        db.execute("CREATE TRIGGER kept BEFORE DELETE ON log FOR EACH ROW INSERT INTO gone VALUES (OLD.id)")
    heard = Heard(shop)
    assert apply(shop, plan, connector=heard).state == "done"
    assert heard.statements == [LOCK, DROP, UNLOCK, DROP]
    assert triggers(shop) == set()
