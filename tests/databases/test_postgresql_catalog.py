"""The catalog of a live PostgreSQL: every kind of object, at any number of tables, for any role."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import psycopg
import pytest

from driftflow.dialects.postgresql.catalog import catalog
from driftflow.drivers.postgresql import PostgresqlConnection, PostgresqlConnector
from driftflow.drivers.postgresql_catalog import REST, STRUCTURE, read_rows, sql
from driftflow.errors import DatabaseError
from driftflow.lab.postgresql import database_of
from driftflow.model.catalog import Check, Exclusion, ForeignKey, Index, IndexPart, NotNull, PrimaryKey, Unique, structure
from driftflow.model.names import Name

pytestmark = pytest.mark.postgresql

SHOP = """
create schema sales;
create type mood as enum ('sad', 'ok');
create domain sales.cents as integer default 0 not null constraint positive check (value >= 0);
create type pair as (a integer, b text collate "C");
create table tenants (id uuid primary key default md5(random()::text)::uuid, name text not null unique);
create table sales.orders (
    id bigserial primary key,
    tenant_id uuid constraint orders_tenant references tenants (id) on delete cascade deferrable initially deferred,
    mood mood default 'ok',
    total numeric(10,2) generated always as (quantity * 2.5) stored,
    quantity integer not null default 1 check (quantity > 0),
    note varchar(20) collate "C",
    span int4range,
    exclude using gist (span with &&)
);
comment on column sales.orders.note is 'what the customer said';
comment on table sales.orders is 'orders';
alter table sales.orders alter column note set storage main;
alter table sales.orders add constraint later check (quantity < 1000) not valid;
alter table sales.orders replica identity full;
create unique index orders_note on sales.orders (lower(note) desc, tenant_id) include (mood) where note is not null;
create index orders_pattern on sales.orders (note collate "POSIX" varchar_pattern_ops nulls first) with (fillfactor = 70);
create table numbered (
    id integer generated always as identity (start with 10 increment by 5) primary key,
    a integer, b integer, unique (a, b) include (id)
);
create table log (id bigint not null, day date not null, text text) partition by range (day, (id + 0));
create table log_2024 partition of log for values from ('2024-01-01', 0) to ('2025-01-01', 0);
create table log_rest partition of log default;
create index log_text on log (text);
create table base (x integer);
create table derived (y integer) inherits (base);
create unlogged table scratch (n integer);
alter table tenants enable row level security;
create policy own_rows on tenants for select using (name = current_user) ;
create policy inserts on tenants as restrictive for insert with check (name <> '');
create function touched() returns trigger language plpgsql as 'begin return new; end';
create function twice(n integer) returns integer language sql immutable as 'select n * 2';
create trigger touch before update of note on sales.orders for each row when (old.note is distinct from new.note)
    execute function touched();
create trigger on_log after insert on log for each row execute function touched();
create constraint trigger checked after insert on tenants deferrable for each row execute function touched();
create view cheap with (security_barrier = true) as select o.id, t.name from sales.orders o join tenants t on t.id = o.tenant_id;
create view cheaper as select id from cheap;
create materialized view totals as select tenant_id, sum(total) as sum from sales.orders group by tenant_id;
create unique index totals_tenant on totals (tenant_id);
create sequence counter as integer increment -1 cache 10 cycle;
create publication one for table log_2024;
do $$ begin
    if exists (select from pg_available_extensions where name = 'vector') then create extension vector; end if;
end $$;
create schema driftflow;
create table driftflow.journal (id integer primary key);
create table _driftflow_shadow (id integer);
insert into tenants (name) select 'tenant ' || n from generate_series(1, 500) n;
analyze tenants;
"""


def connect(url: str) -> PostgresqlConnection:
    return PostgresqlConnector(url, display=url).connect()


@pytest.fixture
def shop(postgresql_url: str) -> Iterator[PostgresqlConnection]:
    with psycopg.connect(postgresql_url) as setup:
        setup.execute(SHOP.encode())
    connection = connect(postgresql_url)
    yield connection
    connection.close()


def read(connection, **arguments):
    """Without the dialect's normal forms: what the server says."""
    return catalog(read_rows(connection, **arguments))


