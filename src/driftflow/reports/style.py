"""Colour, wrapping and numbers: what every text report shares. Colour is a choice of the caller; without it the text is plain."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

WIDTH = 100
RED, YELLOW, BLUE, GREEN, CYAN, BOLD, DIM, RESET = (f"\x1b[{code}m" for code in (31, 33, 34, 32, 36, 1, 2, 0))


@dataclass(frozen=True)
class Paint:
    """Wraps text in colour, or leaves it as it is."""

    color: bool

    def __call__(self, text: str, *codes: str) -> str:
        return f"{''.join(codes)}{text}{RESET}" if self.color and text else text


def wrap(text: str, *, first: str, rest: str, width: int = WIDTH) -> list[str]:
    """The text in lines; the first begins with `first`, the others with `rest`."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]


def count(number: int, one: str, many: str = "") -> str:
    """`1 error`, `2 errors`, `no errors`."""
    word = one if number == 1 else many or f"{one}s"
    return f"{number or 'no'} {word}"


def milliseconds(value: int) -> str:
    """A duration in the unit that a person would say."""
    if value < 1_000:
        return f"{value} ms"
    if value < 120_000:
        return f"{value / 1000:.1f} s"
    minutes = value // 60_000
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
