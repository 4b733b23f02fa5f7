"""Where in a file something is wrong, as text for a person: `file:line:column`, the source line, and a caret under the place."""

from __future__ import annotations

import unicodedata

from driftflow.dialects.source_text import SourceText

WIDTH_MAX = 160
"""Longer source lines are cut around the caret, so that a minified file does not fill the terminal."""


def excerpt(*, file: str, line: int, column: int, source_line: str, indent: int = 0) -> str:
    """Three lines: the position, the source line, a caret. `column` counts from 1, in characters. `indent` blanks stand before `source_line`."""
    start = max(0, column - WIDTH_MAX // 2) if indent + len(source_line) > WIDTH_MAX else 0
    shown = " " * min(max(0, indent - start), WIDTH_MAX)
    shown = (shown + source_line[max(0, start - indent) : max(0, start - indent) + WIDTH_MAX - len(shown)]).rstrip()
    gutter = f"{line} | "
    left = shown[: column - 1 - start]
    before = "".join("\t" if character == "\t" else " " * columns_of(character) for character in left)
    before += " " * (column - 1 - start - len(left))
    return f"{file or '<sql>'}:{line}:{column}\n{gutter}{shown}\n{' ' * (len(gutter) - 2)}| {before}^"


def columns_of(text: str) -> int:
    """Columns of a terminal that the text takes: two for wide characters, none for those that combine with the one before."""
    if text.isascii():
        return len(text)
    wide = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
    return wide - sum(1 for one in text if unicodedata.category(one) in ("Mn", "Me", "Cf"))


def excerpt_at(source: SourceText, offset: int) -> str:
    """The excerpt for a character offset of `source.text`, shown as the file has it."""
    line, column = source.position(offset)
    original = source.text if source.original is None else source.original
    start = source.original_offset(offset) - (column - 1)
    end = original.find("\n", start)
    return excerpt(
        file=source.file, line=line, column=column, source_line=original[start : end if end >= 0 else None].rstrip("\r")
    )
