"""The cursor over SQLite's tokens: which words are names, and expressions in normal form."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from driftflow.dialects.cursor import NameCursor, Unread
from driftflow.dialects.sqlite.keywords import RESERVED
from driftflow.dialects.sqlite.normal import normal, without_outer_parentheses
from driftflow.dialects.sqlite.tokens import Token, name_of

__all__ = ["Cursor", "Unread", "expression_of"]

_NAMES_ALL_THE_SAME = frozenset(
    ["CROSS", "FULL", "INNER", "LEFT", "NATURAL", "OUTER", "RIGHT", "INDEXED", "WINDOW", "OVER", "FILTER"]
)
"""Reserved in their place, legal as names elsewhere (parse.y: `nm ::= idj`, and the window words by look-ahead)."""


class Cursor(NameCursor):
    def is_name(self, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        match token.kind:
            case "word":
                return token.key not in RESERVED or token.key in _NAMES_ALL_THE_SAME
            case "quoted" | "string":
                return True
            case _:
                return False

    def name(self) -> str:
        if not self.is_name():
            raise Unread(f"a name was expected {self.here()}")
        return name_of(self.take())

    def over(self, tokens: Sequence[Token]) -> Cursor:
        return Cursor(tokens, self.sql)


def expression_of(tokens: Sequence[Token], columns: Collection[str] | None = None) -> str:
    """A stretch as an expression in normal form. An empty one is not an expression."""
    if not tokens:
        raise Unread("an expression is missing")
    return normal(without_outer_parentheses(tokens), columns)
