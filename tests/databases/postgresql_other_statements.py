"""Statements made by chance that are no ALTER TABLE of columns and constraints: indexes, partitions, views, triggers, types, rows, upkeep."""

from __future__ import annotations

import random
from collections.abc import Callable

COLUMNS = {
    "t": ("i", "n", "vc", "tx", "ts", "nn", "m", "u", "s", "nul", "d", "jb", "r"),
    "p": ("id", "v"),
    "nnv": ("id", "a", "b"),
    "fk": ("id", "p_id"),
    "pt": ("id", "k", "v"),
    "ptd": ("id", "k", "v"),
    "un": ("id",),
    "gen": ("id", "a", "g"),
    "mv": ("id", "i"),
    "dt": ("id", "d"),
}
RELATIONS = ("t", "p", "nnv", "fk", "fknv", "pt", "pt1", "ptd", "ptn", "idt", "ser", "dt", "un", "gen")
INDEXES = ("t_i", "t_vc", "t_tx", "t_pkey", "p_pkey", "uq_idx", "uq_null_idx", "pt_k", "pt1_k_idx", "mv_u", "fk_pkey", "nope")
BEFORE = (
    "create table ch (extra int) inherits (un)",
    "create table ch (extra int) inherits (nnv)",
    "create view v5 as select id, v from p",
    "create view v6 as select * from vt",
    "create trigger tr5 after update of i on t for each row execute function trf()",
    "create policy pol on p using (id > 0)",
    "create index x5 on t (lower(tx)) where i > 0",
    "create table refs (p_id int references p on delete cascade, u_id int references un)",
    "create sequence sq5 owned by un.id",
    "alter table nnv alter column a set not null",
    "create table sub partition of pt for values from (5000) to (6000)",
    "create type pair as (x int, y mood)",
    "create materialized view mv5 as select v from p",
    "create rule rr as on insert to un do also nothing",
)
"""Now and then one of these runs first, in the same transaction."""
AFTER = (
    "alter table un add column x int default 1",
    "alter table un drop column id cascade",
    "alter table un alter column id type bigint",
    "alter table nnv alter column b set not null",
    "alter table nnv add constraint c9 check (b > 0)",
    "alter table nnv drop column b",
    "alter table nnv rename column b to bb",
    "alter table p alter column v type varchar(5)",
    "alter table p alter column v set not null",
    "alter table p drop column v",
    "alter table p drop column v cascade",
    "alter table t alter column i type bigint",
    "alter table t drop column i",
    "alter table t drop column tx",
    "alter table t drop column tx cascade",
    "alter table p alter column id type bigint",
    "drop table un",
    "drop table un cascade",
    "drop table p cascade",
    "drop view vt cascade",
    "drop view v5",
    "truncate p cascade",
    "alter table pt add column z uuid default gen_random_uuid()",
    "alter table pt detach partition pt1",
    "drop type mood cascade",
    "drop type pair",
    "alter type pair add attribute z int",
    "refresh materialized view mv5",
    "alter table un rename to other",
    "drop sequence sq5",
    "update p set v = 'y'",
    "delete from p",
)

Maker = Callable[[random.Random], str]


def other(chance: random.Random) -> str:
    makers: list[tuple[int, Maker]] = [
        (8, _create_index),
        (3, _index),
        (3, _reindex),
        (5, _create_table),
        (3, _drop),
        (4, _partition),
        (5, _view),
        (4, _trigger),
        (2, _policy),
        (5, _type),
        (4, _sequence),
        (4, _upkeep),
        (5, _rows),
        (3, _said),
        (2, _object),
        (5, _pair),
    ]
    return chance.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0](chance)


def _pair(chance: random.Random) -> str:
    return f"{chance.choice(BEFORE)} ;; {chance.choice(AFTER)}"


