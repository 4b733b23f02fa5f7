"""The cursor over MySQL's tokens: which words are names, and expressions in normal form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from driftflow.dialects.cursor import NameCursor, Unread
from driftflow.dialects.mysql.expressions import expression_text
from driftflow.dialects.mysql.keywords import NOT_NAMES
from driftflow.dialects.mysql.tokens import name_of, string_of
from driftflow.dialects.numbers import whole
from driftflow.dialects.tokens import Token

__all__ = ["Cursor", "Unread", "expression_of"]


class Cursor(NameCursor):
    from_inside_calls: ClassVar[frozenset[str]] = frozenset({"EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "MID", "POSITION"})
    no_relations: ClassVar[frozenset[str]] = frozenset({"DUAL", "LATERAL"})

    def __init__(self, tokens: Sequence[Token], sql: str, *, mariadb: bool = False) -> None:
        super().__init__(tokens, sql)
        self.mariadb = mariadb

    def over(self, tokens: Sequence[Token]) -> Cursor:
        return Cursor(tokens, self.sql, mariadb=self.mariadb)

    def is_name(self, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        match token.kind:
            case "word":
                return token.key not in NOT_NAMES or self.peek(ahead - 1).key == "."
            case "quoted":
                return True
            case _:
                return False

    def name(self) -> str:
        if not self.is_name():
            raise Unread(f"a name was expected {self.here()}")
        return name_of(self.take())

    def names(self) -> tuple[str, ...]:
        """name, ..."""
        found = [self.name()]
        while self.accept(","):
            found.append(self.name())
        return tuple(found)

    def string(self) -> str:
        if self.peek().kind != "string":
            raise Unread(f"a string was expected {self.here()}")
        text = string_of(self.take())
        while self.peek().kind == "string":
            text += string_of(self.take())
        return text

    def integer(self) -> int:
        value = whole(self.peek().text) if self.peek().kind == "number" else None
        if value is None:
            raise Unread(f"a whole number was expected {self.here()}")
        self.take()
        return value

    def word(self) -> str:
        """A word or a string as an option's value."""
        token = self.take()
        return string_of(token) if token.kind == "string" else name_of(token)

    def until_sign(self, *stops: str) -> Sequence[Token]:
        """Like `until`, where CASE plays no part."""
        start, depth = self.index, 0
        while not self.done:
            key = self.peek().key
            if depth == 0 and (key in stops or key == ")"):
                break
            depth += (key == "(") - (key == ")")
            self.index += 1
        return self.tokens[start : self.index]


def expression_of(tokens: Sequence[Token]) -> str:
    """A stretch as an expression in normal form. An empty one is not an expression."""
    if not tokens:
        raise Unread("an expression is missing")
    return expression_text(tokens)
