"""How the values of a live database's columns are spread: what its own statistics say, and on SQLite, which keeps few, what the first rows say.

Numbers only. Where a server keeps values beside them (most common values, bounds of histograms), they are left where they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib import resources
from itertools import pairwise
from typing import Any

from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.model.catalog import Catalog, ColumnStatistics, Table, is_ours
from driftflow.model.record import replace

FREQUENCIES_MAX = 20
SAMPLE_ROWS = 10_000
"""Of a table of SQLite: the first ones, for nothing else costs so little."""
BLOB_ROWS = 200
"""Of a column whose values may be large."""
OFTEN = 1.5
"""A value counts as common where it has so many times the rows that it would have if all had as many."""
Found = Iterable[tuple[str, ColumnStatistics]]
"""(table as `Name.text`, column)."""


def with_column_statistics(connector: Connector, catalog: Catalog) -> Catalog:
    """The catalog, each table with what is known of its columns. Raises ConnectError; DatabaseFault where the connection is lost."""
    with closing(connector.connect("statistics")) as connection:
        found: dict[str, dict[str, ColumnStatistics]] = {}
        for table, column in _read(connection, catalog):
            found.setdefault(table, {})[column.column] = column
    return catalog.with_tables(
        replace(table, statistics=replace(table.statistics, columns=tuple(found[name].values())))
        for name, table in catalog.tables.items()
        if name in found and not is_ours(table.name.name)
    )


def _read(connection: Connection, catalog: Catalog) -> Found:
    match connection.dialect:
        case "postgresql":
            return _postgresql(connection, catalog)
        case "mysql":
            return (*_cardinalities(connection, catalog), *_histograms(connection, catalog))
        case "mariadb":
            return (*_cardinalities(connection, catalog), *_column_stats(connection, catalog))
        case _:
            return _sqlite(connection, catalog)


def _rows(connection: Connection, vendor: str, name: str) -> list[Mapping[str, Any]]:
    """Nothing where the server or our rights have no such statistics: they are a help, and no need."""
    try:
        found = connection.query_dicts(
            resources.files("driftflow.drivers").joinpath("catalog", vendor, f"{name}.sql").read_text()
        )
    except DatabaseFault as fault:
        if fault.kind.name == "CONNECTION_LOST":
            raise
        connection.rollback()
        return []
    return [{key.lower(): value for key, value in row.items()} for row in found]


def _fraction(number: object) -> float | None:
    return None if number is None else round(min(max(float(str(number)), 0.0), 1.0), 4)


def _common(fractions: Iterable[float], distinct: int | None) -> tuple[float, ...]:
    """The largest; where there are many, only those that are larger than an even spread would have them."""
    found = sorted((one for one in fractions if one > 0), reverse=True)[:FREQUENCIES_MAX]
    even = OFTEN / distinct if distinct and distinct > FREQUENCIES_MAX else 0.0
    return tuple(round(one, 4) for one in found if one >= even and one >= 0.0001)


# PostgreSQL


def _postgresql(connection: Connection, catalog: Catalog) -> Iterator[tuple[str, ColumnStatistics]]:
    for row in _rows(connection, "postgresql", "column_statistics"):
        name = f"{row['schema']}.{row['table']}"
        table = catalog.tables.get(name)
        if table is None:
            continue
        distinct = _distinct(float(row["distinct"]), table.statistics.rows)
        yield (
            name,
            ColumnStatistics(
                column=str(row["column"]),
                distinct=distinct,
                null_fraction=_fraction(row["null_fraction"]),
                frequencies=_common(row["frequencies"] or (), None),
                basis="pg_stats",
            ),
        )


def _distinct(said: float, rows: int | None) -> int | None:
    """Below zero it is the share of the rows, above it the number itself (pg_stats.n_distinct); 0 is unknown."""
    if said > 0:
        return round(said)
    return max(1, round(-said * rows)) if said < 0 and rows else None


# MySQL and MariaDB


def _cardinalities(connection: Connection, catalog: Catalog) -> Iterator[tuple[str, ColumnStatistics]]:
    """Of the first column of an index: how many values it has, and nothing of how they are spread."""
    for row in _rows(connection, "mysql", "cardinality"):
        table, distinct = _named(catalog, row), int(row["distinct"])
        if table is not None and distinct:  # of an empty table it is 0
            yield table.name.text, ColumnStatistics(column=str(row["column"]), distinct=distinct, basis="index")


def _histograms(connection: Connection, catalog: Catalog) -> Iterator[tuple[str, ColumnStatistics]]:
    """Of one value each, or of many: then only a bucket with one value says how common that is."""
    for row in _rows(connection, "mysql", "histograms"):
        if table := _named(catalog, row):
            ends = _numbers(row["ends"])
            sizes = [end - begin for begin, end in pairwise((0.0, *ends))]
            counts = _numbers(row["counts"]) or [1.0] * len(sizes)
            yield table.name.text, _of_buckets(row, sizes, counts, "histogram")


def _column_stats(connection: Connection, catalog: Catalog) -> Iterator[tuple[str, ColumnStatistics]]:
    """MariaDB's mysql.column_stats (ANALYZE TABLE ... PERSISTENT FOR ALL). Its buckets are shares of the rows that are not NULL."""
    for row in _rows(connection, "mysql", "column_stats_mariadb"):
        if table := _named(catalog, row):
            some = 1.0 - (_fraction(row["null_fraction"]) or 0.0)
            sizes = [one * some for one in _numbers(row["sizes"])]
            found = _of_buckets(row, sizes, _numbers(row["counts"]), "mysql.column_stats")
            average, rows = float(row["average"] or 0), table.statistics.rows
            if not sizes and average > 0 and rows:
                found = replace(found, distinct=max(1, round(rows * some / average)))
            yield table.name.text, found