def test_every_kind_of_object_is_read(shop):
    catalog = read(shop)
    assert catalog.vendor == "postgresql" and catalog.version == shop.version and catalog.complete
    assert catalog.schemas == ("public", "sales") and catalog.search_path == ("public",)
    assert set(catalog.tables) == {
        "public.tenants", "sales.orders", "public.numbered", "public.log", "public.log_2024", "public.log_rest",
        "public.base", "public.derived", "public.scratch",
    }  # fmt: skip
    assert set(catalog.views) == {"public.cheap", "public.cheaper", "public.totals"}
    assert set(catalog.types) == {"public.mood", "sales.cents", "public.pair"}
    assert set(catalog.routines) == {"public.touched()", "public.twice(n integer)"}
    assert "plpgsql" in {extension.name for extension in catalog.extensions}
    assert not any("vector" in key for key in (*catalog.types, *catalog.routines))
    assert set(catalog.sequences) == {"sales.orders_id_seq", "public.numbered_id_seq", "public.counter"}
    assert catalog.settings["wal_level"] == "logical" and catalog.settings["lock_timeout"] == "0"
    assert catalog.unseen == ()


def test_columns_say_everything_that_differs_from_the_usual(shop):
    orders = read(shop).tables["sales.orders"]
    columns = {column.name: column for column in orders.columns}
    assert list(columns) == ["id", "tenant_id", "mood", "total", "quantity", "note", "span"]
    assert columns["id"].default == "nextval('sales.orders_id_seq'::regclass)" and not columns["id"].nullable
    assert columns["mood"].type == "public.mood" and columns["mood"].default == "'ok'::public.mood"
    assert columns["total"].generated.expression == "((quantity)::numeric * 2.5)" and columns["total"].generated.stored
    assert columns["total"].default is None
    note = columns["note"]
    assert (note.type, note.collation, note.storage, note.comment) == (
        "character varying(20)",
        "C",
        "MAIN",
        "what the customer said",
    )
    identity = read(shop).tables["public.numbered"].column("id").identity
    assert identity.always and (identity.options.start, identity.options.increment, identity.options.minimum) == (10, 5, None)


def test_constraints(shop):
    catalog = read(shop)
    orders = catalog.tables["sales.orders"]
    assert orders.primary_key == PrimaryKey(name="orders_pkey", columns=("id",))
    assert orders.constraint("orders_tenant") == ForeignKey(
        name="orders_tenant",
        columns=("tenant_id",),
        referenced=Name(schema="public", name="tenants"),
        referenced_columns=("id",),
        on_delete="CASCADE",
        deferrable=True,
        initially_deferred=True,
    )
    assert orders.constraint("later") == Check(name="later", expression="(quantity < 1000)", validated=False)
    assert orders.constraint("orders_span_excl") == Exclusion(
        name="orders_span_excl", definition="USING gist (span WITH &&)", columns=("span",)
    )
    unique = catalog.tables["public.numbered"].constraint("numbered_a_b_id_key")
    assert unique == Unique(name="numbered_a_b_id_key", columns=("a", "b"), include=("id",))
    named = [constraint for constraint in orders.constraints if isinstance(constraint, NotNull)]
    assert [constraint.column for constraint in named] == (["id", "quantity"] if shop.version.major >= 18 else [])


def test_indexes(shop):
    orders = read(shop).tables["sales.orders"]
    note = orders.index("orders_note")
    assert note.parts == (
        IndexPart(expression="lower((note)::text)", descending=True, collation=note.parts[0].collation),
        IndexPart(column="tenant_id"),
    )
    assert (note.include, note.unique, note.predicate) == (("mood",), True, "(note IS NOT NULL)")
    pattern = orders.index("orders_pattern")
    assert pattern.parts == (IndexPart(column="note", nulls_first=True, collation="POSIX", opclass="varchar_pattern_ops"),)
    assert pattern.options == ("fillfactor=70",)
    assert orders.index("orders_pkey").constraint == "orders_pkey" and orders.index("orders_pkey").bytes == 8192
    assert orders.index("orders_span_excl").method == "gist"
    assert read(shop).views["public.totals"].indexes[0].name.name == "totals_tenant"


