"""Types in the server's own spelling: what format_type() prints, from a parsed type name or from text."""

from __future__ import annotations

from functools import lru_cache

from driftflow.dialects.numbers import whole
from driftflow.dialects.postgresql import grammar
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote

SERIAL: dict[str, str] = {
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
    "smallserial": "smallint",
    "serial2": "smallint",
}

_SPELLINGS: dict[str, tuple[str, str]] = {
    # internal name: (before the modifier, after it)
    "int2": ("smallint", ""),
    "int4": ("integer", ""),
    "int8": ("bigint", ""),
    "float4": ("real", ""),
    "float8": ("double precision", ""),
    "bool": ("boolean", ""),
    "varchar": ("character varying", ""),
    "varbit": ("bit varying", ""),
    "time": ("time", " without time zone"),
    "timetz": ("time", " with time zone"),
    "timestamp": ("timestamp", " without time zone"),
    "timestamptz": ("timestamp", " with time zone"),
    "decimal": ("numeric", ""),
}

_BUILT_IN = frozenset(
    """
    bit numeric text bytea uuid json jsonb date inet cidr macaddr money point line lseg box path polygon circle interval
    tsvector tsquery xml oid name numrange tsrange tstzrange daterange nummultirange tsmultirange tstzmultirange
    datemultirange regclass regtype regproc regprocedure regrole regnamespace pg_lsn
    """.split()  # noqa: SIM905 (a list would be 40 lines)
)

_INTERVAL_FIELDS: dict[int, str] = {
    4: " year",
    2: " month",
    8: " day",
    1024: " hour",
    2048: " minute",
    4096: " second",
    4 | 2: " year to month",
    8 | 1024: " day to hour",
    8 | 1024 | 2048: " day to minute",
    8 | 1024 | 2048 | 4096: " day to second",
    1024 | 2048: " hour to minute",
    1024 | 2048 | 4096: " hour to second",
    2048 | 4096: " minute to second",
}


def type_text(node: Node) -> str:
    """A TypeName node as text. Types that the server does not own stay qualified as they were written."""
    names = [name["String"].get("sval", "") for name in node["names"]]
    prefix = "SETOF " if node.get("setof") else ""
    if node.get("pct_type"):
        return prefix + ".".join(map(quote, names)) + "%TYPE"
    arrays = "[]" if "arrayBounds" in node else ""
    qualified = names[0] == "pg_catalog" and len(names) == 2
    internal = names[-1] if qualified or len(names) == 1 else ""
    if internal[:1] == "_" and (internal[1:] in _SPELLINGS or internal[1:] in _BUILT_IN):
        internal, arrays = internal[1:], "[]"
    modifiers = [_modifier(modifier) for modifier in node.get("typmods", ())]
    return prefix + _base(internal, names, modifiers, catalog=qualified) + arrays


def _base(internal: str, names: list[str], modifiers: list[str], *, catalog: bool) -> str:
    if internal == "interval" and modifiers:
        return _interval(modifiers)
    if internal == "bpchar":
        return f"character({modifiers[0]})" if modifiers else "bpchar"
    if internal == "numeric" and len(modifiers) == 1:
        modifiers = [modifiers[0], "0"]
    suffix = f"({','.join(modifiers)})" if modifiers else ""
    if (spelling := _SPELLINGS.get(internal)) is not None:
        return spelling[0] + suffix + spelling[1]
    if catalog and internal != "char":
        return (internal if internal in _BUILT_IN else quote(internal)) + suffix
    if internal in _BUILT_IN:
        return internal + suffix
    return ".".join(map(quote, names[1:] if catalog else names)) + suffix


def _modifier(node: Node) -> str:
    match node:
        case {"A_Const": {"ival": value}}:
            return str(value.get("ival", 0))
        case {"A_Const": {"fval": value}}:
            return str(value["fval"])
        case {"A_Const": {"sval": value}}:
            return "'" + str(value.get("sval", "")).replace("'", "''") + "'"
        case {"ColumnRef": {"fields": [{"String": {"sval": word}}]}}:
            return quote(word)
        case {"A_Expr": {"rexpr": inner}}:
            return "-" + _modifier(inner)
        case _:
            return "?"


def _interval(modifiers: list[str]) -> str:
    fields = "" if modifiers[0] == "32767" else _INTERVAL_FIELDS.get(whole(modifiers[0]) or 0, "")
    return f"interval{fields}" + (f"({modifiers[1]})" if len(modifiers) > 1 else "")


@lru_cache(maxsize=4096)
def normal_type(text: str) -> str:
    """`int4` → `integer`, `varchar(20)` → `character varying(20)`; text that is no type comes back as it is."""
    try:
        statements = grammar.parse(f"SELECT NULL::{text}")
        (target,) = statements[0]["stmt"]["SelectStmt"]["targetList"]
        found: Node = target["ResTarget"]["val"]["TypeCast"]["typeName"]
    except (grammar.SyntaxFault, grammar.TooDeep, KeyError, ValueError):
        return text
    return type_text(found)
