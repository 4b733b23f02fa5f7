"""A column as the catalog holds it: with the character set it gets from its table, and its default in the one spelling that both have."""

from __future__ import annotations

from driftflow.dialects.mysql.tokens import TokenFault, string_of, tokenize
from driftflow.dialects.mysql.types import INTEGERS, base_word

NUMBERS = INTEGERS | {"decimal", "float", "double", "year"}


def settled_default(default: str, type: str) -> str | None:
    """NULL is no default; a number that was written as a string is the number."""
    if default.upper() == "NULL":
        return None
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
