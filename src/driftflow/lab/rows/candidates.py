"""A value for each column of a made-up row: by its type, what it references, what its CHECKs name, and what statistics say."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from driftflow.dialects.base import Dialect
from driftflow.lab.rows.checks import Constants, constants_of
from driftflow.lab.rows.partitions import partition_values
from driftflow.lab.rows.row_query import RowQuery, unique_keys
from driftflow.lab.rows.spelling import HASHED, Spelling, limit_of
from driftflow.lab.rows.spread import ROWS_ASSUMED, Spread
from driftflow.model.catalog import Catalog, Column, ForeignKey, Table, TableStatistics
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex

TEXTUAL = ("char", "text", "clob", "string")
DAY = lazy_regex(r"'\d{4}-\d\d-\d\d")
READ_STRICTLY = ("uuid", "inet", "cidr", "macaddr", "bytea", "interval", "bool", "range", "[]", "xml", "bit", "point", "tsvector")
"""Types of which a text is a value only in a form of their own; values of them are made up in plenty."""
NUMERIC = ("int", "num", "dec", "real", "doub", "float", "money")


@dataclass(kw_only=True)
class Values:
    """How the columns of one table get their values, and why a row cannot be made at all."""

    by_column: dict[str, str] = field(default_factory=dict)
    joins: list[str] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Maker:
    """What makes rows for the tables of one catalog. `filled` is how many rows the tables that were filled have."""

    catalog: Catalog
    dialect: Dialect
    spelling: Spelling
    seed: int
    filled: Mapping[str, int]
    known: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    """(table, column) → SQL literals that an external source of the plan holds."""
    spread: Mapping[str, TableStatistics] = field(default_factory=dict)
    """By table, what the database says of its columns."""
    said: Collection[tuple[str, str]] = ()
    """(table, column) that the application gives a value of its own in every row, although the server would, or the column may be NULL."""
    rows: int = ROWS_ASSUMED
    """How many rows of each table are made."""

    def query(self, table: Table, *, later: Sequence[ForeignKey] = ()) -> tuple[RowQuery, tuple[str, ...]]:
        """The rows of one table, foreign keys in `later` still NULL; and why there can be none, as sentences."""
        values = Values()
        singles = {key.columns[0] for key in unique_keys(table, self.dialect) if len(key.parts) == 1 and key.columns}
        differ = singles or _one_of_the_widest(table, self.dialect)
        self._references(table, values, later=later, singles=singles)
        constants = constants_of(table, self.catalog)
        referring = {*values.by_column}
        for column in table.columns:
            left = made_by_the_server(column, table, self.catalog.vendor) and (table.name.text, column.name) not in self.said
            if column.name not in referring and not left:
                self._column(table, column, values, constants.get(column.name, Constants()), unique=column.name in differ)
        query = RowQuery(
            table=table,
            values=values.by_column,
            joins=values.joins,
            catalog=self.catalog,
            dialect=self.dialect,
            spelling=self.spelling,
            unnumbered=frozenset(name for name in differ if name in values.by_column and values.by_column[name].find("CASE") < 0)
            - referring,
        )
        return query, tuple(values.impossible)

    def _salt(self, *words: str) -> int:
        return zlib.crc32("\0".join((str(self.seed), *words)).encode()) % 1_000_000

    def _spread_of(self, table: Table, column: str) -> Spread:
        whole = self.spread.get(table.name.text)
        found = whole.column(column) if whole is not None else None
        return Spread.of(found, whole.rows if whole is not None else None, made=self.rows)

    def _or_null(self, value: str, salt: int, spread: Spread) -> str:
        if not spread.nulls:
            return value
        return f"CASE WHEN {self.spelling.hashed(salt + 7)} < {spread.nulls} THEN NULL ELSE {value} END"

    # parents

    def _references(self, table: Table, values: Values, *, later: Sequence[ForeignKey], singles: set[str]) -> None:
        """The widest key first: a column that two keys share is the wider one's."""
        quote = self.dialect.quote
        for number, key in enumerate(sorted(table.foreign_keys, key=lambda key: -len(key.columns))):
            if any(name in values.by_column for name in key.columns):
                continue
            nullable = all(column is not None and column.nullable for column in map(table.column, key.columns))
            count = self.filled.get(key.referenced.text, 0)
            if key in later or not count:
                values.by_column |= {name: self._nothing(table, name) for name in key.columns}
                if not nullable:
                    why = "rows that reference each other" if key in later else f"{key.referenced}, which has no rows"
                    values.impossible.append(f"{table.name}.{', '.join(key.columns)} references {why}")
                continue
            salt = self._salt(table.name.text, *key.columns)
            once = {*key.columns} <= singles or any({*one.columns} == {*key.columns} for one in unique_keys(table, self.dialect))
            spread = self._spread_of(table, key.columns[0])
            pick = f"((s.n - 1) % {count})" if once else self._parent(count, salt, spread)
            pick = self._or_null(pick, salt, spread) if nullable else pick
            parent = ", ".join(map(quote, key.referenced_columns))
            values.joins.append(
                f"LEFT JOIN (SELECT {parent}, row_number() OVER (ORDER BY {parent}) - 1 AS driftflow_r"
                f" FROM {self.dialect.quote_name(key.referenced)}) AS p{number} ON p{number}.driftflow_r = {pick}"
            )
            for name, referenced in zip(key.columns, key.referenced_columns, strict=True):
                values.by_column[name] = f"p{number}.{quote(referenced)}"

    def _nothing(self, table: Table, name: str) -> str:
        """NULL of the column's type: what comes out of a query without one is a text."""
        column = table.column(name)
        value = self.spelling.value(column, "(s.n - 1)", self.catalog) if column is not None else None
        return f"CASE WHEN 1 = 0 THEN {value} END" if value else "NULL"

    def _parent(self, count: int, salt: int, spread: Spread) -> str:
        """Which parent, from 0: as the statistics have it, or as it mostly is in life."""
        return f"({spread.k(self.spelling, salt)} % {count})" if spread.known else self._popular(count, salt)

    def _popular(self, count: int, salt: int) -> str:
        """Some have many children, most have few."""
        hashed = self.spelling.hashed(salt)
        return self.spelling.divided(f"({self.spelling.divided(f'({hashed} * {hashed})', HASHED)} * {count})", HASHED)

    # values

    def _column(self, table: Table, column: Column, values: Values, constants: Constants, *, unique: bool) -> None:
        salt = self._salt(table.name.text, column.name)
        spread = self._spread_of(table, column.name)
        k = "(s.n - 1)" if unique else spread.k(self.spelling, salt)
        value = self._document(column, k) if constants.document else self.spelling.value(column, k, self.catalog)
        if value is None:
            if not column.nullable and column.default is None:
                values.impossible.append(f"{table.name}.{column.name} is of type {column.type}, of which no value is made")
            return
        choices, others = self._choices(table, column, constants, unique=unique, salt=salt)
        if choices:
            listed = " ".join(f"WHEN {number} THEN {choice}" for number, choice in enumerate(choices))
            number = k if spread.known and not unique else self.spelling.hashed(salt + 3)
            value = f"CASE {number} % {len(choices) + others} {listed} ELSE {value} END"
        # Of a key that may be NULL the statistics say how often it is; without them it never is.
        # NULL has no partition to go to where none takes what is left.
        bound = bool(partition_values(table, column.name, self.catalog))
        said = _in_primary(column, table) or bound or (table.name.text, column.name) in self.said
        free = column.nullable and (not unique or spread.known) and not said
        values.by_column[column.name] = self._or_null(value, salt, spread) if free else value

    def _choices(self, table: Table, column: Column, constants: Constants, *, unique: bool, salt: int) -> tuple[list[str], int]:
        """Values that partitions, the plan's own sources or CHECKs name; and to how many of them one is made up."""
        if bounds := partition_values(table, column.name, self.catalog):
            return [self._cast(one, column) for one in bounds], 0
        if known := self.known.get((table.name.text, column.name)):
            return [self._cast(one, column) for one in known], len(known)
        if constants.document:
            return ([self._cast("'[1]'", column)] if any(one.lower() == "'array'" for one in constants.texts) else []), 1
        type = column.type.lower()
        textual = any(word in type for word in TEXTUAL) or type in ("name", "citext", "")
        if textual and constants.lengths:
            k = "(s.n - 1)" if unique else self.spelling.hashed(salt)
            limit = limit_of(column.type) or 2_000
            fitting = [one for one in constants.lengths if 0 < one <= limit]
            return [self.spelling.padded(self.spelling.as_text(k), one) for one in fitting], 1
        if texts := [one for one in constants.texts if _is_value(one, type)]:
            # A CHECK of a key may name all values that there are, or forbid one.
            return [self._cast(one, column) for one in texts], len(texts) if unique else 0
        if unique:
            return [], 1
        if any(word in type for word in NUMERIC):
            return [str(number) for number in constants.numbers], max(1, len(constants.numbers))
        return [], 1

    def _document(self, column: Column, k: str) -> str | None:
        """JSON in a column of whatever type keeps it."""
        if any(word in column.type.lower() for word in NUMERIC):
            return self.spelling.value(column, k, self.catalog)
        made = self.spelling.value(replace(column, type="json"), k, self.catalog)
        return self._cast(made, column) if made is not None else None

    def _cast(self, literal: str, column: Column) -> str:
        return f"CAST({literal} AS {column.type})" if self.catalog.vendor == "postgresql" else literal


