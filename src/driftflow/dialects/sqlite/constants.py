"""Which defaults are constants to SQLite: what ADD COLUMN accepts on a table that has rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from driftflow.dialects.sqlite.keywords import needs_quotes
from driftflow.dialects.sqlite.tokens import END, Token, TokenFault, name_of, tokenize

_KEYWORDS = frozenset({"NULL", "TRUE", "FALSE"})


def is_constant(default: str) -> bool:
    """A literal, NULL, TRUE or FALSE, with any signs and parentheses; a CAST of one. Not `1 + 1`, not CURRENT_TIMESTAMP, no call (measured)."""
    try:
        tokens, _ = tokenize(default)
    except TokenFault:
        return False
    return _constant(tokens)


def _constant(tokens: Sequence[Token]) -> bool:
    match tokens:
        case [Token(kind="string" | "number" | "blob")]:
            return True
        case [Token(kind="word", key=key)]:
            return key in _KEYWORDS
        case [Token(key="-" | "+"), *rest]:
            return _constant(rest)
        case [Token(key="("), *inside, Token(key=")")]:
            return _constant(inside)
        case [Token(key="CAST"), Token(key="("), *inside, Token(key=")")]:
            at = next((index for index, token in enumerate(inside) if token.key == "AS"), len(inside))
            return _constant(inside[:at])
        case _:
            return False


def not_of_its_own(default: str, columns: Collection[str]) -> str:
    """What no default may look at, whatever rows there are: one of `columns` (their names in lower case), or a query. Empty where it does not."""
    try:
        tokens, _ = tokenize(default)
    except TokenFault:
        return ""
    for before, token, after in zip([END, *tokens], tokens, [*tokens[1:], END], strict=False):
        if token.key == "SELECT":
            return "a query"
        named = token.kind == "quoted" or (token.kind == "word" and token.key not in _KEYWORDS and not needs_quotes(token.text))
        if named and after.key != "(" and before.key not in ("AS", "COLLATE") and name_of(token).lower() in columns:
            return f"the column {name_of(token)}"
    return ""
