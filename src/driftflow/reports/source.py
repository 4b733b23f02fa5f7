"""The excerpt of a statement with the place underlined: what a reader looks at first."""

from __future__ import annotations

import functools

from driftflow.dialects.excerpt import columns_of
from driftflow.model.migration import Statement
from driftflow.model.names import Span
from driftflow.reports.style import BLUE, BOLD, DIM, Paint

LINE_MAX = 140
WHOLE_LINES_MAX = 4


def excerpt(statement: Statement, span: Span, paint: Paint, underline: str) -> list[str]:
    """Numbered lines of the statement; the span underlined in the colour codes of `underline`."""
    # Far to the right on a long line the blanks before a statement are not written out: they would be cut away again.
    shift = max(0, statement.span.column - LINE_MAX)
    lines = _lines(statement.sql, statement.span.column - shift)
    first = statement.span.line
    whole = span == statement.span or span.end_line != span.line
    wanted = _wanted(len(lines), span.line - first, whole=whole)
    width = len(str(first + max(wanted, default=0)))
    found = [f"{' ' * width} {paint('|', BLUE)}"]
    previous = None
    for row in wanted:
        if previous is not None and row != previous + 1:
            found.append(paint("…", DIM))
        text = lines[row]
        start, end = _columns(text, span, row + first, whole=whole, shift=shift if row == 0 else 0)
        text, start, end = _cut(text, start, end)
        found.append(f"{paint(str(first + row).rjust(width), BLUE)} {paint('|', BLUE)} {text}".rstrip())
        if start is not None and (row + first == span.line or whole):
            before, under = columns_of(text[:start]), columns_of(text[start:end])
            found.append(f"{' ' * width} {paint('|', BLUE)} {' ' * before}{paint('^' * max(1, under), underline, BOLD)}")
        previous = row
    if whole and len(lines) > WHOLE_LINES_MAX:
        found.append(paint(f"{' ' * width} | … {len(lines) - WHOLE_LINES_MAX} more lines", DIM))
    return found


@functools.lru_cache(maxsize=2)
def _lines(sql: str, column: int) -> list[str]:
    """The statement's lines as they stand in the file: the first one indented to its column, tabs as one space each. Findings of one statement
    come one after the other, and it may have megabytes."""
    text = " " * (column - 1) + sql
    return [line.replace("\t", " ").rstrip("\r") for line in text.split("\n")]


def _wanted(total: int, row: int, *, whole: bool) -> list[int]:
    if whole:
        return list(range(min(total, WHOLE_LINES_MAX)))
    row = min(max(row, 0), total - 1)
    return sorted({0, row})


def _columns(text: str, span: Span, line: int, *, whole: bool, shift: int) -> tuple[int | None, int]:
    """Where to underline in this line, counting from 0."""
    indent = len(text) - len(text.lstrip())
    if whole:
        return (indent, len(text.rstrip())) if text.strip() else (None, 0)
    if line != span.line:
        return None, 0
    return span.column - 1 - shift, max(span.end_column - 1, span.column) - shift


def _cut(text: str, start: int | None, end: int) -> tuple[str, int | None, int]:
    """A long line is cut around what is underlined."""
    if len(text) <= LINE_MAX:
        return text, start, min(end, len(text)) if start is not None else end
    left = max(0, (start or 0) - 40)
    shown = text[left : left + LINE_MAX]
    shown = f"{'…' if left else ''}{shown}{'…' if left + LINE_MAX < len(text) else ''}"
    shift = left - (1 if left else 0)
    return shown, None if start is None else start - shift, min(end - shift, len(shown))