def _is_value(literal: str, type: str) -> bool:
    """Whether a text that a CHECK names can be a value of the column, and is not compared with what a function makes of it (`to_char(day, 'YYYY')`)."""
    if any(word in type for word in ("date", "time")):
        return bool(DAY.match(literal))
    return not any(word in type for word in (*NUMERIC, *READ_STRICTLY))


def made_by_the_server(column: Column, table: Table, vendor: str) -> bool:
    """Whether the application, too, leaves it to the server: a generated column, an identity, a sequence's number, SQLite's rowid."""
    if column.generated is not None or column.identity is not None or column.autoincrement or column.serial:
        return True
    if column.default is not None and "nextval(" in column.default:
        return True
    key = table.primary_key
    return (
        vendor == "sqlite"
        and key is not None
        and key.columns == (column.name,)
        and column.type.upper() == "INTEGER"
        and "WITHOUT ROWID" not in table.options
    )


def _in_primary(column: Column, table: Table) -> bool:
    return table.primary_key is not None and column.name in table.primary_key.columns


def _one_of_the_widest(table: Table, dialect: Dialect) -> set[str]:
    """Where every unique key has several columns: one that references nothing, so that there are enough different rows."""
    referring = {name for key in table.foreign_keys for name in key.columns}
    found: set[str] = set()
    for key in unique_keys(table, dialect):
        free = [name for name in key.columns if name not in referring]
        if len(key.columns) > 1 and free:
            found.add(free[-1])
    return found
