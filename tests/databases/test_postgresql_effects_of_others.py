"""Predicted effects against a live server: views over views, typed tables, and checks that wait for the end of the transaction."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from postgresql_comparison import catalog_of, difference

from driftflow.lab.servers import AnyServer

pytestmark = pytest.mark.postgresql

SETUP = """
create type shape as (a text, b int);
create table typed of shape;
create table ord (id int primary key, note text, code int, total int);
create table line (n int primary key, ord int references ord deferrable initially deferred, qty int);
insert into ord select g, 'n', g, g from generate_series(1, 50) g;
insert into line select g, g, 1 from generate_series(1, 40) g;
create view near as select id, total from ord;
create view far as select id, total from near where total > 0;
create view widest as select far.id from far join line on line.ord = far.id;
analyze
"""
STATEMENTS = """
alter table typed not of
alter table ord not of
alter type shape rename to figure ;; alter table typed not of
alter table ord drop column total cascade
alter table ord drop column note cascade
lock table near in exclusive mode
lock table widest in share mode
update ord set code = 5 where id = 3 ;; alter table ord alter code set not null
update ord set id = 99 where id = 45 ;; alter table ord alter code set not null
delete from ord where id = 45 ;; alter table ord alter code set not null
insert into ord (id) values (77) ;; alter table ord add column z int
update line set qty = 2 where n = 3 ;; alter table line add column z int
update line set ord = 2 where n = 3 ;; alter table line add column z int
insert into line values (77, 1, 1) ;; alter table line add column z int
delete from line where n = 3 ;; alter table line add column z int
"""


@pytest.fixture(scope="module")
def url(postgresql_server: AnyServer) -> Iterator[str]:
    made = postgresql_server.create_database()
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute(SETUP)
    yield made
    postgresql_server.drop_database(made)


def test_what_hangs_on_others_is_predicted_as_this_server_does_it(url: str) -> None:
    catalog = catalog_of(url)
    assert [f"{sql}\n    {told}" for sql in STATEMENTS.strip().splitlines() if (told := difference(url, catalog, sql))] == []