def _create_index(chance: random.Random) -> str:
    table = chance.choice(list(COLUMNS))
    column, second = chance.choice(COLUMNS[table]), chance.choice(COLUMNS[table])
    key = chance.choice((column, f"{column} desc", f"{column}, {second}", f"({column}::text)", f"lower({column}::text)", "nope"))
    method = chance.choice(("", "", "", " using btree", " using hash", " using gin", " using brin"))
    words = chance.choice(("index", "index", "index", "unique index", "index concurrently", "unique index concurrently"))
    name = chance.choice(("x1 ", "x1 ", "", "t_i ", "if not exists x1 "))
    tail = chance.choice(
        ("", "", f" include ({second})", f" where {column} is not null", " with (fillfactor = 70)", " nulls not distinct")
    )
    return f"create {words} {name}on {chance.choice(('', '', '', '', 'only '))}{table}{method} ({key}){tail}"


def _index(chance: random.Random) -> str:
    index = chance.choice(INDEXES)
    return chance.choice(
        (
            f"drop index {index}",
            f"drop index {index} cascade",
            f"drop index if exists {index}",
            f"drop index concurrently {index}",
            f"alter index {index} rename to {chance.choice(('x9', 't_i'))}",
            f"alter index {index} set (fillfactor = 80)",
            f"alter index {index} set tablespace pg_default",
            f"comment on index {index} is 'x'",
        )
    )


def _reindex(chance: random.Random) -> str:
    return chance.choice(
        (
            f"reindex index {chance.choice(INDEXES)}",
            f"reindex index concurrently {chance.choice(INDEXES)}",
            f"reindex table {chance.choice(RELATIONS)}",
            f"reindex table concurrently {chance.choice(RELATIONS)}",
            f"reindex (verbose) table {chance.choice(RELATIONS)}",
            "reindex schema public",
        )
    )


def _create_table(chance: random.Random) -> str:
    parent = chance.choice(RELATIONS)
    low = chance.choice((5000, 500000, 500))
    return chance.choice(
        (
            f"create table n (id bigint primary key, p_id int references {chance.choice(('p', 'un', 'pt', 'vt', 'nowhere'))} (id))",
            "create table n (id serial primary key, v text unique default 'x')",
            "create table n (id int generated always as identity, d dmc not null, check (id > 0))",
            f"create table n (x int) inherits ({parent})",
            f"create table n (like {parent})",
            f"create table pt9 partition of pt for values from ({low}) to ({low + 100})",
            f"create table pt9 partition of pt (v not null) for values from ({low}) to ({low + 100})",
            "create table n (id int, k int, primary key (id)) partition by range (id)",
            f"create table {chance.choice(('n', parent))} as select * from {parent}",
            f"create table if not exists {parent} (id int)",
            f"create table n as select * from {parent} with no data",
            f"create table n as select count(*) as c from {parent} a join p b on a.id = b.id",
            f"create temp table n as select id from {parent}",
            "create unlogged table n (id int, exclude using btree (id with =))",
            f"select * into n from {parent}",
        )
    )


def _drop(chance: random.Random) -> str:
    return f"drop table {chance.choice(('', '', 'if exists '))}{chance.choice((*RELATIONS, 'nope', 'ptn2, dt'))}{chance.choice(('', '', ' cascade'))}"


def _partition(chance: random.Random) -> str:
    part = chance.choice(("ptn", "ptn2", "un", "ptn", "ptn2"))
    low = {"ptn": 100000, "ptn2": 200000, "un": 700000}[part] + chance.choice((0, 0, 0, 50))
    bound = f"for values from ({low}) to ({low + 100000})"
    before = chance.choice(
        (
            "",
            "",
            "alter table ptn add primary key (id) ;; ",
            "alter table ptd add constraint dchk check (id < 100000) ;; ",
            "create index ptn_k on ptn (k) ;; ",
            "alter table ptn add check (id >= 100000 and id < 200000) ;; ",
            "alter table pt detach partition ptd ;; ",
            "create table refs (id int references pt) ;; ",
            "create trigger tr5 after insert on pt for each row execute function trf() ;; ",
        )
    )
    return before + chance.choice(
        (
            f"alter table pt attach partition {part} {bound}",
            f"alter table pt attach partition {part} {bound}",
            f"alter table pt attach partition {part} {bound}",
            f"alter table pt detach partition {chance.choice(('pt1', 'ptd', 'ptn'))}",
            f"alter table pt detach partition {chance.choice(('pt1', 'ptd'))} concurrently",
            "alter table pt attach partition ptn default",
        )
    )


