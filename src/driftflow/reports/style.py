"""Colour, wrapping and numbers: what every text report shares. Colour is a choice of the caller; without it the text is plain."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from driftflow.patterns import lazy_regex

WIDTH = 100
NARROWEST = 40
"""Below this, folding makes a text harder to read, not easier."""
ESCAPE = lazy_regex(r"\x1b\[[0-9;]*m")
RED, YELLOW, BLUE, GREEN, CYAN, BOLD, DIM, RESET = (f"\x1b[{code}m" for code in (31, 33, 34, 32, 36, 1, 2, 0))


@dataclass(frozen=True)
class Paint:
    """Wraps text in colour, or leaves it as it is."""

    color: bool
    width: int | None = None
    """Columns of the terminal; None where nobody knows."""

    def wrap(self, text: str, *, first: str, rest: str) -> list[str]:
        """In lines of a comfortable length, or shorter ones where the terminal is narrow."""
        return wrap(text, first=first, rest=rest, width=max(NARROWEST, min(WIDTH, self.width or WIDTH)))

    def fold(self, line: str, *, hang: int) -> list[str]:
        return fold(line, hang=hang, width=self.width)

    def __call__(self, text: str, *codes: str) -> str:
        return f"{''.join(codes)}{text}{RESET}" if self.color and text else text


def wrap(text: str, *, first: str, rest: str, width: int = WIDTH) -> list[str]:
    """The text in lines; the first begins with `first`, the others with `rest`."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]


def fold(line: str, *, hang: int, width: int | None) -> list[str]:
    """The line as it is, or in lines of at most `width` columns that break between words and hang under its text.

    Colour codes take no room. Without a width (a pipe, a file) nothing is folded."""
    if width is None or len(ESCAPE.sub("", line)) <= max(width, NARROWEST):
        return [line]
    indent = line[: len(line) - len(line.lstrip(" "))]
    found, used = [indent], len(indent)
    for number, word in enumerate(re.split(r"(?<=\S) (?=.)", line[len(indent) :])):
        wide = len(ESCAPE.sub("", word))
        if number and used + 1 + wide > max(width, NARROWEST):
            found.append(" " * hang + word.lstrip())
            used = hang + len(ESCAPE.sub("", word.lstrip()))
        else:
            found[-1] += f" {word}" if number else word
            used += wide + (1 if number else 0)
    return found


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
