"""MySQL's text: types and expressions in one spelling, and statements that are read, rendered and read again."""

from __future__ import annotations

import json

import pytest
from mysql_statements import statements

from driftflow.dialects.base import Dialect
from driftflow.dialects.mysql.expressions import normal_expression
from driftflow.dialects.mysql.types import normal_type
from driftflow.dialects.registry import dialect_named
from driftflow.model.catalog import structure
from driftflow.model.operations import CreateTable, Operation, RawSql
from driftflow.model.record import replace
from mysql_predictions import CHECKS_OFF, DATA, catalog_of_setup, dialect_of, operations_of, predicted, setup_statements


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("INT(11)", "int"),
        ("integer unsigned", "int unsigned"),
        ("tinyint(1)", "tinyint(1)"),
        ("TINYINT(4)", "tinyint"),
        ("bool", "tinyint(1)"),
        ("int(5) zerofill", "int(5) unsigned zerofill"),
        ("numeric", "decimal(10,0)"),
        ("DEC(8)", "decimal(8,0)"),
        ("double precision", "double"),
        ("float(30)", "double"),
        ("float(7,2)", "float(7,2)"),
        ("character varying(20)", "varchar(20)"),
        ("char", "char(1)"),
        ("text(1000)", "text"),
        ("blob(70000)", "mediumblob"),
        ("datetime(0)", "datetime"),
        ("datetime(3)", "datetime(3)"),
        ("year(4)", "year"),
        ("bit", "bit(1)"),
        ("ENUM('a', \"it's\")", "enum('a','it''s')"),
        ("long varchar", "mediumtext"),
    ],
)
def test_types_in_the_servers_spelling(written: str, stored: str) -> None:
    assert normal_type(written) == stored


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(`i` > 0)", "i>0"),
        ("((`a` + 1) * 2)", "(a + 1)*2"),
        ("(`a` + (`b` * 2))", "a + b * 2"),
        ("((`a` = 1) or (`b` = 2))", "a = 1 OR b=2"),
        ("((`a` is null) or (`b` is not null))", "a IS NULL or b is not null"),
        ("(not(`a`))", "NOT a"),
        ("(`a` in (1,2))", "a in (1, 2)"),
        ("(`a` between 1 and 2)", "a BETWEEN 1 AND 2"),
        ("(`v` like _utf8mb4'x%')", "v LIKE 'x%'"),
        ("json_extract(`j`,_utf8mb4'$.a')", "j->'$.a'"),
        ("(case when (`a` > 0) then 1 else 2 end)", "CASE WHEN a > 0 THEN 1 ELSE 2 END"),
        ("now()", "CURRENT_TIMESTAMP"),
        ("(`a` <> 1)", "a != 1"),
        ("(`d` + interval 1 day)", "d + INTERVAL 1 DAY"),
    ],
)
def test_equal_expressions_have_one_spelling(one: str, other: str) -> None:
    assert normal_expression(one) == normal_expression(other)


@pytest.mark.parametrize(
    ("one", "other"), [("a - (b - c)", "a - b - c"), ("(a or b) and c", "a or b and c"), ("not (a = b)", "(not a) = b")]
)
def test_other_expressions_keep_their_parentheses(one: str, other: str) -> None:
    assert normal_expression(one) != normal_expression(other)


