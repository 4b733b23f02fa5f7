"""Where the keys of a TOML document stand, for messages: `tomllib` keeps values only."""

from __future__ import annotations

import re

from driftflow.dialects.excerpt import excerpt
from driftflow.model.names import Span
from driftflow.patterns import lazy_regex

_TOKEN = lazy_regex(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]|\n|[^"\'#\[\]{}\n]+', re.DOTALL
)
_BARE = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = lazy_regex(rf"[ \t]*({_BARE}(?:[ \t]*\.[ \t]*{_BARE})*)[ \t]*=")
_HEADER = lazy_regex(rf"[ \t]*(\[\[?)[ \t]*({_BARE}(?:[ \t]*\.[ \t]*{_BARE})*)[ \t]*\]")
_PART = lazy_regex(_BARE)
Path = tuple[str | int, ...]


class Places:
    """The places of one valid document. A key inside an inline table or a list counts as standing where its outer key does."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self._lines = text.split("\n")
        self._found: dict[Path, tuple[int, int]] = {}
        self._read(text)

    def of(self, path: Path) -> tuple[int, int]:
        """(line, column) of the key, or of the nearest one around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._found:
                return self._found[path[:length]]
        return 1, 1

    def span(self, path: Path) -> Span:
        line, column = self.of(path)
        start = sum(len(one) + 1 for one in self._lines[: line - 1]) + column - 1
        length = len(self._lines[line - 1].rstrip()) - column + 1
        return Span(
            file=self.file, line=line, column=column, end_line=line, end_column=column + length, start=start, end=start + length
        )

    def where(self, path: Path) -> str:
        return self.excerpt(*self.of(path))

    def excerpt(self, line: int, column: int) -> str:
        """The line with a caret under the place."""
        source_line = self._lines[line - 1] if line <= len(self._lines) else ""
        return excerpt(file=self.file, line=line, column=column, source_line=source_line.rstrip("\r"))

    def _read(self, text: str) -> None:
        counts: dict[Path, int] = {}
        base: Path = ()
        for line, start in _logical_lines(text):
            if header := _HEADER.match(text, start):
                base = self._resolved(_parts(header[2]), counts)
                if header[1] == "[[":
                    number = counts.get(base, 0)
                    counts[base] = number + 1
                    base = (*base, number)
                self._found.setdefault(base, (line, header.start(1) - start + 1))
            elif key := _KEY.match(text, start):
                path = base
                for part in _parts(key[1]):
                    path = (*path, part)
                    self._found.setdefault(path, (line, key.start(1) - start + 1))

    @staticmethod
    def _resolved(parts: list[str], counts: dict[Path, int]) -> Path:
        """`[statement.backfill]` means the last `[[statement]]`."""
        path: Path = ()
        for index, part in enumerate(parts):
            path = (*path, part)
            if path in counts and index < len(parts) - 1:
                path = (*path, counts[path] - 1)
        return path


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]


def _logical_lines(text: str) -> list[tuple[int, int]]:
    """(line, offset) of every line that begins outside strings, lists and inline tables."""
    found, depth, line, at = [(1, 0)], 0, 1, 0
    while match := _TOKEN.match(text, at):
        token = match[0]
        if token == "\n":
            line += 1
            if depth == 0:
                found.append((line, match.end()))
        elif token in ("[", "{"):
            depth += 1
        elif token in ("]", "}"):
            depth = max(0, depth - 1)
        else:
            line += token.count("\n")
        at = match.end()
    return found
