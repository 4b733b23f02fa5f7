"""Predicted effects against a live server: what it refuses for what a statement names, and what partitions, heirs, policies, rights and defaults do."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from postgresql_comparison import catalog_of, difference

from driftflow.lab.servers import AnyServer

pytestmark = pytest.mark.postgresql

SETUP = """
create table par (id int primary key, v int, w int) partition by range (id);
create table par_1 partition of par for values from (1) to (100);
create table par_d partition of par default;
insert into par select g, g, g from generate_series(1, 150) g;
create table loose (id int not null, v int, w int);
insert into loose select g, g, g from generate_series(120, 130) g;
create table loose2 (id int not null, v int, w int);
create table lst (k text, n int) partition by list (k);
create table lst_a partition of lst for values in ('a');
create table lst_d partition of lst default;
insert into lst values ('a',1),('b',2),('c',3);
create table lloose (k text, n int);
create table hsh (id int) partition by hash (id);
create table hsh0 partition of hsh for values with (modulus 2, remainder 0);
create table base (id int primary key, a int, b text, g int generated always as (a * 2) stored, j jsonb, arr int[], r int4range, d date, u uuid, pt point, i int generated always as identity);
insert into base (id, a, b) select g, g, 'b'||g from generate_series(1, 50) g;
create table kid () inherits (base);
create table kid2 () inherits (kid);
create table other (id int primary key, base_id int references base, x int);
create table uniq (a int unique, b int, c text);
create view bv as select id, a from base;
create materialized view mv as select id, a from base;
create function tf() returns trigger language plpgsql as 'begin return new; end';
create function fn(x int) returns int language sql immutable as 'select x';
create function vfn(x int) returns int language sql volatile as 'select x';
create sequence sq;
create type mood as enum ('x','y');
create domain dm as int check (value > 0);
create policy pol on base using (true);
create trigger trg before insert on base for each row execute function tf();
create table rls (id int);
alter table rls enable row level security;
create unlogged table unl (id int primary key);
analyze
"""
STATEMENTS = r"""
alter table par attach partition loose for values from (120) to (140)
alter table par attach partition loose2 for values from (120) to (140)
alter table par attach partition loose2 for values from (200) to (300)
alter table par attach partition loose for values from (500) to (600)
alter table par attach partition loose for values from (50) to (60)
create table p2 partition of par for values from (120) to (140)
create table p2 partition of par for values from (500) to (600)
create table p2 partition of par for values from (50) to (60)
create table p2 partition of base for values from (1) to (2)
create table p2 partition of par for values in (1)
create table p2 partition of par default
create table l2 partition of lst for values in ('b')
create table l2 partition of lst for values in ('z')
create table l2 partition of lst for values in ('a')
create table l2 partition of lst for values in (null)
alter table lst attach partition lloose for values in ('c')
alter table lst attach partition lloose for values in ('q')
create table h2 partition of hsh for values with (modulus 2, remainder 0)
create table h2 partition of hsh for values with (modulus 2, remainder 1)
create table h2 partition of hsh for values with (modulus 3, remainder 1)
alter table par detach partition loose
alter table par detach partition par_1
alter table base attach partition loose for values from (1) to (2)
create policy p on bv using (true)
create policy pol on base using (true)
create policy p on nope using (true)
create policy p on base using (nope > 1)
create policy p on base for insert using (true)
create policy p on base for select with check (true)
alter policy nope on base using (true)
grant select on nope to public
grant execute on function nope(int) to public
grant execute on function fn(int) to public
grant usage on schema nope to public
grant usage on sequence nope to public
grant select (nope) on base to public
grant select on base to public with grant option
grant execute on base to public
grant select on all tables in schema public to public
grant select on all tables in schema nope to public
revoke all on base, other, bv from public
alter default privileges in schema nope grant select on tables to public
alter table base add constraint ck check (nope > 0)
alter table base add constraint ck check (a > 0)
alter table base add constraint ck check (vfn(a) > 0)
alter table base add constraint ck check (b > 0)
alter table base add constraint ck check ((select 1) > 0)
alter table base add check (a > 0 and other.id > 1)
update base set g = 1
update base set g = default
update base set nope = 1
insert into base (id, g) values (999, 1)
insert into base (id, nope) values (999, 1)
insert into base (id, i) values (999, 5)
update base set i = 5
insert into base values (999, 1, 'x')
create index on base using gin (a)
create index on base using gin (b)
create index on base using gin (j)
create index on base using gin (arr)
create index on base using gist (a)
create index on base using gist (r)
create index on base using gist (pt)
create index on base (j)
create index on base (pt)
create index on base using hash (pt)
create index on base using brin (j)
create index on base using brin (pt)
create index on base using spgist (a)
create index on base (nope)
create index on base (b text_pattern_ops)
create index on base (lower(b))
create index on base (vfn(a))
create index on base (a) where vfn(a) > 1
create index on base (a) where nope > 1
create unique index on base (b)
create unique index on base using hash (b)
create unique index on base using gin (j)
create index on base using hash (a, b)
create index on bv (a)
create index on mv (a)
create index on base (a) include (nope)
create index on base using gin (j) include (a)
alter table base add exclude using gist (a with =)
alter table base add exclude using gist (r with &&)
alter table base add exclude using btree (a with =)
alter table base add exclude (a with <>)
alter table base add exclude using gin (j with =)
alter table base alter a set default 'x'
alter table base alter a set default nope
alter table base alter a set default a
alter table base alter a set default 1.5
alter table base alter a set default '7'
alter table base alter a set default now()
alter table base alter d set default 5
alter table base alter d set default now()
alter table base alter d set default 'today'
alter table base alter g set default 5
alter table base alter i set default 5
alter table base alter b set default 5
alter table base alter u set default gen_random_uuid()
alter table base alter u set default 'nonsense'
alter table base alter j set default '{}'
alter table base add column z int default 'x'
alter table base add column z int default nope
alter table base add column z date default now()
alter table base add column z date default 5
alter table base add column z int default (select 1)
alter table base add column z mood default 'z'
alter table base add column z mood default 'x'
alter table base add column z dm default 0
alter table base add column z dm default 1
alter table base add column z boolean default 1
alter table base add column z text default 1
alter table base add column z varchar(2) default 'abc'
create table n (id int default 'x')
create table n (id int, c int check (nope > 1))
create table n (id int, g int generated always as (nope * 2) stored)
create table n (id int, id int)
alter table par attach partition loose2 for values from (200) to (maxvalue)
create table l2 partition of lst for values in ('z', null)
alter table lst attach partition lloose for values in ('q', 'it''s, so')
insert into base (id, g) values (999, default)
insert into base (id, i) overriding system value values (999, 5)
insert into base (id, a, b, g) values (999, 1, 'x', default)
insert into base values (999, 1, 'x', 4)
alter table base add unique (a)
alter table other add constraint ck check (x > 0) no inherit
alter table base add constraint ck check (a > 0) no inherit
alter table kid no inherit base
alter table kid inherit other
alter table other add constraint fk foreign key (x) references base not enforced
alter table other add constraint fk foreign key (x) references base not valid
alter table base add constraint ck check (a > 0) not enforced
alter table base add constraint ck check (a > 0) not valid
alter table base add constraint nn not null a
alter table base add constraint nn not null a no inherit
alter table other add constraint nn not null x not valid
alter table base add constraint ck check (base is not null)
alter table base add constraint ck check (tableoid > 0)
create policy p on base using (current_user = b)
create policy p on base using (exists (select 1 from other o where o.base_id = base.id and o.x = a))
alter table base add column z timestamptz default current_timestamp
alter table base add column z date default current_timestamp
alter table base add column z timestamptz default '2020-01-01', add column y text default current_user
alter table base add column z int default nextval('sq')
alter table base add column z mood default 'x'::mood
alter table base add column z int[] default '{}'
alter table base add column z text default 'a' || 'b'
alter table base add column z int default fn(3)
alter table base add column z uuid default '11111111-1111-1111-1111-111111111111'
create table n (id serial, c int default 3 check (c > 1), g int generated always as (c * 2) stored, check (g > id))
create table n (like base including all, check (a > 0))
create table n (check (a > 0)) inherits (base)
create table n (id int) partition by range (id)
create index on base (lower(b) text_pattern_ops) where a > 1 and b <> 'x'
create index on base ((base.a + 1))
create index on base using spgist (pt)
create index on base using brin (r)
grant usage on sequence sq to public
grant usage on sq to public
grant select on sq to public
grant all on table sq to public
grant select on bv, mv, base to public
grant execute on all functions in schema public to public
grant execute on function pg_catalog.now() to public
grant usage on schema pg_catalog to public
grant usage on type mood to public
grant all privileges on database postgres to public
grant create on schema public to public
grant pg_monitor to postgres
grant set on parameter work_mem to public
grant usage on language sql to public
revoke execute on function fn from public
revoke grant option for select on base from public
comment on index base_pkey is 'x'
comment on constraint base_pkey on base is 'x'
comment on function fn(int) is 'x'
comment on function nope(int) is 'x'
comment on type mood is 'x'
comment on schema nope is 'x'
comment on sequence sq is 'x'
comment on trigger trg on base is 'x'
comment on policy pol on base is 'x'
comment on column bv.a is 'x'
comment on column bv.nope is 'x'
comment on view bv is 'x'
comment on materialized view mv is 'x'
comment on view mv is 'x'
comment on table bv is 'x'
comment on domain dm is 'x'
comment on type dm is 'x'
create aggregate ag (int) (sfunc = int4larger, stype = int)
drop aggregate nope (int)
create publication pb for table base
create publication pb for all tables
create publication pb for table bv
create publication pb for table nope
create publication pb for table unl
"""


@pytest.fixture(scope="module")
def url(postgresql_server: AnyServer) -> Iterator[str]:
    made = postgresql_server.create_database()
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute(SETUP)
    yield made
    postgresql_server.drop_database(made)


def test_it_is_predicted_as_this_server_does_it(url: str) -> None:
    catalog = catalog_of(url)
    assert [f"{sql}\n    {told}" for sql in STATEMENTS.strip().splitlines() if (told := difference(url, catalog, sql))] == []