MORE = """
create table a.b (`key` int not null, v varchar(20) character set latin1 collate latin1_bin default 'x' comment 'it''s', primary key (`key`, v (3)), unique u (v desc), fulltext ft (v) with parser ngram, constraint c check (`key` > 0) not enforced) engine=MyISAM row_format=compressed comment='said'
create table t2 like t
create table if not exists t3 as select id, v from p where id > 5
create temporary table t4 (id int)
alter table t alter index k_i invisible, algorithm=inplace, lock=none
alter table t alter column i set invisible
alter table t alter check ck not enforced
alter table t add column x int generated always as (i + 1) virtual, add key ((i + 1))
alter table t convert to character set utf8mb4 collate utf8mb4_bin
alter table pt reorganize partition pm into (partition p2 values less than (300), partition pm values less than maxvalue)
alter table pt exchange partition p0 with table s1 without validation
alter table pt drop partition p0, p1
alter table pt truncate partition all
alter table s1 remove partitioning
alter table t default character set utf8mb4
alter table t discard tablespace
create unique index i on t (vc (10), i desc) using btree comment 'x' algorithm=inplace lock=none
drop index k_i on t lock=none
drop table if exists a, b
rename table a to b, c to d
truncate table t
optimize table t, p
create or replace view v (a, b) as select id, v from p where id in (select id from t) with cascaded check option
drop view if exists v
create trigger tr before insert on t for each row begin insert into p values (new.id, 'x'); set new.i = 5; end
drop trigger if exists tr
create procedure pr(in a int) begin update t set i = a; end
create function fn(a int) returns int deterministic return a + 1
drop procedure pr
create database if not exists shop
drop database shop
lock tables t write, p read
lock tables t as x write, p y read local, c low_priority write
create algorithm=merge definer=`root`@`%` sql security invoker view v as select 1 as one
create or replace definer=current_user view v as select 1 as one
create definer='a b'@'localhost' trigger tr after delete on t for each row follows `other one` set @a = 1
create definer=root@localhost procedure if not exists pr() sql security invoker comment 'it''s' select 1
create definer=current_user() function fn() returns varchar(5) charset latin1 deterministic return 'x'
create database shop character set latin1 collate latin1_bin
create database shop2 comment 'it''s'
create table mem (id int, a int, primary key (id) using btree comment 'x', key a (a) using btree, unique b (a) using hash) engine=memory
create table t9 (id int) data directory='/tmp' connection='mysql://x' comment 'it''s'
create table if not exists t3 (id int primary key, v varchar(9)) engine=innodb comment='two words' ignore as select id, v from p
alter table t add unique key if not exists u9 (i)
alter table t rename index if exists k_i to k_j
create index if not exists i on t (i)
drop table a
set foreign_key_checks = 0
start transaction
commit
""".strip().splitlines()


def dialects() -> list[Dialect]:
    return [dialect_named("mysql"), dialect_named("mariadb")]


