"""What stands in for an extension of PostgreSQL that the lab's server does not have: its types and functions by name, so that a schema which
uses them can be made and queries that call them can be prepared. They do nothing of what the real ones do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from driftflow.patterns import lazy_regex

MISSING = lazy_regex(r'extension "(?P<name>[^"]+)" is not available')
SCHEMA = lazy_regex(r'\bSCHEMA\s+(?P<schema>"(?:[^"]|"")+"|\w+)', re.IGNORECASE)


def _function(signature: str, returns: str) -> str:
    return f"CREATE FUNCTION {{schema}}.{signature} RETURNS {returns} LANGUAGE sql AS 'SELECT NULL::{returns}'"


STAND_INS: Mapping[str, tuple[str, ...]] = {
    "citext": ("CREATE DOMAIN {schema}.citext AS text",),
    "hstore": ("CREATE DOMAIN {schema}.hstore AS text",),
    "ltree": ("CREATE DOMAIN {schema}.ltree AS text",),
    "uuid-ossp": (
        _function("uuid_generate_v1()", "uuid"),
        _function("uuid_generate_v1mc()", "uuid"),
        _function("uuid_generate_v4()", "uuid"),
        _function("uuid_generate_v5(namespace uuid, name text)", "uuid"),
    ),
    "pgcrypto": (
        _function("gen_random_bytes(count integer)", "bytea"),
        _function("digest(data text, type text)", "bytea"),
        _function("digest(data bytea, type text)", "bytea"),
        _function("hmac(data text, key text, type text)", "bytea"),
        _function("crypt(password text, salt text)", "text"),
        _function("gen_salt(type text)", "text"),
        _function("gen_salt(type text, rounds integer)", "text"),
        _function("pgp_sym_encrypt(data text, psw text)", "bytea"),
        _function("pgp_sym_decrypt(data bytea, psw text)", "text"),
    ),
    "unaccent": (_function("unaccent(value text)", "text"),),
    "pg_trgm": (
        _function("similarity(one text, other text)", "real"),
        _function("word_similarity(one text, other text)", "real"),
    ),
}


def stand_ins_for(sql: str, message: str) -> tuple[str, tuple[str, ...]]:
    """(extension, statements) for a CREATE EXTENSION that was refused with this message; no name where it was refused for another reason, no
    statements where nothing stands in for it."""
    missing = MISSING.search(message)
    if missing is None:
        return "", ()
    found = SCHEMA.search(sql)
    schema = found["schema"] if found else "public"
    return missing["name"], tuple(one.replace("{schema}", schema) for one in STAND_INS.get(missing["name"], ()))
