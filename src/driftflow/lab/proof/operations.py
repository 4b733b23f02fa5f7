"""What a made-up application does to the tables of a catalog: it inserts rows, changes rows, and deletes some of those that it inserted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from driftflow.dialects.base import Dialect
from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.lab.proof.application import Operation, packed, unpacked
from driftflow.lab.rows.candidates import Maker, made_by_the_server
from driftflow.lab.rows.checks import names_in
from driftflow.lab.rows.fill import spelling_of
from driftflow.lab.rows.row_query import RowQuery, unique_keys
from driftflow.model.catalog import Catalog, Table, TableStatistics
from driftflow.patterns import lazy_regex

POOL = 400
"""Rows ready to be inserted, of each table; of many tables fewer each."""
POOL_LEAST = 40
TRIES = 6
"""Candidates for each of them."""
TABLES_FULL = 12
"""So many tables have a whole pool each."""
NEW = lazy_regex(r"\bNEW\s*\.", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Replay:
    """SQL that does again what an operation did; behind its values stand those of the key that came back which the server had made."""

    sql: str
    made: tuple[int, ...] = ()
    """Places in the key that came back."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """The operations, and what repeats each of them."""

    operations: tuple[Operation, ...] = ()
    replays: Mapping[str, Replay] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Tables that are not written, and why, as sentences."""


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What is known of how the application writes, by (table, column)."""

    unwritten: frozenset[tuple[str, str]] = frozenset()
    """It leaves these alone."""
    derived: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """It writes what this expression over NEW says: an application that knows the column writes what the trigger wrote for the old one."""
    read: frozenset[tuple[str, str]] = frozenset()
    """Rows of other tables get values that are made of these. They are not changed: else it would depend on the moment what is right there."""
    said: frozenset[tuple[str, str]] = frozenset()
    """It gives these a value of its own in every row: what stands in for the table asks for it."""


def operations_on(
    connector: Connector,
    catalog: Catalog,
    dialect: Dialect,
    *,
    tables: Collection[str],
    counts: Mapping[str, int],
    seed: int,
    beyond: int,
    habits: Habits,
    spread: Mapping[str, TableStatistics],
) -> Written:
    """Operations for these tables, as whoever knows the columns of `catalog` writes them. `counts` says how many rows tables have; candidates
    up to number `beyond` are left out, for they were used already."""
    spelling = spelling_of(dialect)
    maker = Maker(catalog=catalog, dialect=dialect, spelling=spelling, seed=seed, filled=counts, spread=spread, said=habits.said)
    found: list[Operation] = []
    replays: dict[str, Replay] = {}
    written: list[str] = []
    left_out: list[str] = []
    holders = _holders(tables, catalog)
    most = max(POOL_LEAST, POOL * TABLES_FULL // max(TABLES_FULL, len(holders)))
    with closing(connector.connect("application")) as connection:
        for name, table in holders.items():
            why, operations, replay = _of_table(connection, table, maker, beyond=beyond, habits=habits, most=most)
            if why:
                left_out.append(why)
                continue
            found += operations
            replays |= replay
            written.append(name)
    return Written(operations=tuple(found), replays=replays, tables=tuple(written), left_out=tuple(left_out))


def _holders(tables: Collection[str], catalog: Catalog) -> dict[str, Table]:
    """Those that take rows of their own; a partition's come through the table that it is part of."""
    found = {}
    for name in sorted(tables):
        table = catalog.tables.get(name)
        while table is not None and table.partition_of is not None:
            table = catalog.table(table.partition_of)
        if table is not None and table.kind == "table":
            found[table.name.text] = table
    return found


def _row_key(table: Table, dialect: Dialect) -> tuple[str, ...]:
    """The columns that tell a row from every other: of the primary key, or of a unique one without NULLs."""
    if table.primary_key is not None:
        return table.primary_key.columns
    plain = {column.name for column in table.columns if not column.nullable}
    unique = (key.columns for key in unique_keys(table, dialect) if not key.where and len(key.columns) == len(key.parts))
    return next((columns for columns in unique if {*columns} <= plain), ())


def _of_table(
    connection: Connection, table: Table, maker: Maker, *, beyond: int, habits: Habits, most: int
) -> tuple[str, list[Operation], dict[str, Replay]]:
    """(why there are none, the operations, what replays them). Without a key rows are only inserted; where no more are let in, those that are
    there are changed."""
    key = _row_key(table, maker.dialect)
    later = [one for one in table.foreign_keys if one.referenced == table.name]
    query, impossible = maker.query(table, later=later)
    left_alone = {column for holder, column in habits.unwritten if holder in (table.name.text, table.name.name)}
    query = query.without(left_alone)
    if impossible or not query.columns:
        return (impossible or (f"{table.name} has no column to write",))[0], [], {}
    pool = _pool(connection, query, habits, beyond=beyond, most=most)
    operations, replays = _insert(table, query, pool, maker, key) if pool else ([], {})
    where = " AND ".join(f"{maker.dialect.quote(column)} = %s" for column in key)
    rows = pool or _rows_there(connection, query, maker, most=most)
    update = _update(connection, table, query, rows, maker, habits=habits, where=where, key=key, most=most) if key else None
    if update is not None:
        operations.append(update)
        replays[update.name] = Replay(sql=update.sql)
    if key and pool:
        name, label = maker.dialect.quote_name(table.name), table.name.text
        operations.append(
            Operation(name=f"delete from {label}", sql=f"DELETE FROM {name} WHERE {where}", values=[], deletes=label)
        )
        replays[operations[-1].name] = Replay(sql=operations[-1].sql)
    if not operations:
        return f"no more rows of {table.name} were found that its CHECKs and keys let in, and none to change", [], {}
    return "", operations, replays


