"""A place in a statement's tokens, and the few moves that a recursive descent needs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar, Self

from driftflow.dialects.tokens import END, Token
from driftflow.model.names import Name


class Unread(Exception):
    """A form that we do not read. The statement becomes RawSql with this reason; whether it is valid is the server's to say."""


class TokenCursor:
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


class NameCursor(TokenCursor):
    """A cursor that knows which tokens are names; each vendor has its own."""

    from_inside_calls: ClassVar[frozenset[str]] = frozenset()
    """Functions whose arguments are said with FROM (`EXTRACT(YEAR FROM day)`)."""
    no_relations: ClassVar[frozenset[str]] = frozenset()
    """Words that stand where a relation does and are none (`DUAL`, `LATERAL`), upper case."""

    @abstractmethod
    def is_name(self, ahead: int = 0) -> bool: ...

    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def over(self, tokens: Sequence[Token]) -> Self:
        """A cursor of the same kind over some of the tokens."""

    def qualified(self) -> Name:
        """[schema.]name"""
        first = self.name()
        if self.accept("."):
            return Name(schema=first, name=self.name())
        return Name(name=first)

    def inside(self) -> Self:
        """A cursor over what stands in the parentheses here; this one goes behind them."""
        return self.over(self.parenthesised())

    def name_list(self) -> tuple[str, ...]:
        """( name, ... )"""
        self.expect("(")
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        self.expect(")")
        return tuple(names)
