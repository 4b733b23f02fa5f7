"""Values compared in SQL as a program compares them: by code point, with regard to case and to blanks at the end, and without a largest number.

Each vendor answers in `dialects/<vendor>/exact.py`. All texts are SQL over values that are not NULL.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from driftflow.model.catalog import Column

Kind = Literal["integer", "decimal", "text", "boolean", "date", "timestamp", "timestamptz", ""]
"""What a column holds; empty for what is not compared exactly (binary floating point, enum, types of one's own, ...)."""


class Exact(ABC):
    """One vendor's words."""

    @abstractmethod
    def kind(self, column: Column) -> Kind: ...

    def sound(self, value: str, kind: Kind) -> str:
        """A condition: the column's value is one that the kind means, not merely what the type lets in; empty where nothing else can be."""
        return ""

    @abstractmethod
    def text(self, value: str) -> str:
        """The text, so that every comparison goes by code point."""

    @abstractmethod
    def length(self, value: str) -> str:
        """In code points."""

    @abstractmethod
    def octets(self, value: str) -> str:
        """In bytes of UTF-8."""

    @abstractmethod
    def left(self, value: str, count: int) -> str: ...

    @abstractmethod
    def right(self, value: str, count: int) -> str: ...

    @abstractmethod
    def contains(self, value: str, part: str) -> str: ...

    @abstractmethod
    def other_than(self, value: str, letters: str) -> str:
        """A condition: it holds a character outside these ranges (`a-z`)."""

    def lowered(self, value: str) -> str:
        """Of a text that is ASCII."""
        return f"lower({value})"

    def raised(self, value: str) -> str:
        return f"upper({value})"

    def number(self, value: str) -> str:
        """An integer as an operand of `+`, `-` and `*` whose result has room."""
        return value

    def has_room(self, number: str) -> str:
        """A condition: the result is exact, or NULL; empty where it always is."""
        return ""

    @abstractmethod
    def whole_quotient(self, value: str, divisor: int) -> str:
        """Towards zero."""