def _insert(
    table: Table, query: RowQuery, pool: list[list[object]], maker: Maker, key: tuple[str, ...]
) -> tuple[list[Operation], dict[str, Replay]]:
    """What comes back is the key; of a table without one, the numbers that the server made."""
    quote, name, label = maker.dialect.quote, maker.dialect.quote_name(table.name), table.name.text
    numbered = tuple(
        column.name
        for column in table.columns
        if column.generated is None
        and column.name not in query.values
        and made_by_the_server(column, table, maker.catalog.vendor)
    )
    told = key or numbered
    sql = f"INSERT INTO {name} ({query.listed}) VALUES ({', '.join(['%s'] * len(query.columns))})"
    returning = not maker.dialect.one_pass and told  # MySQL has no RETURNING, and MariaDB is written to in the same way
    insert = Operation(
        name=f"insert into {label}",
        sql=f"{sql} RETURNING {', '.join(map(quote, told))}" if returning else sql,
        values=pool,
        inserts=label,
        key=[] if returning else [query.columns.index(one) if one in query.columns else -1 for one in told],
    )
    missing = [column for column in told if column not in query.columns]
    overriding = " OVERRIDING SYSTEM VALUE" if maker.catalog.vendor == "postgresql" and missing else ""
    whole = ", ".join([query.listed, *map(quote, missing)])
    places = ", ".join(["%s"] * (len(query.columns) + len(missing)))
    made = tuple(told.index(column) for column in missing)
    replay = Replay(sql=f"INSERT INTO {name} ({whole}){overriding} VALUES ({places})", made=made)
    return [insert], {insert.name: replay}


def _rows_there(connection: Connection, query: RowQuery, maker: Maker, *, most: int) -> list[list[object]]:
    """Rows of the table itself, to be given to others."""
    listed = ", ".join(_texts(query.columns, maker))
    found = connection.query(f"SELECT {listed} FROM {maker.dialect.quote_name(query.table.name)} LIMIT {most}")
    return [[packed(value) for value in row] for row in found]


def _update(
    connection: Connection,
    table: Table,
    query: RowQuery,
    rows: Sequence[list[object]],
    maker: Maker,
    *,
    habits: Habits,
    where: str,
    key: tuple[str, ...],
    most: int,
) -> Operation | None:
    """Rows of the start take values of others; columns of keys and of partitions stay."""
    quote, name = maker.dialect.quote, maker.dialect.quote_name(table.name)
    keyed = unique_keys(table, maker.dialect)
    named = {word for unique in keyed for part in unique.parts for word in names_in(part, maker.catalog.vendor)}
    fixed = {column for unique in keyed for column in unique.columns}
    fixed |= {column.name for column in table.columns if column.name.lower() in named}
    fixed |= {*table.partitioning.key} if table.partitioning is not None else set()
    fixed |= {column for holder, column in habits.read if holder == table.name.text}
    free = [column for column in query.columns if column not in fixed]
    listed = ", ".join(_texts(key, maker))
    keys = connection.query(f"SELECT {listed} FROM {name} ORDER BY {listed} LIMIT {most}")
    if not free or not keys or not rows:
        return None
    places = [query.columns.index(column) for column in free]
    values = [[*(rows[number % len(rows)][place] for place in places), *map(packed, one)] for number, one in enumerate(keys)]
    assigned = ", ".join(f"{quote(column)} = %s" for column in free)
    return Operation(name=f"update {table.name.text}", sql=f"UPDATE {name} SET {assigned} WHERE {where}", values=values)


def _pool(connection: Connection, query: RowQuery, habits: Habits, *, beyond: int, most: int) -> list[list[object]]:
    """Made-up rows that the table takes now, one after the other and together; none of them stays."""
    sql = query.sql(tries=beyond + POOL * TRIES, rows=most, beyond=beyond, listed=", ".join(_spelled(query, habits)))
    try:
        rows = [[packed(value) for value in row] for row in connection.query(sql)]
    except DatabaseFault:
        connection.rollback()
        return []
    name, place = query.dialect.quote_name(query.table.name), ", ".join(["%s"] * len(query.columns))
    kept = []
    connection.begin()
    try:
        for row in rows:
            connection.execute("SAVEPOINT driftflow_row")
            try:
                connection.execute(f"INSERT INTO {name} ({query.listed}) VALUES ({place})", [unpacked(value) for value in row])
                kept.append(row)
            except DatabaseFault:
                connection.execute("ROLLBACK TO SAVEPOINT driftflow_row")
            connection.execute("RELEASE SAVEPOINT driftflow_row")
    except DatabaseFault:
        return []
    finally:
        connection.rollback()
    return kept


def _spelled(query: RowQuery, habits: Habits) -> Iterator[str]:
    """The columns as the process takes them: PostgreSQL's as text, which the server reads back as whatever type the column has."""
    for column in query.columns:
        expression = habits.derived.get((query.table.name.text, column))
        quoted = f"({NEW.sub('e.', expression)})" if expression else query.dialect.quote(column)
        yield f"{quoted}::text" if query.catalog.vendor == "postgresql" else quoted


def _texts(columns: Sequence[str], maker: Maker) -> Iterator[str]:
    for column in columns:
        quoted = maker.dialect.quote(column)
        yield f"{quoted}::text" if maker.catalog.vendor == "postgresql" else quoted
