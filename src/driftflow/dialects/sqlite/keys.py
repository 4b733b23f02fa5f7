"""Keys of a table as SQLite takes them: which primary key is the rowid itself, and where a key alone keeps NULL out.

The indexes that SQLite adds for keys (`sqlite_autoindex_t_1`) follow from the constraints and are not in the catalog.
Source: SQLite's build.c (sqlite3AddPrimaryKey, convertToWithoutRowidTable), and measured on 3.40 and 3.54.
"""

from __future__ import annotations

from driftflow.dialects.sqlite.types import is_rowid_type
from driftflow.model.catalog import Check, Column, ForeignKey, NotNull, PrimaryKey, Table, Unique
from driftflow.model.record import replace

WITHOUT_ROWID = "WITHOUT ROWID"
STRICT = "STRICT"
_ORDER: dict[type, int] = {PrimaryKey: 0, Unique: 0, NotNull: 1, ForeignKey: 2, Check: 3}


def settle(table: Table) -> Table:
    """The table with its constraints in one order and the columns' nullability as it really is.

    Keys keep their order among themselves, because SQLite numbers its own indexes by it; a primary key that is the rowid has none and comes first.
    """
    alias = rowid_alias(table)
    constraints = sorted(table.constraints, key=lambda c: (_ORDER.get(type(c), 4), not (alias and isinstance(c, PrimaryKey))))
    table = replace(table, constraints=tuple(constraints))
    return replace(table, columns=tuple(replace(c, nullable=c.nullable and not never_null(table, c.name)) for c in table.columns))


def rowid_alias(table: Table) -> str:
    """The column that is the rowid: the only column of the primary key, declared exactly INTEGER. Empty when there is none.

    `id INTEGER PRIMARY KEY DESC` is none, `PRIMARY KEY (id DESC)` behind the columns is one: an old mistake that SQLite keeps. The parser
    tells them apart: only the first keeps its `parts`.
    """
    key = table.primary_key
    if key is None or len(key.columns) != 1 or WITHOUT_ROWID in table.options:
        return ""
    column = column_named(table, key.columns[0])
    if column is None or not is_rowid_type(column.type):
        return ""
    return "" if any(part.descending for part in key.parts) else column.name


def never_null(table: Table, name: str) -> bool:
    """Whether the primary key alone keeps NULL out: as the rowid, or in a WITHOUT ROWID or STRICT table."""
    key = table.primary_key
    if key is None or name.lower() not in {column.lower() for column in key.columns}:
        return False
    return bool(rowid_alias(table)) or WITHOUT_ROWID in table.options or STRICT in table.options


def column_named(table: Table, name: str) -> Column | None:
    """Without regard to case, as SQLite compares names."""
    wanted = name.lower()
    return next((column for column in table.columns if column.name.lower() == wanted), None)


def has_rowid(table: Table) -> bool:
    return table.kind != "virtual" and WITHOUT_ROWID not in table.options
