"""Walking a table by its key: boundaries, ranges, and keys as text that survives the journal.

Keys compare by the server's own rules (collation, numeric 1.0 = 1), so they are never compared here. A half-open range (lo, hi] over a
row value uses the key's index on both vendors; OFFSET is only ever taken on that index, never on the data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from driftflow.engine import keyset_mysql
from driftflow.engine.faults import no_key_column
from driftflow.engine.ports import Connection, Row
from driftflow.model.names import Name
from driftflow.model.record import Record

TYPES = """
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid IN (20, 21, 23)
FROM pg_catalog.pg_attribute AS a
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""


class Keyset(Record, frozen=True, kw_only=True):
    """One table's key. `casts` are the key's types where a text must be turned back into them: `::uuid` on PostgreSQL, `DATE` on MySQL."""

    dialect: str
    table: Name
    columns: tuple[str, ...]
    casts: tuple[str, ...] = ()
    read_as_text: tuple[bool, ...] = ()
    read_as: tuple[str, ...] = ()
    """MySQL: in which words each column is read, `{}` is its name."""

    @property
    def target(self) -> str:
        """The table as SQL."""
        name = self.quoted(self.table.name)
        return f"{self.quoted(self.table.schema)}.{name}" if self.table.schema else name

    @property
    def on_mysql(self) -> bool:
        return self.dialect in {"mysql", "mariadb"}

    def quoted(self, identifier: str) -> str:
        return quoted(identifier, dialect=self.dialect)

    def column(self, name: str) -> str:
        """Qualified by the table's own name, as a join needs it."""
        return f"{self.quoted(self.table.name)}.{name if self._is_rowid(name) else self.quoted(name)}"

    def _is_rowid(self, name: str) -> bool:
        return self.dialect == "sqlite" and name.lower() in {"rowid", "_rowid_", "oid"}

    @property
    def row(self) -> str:
        """The key as one comparable value."""
        names = ", ".join(self.column(name) for name in self.columns)
        return names if len(self.columns) == 1 else f"({names})"

    @property
    def placeholders(self) -> str:
        marks = self._marks
        return marks[0] if len(marks) == 1 else f"({', '.join(marks)})"

    @property
    def _marks(self) -> list[str]:
        casts = self.casts or ("",) * len(self.columns)
        if self.on_mysql:
            return [f"CAST(%s AS {cast})" if cast else "%s" for cast in casts]
        return [f"%s{escaped(cast)}" for cast in casts]

    @property
    def selected(self) -> str:
        """The key's columns as they are read: text where Python would not carry the value unharmed."""
        if self.on_mysql:
            words = self.read_as or ("{}",) * len(self.columns)
            return ", ".join(word.replace("{}", self.column(name)) for name, word in zip(self.columns, words, strict=True))
        plain = self.read_as_text or (False,) * len(self.columns)
        return ", ".join(
            f"{self.column(name)}::text" if text else self.column(name) for name, text in zip(self.columns, plain, strict=True)
        )

    @property
    def order(self) -> str:
        return ", ".join(self.column(name) for name in self.columns)

    def descending(self) -> str:
        return ", ".join(f"{self.column(name)} DESC" for name in self.columns)

    def range(self, low: Row | None, high: Row) -> tuple[str, list[Any]]:
        """`(lo, hi]` as a condition and its parameters; open below without `low`."""
        if self.on_mysql:
            return keyset_mysql.bounds([escaped(self.column(name)) for name in self.columns], self._marks, low, high)
        row = escaped(self.row)
        text, parameters = f"{row} <= {self.placeholders}", list(high)
        if low is not None:
            text, parameters = f"{row} > {self.placeholders} AND {text}", [*low, *parameters]
        return text, parameters

    def upper(self, connection: Connection) -> Row | None:
        """The greatest key now; None for an empty table."""
        rows = connection.query(f"SELECT {self.selected} FROM {self.target} ORDER BY {self.descending()} LIMIT 1")
        return rows[0] if rows else None

    def boundary(self, connection: Connection, *, low: Row | None, upper: Row, keys: int) -> Row:
        """The key `keys` places behind `low`, or `upper` where fewer are left."""
        condition, parameters = self.range(low, upper)
        selected, target, order = escaped(self.selected), escaped(self.target), escaped(self.order)
        sql = f"SELECT {selected} FROM {target} WHERE {condition} ORDER BY {order} LIMIT 1 OFFSET %s"
        rows = connection.query(sql, [*parameters, keys - 1])
        return rows[0] if rows else upper


def keyset(connection: Connection, table: Name, columns: Sequence[str]) -> Keyset:
    """Raises StepFailedError when the table has no such column."""
    if connection.dialect in {"mysql", "mariadb"}:
        casts, words = keyset_mysql.travels(connection, table, columns)
        return Keyset(dialect=connection.dialect, table=table, columns=tuple(columns), casts=casts, read_as=words)
    if connection.dialect != "postgresql":
        return Keyset(dialect=connection.dialect, table=table, columns=tuple(columns))
    name = f"{quoted(table.schema)}.{quoted(table.name)}" if table.schema else quoted(table.name)
    types = {column: (f"::{type}", not integer) for column, type, integer in connection.query(TYPES, (name,))}
    missing = [column for column in columns if column not in types]
    if missing:
        raise no_key_column(table, missing)
    return Keyset(
        dialect="postgresql",
        table=table,
        columns=tuple(columns),
        casts=tuple(types[column][0] for column in columns),
        read_as_text=tuple(types[column][1] for column in columns),
    )


def quoted(identifier: str, *, dialect: str = "") -> str:
    mark = "`" if dialect in {"mysql", "mariadb"} else '"'
    return mark + identifier.replace(mark, mark * 2) + mark


def escaped(fragment: str) -> str:
    """A piece of a user's SQL, or a name, inside a statement with placeholders."""
    return fragment.replace("%", "%%")


def packed(key: Row | None) -> str:
    """A key as JSON text; bytes and floats keep their exact value."""
    return "" if key is None else json.dumps([_pack(value) for value in key], separators=(",", ":"))


def unpacked(text: str) -> Row | None:
    return tuple(_unpack(value) for value in json.loads(text)) if text else None


def _pack(value: Any) -> Any:
    match value:
        case bytes():
            return {"bytes": value.hex()}
        case float():
            return {"float": value.hex()}
        case _:
            return value


def _unpack(value: Any) -> Any:
    match value:
        case {"bytes": str(text)}:
            return bytes.fromhex(text)
        case {"float": str(text)}:
            return float.fromhex(text)
        case _:
            return value


def shown(key: Row | None) -> tuple[str | int | None, ...]:
    """For events: what a person can read."""
    return tuple(value if isinstance(value, (str, int)) or value is None else str(value) for value in key or ())