def test_partitions_and_inheritance(shop):
    catalog = read(shop)
    log, part = catalog.tables["public.log"], catalog.tables["public.log_2024"]
    assert log.partitioning.strategy == "RANGE" and log.partitioning.key == ("day", "((id + 0))")
    assert part.partition_of == log.name and part.partition_bound == "FOR VALUES FROM ('2024-01-01', '0') TO ('2025-01-01', '0')"
    assert catalog.tables["public.log_rest"].partition_bound == "DEFAULT"
    assert part.index("log_2024_text_idx").parent == Name(schema="public", name="log_text")
    assert [trigger.name for trigger in part.triggers] == ["on_log"]
    assert part.inherits == () and catalog.tables["public.derived"].inherits == (Name(schema="public", name="base"),)
    assert part.publications == ("one",) and log.publications == () and catalog.tables["public.base"].publications == ()


def test_security_triggers_and_views(shop):
    catalog = read(shop)
    tenants = catalog.tables["public.tenants"]
    assert tenants.row_security and not tenants.row_security_forced
    own, inserts = tenants.policies[1], tenants.policies[0]
    assert (own.command, own.using, own.roles, own.permissive) == ("SELECT", "(name = CURRENT_USER)", ("public",), True)
    assert (inserts.command, inserts.check, inserts.permissive) == ("INSERT", "(name <> ''::text)", False)
    assert tenants.triggers[0].constraint and tenants.triggers[0].timing == "AFTER"
    touch = catalog.tables["sales.orders"].triggers[0]
    assert (touch.timing, touch.events, touch.update_columns, touch.function) == (
        "BEFORE", ("UPDATE",), ("note",), Name(schema="public", name="touched"),
    )  # fmt: skip
    cheap = catalog.views["public.cheap"]
    assert set(cheap.depends_on) == {tenants.name, Name(schema="sales", name="orders")}
    assert "sales.orders.tenant_id" in cheap.depends_on_columns and cheap.options == ("security_barrier=true",)
    assert [view.name.name for view in catalog.dependents(tenants.name)] == ["cheap", "cheaper"]
    assert catalog.views["public.totals"].materialized


def test_types_routines_sequences(shop):
    catalog = read(shop)
    assert catalog.types["public.mood"].labels == ("sad", "ok")
    cents = catalog.types["sales.cents"]
    assert (cents.kind, cents.base, cents.nullable, cents.default) == ("domain", "integer", False, "0")
    assert cents.checks == (Check(name="positive", expression="(VALUE >= 0)"),)
    assert [(one.name, one.type, one.collation) for one in catalog.types["public.pair"].attributes] == [
        ("a", "integer", ""),
        ("b", "text", "C"),
    ]
    twice = catalog.routines["public.twice(n integer)"]
    assert (twice.volatility, twice.language, twice.returns) == ("immutable", "sql", "integer")
    counter = catalog.sequences["public.counter"].options
    assert (counter.type, counter.increment, counter.cache, counter.cycle, counter.start) == ("integer", -1, 10, True, None)
    assert catalog.sequences["sales.orders_id_seq"].owned_by == "sales.orders.id"
    assert catalog.sequences["public.numbered_id_seq"].identity


def test_statistics_are_estimates_with_a_basis(shop):
    catalog = read(shop)
    for _ in range(100):  # up to version 14 statistics reach us through a collector process, some time later
        if catalog.tables["public.tenants"].statistics.last_analyze:
            break
        time.sleep(0.05)
        catalog = read(shop)
    tenants = catalog.tables["public.tenants"].statistics
    assert tenants.rows == 500 and tenants.bytes > tenants.table_bytes > 0
    assert tenants.basis.startswith("reltuples") and tenants.last_analyze.endswith("Z")
    assert catalog.tables["public.scratch"].statistics.rows == 0
    log = catalog.tables["public.log"].statistics
    assert (log.rows, log.basis) == (0, "sum of 2 partitions")


def test_an_unanalysed_table_has_an_unknown_size_or_says_where_it_comes_from(shop):
    with psycopg.connect(shop.raw.info.dsn) as other:
        other.execute(b"alter table base set (autovacuum_enabled = false); insert into base select generate_series(1, 1000)")
    statistics = read(shop).tables["public.base"].statistics
    assert (statistics.rows, statistics.basis) in {(None, ""), (1000, "n_live_tup; not analysed")}


