"""Column types: how a spelling is read, and whether a change of type keeps the stored bytes.

Measured on 12 to 18: what is not binary compatible, or may have to change a value, writes the table anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from driftflow.dialects.numbers import whole
from driftflow.model.catalog import Catalog, TypeDefinition
from driftflow.model.operations.lookup import type_named
from driftflow.model.record import LocalValue
from driftflow.patterns import lazy_regex

Change = Literal["none", "rewrite"]

_ALIASES: Mapping[str, str] = {
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "decimal": "numeric",
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "char": "character",
    "bpchar": "character",
    "varbit": "bit varying",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timetz": "time with time zone",
    "time": "time without time zone",
}
_SPELLING = lazy_regex(r"(?P<first>[^(\[]+)(?:\((?P<arguments>[^)]*)\))?(?P<rest>[^(\[]*)(?P<array>(?:\[\d*\])*)")


class Type(LocalValue, frozen=True):
    """A type taken apart: `numeric(10,2)[]` is numeric, (10, 2), array."""

    name: str
    arguments: tuple[int, ...] = ()
    array: bool = False
    domain: TypeDefinition | None = None
    """The domain, where `name` and `arguments` are those of what it is based on."""
    defined: TypeDefinition | None = None
    """An enum, composite or range of this database."""

    @property
    def family(self) -> str:
        return _FAMILIES.get(self.name, "") if not self.array else ""


_FAMILIES: Mapping[str, str] = {
    "character varying": "string",
    "text": "string",
    "character": "string",
    "name": "string",
    "smallint": "number",
    "integer": "number",
    "bigint": "number",
    "numeric": "number",
    "real": "number",
    "double precision": "number",
    "date": "datetime",
    "timestamp without time zone": "datetime",
    "timestamp with time zone": "datetime",
    "json": "json",
    "jsonb": "json",
    "inet": "network",
    "cidr": "network",
    "bit": "bits",
    "bit varying": "bits",
}


def read_type(spelling: str, catalog: Catalog) -> Type:
    """The type behind a spelling; a domain is followed to its base."""
    return _among(spelling, catalog) if catalog.types else _of_the_server(spelling)


@lru_cache(maxsize=4096)
def _of_the_server(spelling: str) -> Type:
    return _among(spelling, None)


def _among(spelling: str, catalog: Catalog | None) -> Type:
    text = " ".join(spelling.split())
    match = _SPELLING.fullmatch(text)
    if match is None:
        return Type(name=text)
    name = " ".join(f"{match['first']} {match['rest'] or ''}".split())
    arguments = tuple(number for part in (match["arguments"] or "").split(",") if (number := whole(part.strip())) is not None)
    array = bool(match["array"])
    if name.split()[0] == "interval":
        name = "interval"
    defined = type_named(catalog, name) if catalog is not None else None
    if catalog is not None and defined is not None and defined.kind == "domain" and not array:
        base = read_type(defined.base, catalog)
        return Type(name=base.name, arguments=base.arguments, array=base.array, domain=defined, defined=base.defined)
    name = defined.name.text if defined is not None else _ALIASES.get(name.lower(), name)
    return Type(name=name, arguments=arguments, array=array, defined=defined)


def constrained(type: Type) -> bool:
    """Whether it is a domain that has something to enforce."""
    return type.domain is not None and (bool(type.domain.checks) or not type.domain.nullable)


def change(old: Type, new: Type, *, zero_offset: bool) -> Change:
    """Whether the stored values stay as they are. `zero_offset`: the session's time zone is UTC for good."""
    if constrained(new) and new.domain != old.domain:
        return "rewrite"
    if old.array or new.array:
        return "none" if (old.name, old.arguments, old.array) == (new.name, new.arguments, new.array) else "rewrite"
    if old.name == new.name:
        return _same_name(old, new)
    pair = (old.name, new.name)
    if pair in _COMPATIBLE:
        return "none" if not new.arguments or (old.arguments and _fits(old, new)) else "rewrite"
    if pair in _TIME_ZONE and zero_offset:
        return "none" if _precision(new) >= _precision(old) else "rewrite"
    return "rewrite"


_COMPATIBLE = frozenset({("character varying", "text"), ("text", "character varying"), ("cidr", "inet")})
_TIME_ZONE = frozenset(
    {
        ("timestamp without time zone", "timestamp with time zone"),
        ("timestamp with time zone", "timestamp without time zone"),
    }
)


def _same_name(old: Type, new: Type) -> Change:
    if old.arguments == new.arguments or (not new.arguments and old.name not in {"character", "bit"}):
        return "none"
    match new.name:
        case "character varying" | "bit varying":
            return "none" if old.arguments and new.arguments[0] >= old.arguments[0] else "rewrite"
        case "numeric":
            return "none" if _numeric_grows(old, new) else "rewrite"
        case (
            "timestamp without time zone"
            | "timestamp with time zone"
            | "time without time zone"
            | "time with time zone"
            | "interval"
        ):
            return "none" if _precision(new) >= _precision(old) else "rewrite"
        case _:
            return "rewrite"


def _numeric_grows(old: Type, new: Type) -> bool:
    """More digits at the same scale. A change of scale always rewrites, growing or not."""
    if not old.arguments:
        return False
    scale_old = old.arguments[1] if len(old.arguments) > 1 else 0
    scale_new = new.arguments[1] if len(new.arguments) > 1 else 0
    return scale_old == scale_new and new.arguments[0] >= old.arguments[0]


def _precision(type: Type) -> int:
    return type.arguments[0] if type.arguments else 6


def _fits(old: Type, new: Type) -> bool:
    return bool(old.arguments) and old.arguments[0] <= new.arguments[0]


_TOASTED = frozenset(
    {
        "character varying",
        "text",
        "character",
        "numeric",
        "bytea",
        "json",
        "jsonb",
        "inet",
        "cidr",
        "bit",
        "bit varying",
        "xml",
        "tsvector",
        "int4range",
        "int8range",
        "numrange",
        "tsrange",
        "tstzrange",
        "daterange",
    }
)


def may_be_toasted(type: Type) -> bool | None:
    """Whether its values may be stored apart or compressed: those of a variable length. None: not known."""
    if type.array or type.name in _TOASTED:
        return True
    if type.defined is not None:
        return type.defined.kind != "enum"
    return False if type.name in _FIXED else None


_FIXED = frozenset(
    {
        "smallint",
        "integer",
        "bigint",
        "real",
        "double precision",
        "boolean",
        "date",
        "timestamp without time zone",
        "timestamp with time zone",
        "time without time zone",
        "time with time zone",
        "interval",
        "uuid",
        "name",
        "macaddr",
    }
)


INTEGER_RANGES: Mapping[str, tuple[int, int]] = {
    "smallint": (-(1 << 15), (1 << 15) - 1),
    "integer": (-(1 << 31), (1 << 31) - 1),
    "bigint": (-(1 << 63), (1 << 63) - 1),
}
