"""Source text that may have been changed before parsing (variables, placeholders), and the way back to positions in the file."""

from __future__ import annotations

import bisect
import itertools
import re

from driftflow.model.migration import Anchor
from driftflow.model.names import Span
from driftflow.model.record import LocalValue, field


class Substitution(LocalValue, frozen=True):
    """`original[start:end]` of the file stands as `text[text_start:text_end]` now."""

    start: int
    end: int
    text_start: int
    text_end: int


def _text_end(piece: Substitution) -> int:
    return piece.text_end


class SourceText(LocalValue, frozen=True, eq=False):
    """Text to split and parse. Offsets are in characters. Without substitutions `text` is the file."""

    text: str
    file: str = ""
    original: str | None = None
    substitutions: tuple[Substitution, ...] = ()
    base_line: int = 1
    """Line of the first character, for text that is a part of a file."""
    base_offset: int = 0
    """Offset of `original` in its file, where it is only a part."""
    line_starts: list[int] = field(default_factory=list)
    """Where the lines of the file begin; found when first asked for, and shared by all that is cut from the same file."""

    def original_offset(self, offset: int, *, end: bool = False) -> int:
        """Where a character of `text` came from. Inside a substituted piece it is the piece's start (or its end)."""
        behind = (bisect.bisect_left if end else bisect.bisect_right)(self.substitutions, offset, key=_text_end)
        if behind < len(self.substitutions):
            piece = self.substitutions[behind]
            if offset > piece.text_start or (offset == piece.text_start and not end):
                return piece.end if end else piece.start
        if behind == 0:
            return offset
        before = self.substitutions[behind - 1]
        return offset + before.end - before.text_end

    def position(self, offset: int, *, end: bool = False) -> tuple[int, int]:
        """(line, column) in the file, both from 1, of a character offset in `text`."""
        starts = self._lines()
        at = self.original_offset(offset, end=end)
        row = bisect.bisect_right(starts, at) - 1
        return self.base_line + row, at - starts[row] + 1

    def span(self, start: int, end: int) -> Span:
        """The place of `text[start:end]` in the file."""
        if not self.substitutions:
            return self._plain_span(start, end)
        line, column = self.position(start)
        end_line, end_column = self.position(end, end=True)
        return Span(
            file=self.file,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            start=self.base_offset + self.original_offset(start),
            end=self.base_offset + self.original_offset(end, end=True),
        )

    def _plain_span(self, start: int, end: int) -> Span:
        """Where the text is the file's own: every offset is one of the file."""
        starts = self._lines()
        row = bisect.bisect_right(starts, start) - 1
        end_row = bisect.bisect_right(starts, end, row) - 1
        return Span(
            file=self.file,
            line=self.base_line + row,
            column=start - starts[row] + 1,
            end_line=self.base_line + end_row,
            end_column=end - starts[end_row] + 1,
            start=self.base_offset + start,
            end=self.base_offset + end,
        )

    def _lines(self) -> list[int]:
        if not self.line_starts:
            source = self.text if self.original is None else self.original
            self.line_starts.append(0)
            self.line_starts.extend([found.end() for found in re.finditer("\n", source)])
        return self.line_starts

    def anchors(self, start: int, end: int) -> tuple[Anchor, ...]:
        """The places in `text[start:end]` where substituted pieces begin and end, for `Statement.anchors`."""
        if not self.substitutions:
            return ()
        found: list[Anchor] = []
        first = bisect.bisect_right(self.substitutions, start, key=_text_end)
        for piece in itertools.takewhile(lambda piece: piece.text_start < end, self.substitutions[first:]):
            line, column = self.position(piece.text_start)
            found.append(Anchor(offset=max(piece.text_start - start, 0), line=line, column=column, inside=True))
            line, column = self.position(piece.text_end, end=True)
            found.append(Anchor(offset=piece.text_end - start, line=line, column=column))
        return tuple(found)