def test_a_table_that_was_empty_when_it_was_analysed(shop):
    """Its file was not: a density of none, times whatever size."""
    with psycopg.connect(shop.raw.info.dsn, autocommit=True) as other:
        for statement in (
            b"alter table base set (autovacuum_enabled = false)",
            b"insert into base select generate_series(1, 100)",
            b"begin; delete from base; analyze base; commit",
            b"insert into base select generate_series(1, 2000)",
        ):
            other.execute(statement)
    assert read(shop).tables["public.base"].statistics.rows != 0


def test_the_text_does_not_depend_on_the_search_path(shop):
    first = read(shop)
    shop.execute("set search_path = sales, public")
    second = read(shop)
    assert first.tables.keys() == second.tables.keys()
    assert first.fingerprint() == second.fingerprint()
    assert second.search_path == ("sales", "public")
    assert shop.query("show search_path") == [("sales, public",)]


def test_a_transaction_sees_its_own_changes_and_keeps_its_search_path(shop):
    shop.begin()
    shop.execute("set local search_path = sales")
    shop.execute("create table mine (id integer)")
    catalog = read(shop)
    assert "sales.mine" in catalog.tables
    assert shop.query("show search_path") == [("sales",)] and shop.in_transaction
    shop.rollback()
    assert "sales.mine" not in read(shop).tables


def test_a_slice_holds_the_structure_of_the_relations_asked_for_and_no_more(shop):
    catalog, whole = read(shop, relations=[Name(schema="sales", name="orders")]), read(shop)
    assert list(catalog.tables) == ["sales.orders"] and not catalog.complete and whole.complete
    assert structure(catalog.tables["sales.orders"]) == structure(whole.tables["sales.orders"])
    assert not catalog.sequences and not catalog.routines


def test_a_slice_has_the_fingerprint_of_the_whole(shop):
    """Whatever the relations are, and whatever was read before in the same session; what changes is seen."""
    whole = read(shop)
    names = [one.name for one in (*whole.tables.values(), *whole.views.values())]
    pairs = [(one,) for one in names] + list(pairwise(names)) + [tuple(names)]
    for some in pairs:
        assert read(shop, relations=some).fingerprint(some) == whole.fingerprint(some), some
    tenants = [Name(schema="public", name="tenants")]
    shop.execute("alter view cheap rename to no_longer_so")
    assert read(shop, relations=tenants).fingerprint(tenants) not in {"", whole.fingerprint(tenants)}


def test_a_slice_may_be_read_through_a_session_that_forgets(shop):
    orders = [Name(schema="sales", name="orders")]
    before = read(shop, relations=orders).fingerprint(orders)
    shop.execute("deallocate all")
    assert read(shop, relations=orders).fingerprint(orders) == before
    names = shop.query("select name from pg_prepared_statements")
    assert names and all(name.startswith("driftflow_") for (name,) in names)


def test_an_ordinary_role_reads_the_structure_and_is_told_what_it_cannot_read(shop, postgresql_server, postgresql_url):
    shop.execute("drop role if exists plain")
    shop.execute("create role plain login")
    try:
        connection = connect(postgresql_server.url(database_of(postgresql_url), user="plain"))
        mine, theirs = read(connection), read(shop)
        connection.close()
        assert mine.fingerprint() == theirs.fingerprint()
        assert any("may not use 1 schema (sales)" in sentence for sentence in mine.unseen)
        assert any("public.tenants" in sentence and "may not read rows" in sentence for sentence in mine.unseen)
    finally:
        shop.execute("drop role plain")


def test_an_exclusive_lock_does_not_hang_the_reading(shop, postgresql_url):
    with psycopg.connect(postgresql_url) as holder:
        holder.execute("lock table public.numbered in access exclusive mode")
        began = time.monotonic()
        numbered = read(shop).tables["public.numbered"]
        assert time.monotonic() - began < 1
        assert numbered.statistics.bytes is None and numbered.primary_key is not None
        holder.execute("lock table public.tenants in access exclusive mode")
        # a view over a locked table: pg_get_viewdef waits, we do not
        with pytest.raises(DatabaseError) as caught:
            read(shop)
    assert caught.value.code == "DF-E450"
    assert "public.tenants" in read(shop).tables


