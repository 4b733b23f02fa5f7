"""Identifiers and constants as text: folding, quoting, the 63-byte limit. Names that the server makes up are in `model/operations/naming.py`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from driftflow.model.names import Name
from driftflow.model.operations.naming import NAME_BYTES_MAX
from driftflow.model.operations.naming import fitted as make_object_name
from driftflow.patterns import lazy_regex

_PLAIN = lazy_regex(r"[a-z_][a-z0-9_$]*\Z")

# Every keyword that is not "unreserved" in PostgreSQL 18, as pg_get_keywords() lists them; quote_ident() quotes the same ones.
RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
    current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc distinct
    do else end except false fetch for foreign from grant group having in initially intersect into lateral leading limit
    localtime localtimestamp not null offset on only or order placing primary references returning select session_user some
    symmetric system_user table then to trailing true union unique user using variadic when where window with
    """.split()  # noqa: SIM905 (a list would be 78 lines)
)
TYPE_OR_FUNCTION = frozenset(
    """
    authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
    natural notnull outer overlaps right similar tablesample verbose
    """.split()  # noqa: SIM905 (a list would be 23 lines)
)
COLUMN_NAME = frozenset(
    """
    between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int integer
    interval json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value least merge_action national nchar none normalize nullif numeric out overlay position precision
    real row setof smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists
    xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905 (a list would be 63 lines)
)
_QUOTED_WORDS = RESERVED | TYPE_OR_FUNCTION | COLUMN_NAME


@lru_cache(maxsize=8192)
def quote(identifier: str) -> str:
    """As quote_ident() does: quoted only where the bare word would be read as something else."""
    if _PLAIN.match(identifier) and identifier not in _QUOTED_WORDS:
        return identifier
    return '"' + identifier.replace('"', '""') + '"'


def quote_name(name: Name) -> str:
    """`schema.name`, each part quoted where needed."""
    return f"{quote(name.schema)}.{quote(name.name)}" if name.schema else quote(name.name)


def literal(value: str | int | bool | None) -> str:
    """The value as SQL; a text with a backslash becomes E'...', which every setting of standard_conforming_strings reads alike."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return quote_text(value)


def quote_text(text: str) -> str:
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def fold(identifier: str) -> str:
    """An unquoted identifier as the server stores it: ASCII in lower case, cut at 63 bytes."""
    return truncate("".join(character.lower() if character.isascii() else character for character in identifier))


def truncate(identifier: str, limit: int = NAME_BYTES_MAX) -> str:
    """Cut to so many bytes, never inside a character (pg_mbcliplen)."""
    data = identifier.encode()
    return identifier if len(data) <= limit else data[:limit].decode(errors="ignore")


def columns_part(columns: Iterable[str]) -> str:
    """Column names in the middle of a made-up name: joined by `_`, stopped behind 63 bytes (ChooseIndexNameAddition)."""
    joined = ""
    for column in columns:
        joined += ("_" if joined else "") + column
        if len(joined.encode()) > NAME_BYTES_MAX:
            break
    return joined


__all__ = [
    "COLUMN_NAME",
    "NAME_BYTES_MAX",
    "RESERVED",
    "TYPE_OR_FUNCTION",
    "columns_part",
    "fold",
    "literal",
    "make_object_name",
    "quote",
    "quote_name",
    "quote_text",
    "truncate",
]
