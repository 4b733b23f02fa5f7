"""Which casts the server has: read from pg_cast of 16 and 18, whose rows for these types are the same but for bytea.

A cast is found by itself for an assignment (ALTER TYPE without USING), or only when it is written (`::`), or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from driftflow.dialects.postgresql.effects.types import Type

Context = Literal["implicit", "assignment", "explicit", "none", "unknown"]

STRINGS = frozenset({"text", "character varying", "character", "name"})

_CASTS: Mapping[str, Mapping[str, str]] = {
    "bit": {"i": "bit varying", "e": "integer,bigint"},
    "bit varying": {"i": "bit"},
    "smallint": {"i": "integer,bigint,numeric,real,double precision", "e": "bytea"},
    "integer": {"i": "bigint,numeric,real,double precision", "a": "smallint", "e": "bit,boolean,bytea"},
    "bigint": {"i": "numeric,real,double precision", "a": "smallint,integer", "e": "bit,bytea"},
    "numeric": {"i": "real,double precision", "a": "smallint,integer,bigint"},
    "real": {"i": "double precision", "a": "smallint,integer,bigint,numeric"},
    "double precision": {"a": "smallint,integer,bigint,numeric,real"},
    "boolean": {"e": "integer"},
    "bytea": {"e": "smallint,integer,bigint"},
    "date": {"i": "timestamp without time zone,timestamp with time zone"},
    "timestamp without time zone": {"i": "timestamp with time zone", "a": "date,time without time zone"},
    "timestamp with time zone": {
        "a": "date,timestamp without time zone,time without time zone,time with time zone",
    },
    "time without time zone": {"i": "time with time zone,interval"},
    "time with time zone": {"a": "time without time zone"},
    "interval": {"a": "time without time zone"},
    "cidr": {"i": "inet"},
    "inet": {"a": "cidr"},
    "json": {"a": "jsonb"},
    "jsonb": {"a": "json", "e": "smallint,integer,bigint,numeric,real,double precision,boolean"},
    "text": {"i": "character varying,character,name"},
    "character varying": {"i": "text,character,name"},
    "character": {"i": "text,character varying,name"},
    "name": {"i": "text", "a": "character varying,character"},
    "uuid": {},
    "int4range": {},
    "int8range": {},
    "numrange": {},
    "tsrange": {},
    "tstzrange": {},
    "daterange": {},
    "macaddr": {},
    "tsvector": {},
    "xml": {},
}
"""Source type to targets by context: i(mplicit), a(ssignment), e(xplicit)."""
_BYTEA_SINCE = 18
"""Integers and bytea are cast into each other since 18."""
_COMPARED: tuple[frozenset[str], ...] = (
    frozenset({"smallint", "integer", "bigint"}),
    frozenset({"real", "double precision"}),
    frozenset({"date", "timestamp without time zone", "timestamp with time zone"}),
    frozenset({"text", "character varying", "name"}),
    frozenset({"inet", "cidr"}),
)
"""Types that one operator family of btree compares with each other: what a foreign key needs."""


def cast_context(old: Type, new: Type, *, version: int = 18) -> Context:
    """How the server casts one type to another; unknown for the types of extensions."""
    if (old.name, old.array) == (new.name, new.array):
        return "implicit"
    if old.array and new.array:
        return cast_context(Type(name=old.name, defined=old.defined), Type(name=new.name, defined=new.defined), version=version)
    known = _found(old, new, version)
    if known != "none":
        return known
    if new.name in STRINGS and not new.array:
        return "assignment"  # through the text form that every type has
    if old.name in STRINGS and not old.array:
        return "explicit"
    if old.array or new.array or (_is_known(old) and _is_known(new)):
        return "none"
    return "unknown"


_CONTEXTS: tuple[tuple[str, Context], ...] = (("i", "implicit"), ("a", "assignment"), ("e", "explicit"))


def _found(old: Type, new: Type, version: int) -> Context:
    if old.array or new.array or ("bytea" in (old.name, new.name) and version < _BYTEA_SINCE):
        return "none"
    for context, word in _CONTEXTS:
        if new.name in _CASTS.get(old.name, {}).get(context, "").split(","):
            return word
    return "none"


def _is_known(type: Type) -> bool:
    return type.name in _CASTS or (type.defined is not None and type.defined.kind == "enum")


def castable(old: Type, new: Type, *, version: int = 18) -> bool | None:
    """Whether ALTER TYPE finds a cast by itself, without USING. None: not known (types of extensions)."""
    context = cast_context(old, new, version=version)
    return None if context == "unknown" else context in ("implicit", "assignment")


def comparable(key: Type, referenced: Type) -> bool | None:
    """Whether a foreign key of the one type may point at a column of the other. None: not known."""
    if (key.name, key.array) == (referenced.name, referenced.array):
        return True
    if not key.array and not referenced.array and any({key.name, referenced.name} <= family for family in _COMPARED):
        return True
    context = cast_context(key, referenced)
    return None if context == "unknown" else context == "implicit"
