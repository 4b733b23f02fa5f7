"""Every table of a scratch database filled: parents first, rows that reference each other joined up afterwards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from driftflow.dialects.base import Dialect
from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.lab.rows.candidates import Maker
from driftflow.lab.rows.row_query import RowQuery
from driftflow.lab.rows.spelling import Spelling
from driftflow.lab.time_limit import limited
from driftflow.model.catalog import Catalog, ForeignKey, Table, TableStatistics, is_ours

ROWS = 2_000
ROWS_LEAST = 20
"""Of a table that statistics call (nearly) empty: without rows nothing would be shown of it."""
TRIES = (2, 16, 100)
"""Candidates for each row that is wanted, in turn: where CHECKs refuse many, more are tried."""
CANDIDATES_MAX = 400_000
JOINED_MAX = 2_000


@dataclass(kw_only=True)
class Filled:
    """What was made: how many rows of each table, the queries that make more of them, and what could not be, as sentences by table."""

    rows: dict[str, int] = field(default_factory=dict)
    queries: dict[str, RowQuery] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    impossible: dict[str, tuple[str, ...]] = field(default_factory=dict)


def spelling_of(dialect: Dialect) -> Spelling:
    match dialect.name:
        case "sqlite":
            from driftflow.lab.rows.spelling_sqlite import SqliteSpelling

            return SqliteSpelling()
        case "mysql" | "mariadb":
            from driftflow.lab.rows.spelling_mysql import MysqlSpelling

            return MysqlSpelling()
        case _:
            from driftflow.lab.rows.spelling_postgresql import PostgresqlSpelling

            return PostgresqlSpelling()


def fill(
    connector: Connector,
    catalog: Catalog,
    dialect: Dialect,
    *,
    rows: int = ROWS,
    seed: int = 1,
    statistics: Mapping[str, TableStatistics] = {},
    known: Mapping[tuple[str, str], Sequence[str]] = {},
    unwritten: Collection[tuple[str, str]] = (),
    told: Callable[[str], None] = lambda table: None,
) -> Filled:
    """Rows for each table of the catalog, no more than `rows`, nor than `statistics` say it has, and spread as they say. What a table cannot be given is said, and the
    rest is made. `unwritten` are (table, column) that are left to their defaults."""
    found = Filled()
    maker = Maker(
        catalog=catalog,
        dialect=dialect,
        spelling=spelling_of(dialect),
        seed=seed,
        filled=found.rows,
        known=known,
        spread=statistics,
        rows=rows,
    )
    later: list[tuple[Table, ForeignKey]] = []
    with closing(connector.connect("rows")) as connection:
        for table, pending in in_order(catalog):
            told(table.name.text)
            said = statistics.get(table.name.text)
            wanted = _wanted(rows, said.rows if said is not None else None)
            query, impossible = maker.query(table, later=pending)
            query = query.without({column for holder, column in unwritten if holder == table.name.name})
            found.queries[table.name.text] = query
            if not impossible:
                impossible = _fill(connection, table, query, found, wanted=wanted)
            if impossible:
                found.impossible[table.name.text] = impossible
            found.rows.setdefault(table.name.text, 0)
            later += [(table, key) for key in pending]
        for table, key in later:
            _join_up(connection, table, key, dialect, found)
    return found


def _wanted(rows: int, size: int | None) -> int:
    return rows if not size or size < 0 else max(min(rows, size), min(rows, ROWS_LEAST))


def _fill(connection: Connection, table: Table, query: RowQuery, found: Filled, *, wanted: int) -> tuple[str, ...]:
    name, key = query.dialect.quote_name(table.name), table.name.text
    into = f"INSERT INTO {name} ({query.listed})" if query.columns else ""
    for factor in TRIES:
        tries = min(wanted * factor, CANDIDATES_MAX)
        sql = f"{into} {query.sql(tries=tries, rows=wanted)}" if into else f"INSERT INTO {name} DEFAULT VALUES"
        try:
            with limited(connection, sql):
                connection.begin()
                for _ in range(1 if into else wanted):
                    connection.execute(sql)
                made = int(connection.query(f"SELECT count(*) FROM {name}")[0][0])
                if made >= wanted or factor == TRIES[-1] or tries == CANDIDATES_MAX:
                    connection.commit()
                    found.rows[key], found.tries[key] = made, tries
                    return () if made else (f"no row of {table.name} was found that its CHECKs and keys let in",)
        except DatabaseFault as fault:
            return (f"no rows could be made for {table.name}: {fault.message}",)
        finally:
            connection.rollback()
    return ()


def _join_up(connection: Connection, table: Table, key: ForeignKey, dialect: Dialect, found: Filled) -> None:
    """Foreign keys of rows that reference each other: two of three rows get a parent from the first third, none beyond it."""
    primary = table.primary_key
    if primary is None or not found.rows.get(table.name.text) or not found.rows.get(key.referenced.text):
        return
    own = connection.query(
        f"SELECT {_listed(primary.columns, dialect)} FROM {dialect.quote_name(table.name)} ORDER BY {_listed(primary.columns, dialect)}"
    )
    parents = connection.query(
        f"SELECT {_listed(key.referenced_columns, dialect)} FROM {dialect.quote_name(key.referenced)} ORDER BY {_listed(key.referenced_columns, dialect)}"
    )
    changes = [(*parents[number // 3 % len(parents)], *row) for number, row in enumerate(own[:JOINED_MAX]) if number % 3]
    assigned = ", ".join(f"{dialect.quote(name)} = %s" for name in key.columns)
    where = " AND ".join(f"{dialect.quote(name)} = %s" for name in primary.columns)
    connection.begin()
    try:
        connection.execute_many(f"UPDATE {dialect.quote_name(table.name)} SET {assigned} WHERE {where}", changes)
        connection.commit()
    except DatabaseFault as fault:
        connection.rollback()
        found.impossible[table.name.text] = (f"{key.name or ', '.join(key.columns)} of {table.name} stays NULL: {fault.message}",)


def _listed(names: Sequence[str], dialect: Dialect) -> str:
    return ", ".join(map(dialect.quote, names))


def in_order(catalog: Catalog) -> Iterator[tuple[Table, tuple[ForeignKey, ...]]]:
    """Every table that takes rows of its own, parents first, with its foreign keys that must wait: those to itself and around a circle."""
    left = {
        table.name.text: table
        for table in catalog.tables.values()
        if table.kind == "table"
        and table.partition_of is None
        and not is_ours(table.name.name)
        and not is_ours(table.name.schema)
    }
    while left:
        ready = [table for table in left.values() if not (_parents(table) & left.keys())]
        if not ready:  # a circle: begin where a key may stay NULL
            ready = [min(left.values(), key=lambda table: (_bound(table, left), table.name.text))]
        for table in ready:
            del left[table.name.text]
            waits = {*left, table.name.text}
            yield table, tuple(key for key in table.foreign_keys if key.referenced.text in waits)


def _parents(table: Table) -> set[str]:
    return {key.referenced.text for key in table.foreign_keys if key.referenced != table.name}


def _bound(table: Table, left: Mapping[str, Table]) -> int:
    """How many of its foreign keys must have a value at once."""
    columns = {column.name: column.nullable for column in table.columns}
    return sum(
        key.referenced.text in left and not all(columns.get(name, False) for name in key.columns) for key in table.foreign_keys
    )