def _view(chance: random.Random) -> str:
    table = chance.choice((*COLUMNS, "vt"))
    column = chance.choice(COLUMNS.get(table, ("i",)))
    return chance.choice(
        (
            f"create view v9 as select {column} from {table}",
            f"create view v9 as select a.* from {table} a left join pt on a.id = pt.id",
            "create or replace view vt as select id, i, tx from t",
            "create or replace view vt as select id from t",
            f"create or replace view v9 with (security_barrier) as select id from {table}",
            f"create materialized view mv9 as select {column} from {table}",
            f"create materialized view mv9 as select {column} from {table} with no data",
            f"drop view {chance.choice(('vt', 'nope', 'mv'))}",
            f"drop materialized view {chance.choice(('mv', 'mv cascade', 'vt'))}",
            "refresh materialized view mv",
            "refresh materialized view concurrently mv",
            "refresh materialized view mv with no data",
            f"alter view vt {chance.choice(('rename to v9', 'rename column i to j', 'set (security_barrier = true)', 'owner to current_user', 'set schema nowhere', 'alter column i set default 5'))}",
            f"alter materialized view mv {chance.choice(('rename to v9', 'rename column i to j', 'set (fillfactor = 80)', 'set tablespace pg_default', 'cluster on mv_u'))}",
        )
    )


def _trigger(chance: random.Random) -> str:
    table = chance.choice(("t", "p", "pt", "un", "ptd", "vt"))
    name = chance.choice(("tr", "tr5"))
    return chance.choice(
        (
            f"create trigger {name} before insert on {table} for each row execute function trf()",
            f"create trigger {name} after update of id on {table} for each row execute function trf()",
            f"create trigger {name} after delete on {table} for each statement execute function trf()",
            f"create trigger {name} instead of insert on {table} for each row execute function trf()",
            f"create or replace trigger {name} before insert on {table} for each row execute function trf()",
            f"create constraint trigger {name} after insert on {table} from p deferrable for each row execute function trf()",
            f"drop trigger {name} on {table}",
            f"drop trigger if exists {name} on {table}",
            f"alter trigger {name} on {table} rename to tr9",
            f"alter table {table} {chance.choice(('disable', 'enable', 'enable always'))} trigger {chance.choice((name, 'all', 'user'))}",
            f"create rule rr as on {chance.choice(('insert', 'update'))} to {table} do {chance.choice(('also', 'instead'))} nothing",
        )
    )


def _policy(chance: random.Random) -> str:
    table = chance.choice(("t", "p", "pt", "fk"))
    before = chance.choice(("", f"create policy pol on {table} using (id > 0) ;; "))
    return before + chance.choice(
        (
            f"create policy pol on {table} using (id in (select p_id from fk))",
            f"create policy pol2 on {table} for insert with check (true)",
            f"drop policy {chance.choice(('', 'if exists '))}pol on {table}",
            f"alter policy pol on {table} using (true)",
            f"alter policy pol on {table} rename to pol9",
        )
    )


def _type(chance: random.Random) -> str:
    domain, place = chance.choice(("dm", "dmc")), chance.choice(("", " before 'b'"))
    return chance.choice(
        (
            f"alter type mood add value {chance.choice(('', 'if not exists '))}'{chance.choice('ad')}'{place}",
            f"alter type mood rename value '{chance.choice('az')}' to '{chance.choice('qb')}'",
            "alter type mood rename to mood2",
            f"drop type {chance.choice(('mood', 'mood cascade', 'nope', 'if exists nope'))}",
            f"drop domain {domain}{chance.choice(('', ' cascade'))}",
            f"alter domain {domain} add constraint c2 check (value {chance.choice(('> 0', '< 5', 'is not null'))}){chance.choice(('', ' not valid'))}",
            f"alter domain {domain} {chance.choice(('set not null', 'drop not null', 'set default 5', 'drop default', 'rename to dm9'))}",
            f"alter domain dmc {chance.choice(('drop constraint dmc_check', 'drop constraint if exists nope', 'validate constraint dmc_check', 'rename constraint dmc_check to c3'))}",
            f"create type {chance.choice(('mood', 'kind'))} as enum ('x', 'y')",
            "create type pair as (x int, y text)",
            "create domain dm9 as text not null check (value <> '')",
            f"create domain {domain} as int",
        )
    )