def _of_buckets(row: Mapping[str, Any], sizes: Sequence[float], counts: Sequence[float], basis: str) -> ColumnStatistics:
    distinct = round(sum(counts)) or None
    single = [size for size, count in zip(sizes, counts, strict=False) if round(count) == 1]
    return ColumnStatistics(
        column=str(row["column"]),
        distinct=distinct,
        null_fraction=_fraction(row["null_fraction"]),
        frequencies=_common(single, distinct),
        basis=basis,
    )


def _named(catalog: Catalog, row: Mapping[str, Any]) -> Table | None:
    return catalog.tables.get(f"{catalog.database}.{row['table']}")


def _numbers(text: object) -> list[float]:
    return [float(one) for one in json.loads(str(text))] if text else []


# SQLite


def _sqlite(connection: Connection, catalog: Catalog) -> Iterator[tuple[str, ColumnStatistics]]:
    analyzed = dict(_stat1(connection, catalog))
    for name, table in catalog.tables.items():
        if table.kind != "table" or is_ours(table.name.name):
            continue
        for column in table.columns:
            found = _counted(connection, table, column.name)
            if found is not None:
                distinct = analyzed.get((name, column.name))
                yield name, found if distinct is None else replace(found, distinct=distinct, basis="sqlite_stat1, the first rows")


def _stat1(connection: Connection, catalog: Catalog) -> Iterator[tuple[tuple[str, str], int]]:
    """`stat` of an index is its rows, then how many of them have the same first column, and so on."""
    if not connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"):
        return
    said = {
        (str(table), str(index)): str(stat).split()
        for table, index, stat in connection.query("SELECT tbl, idx, stat FROM sqlite_stat1")
    }
    for name, table in catalog.tables.items():
        for index in table.indexes:
            stat = said.get((table.name.name, index.name.name), [])
            first = index.parts[0].column if index.parts and not index.predicate else ""
            if first and len(stat) > 1 and stat[0].isdigit() and stat[1].isdigit():
                yield (name, first), max(1, int(stat[0]) // max(1, int(stat[1])))


def _counted(connection: Connection, table: Table, column: str) -> ColumnStatistics | None:
    name, quoted = table.name.name.replace('"', '""'), column.replace('"', '""')
    declared = next(one.type.upper() for one in table.columns if one.name == column)
    limit = BLOB_ROWS if "BLOB" in declared else SAMPLE_ROWS
    sample = f'(SELECT "{quoted}" AS v FROM "{name}" LIMIT {limit})'
    rows, some, distinct = connection.query(f"SELECT count(*), count(v), count(DISTINCT v) FROM {sample}")[0]
    if not rows:
        return None
    counts = connection.query(
        f"SELECT count(*) FROM {sample} WHERE v IS NOT NULL GROUP BY v ORDER BY 1 DESC LIMIT {FREQUENCIES_MAX}"
    )
    whole = table.statistics.rows
    # Where nearly every row of the sample has a value of its own, so has the table.
    seen = round(distinct / rows * whole) if whole and whole > rows and some and distinct > some / 2 else distinct
    return ColumnStatistics(
        column=column,
        distinct=seen or None,
        null_fraction=_fraction(1 - some / rows),
        frequencies=_common([count / rows for (count,) in counts], distinct),
        basis="the first rows",
    )
