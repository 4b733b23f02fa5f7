"""Predicted effects against a live server: partitions that come and go where their parent has foreign keys or row triggers."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from postgresql_comparison import catalog_of, difference

from driftflow.lab.servers import AnyServer

pytestmark = pytest.mark.postgresql

FIRST = """
create table ref (id int primary key, v int);
insert into ref select g, g from generate_series(1, 100) g;
create function nothing() returns trigger language plpgsql as 'begin return null; end';
"""
OF_EACH = """
create table K (id int not null, at int not null, r int{references}) partition by range (at);
create table K1 partition of K for values from (1) to (10);
create table K2 partition of K for values from (10) to (20) partition by range (id);
create table K2a partition of K2 for values from (1) to (100);
create table Knew (id int not null, at int not null, r int);
create table Klike (id int not null, at int not null, r int references ref);
create table Kdeep (id int not null, at int not null, r int) partition by range (id);
create table Kdeepa partition of Kdeep for values from (1) to (100);
insert into K select g, at, g from generate_series(1, 50) g, (values (5), (15)) a (at);
insert into Knew select g, 25, g from generate_series(1, 50) g;
insert into Klike select g, 25, g from generate_series(1, 50) g;
insert into Kdeep select g, 25, g from generate_series(1, 50) g;
"""
LAST = "create trigger fired after insert on fired for each row execute function nothing(); analyze"
STATEMENTS = """
alter table K attach partition Knew for values from (20) to (30)
alter table K attach partition Klike for values from (20) to (30)
alter table K attach partition Kdeep for values from (20) to (30)
alter table K detach partition K1
alter table K detach partition K2
alter table K2 detach partition K2a
create table Kx partition of K for values from (20) to (30)
create table Kx partition of K for values from (20) to (30) partition by hash (id)
create table Kx partition of K2 for values from (100) to (200)
drop table K1
drop table K2
drop table K2a
drop table K
alter table K add constraint again foreign key (r) references ref
"""


@pytest.fixture(scope="module")
def url(postgresql_server: AnyServer) -> Iterator[str]:
    made = postgresql_server.create_database()
    keyed, fired = (OF_EACH.format(references=one) for one in (" references ref", ""))
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute((FIRST + keyed.replace("K", "keyed") + fired.replace("K", "fired") + LAST).encode())
    yield made
    postgresql_server.drop_database(made)


@pytest.mark.parametrize("kind", ["keyed", "fired"])
def test_partitions_take_part_in_what_their_parent_has(url: str, kind: str) -> None:
    catalog = catalog_of(url)
    wanted = [one.replace("K", kind) for one in STATEMENTS.strip().splitlines()]
    assert [f"{sql}\n    {told}" for sql in wanted if (told := difference(url, catalog, sql))] == []
