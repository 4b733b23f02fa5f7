"""What statements made by chance brought to light: one case for each predictor that was wrong, on the recorded schema, without a server.

Each was first a difference between prediction and server (tests/databases/test_postgresql_effects.py finds them).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from postgresql_comparison import Prediction

from driftflow.model.catalog import Catalog
from driftflow.model.names import Version
from driftflow.model.record import decode, replace

DATA = Path(__file__).parents[2] / "databases" / "data" / "effects"


@cache
def catalog(major: int) -> Catalog:
    return replace(decode((DATA / "postgresql-catalog.json").read_bytes(), Catalog), version=Version(major=major))


def said(sql: str, major: int = 18) -> Prediction:
    return Prediction(catalog(major), sql)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("alter table un alter column id type timestamp(3) using id::timestamp(3)", "cannot be cast"),
        ("alter table p alter column id type int4range using (id)", "cannot be cast"),
        ("alter table gen alter column g type json using g::text::json", "without USING"),
        ("alter table idt alter column id type text", "identity column"),
        ("alter table fknv alter column p_id type numeric(10,2)", "cannot be implemented"),
        ("alter table nnv alter column b type bigint, alter column b type int", "twice"),
        ("alter table p alter column v set not null, drop column v", "dropped by the same statement"),
        ("create unique index x on p using brin (id)", "no unique"),
        ("create index x on p using hash (id, v)", "several columns"),
        ("create index x on p using gin (v)", "no operator class"),
        ("create index x on t using gin (lower(tx))", "no operator class"),
        ("create index x on ptd using brin (id) with (fillfactor = 70)", "no storage parameter"),
        ("create index x on t ((m::text))", "not immutable"),
        ("create unique index x on pt (k)", "partition key"),
        ("alter table t alter column i set storage external", "fixed length"),
        ("alter table t alter column u set compression pglz", "fixed length"),
        ("alter table un add column x varchar(5) default 'toolong'", "longer than 5"),
        ("alter table p alter column id set default 'x'", "is no"),
        ("alter table t alter column b set default 5", "is a number"),
        ("alter table fk add constraint c not null id", "by another name"),
        ("alter table pt inherit p", "cannot be changed"),
        ("alter table p inherit p", "inherit"),
        ("create table n (x int) inherits (pt)", "nothing inherits"),
        ("alter table nnv alter constraint a_nn deferrable", "no foreign key"),
        ("alter table pt set logged", "neither LOGGED"),
        ("alter table pt set (fillfactor = 80)", "no storage parameters"),
        ("alter table pt add check (k > 0) no inherit", "NO INHERIT"),
        ("alter table t replica identity using index t_i", "not unique"),
        ("alter table t cluster on nope", "does not exist"),
        ("alter table un not of", "no typed table"),
        ("alter table t add constraint c unique using index t_pkey", "belongs to the constraint"),
        ("alter sequence idt_id_seq owned by none", "for good"),
        ("create table n (x int references vt (id))", "view"),
        ("create trigger x instead of insert on p for each row execute function trf()", "INSTEAD OF"),
        ("create trigger x before insert on vt for each row execute function trf()", "INSTEAD OF"),
        ("create or replace view vt as select id from t", "cannot rename"),
        ("drop materialized view vt", "not a materialized"),
        ("truncate mv", "only tables"),
        ("lock table mv in share mode", "refused"),
        ("comment on constraint nope on t is 'x'", "does not exist"),
        ("drop statistics nope", "do not exist"),
        ("alter table only pt drop column k", "ONLY"),
    ],
)
def test_the_server_refuses(sql: str, word: str) -> None:
    assert word in " ".join(said(sql).refused), said(sql).refused


@pytest.mark.parametrize(
    "sql",
    [
        "alter table t alter column d drop identity if exists",
        "alter table nnv add not null id",
        "alter table fk alter column p_id drop not null, drop column p_id",
        "alter table pt set (toast.autovacuum_enabled = false)",
        "truncate only un",
    ],
)
def test_the_server_accepts(sql: str) -> None:
    found = said(sql)
    assert (found.refused, found.unknown) == ([], "")


@pytest.mark.parametrize(
    ("sql", "major", "locks"),
    [
        ("alter table t add column x int, alter column tx set statistics 5", 18, {"t:AccessExclusive"}),
        ("alter table t add column x bigint default nextval('sq')", 18, {"sq:RowExclusive"}),
        ("drop statistics st1", 18, {"t:ShareUpdateExclusive"}),
        ("alter table t alter column nn type bigint", 18, {"t:ShareUpdateExclusive"}),
        ("create type pair as (x int)", 18, {"pair:AccessExclusive"}),
        ("create table n (like p)", 18, {"p:AccessShare"}),
        ("create table n (like t including all)", 18, {"n:ShareUpdateExclusive", "t:AccessShare"}),
        ("create sequence s owned by un.id", 18, {"un:AccessShare"}),
        ("alter table idt set unlogged", 15, {"idt_id_seq:AccessExclusive", "idt_id_seq:RowExclusive"}),
        ("cluster mv using mv_u", 18, {"mv:Share", "mv_u:AccessExclusive"}),
        ("alter materialized view mv cluster on mv_u", 18, {"mv:ShareUpdateExclusive"}),
        ("create policy pol on p using (id in (select p_id from fk))", 18, {"fk:AccessShare"}),
        ("create index on pt (lower(v))", 18, {"pt1_lower_idx:AccessExclusive"}),
        ("alter table fk add unique (p_id, id) include (id)", 18, {"fk_p_id_id_id1_key:AccessExclusive"}),
        ("create table refs (id int references pt) ;; alter table pt detach partition ptd", 18, {"refs:Share"}),
        (
            "create table refs (id int references pt) ;; alter table pt attach partition ptn2 for values from (200000) to (300000)",
            18,
            {"ptn2:ShareRowExclusive"},
        ),
        ("truncate pt1", 13, {"pt:AccessShare"}),
        ("insert into un select id from un", 18, {"un:AccessShare", "un_pkey:AccessShare"}),
    ],
)
def test_locks_that_were_missing(sql: str, major: int, locks: set[str]) -> None:
    assert locks <= said(sql, major).locks


@pytest.mark.parametrize(
    ("sql", "major", "lock"),
    [
        ("alter table t add column x int, alter column tx set statistics 5", 18, "t:ShareUpdateExclusive"),
        ("alter table pt alter column v set compression pglz", 18, "pt1:AccessExclusive"),
        ("alter table pt alter column id set not null", 18, "pt1:AccessExclusive"),
        ("alter table pt alter column id reset (n_distinct)", 18, "pt1:ShareUpdateExclusive"),
        ("alter table pt drop column if exists nope", 18, "pt1:AccessExclusive"),
        ("alter table pt rename constraint pt_pkey to c9", 18, "pt1:AccessExclusive"),
        ("alter table nnv add foreign key (a) references p (id) not enforced", 18, "p:AccessShare"),
        ("create table n as select * from p with no data", 18, "p_pkey:AccessShare"),
        ("refresh materialized view mv with no data", 18, "t:AccessShare"),
        ("delete from pt", 18, "pt:AccessShare"),
        ("truncate pt1", 14, "pt:AccessShare"),
    ],
)
def test_locks_that_were_too_many(sql: str, major: int, lock: str) -> None:
    assert lock not in said(sql, major).locks


def test_reads_and_rewrites() -> None:
    assert "t" in said("set local timezone='Europe/Paris' ;; alter table t alter column ts type timestamptz").rewrite
    assert said("truncate dt").scan == frozenset()
    assert said("reindex table ptn").scan == frozenset()
    assert {"pt1", "ptd"} <= said("alter table pt alter column k type int").scan
    assert "fk" not in said("alter table p alter column id type int").scan
    proved = (
        "alter table ptd add check (id < 100000) ;; alter table pt attach partition ptn2 for values from (200000) to (300000)"
    )
    assert "ptd" not in said(proved).scan
    assert "un_x_key" not in said("alter table un add column x int unique, alter column id type bigint").rewrite


def test_a_partitioned_index_is_rebuilt_outside_a_transaction() -> None:
    assert not said("reindex index pt_k").transactional