def read_again(dialect: Dialect, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Through the renderer: as one statement, else one by one."""
    try:
        return operations_of(dialect, dialect.render(*operations))
    except ValueError:
        return tuple(one for operation in operations for one in operations_of(dialect, dialect.render(operation)))


@pytest.mark.parametrize("dialect", dialects(), ids=lambda dialect: dialect.name)
def test_what_is_rendered_means_what_was_read(dialect: Dialect) -> None:
    recorded = [str(one["sql"]).removeprefix(CHECKS_OFF) for one in json.loads((DATA / "mysql.json").read_text(encoding="utf-8"))]
    for sql in [*recorded, *setup_statements(), *MORE, *statements(3, 400)]:
        operations = operations_of(dialect, sql)
        if any(isinstance(one, RawSql) for one in operations):
            assert _is_the_other_ones(dialect, sql), (sql, operations)
            continue
        assert [_plain(one) for one in read_again(dialect, operations)] == [_plain(one) for one in operations], sql


def _plain(operation: Operation) -> Operation:
    """Without the source text that some operations keep, and constraints in one order."""
    if isinstance(operation, CreateTable):
        return replace(operation, table=structure(operation.table))
    return replace(operation, sql="") if hasattr(operation, "sql") else operation


def _is_the_other_ones(dialect: Dialect, sql: str) -> bool:
    """IGNORED is MariaDB's word for an index, INVISIBLE is MySQL's."""
    return ("ignored" if dialect.name == "mysql" else "invisible") in sql


MARIADB = """
drop table if exists a, b wait 5
drop table a nowait
truncate table t wait 3
rename table a wait 2 to b
rename table if exists a to d.b
lock tables t write, p read nowait
lock tables t write concurrent wait 4
create temporary sequence sq start with 3 nocache
create sequence sq2 increment by 2 no minvalue no cycle
alter sequence sq nocycle restart 5
create or replace table t (id int primary key)
create or replace table t like p
create or replace temporary table t (id int)
create or replace table t engine=myisam as select id from p
create or replace database shop character set latin1
create or replace index k_i on t (i)
create or replace procedure pr() select 1
create or replace trigger tr before insert on t for each row set @a = 1
alter table t wait 3 add column z int
create index i on t (i) wait 5
create unique index i on t (i) nowait comment 'x' lock=none
drop index k_i on t wait 2
create table h (id int primary key, a int without system versioning) engine=innodb with system versioning
alter table t add system versioning, add column z int without system versioning
alter table t drop system versioning
alter table t add period if not exists for q (dt, `ts`)
alter table t drop period for q
set statement max_statement_time=5, lock_wait_timeout=1 for alter table t add column z int, add key (z)
set statement sql_mode='' for insert into p values (1, 'x')
handler t open as h
handler h read first limit 3
xa recover
""".strip().splitlines()


@pytest.mark.parametrize("sql", MARIADB)
def test_what_only_mariadb_has_is_rendered_too(sql: str) -> None:
    dialect = dialect_named("mariadb")
    operations = operations_of(dialect, sql)
    assert not any(isinstance(one, RawSql) for one in operations), operations
    assert read_again(dialect, operations) == operations


@pytest.mark.parametrize(
    "sql",
    [
        "drop table if exists a, b wait 5",
        "lock tables t as x write, p read local",
        "create or replace table t (id int)",
        "create or replace database shop",
        "create or replace index k_i on t (i)",
    ],
)
def test_what_was_one_statement_is_rendered_as_one(sql: str) -> None:
    dialect = dialect_named("mariadb")
    operations = operations_of(dialect, sql)
    assert len(operations) == 2
    assert operations_of(dialect, dialect.render(*operations)) == operations


@pytest.mark.parametrize(
    "sql",
    [
        "create or replace table t (id int)",
        "create or replace table t as select 1 as one",
        "create or replace database d",
        "create or replace trigger tr before insert on p for each row set @a = 1",
        "create or replace function f() returns int return 1",
    ],
)
def test_what_mysql_does_not_replace_fails_there_for_certain(sql: str) -> None:
    for version, word in (("mysql-9.7.4", "is unknown to MySQL"), ("mariadb-10.11.19", "")):
        dialect, number = dialect_of(version)
        refused = predicted(dialect, catalog_of_setup(dialect, number), sql).refused
        assert word in " ".join(refused) if word else not refused, (version, refused)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("alter table t add system versioning", "system versioning"),
        ("set statement max_statement_time=5 for select 1", "SET STATEMENT ... FOR is MariaDB's"),
        ("create index i on t (i) wait 5", "wait"),
        ("prepare s from 'drop table t'", "known when it runs"),
        ("execute s using @a", "known when it runs"),
        ("deallocate prepare s", "known when it runs"),
        ("signal sqlstate '45000' set message_text = 'no'", "raises an error by itself"),
        ("alter table t add period for system_time (a, b)", "system versioning"),
        ("alter table t frobnicate", "ALTER TABLE knows nothing"),
        ("create table t", "a table without columns"),
        ("alter table t add vector index (v)", "a vector index"),
        ("alter table t add vector key near (v)", "a vector index"),
        ("create table t (v vector(3) not null, vector index (v))", "a vector index"),
    ],
)
def test_what_is_not_read_says_so(sql: str, reason: str) -> None:
    (operation,) = operations_of(dialect_named("mysql"), sql)
    assert isinstance(operation, RawSql), operation
    assert reason in operation.reason


def test_a_compound_statement_names_what_it_touches() -> None:
    sql = "begin not atomic declare a int; insert into p values (1, 'x'); delete from c where id = 1; end"
    (operation,) = operations_of(dialect_named("mariadb"), sql)
    assert isinstance(operation, RawSql) and "known when it runs" in operation.reason
    assert [name.name for name in operation.relations] == ["p", "c"]
