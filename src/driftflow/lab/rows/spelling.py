"""How one vendor writes what made-up rows are made of. A value is an expression over `k`, an expression of a whole number that is not negative."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from driftflow.model.catalog import Catalog, Column
from driftflow.patterns import lazy_regex

LIMIT = lazy_regex(r"\((?P<first>\d+)(?:\s*,\s*(?P<second>\d+))?\)")
HASHED = 65536
"""A hash is a whole number below this."""


class Spelling(ABC):
    """One vendor."""

    number_limit = 1_000

    @abstractmethod
    def series(self, count: int) -> str:
        """A FROM item called `s` with one column `n`, from 1 to `count`."""

    @abstractmethod
    def divided(self, number: str, by: int) -> str:
        """The whole part of a division."""

    @abstractmethod
    def value(self, column: Column, k: str, catalog: Catalog) -> str | None:
        """A value of the column's type that differs with `k` as far as the type lets it; None where no value of the type can be made."""

    def hashed(self, salt: int) -> str:
        """A number below `HASHED` that looks like chance and is the same for the same row and salt."""
        return self.divided(f"(((s.n + {salt}) * 2654435761) % 4294967296)", HASHED)

    def text(self, column: Column, k: str, *, limit: int | None) -> str:
        """A short text: the column's name and the number, or the number alone where there is no room for more."""
        number = self.as_text(k)
        if limit is not None and limit < len(column.name) + 8:
            return self.last(number, limit)
        return self.joined((f"'{column.name.replace(chr(39), '')}-'", number))

    @abstractmethod
    def as_text(self, number: str) -> str: ...

    @abstractmethod
    def padded(self, text: str, length: int) -> str:
        """Filled up with `x` to exactly this many characters."""

    @abstractmethod
    def last(self, text: str, length: int) -> str:
        """The last characters."""

    @abstractmethod
    def joined(self, parts: Sequence[str]) -> str: ...


def limit_of(type: str) -> int | None:
    """The number in brackets behind the type's name."""
    found = LIMIT.search(type)
    return int(found["first"]) if found else None


def scale_of(type: str) -> int:
    found = LIMIT.search(type)
    return int(found["second"] or 0) if found else 0