def _sequence(chance: random.Random) -> str:
    name = chance.choice(("sq", "sq", "ser_id_seq", "idt_id_seq", "nope"))
    return chance.choice(
        (
            f"create sequence {chance.choice(('', 'if not exists '))}{chance.choice(('s9', name))}{chance.choice(('', ' owned by un.id', ' start 5'))}",
            f"alter sequence {name} {chance.choice(('restart', 'restart with 50', 'increment by 5', 'as bigint', 'owned by un.id', 'owned by none', 'cache 10', 'maxvalue 5000000'))}",
            f"alter sequence {name} {chance.choice(('rename to s9', 'owner to current_user', 'set schema nowhere'))}",
            f"alter sequence if exists {name} cycle",
            f"drop sequence {chance.choice(('', 'if exists '))}{name}{chance.choice(('', ' cascade'))}",
        )
    )


def _upkeep(chance: random.Random) -> str:
    table = chance.choice((*RELATIONS, "mv"))
    return chance.choice(
        (
            f"vacuum {table}",
            f"vacuum (full) {table}",
            f"vacuum (analyze) {table}",
            f"analyze {table}",
            f"analyze {table} (id)",
            f"cluster {table}",
            f"cluster {chance.choice(('t using t_i', 'p using p_pkey', 't using nope', 'mv using mv_u', 'fk using fk_pkey'))}",
            f"truncate {table}",
            f"truncate {table} cascade",
            f"truncate {table} restart identity",
            f"truncate only {table}",
            f"lock table {table} in {chance.choice(('access share', 'row exclusive', 'share', 'exclusive', 'access exclusive'))} mode",
        )
    )


def _rows(chance: random.Random) -> str:
    table = chance.choice(("p", "nnv", "ptn", "dt", "un", "gen", "pt"))
    column = {"p": "v", "nnv": "b", "ptn": "k", "dt": "id", "un": "id", "gen": "a", "pt": "k"}[table]
    return chance.choice(
        (
            f"update {table} set {column} = {column}",
            f"update {table} set {column} = {column} where {column} is not null",
            f"delete from {table}",
            f"delete from {table} where {column} is not null",
            f"insert into {'un' if table == 'pt' else table} (id) select id from {table} limit 0"
            if table != "ptn"
            else "insert into ptn values (1)",
            "insert into fk select id + 5000, id from nnv",
            "insert into p select i, tx from t on conflict do nothing",
            "update nnv set b = p.id from p where p.id = nnv.id",
            "delete from fk using p where p.id = fk.p_id",
            f"select * from {table}",
            f"select * from {table} for {chance.choice(('update', 'share'))}",
            "update t set i = i where id = 5",
            "insert into un values (1), (2)",
        )
    )


def _said(chance: random.Random) -> str:
    table = chance.choice(RELATIONS)
    return chance.choice(
        (
            f"comment on table {table} is 'x'",
            f"comment on column {table}.id is 'x'",
            f"comment on {chance.choice(('type mood', 'domain dmc', 'view vt', 'materialized view mv', 'sequence sq', 'function trf()', 'index t_i', 'statistics st1'))} is 'x'",
            f"comment on {chance.choice(('constraint t_i_pos on t', 'trigger tr on t', 'constraint nope on t', 'column vt.i'))} is null",
            f"grant {chance.choice(('select', 'all', 'select (id)'))} on {table} to {chance.choice(('public', 'current_user'))}",
            f"revoke select on {table}, vt from public",
            "grant usage on sequence sq to public",
            "grant select on all tables in schema public to public",
            "grant usage on schema public to public",
        )
    )


def _object(chance: random.Random) -> str:
    table = chance.choice(RELATIONS)
    return chance.choice(
        (
            f"create statistics st9 on id, v from {chance.choice(('p', 'pt', 'ptn', 'idt'))}",
            "alter statistics st1 rename to st9",
            "create schema nowhere",
            "drop schema public",
            "create function f9() returns int language sql as 'select 1'",
            "drop function trf()",
            "drop function trf() cascade",
            f"create publication pb for table {table}",
            "create extension if not exists plpgsql",
            'create collation c9 from "C"',
            "alter function trf() rename to trf9",
            "drop rule nope on t",
        )
    )
