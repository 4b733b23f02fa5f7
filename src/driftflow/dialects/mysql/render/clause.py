"""Columns, keys and constraints as clauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from driftflow.dialects.mysql.keywords import quote, quote_string
from driftflow.model.catalog import (
    Check,
    Column,
    Constraint,
    Exclusion,
    ForeignKey,
    Index,
    IndexPart,
    NotNull,
    PrimaryKey,
    Unique,
)
from driftflow.model.names import Name

_LITERAL_STARTS = "'0123456789-+"
_STRINGS = frozenset({"COMMENT", "COMPRESSION", "CONNECTION", "DATA DIRECTORY", "ENCRYPTION", "INDEX DIRECTORY", "PASSWORD"})
_BARE = frozenset({"NULL", "TRUE", "FALSE"})


def quote_name(name: Name) -> str:
    return f"{quote(name.schema)}.{quote(name.name)}" if name.schema else quote(name.name)


def names(columns: Sequence[str]) -> str:
    return ", ".join(quote(column) for column in columns)


def option_text(option: str) -> str:
    """A table's or a database's option as the catalog spells it (`COMMENT=it is`), as SQL."""
    key, separator, value = option.partition("=")
    if not separator:
        return option
    return f"{'DEFAULT CHARSET' if key == 'CHARSET' else key}={quote_string(value) if key in _STRINGS else value}"


def default_text(default: str) -> str:
    """A literal or CURRENT_TIMESTAMP as it is; every other expression in parentheses, which both servers take."""
    plain = default[:1] in _LITERAL_STARTS and " " not in default.strip("'") if default[:1] != "'" else default.endswith("'")
    wrapped = default.startswith("('") and default.endswith("')")
    if plain or wrapped or default in _BARE or default.startswith(("x'", "b'", "0x", "current_timestamp(")):
        return default
    return f"({default})"


def column_text(column: Column, constraints: Sequence[Constraint] = ()) -> str:
    """`name type attributes`; what is not said is the server's default."""
    pieces = [quote(column.name), column.type]
    if column.charset:
        pieces.append(f"CHARACTER SET {column.charset}")
    if column.collation:
        pieces.append(f"COLLATE {column.collation}")
    if column.generated is not None:
        pieces.append(f"AS ({column.generated.expression}) {'STORED' if column.generated.stored else 'VIRTUAL'}")
    if not column.nullable:
        pieces.append("NOT NULL")
    elif column.type.startswith("timestamp"):
        pieces.append("NULL")  # a bare TIMESTAMP is NOT NULL where explicit_defaults_for_timestamp is off
    if column.default is not None:
        pieces.append(f"DEFAULT {default_text(column.default)}")
    if column.on_update:
        pieces.append(f"ON UPDATE {column.on_update}")
    if column.autoincrement:
        pieces.append("AUTO_INCREMENT")
    if not column.visible:
        pieces.append("INVISIBLE")
    if column.unversioned:
        pieces.append("WITHOUT SYSTEM VERSIONING")
    if column.comment:
        pieces.append(f"COMMENT {quote_string(column.comment)}")
    for constraint in constraints:
        text = constraint_text(constraint)
        if isinstance(constraint, ForeignKey):
            text = text[text.index("REFERENCES") :]
        pieces.append(text)
    return " ".join(pieces)


def part_text(part: IndexPart) -> str:
    text = quote(part.column) if part.column else f"({part.expression})"
    return f"{text}{f'({part.prefix})' if part.prefix is not None else ''}{' DESC' if part.descending else ''}"


def index_text(index: Index, *, if_not_exists: bool = False) -> str:
    """`[UNIQUE] KEY name (parts) options`, as in CREATE TABLE and ADD."""
    special = index.method in {"fulltext", "spatial"}
    kind = f"{index.method.upper()} KEY" if special else "UNIQUE KEY" if index.unique else "KEY"
    name = f" {quote(index.name.name)}" if index.name.name else ""
    return f"{kind}{' IF NOT EXISTS' if if_not_exists else ''}{name} {index_tail(index)}"


def index_tail(index: Index) -> str:
    pieces = [f"({', '.join(part_text(part) for part in index.parts)})"]
    if index.method and index.method not in {"fulltext", "spatial"}:
        pieces.append(f"USING {index.method.upper()}")
    for option in index.options:
        key, _, value = option.partition("=")
        pieces.append(f"WITH PARSER {quote(value)}" if key == "PARSER" else f"{key}={value}")
    if index.comment:
        pieces.append(f"COMMENT {quote_string(index.comment)}")
    return " ".join(pieces)


def constraint_text(constraint: Constraint) -> str:
    """The constraint as a clause of the table."""
    # MariaDB's check behind a column goes by the column's name, and takes none.
    nameless = isinstance(constraint, PrimaryKey) or (isinstance(constraint, Check) and constraint.column == constraint.name)
    named = f"CONSTRAINT {quote(constraint.name)} " if constraint.name and not nameless else ""
    match constraint:
        case PrimaryKey():
            parts = ", ".join(part_text(part) for part in constraint.parts) or names(constraint.columns)
            using = f" USING {constraint.method.upper()}" if constraint.method else ""
            comment = f" COMMENT {quote_string(constraint.comment)}" if constraint.comment else ""
            return f"PRIMARY KEY ({parts}){using}{comment}"
        case Check():
            return f"{named}CHECK ({constraint.expression}){'' if constraint.enforced else ' NOT ENFORCED'}"
        case ForeignKey():
            text = f"{named}FOREIGN KEY ({names(constraint.columns)}) REFERENCES {quote_name(constraint.referenced)}"
            if constraint.referenced_columns:
                text += f" ({names(constraint.referenced_columns)})"
            if constraint.on_delete != "NO ACTION":
                text += f" ON DELETE {constraint.on_delete}"
            if constraint.on_update != "NO ACTION":
                text += f" ON UPDATE {constraint.on_update}"
            return text
        case Unique():
            return f"{named}UNIQUE KEY ({names(constraint.columns)})"
        case NotNull() | Exclusion():
            raise ValueError(f"{type(constraint).__name__} has no form of its own on MySQL")
        case _:
            assert_never(constraint)
