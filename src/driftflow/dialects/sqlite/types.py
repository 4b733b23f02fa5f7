"""Declared types: SQLite keeps them as written and derives an affinity from the words in them."""

from __future__ import annotations

from typing import Literal

from driftflow.dialects.sqlite.tokens import Token, TokenFault, tokenize

Affinity = Literal["INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"]

STRICT_TYPES = frozenset({"INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"})
"""What a STRICT table accepts as a declared type (3.37)."""


def normal_type(type: str) -> str:
    """The declared type with one blank between words and none around parentheses. Case stays as written, as SQLite keeps it."""
    try:
        tokens, _ = tokenize(type)
    except TokenFault:
        return type.strip()
    text = ""
    before: Token | None = None
    for token in tokens:
        joined = token.key in {"(", ")", ","} or before is None or before.key in {"(", ",", "-", "+"}
        text += token.text if joined else f" {token.text}"
        before = token
    return text


def affinity(type: str) -> Affinity:
    """How SQLite tries to store a value of a column so declared (section 3.1 of its page on data types)."""
    upper = type.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not upper or "BLOB" in upper:
        return "BLOB"
    if any(word in upper for word in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def is_rowid_type(type: str) -> bool:
    """Only the exact word INTEGER makes a primary key the rowid itself; INT does not."""
    return type.upper() == "INTEGER"
