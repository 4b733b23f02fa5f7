"""A place in a statement's tokens, and the few moves that a recursive descent needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from driftflow.dialects.sqlite.keywords import RESERVED
from driftflow.dialects.sqlite.normal import normal, without_outer_parentheses
from driftflow.dialects.sqlite.tokens import END, Token, name_of
from driftflow.model.names import Name

_NAMES_ALL_THE_SAME = frozenset(
    ["CROSS", "FULL", "INNER", "LEFT", "NATURAL", "OUTER", "RIGHT", "INDEXED", "WINDOW", "OVER", "FILTER"]
)
"""Reserved in their place, legal as names elsewhere (parse.y: `nm ::= idj`, and the window words by look-ahead)."""


class Unread(Exception):
    """A form that we do not read. The statement becomes RawSql with this reason; whether it is valid is SQLite's to say."""


class Cursor:
    def __init__(self, tokens: Sequence[Token], sql: str) -> None:
        self.tokens = tokens
        self.sql = sql
        self.index = 0

    # looking

    def peek(self, ahead: int = 0) -> Token:
        at = self.index + ahead
        return self.tokens[at] if at < len(self.tokens) else END

    def at(self, *keys: str) -> bool:
        """Whether the next tokens are these."""
        return all(self.peek(ahead).key == key for ahead, key in enumerate(keys))

    @property
    def done(self) -> bool:
        return self.index >= len(self.tokens)

    # moving

    def take(self) -> Token:
        token = self.peek()
        if token is END:
            raise Unread("the statement ends too early")
        self.index += 1
        return token

    def accept(self, *keys: str) -> bool:
        if not self.at(*keys):
            return False
        self.index += len(keys)
        return True

    def accept_any(self, keys: Collection[str]) -> str:
        """The next key when it is one of these, taken; else empty."""
        key = self.peek().key
        if not key or key not in keys:
            return ""
        self.index += 1
        return key

    def expect(self, *keys: str) -> None:
        if not self.accept(*keys):
            raise Unread(f"`{' '.join(keys)}` was expected {self.here()}")

    def here(self) -> str:
        return "at the end" if self.done else f"where `{self.peek().text}` stands"

    def finish(self) -> None:
        """Nothing may be left: a token that nobody accounted for could change the meaning."""
        if not self.done:
            raise Unread(f"nothing is known about what begins with `{self.peek().text}`")

    # names

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

    def qualified(self) -> Name:
        """[schema.]name"""
        first = self.name()
        if self.accept("."):
            return Name(schema=first, name=self.name())
        return Name(name=first)

    def name_list(self) -> tuple[str, ...]:
        """( name, ... )"""
        self.expect("(")
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        self.expect(")")
        return tuple(names)

    # stretches

    def parenthesised(self) -> Sequence[Token]:
        """The tokens between this opening parenthesis and its partner; the cursor stands behind it."""
        self.expect("(")
        start, depth = self.index, 1
        while depth:
            token = self.take()
            depth += (token.key == "(") - (token.key == ")")
        return self.tokens[start : self.index - 1]

    def until(self, *stops: str) -> Sequence[Token]:
        """The tokens before the first of these keys outside parentheses and CASE, or before a closing parenthesis that is not ours."""
        start, depth, cases = self.index, 0, 0
        while not self.done:
            key = self.peek().key
            if depth == 0 and cases == 0 and (key in stops or key == ")"):
                break
            depth += (key == "(") - (key == ")")
            cases += (key == "CASE") - (key == "END" and cases > 0)
            self.index += 1
        return self.tokens[start : self.index]

    def rest(self) -> Sequence[Token]:
        start, self.index = self.index, len(self.tokens)
        return self.tokens[start:]


def expression_of(tokens: Sequence[Token], columns: Collection[str] | None = None) -> str:
    """A stretch as an expression in normal form. An empty one is not an expression."""
    if not tokens:
        raise Unread("an expression is missing")
    return normal(without_outer_parentheses(tokens), columns)
