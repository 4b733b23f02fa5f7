"""Predicted metadata locks against a live server: for each table the strongest mode, of tables that the statement names and of those it does not.

A statement that fails is left out: how far it comes before it is refused decides which locks it has got to. So are tables that do not exist
before it, whose name alone is locked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.drivers.mysql_catalog import read_catalog
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import DatabaseFault
from driftflow.lab.mysql import Server
from driftflow.lab.mysql_locks import locks_of, strongest
from driftflow.model.catalog import Catalog
from driftflow.model.operations import CatalogConflict
from driftflow.model.record import replace

DATA = Path(__file__).parent / "data" / "effects"
CHECKS_OFF = "set-fkc0 "
DATABASE = "d"
NAMED = re.compile(r"(?:create table|insert into) (\w+)")

FAMILY = (
    "create table g (id int primary key)",
    "create table p (id int primary key, v varchar(10), x int, gid int, key (v), key (gid), constraint gfk foreign key (gid) references g (id))",
    "create table c (id int primary key, pid int, w int, key (pid), constraint cfk foreign key (pid) references p (id) {action})",
    "create table cc (id int primary key, constraint ccfk foreign key (id) references c (id) on delete cascade)",
    "create table q (id int primary key)",
)
"""A grandparent, a parent, a child and its child, and one that nobody knows."""
BOTH = (
    "alter table {t} add column n int",
    "alter table {t} add column n int, algorithm=copy",
    "alter table {t} add index k9 ({x})",
    "alter table {t} alter {x} set default 5",
    "alter table {t} modify {x} bigint",
    "alter table {t} comment='x'",
    "alter table {t} engine=innodb",
    "alter table {t} rename column {x} to y",
    "alter table {t} drop column {x}",
    "alter table {t} rename to z",
    "rename table {t} to z",
    "create index k9 on {t} ({x})",
    "alter table {t} convert to character set latin1",
    "alter table {t} add check (id > 0)",
    "alter table {t} force",
    "create trigger tr before insert on {t} for each row set @a = 1",
    "analyze table {t}",
    "alter table {t} add unique u ({x})",
    "set-fkc0 drop table {t}",
)
ONE = (
    "drop table cc",
    "truncate table cc",
    "alter table c drop foreign key cfk",
    "alter table c add constraint k2 foreign key (w) references q (id)",
    "set-fkc0 alter table c add constraint k2 foreign key (w) references q (id)",
    "create table n as select * from c",
    "create view n as select * from c join p on p.id = c.pid",
    "select * from p",
    "select * from p for update",
    "create table n like c",
    "create table n like p",
    "create or replace table q like c",
    "lock tables p read",
    "lock tables p read local",
    "lock tables p write",
    "lock tables c write",
    "set-fkc0 lock tables c write",
    "lock tables c as x read, q write",
    "drop table if exists cc, q",
    "set statement max_statement_time=9 for alter table cc add column z int",
)
ROWS = (
    "insert into p (id) values (1)",
    "insert into p (id) values (1) on duplicate key update id = 2",
    "replace into p (id) values (1)",
    "update p set id = 2",
    "delete from p",
    "insert into c (id) values (1)",
    "delete from c",
)
ACTIONS = ("", "on delete cascade", "on delete set null", "on update cascade")


class Lab:
    """The server, and the schema that each statement finds."""

    def __init__(self, server: Server, setup: Sequence[str]) -> None:
        self.server = server
        self.setup = setup
        self.connector = connector_for(server.url(DATABASE))

    def fresh(self, tables: Sequence[str] | None = None) -> str:
        with self.server.administration() as execute:
            execute(f"drop database if exists {DATABASE}")
            execute(f"create database {DATABASE} character set utf8mb4")
            execute(f"use {DATABASE}")
            for statement in self.setup:
                named = NAMED.match(statement.strip())
                if named is not None and (tables is None or named[1] in tables):
                    execute(statement)
        return DATABASE

    def catalog(self) -> Catalog:
        self.fresh()
        with closing(self.connector.connect()) as connection:
            return read_catalog(connection)

    def fails(self, sql: str, before: Sequence[str], tables: Sequence[str]) -> bool:
        self.fresh(tables)
        with closing(self.connector.connect()) as connection:
            for setting in before:
                connection.execute(setting)
            try:
                connection.query(sql)
            except DatabaseFault:
                return True
        return False

    def difference(
        self, catalog: Catalog, sql: str, tables: Sequence[str], *, held: Sequence[str] = (), at_most: bool = False
    ) -> str:
        """What is predicted otherwise than it is observed, as text. Somebody holds each of the tables `held` (all of them where it is empty) in
        turn. With `at_most` more may be predicted than is observed."""
        before = ("SET foreign_key_checks = 0",) if sql.startswith(CHECKS_OFF) else ()
        plain = sql.removeprefix(CHECKS_OFF)
        if self.fails(plain, before, tables):
            return ""
        fresh: Callable[[], str] = lambda: self.fresh(tables)  # noqa: E731
        found = locks_of(self.connector, plain, tables=held or tables, fresh=fresh, before=before)
        observed = {name: strongest(modes) for name, modes in found.items() if name in tables}
        predicted = predicted_locks(dialect_named(self.server.flavour), catalog, sql)
        right = observed.items() <= predicted.items() if at_most else observed == predicted
        return "" if right else f"{sql}\n  predicted {predicted}\n  observed  {observed}"


def predicted_locks(dialect: Dialect, catalog: Catalog, sql: str) -> dict[str, str]:
    """The strongest mode by table, of tables that are there before."""
    known = {table.name.name for table in catalog.tables.values()}
    if sql.startswith(CHECKS_OFF):
        catalog = replace(catalog, settings={**catalog.settings, "foreign_key_checks": "0"})
    (statement,) = dialect.split(SourceText(sql.removeprefix(CHECKS_OFF)))
    operations, catalogs = [], []
    for operation in dialect.parse(statement).operations:
        resolved = dialect.resolve(operation, catalog)
        operations.append(resolved)
        catalogs.append(catalog)
        try:
            catalog = resolved.after(catalog)
        except CatalogConflict:
            break
    modes: dict[str, set[str]] = {}
    for effects in dialect.together(operations, catalogs):
        for claim in effects.locks:
            modes.setdefault(claim.relation.name, set()).add(claim.mode)
    return {name: strongest(frozenset(found)) for name, found in sorted(modes.items()) if name in known}


@pytest.fixture
def cleared(mysql_server: Server) -> Iterator[Server]:
    yield mysql_server
    mysql_server.drop_database(DATABASE)


def test_every_recorded_statement_locks_what_was_predicted(cleared: Server) -> None:
    setup = [one for one in (DATA / "mysql-setup.sql").read_text(encoding="utf-8").split(";\n") if one.strip()]
    lab = Lab(cleared, setup)
    catalog = lab.catalog()
    recorded = [str(one["sql"]) for one in json.loads((DATA / "mysql.json").read_text(encoding="utf-8"))]
    everything = [table.name.name for table in catalog.tables.values()]
    differences = []
    for sql in recorded:
        words = set(re.findall(r"\w+", sql.lower()))
        tables = [name for name in everything if name in words or (name in {"c", "p"} and words & {"c", "p"})]
        differences.append(lab.difference(catalog, sql, tables))
    assert [text for text in differences if text] == []


def test_both_ends_of_a_foreign_key(cleared: Server) -> None:
    lab = Lab(cleared, [one.format(action="") for one in FAMILY])
    catalog = lab.catalog()
    near = {"c": ("p", "c", "cc"), "p": ("g", "p", "c"), "": ("p", "c", "cc", "q")}
    """Who may be locked at all; the others would only take time."""
    statements = [(one.format(t=table, x=column), near[table]) for table, column in (("c", "w"), ("p", "x")) for one in BOTH]
    statements += [(one, near[""]) for one in ONE]
    everything = tuple(table.name.name for table in catalog.tables.values())
    differences = [lab.difference(catalog, sql, everything, held=held) for sql, held in statements]
    assert [text for text in differences if text] == []


@pytest.mark.parametrize("mode", ["READ", "READ LOCAL", "WRITE"])
def test_whom_lock_tables_keeps_out(cleared: Server, mode: str) -> None:
    """Readers and writers try: what is blocked is more than the mode of the server's own lock says."""
    lab = Lab(cleared, ["create table q (id int primary key)"])
    catalog = lab.catalog()
    dialect = dialect_named(cleared.flavour)
    (statement,) = dialect.split(SourceText(f"LOCK TABLES q {mode}"))
    (operation,) = dialect.parse(statement).operations
    (claim,) = dialect.effects(dialect.resolve(operation, catalog), catalog).locks
    with closing(lab.connector.connect()) as holder, closing(lab.connector.connect()) as other:
        holder.execute(f"USE {DATABASE}")
        holder.execute(f"LOCK TABLES q {mode}")
        other.execute(f"USE {DATABASE}")
        other.execute("SET lock_wait_timeout = 1, innodb_lock_wait_timeout = 1")
        kept_out = []
        for what, sql in (
            ("reads", "SELECT * FROM q"),
            ("writes", "INSERT INTO q VALUES (1)"),
            ("ddl", "ALTER TABLE q ADD z INT"),
        ):
            try:
                other.query(sql)
            except DatabaseFault:
                kept_out.append(what)
        assert tuple(kept_out) == claim.blocks


@pytest.mark.parametrize("action", ACTIONS)
def test_rows_and_the_tables_whose_rows_follow(cleared: Server, action: str) -> None:
    """MySQL 9.7 opens a child whose rows follow only where that child has children itself; we say it of every one, as its manual does."""
    lab = Lab(cleared, [one.format(action=action) for one in FAMILY])
    catalog = lab.catalog()
    tables = ("g", "p", "c", "cc", "q")
    at_most = cleared.flavour == "mysql"
    assert [text for sql in ROWS if (text := lab.difference(catalog, sql, tables, at_most=at_most))] == []
