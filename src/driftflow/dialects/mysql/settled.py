"""A column as the catalog holds it: with the character set it gets from its table, and its default in the one spelling that both have."""

from __future__ import annotations

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.dialects.mysql.tokens import TokenFault, string_of, tokenize
from driftflow.dialects.mysql.types import INTEGERS, LONG_TYPES, TEXTS, base_word

NUMBERS = INTEGERS | {"decimal", "float", "double", "year"}


def settled_default(default: str, type: str) -> str | None:
    """NULL is no default; a number that was written as a string is the number."""
    if default.upper() == "NULL":
        return None
    if default.startswith("('") and base_word(type) not in LONG_TYPES:
        default = default[1:-1]
    if base_word(type) in TEXTS and _is_number(default):
        return quote_string(default)
    if base_word(type) in NUMBERS and default.startswith("'"):
        try:
            tokens, _ = tokenize(default)
        except TokenFault:
            return default
        if len(tokens) == 1:
            text = string_of(tokens[0])
            return text if _is_number(text) else default
    return default


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()