def test_rates_come_from_two_samples(shop, postgresql_url):
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(postgresql_url, autocommit=True) as writer:
            while not stop.is_set():
                writer.execute("insert into base values (1)")
                time.sleep(0.01)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        catalog = read(shop, sample_seconds=3)
    finally:
        stop.set()
        thread.join()
    assert catalog.tables["public.base"].statistics.writes_per_second > 5
    assert catalog.tables["public.derived"].statistics.writes_per_second == 0
    assert read(shop).tables["public.base"].statistics.writes_per_second is None


def test_publications_for_all_tables_and_for_schemas(shop):
    shop.execute("create publication everything for all tables")
    if shop.version.major >= 13:
        shop.execute("create publication parent for table log")
    if shop.version.major >= 15:
        shop.execute("create publication one_schema for tables in schema sales")
    catalog = read(shop)
    expected = ("everything", "one_schema") if shop.version.major >= 15 else ("everything",)
    assert catalog.tables["sales.orders"].publications == expected
    assert catalog.tables["public.scratch"].publications == ()
    if shop.version.major >= 13:  # a partitioned table carries its partitions
        assert catalog.tables["public.log_rest"].publications == ("everything", "parent")
    assert any(publication.all_tables for publication in catalog.publications)


def test_a_not_null_that_is_not_valid_proves_nothing(shop):
    if shop.version.major < 18:
        pytest.skip("NOT NULL ... NOT VALID came with PostgreSQL 18")
    shop.execute("alter table base add constraint x_there not null x not valid")
    base = read(shop).tables["public.base"]
    assert base.column("x").nullable
    assert base.constraint("x_there") == NotNull(name="x_there", column="x", validated=False)


def test_an_invalid_index_is_seen_as_invalid(shop, postgresql_url):
    shop.execute("insert into base values (1), (1)")
    with psycopg.connect(postgresql_url, autocommit=True) as other, pytest.raises(psycopg.errors.UniqueViolation):
        other.execute("create unique index concurrently base_x on base (x)")
    index = read(shop).tables["public.base"].index("base_x")
    assert isinstance(index, Index) and not index.valid


class Counted:
    """The connection, with its queries counted."""

    def __init__(self, connection: PostgresqlConnection) -> None:
        self._connection = connection
        self.queries = 0

    def query_dicts(self, *arguments):
        self.queries += 1
        return self._connection.query_dicts(*arguments)

    def __getattr__(self, name: str):
        return getattr(self._connection, name)


def test_two_thousand_tables_take_as_many_queries_as_one(postgresql_url, capsys):
    create = """
        do $$ begin
            for i in 1..2000 loop
                execute format('create table big_%1$s (id bigserial primary key, a integer not null, b text default ''x'', c timestamptz, check (a > 0))', i);
                execute format('create index on big_%1$s (b)', i);
                if i % 200 = 0 then commit; end if;
            end loop;
        end $$
    """
    with psycopg.connect(postgresql_url, autocommit=True) as setup:
        setup.execute(create.encode())
    connection = Counted(connect(postgresql_url))
    began = time.perf_counter()
    catalog = read(connection)
    seconds = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n2,000 tables on PostgreSQL {connection.version}: {seconds:.2f} s, {connection.queries} queries")
    assert len(catalog.tables) == 2000
    assert connection.queries == len(STRUCTURE + REST) + 1
    connection.close()


@pytest.mark.parametrize("version", range(12, 19))
def test_each_version_gets_its_own_lines(version):
    for name in ("database", "activity", "relations", *STRUCTURE, *REST):
        text = sql(name, version)
        assert "-- since" not in text and "-- before" not in text
        assert text.count("(") == text.count(")")
    assert ("attcompression" in sql("columns", version)) is (version >= 14)


def test_rows_are_what_the_dialect_takes(shop):
    rows = read_rows(shop)
    assert set(rows) == {"database", "rates", "scope", *STRUCTURE, *REST}
