"""Cutting a file into statements, as psql does it, with the place of each.

The splitter is ours, since it must also keep places in text that the grammar rejects, know COPY data and psql's meta-commands, and bind
directives. Cost: a few microseconds a statement; it jumps from one interesting character to the next.
"""

from __future__ import annotations

import re

from driftflow.dialects.directives import FILE_VERB, directives_of, is_directive, misplaced
from driftflow.dialects.excerpt import excerpt_at
from driftflow.dialects.mixed import hint_for
from driftflow.dialects.postgresql import scan
from driftflow.dialects.postgresql.meta_commands import explain_meta_command
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.tokens import CommentToken
from driftflow.errors import ParseError
from driftflow.model.migration import Directive, Statement
from driftflow.model.record import LocalState, field
from driftflow.patterns import lazy_regex

_PLAIN = lazy_regex(r"""['"();\\\0]|\$|--|/\*""")
_SIMPLE = lazy_regex(r"""(?:[^;'"$\\\0/-]++|'[^'\\()]*+')++;""")
"""A statement that can be cut at sight: no comment, no quote but plain ones, and no bracket within those."""
_WITH_WORDS = lazy_regex(r"""['"();\\\0]|\$|--|/\*|(?<![\w$.])(?:begin(?=\s+atomic\b)|case|end)(?![\w$])""", re.IGNORECASE)
_ROUTINE = lazy_regex(r"create\s+(?:or\s+replace\s+)?(?:function|procedure)\b", re.IGNORECASE)
_ATOMIC = lazy_regex(r"\batomic\b", re.IGNORECASE)
_COPY = lazy_regex(r"copy\b", re.IGNORECASE)
_COPY_FROM = lazy_regex(r"\bfrom\s+(?:stdin|pstdin)\b", re.IGNORECASE)
_WHITE = " \t\n\r\f\v\ufeff"
_COPY_END = lazy_regex(r"^\\\.[ \t]*\r?$", re.MULTILINE)


class _Cut(LocalState):
    """A statement being read: where it starts, and the comments that belong to it."""

    start: int
    before: list[CommentToken]
    inside: list[CommentToken] = field(default_factory=list)
    tail: tuple[int, int] = (-1, -1)
    """Where the comments that were read last begin and end, with nothing but white space between them."""


def split(source: SourceText) -> tuple[Statement, ...]:
    """The statements of the file, with their directives. Raises ParseError for what cannot be cut: an open quote, NUL, a psql meta-command,
    a directive that speaks of nothing."""
    return _Splitter(source).statements()


class _Splitter:
    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = source.text
        low = self.text.lower()
        self.directives = "driftflow:" in low
        self.atomic = "atomic" in low and _ATOMIC.search(self.text) is not None

    def statements(self) -> tuple[Statement, ...]:
        found: list[Statement] = []
        at, end = 0, len(self.text)
        try:
            while True:
                comments: list[CommentToken] = []
                at = self.leading(at, comments)
                if at >= end:
                    self._refuse_orphans(comments)
                    return tuple(found)
                if self.text[at] == ";":
                    self._refuse_orphans([comment for comment in comments if not found or not self._of_file(comment)])
                    at += 1
                    continue
                cut = _Cut(at, comments)
                stop, at = self._end_of(cut)
                found.append(self._statement(cut, stop, first=not found))
        except scan.Unterminated as fault:
            raise self._error(
                "DF-E202",
                f"unterminated {fault.what}",
                fault.offset,
                why="the file ends before it is closed",
                hint=hint_for(self.text, "postgresql", "close it, or double the quote inside"),
            ) from fault

    def leading(self, at: int, comments: list[CommentToken]) -> int:
        """Skip white space and comments, keeping the comments that speak to driftflow."""
        text, end = self.text, len(self.text)
        while at < end:
            if (blank := scan.BLANK.match(text, at)) is not None:
                at = blank.end()
            elif (line := scan.LINE_COMMENT.match(text, at)) is not None:
                if self.directives and is_directive(line[0]):
                    comments.append(CommentToken(line[0], at))
                at = line.end()
            elif text.startswith("/*", at):
                stop = scan.after_comment(text, at)
                if self.directives and is_directive(text[at:stop]):
                    comments.append(CommentToken(text[at:stop], at))
                at = stop
            else:
                break
        return at

    def _end_of(self, cut: _Cut) -> tuple[int, int]:
        """(end of the statement's text, where to go on) of the statement that starts at `cut.start`."""
        text = self.text
        if not self.atomic and (simple := _SIMPLE.match(text, cut.start)) is not None:
            end = simple.end() - 1
            if text.count("(", cut.start, end) == text.count(")", cut.start, end):
                return self._finish(cut, end, end + 1)
        stop, depth, blocks = _PLAIN, 0, 0
        if self.atomic and _ROUTINE.match(text, cut.start):
            stop = _WITH_WORDS
        at = cut.start
        while (mark := stop.search(text, at)) is not None:
            here, what = mark.start(), mark[0]
            at = mark.end()
            match what:
                case ";":
                    if not depth and not blocks:
                        return self._finish(cut, here, at)
                case "'":
                    at = scan.after_quoted(text, here)
                case '"':
                    at = scan.after_identifier(text, here)
                case "$":
                    at = scan.after_dollar_quoted(text, here) or at
                case "(":
                    depth += 1
                case ")":
                    depth = max(0, depth - 1)
                case "--" | "/*":
                    at = self._comment(cut, here)
                case "\\":
                    raise self._meta_command(here)
                case "\0":
                    raise self._error(
                        "DF-E203", "a NUL character in SQL", here, why="PostgreSQL would read the file only up to it"
                    )
                case _:
                    blocks = self._blocks(what.lower(), blocks)
        return self._finish(cut, len(text), len(text))

    @staticmethod
    def _blocks(word: str, blocks: int) -> int:
        """How many blocks of a BEGIN ATOMIC body are open; CASE ends with END too."""
        if word == "end":
            return max(0, blocks - 1)
        return blocks + 1 if word == "begin" or blocks else 0

    def _comment(self, cut: _Cut, here: int) -> int:
        line = scan.LINE_COMMENT.match(self.text, here)
        stop = line.end() if line is not None else scan.after_comment(self.text, here)
        together = cut.tail[0] >= 0 and not self.text[cut.tail[1] : here].strip(_WHITE)
        cut.tail = (cut.tail[0] if together else here, stop)
        if self.directives and is_directive(self.text[here:stop]):
            cut.inside.append(CommentToken(self.text[here:stop], here))
        return stop

    def _finish(self, cut: _Cut, end: int, following: int) -> tuple[int, int]:
        """Leave trailing comments and blanks out of the statement, and take COPY's data in."""
        if _COPY.match(self.text, cut.start) and following > end and _COPY_FROM.search(self.text, cut.start, end):
            return self._copy_data(following)
        if cut.tail[0] >= 0 and not self.text[cut.tail[1] : end].strip(_WHITE):
            end = cut.tail[0]
        while end > cut.start and self.text[end - 1] in _WHITE:
            end -= 1
        return end, following

    def _copy_data(self, following: int) -> tuple[int, int]:
        """COPY ... FROM stdin: the lines up to `\\.` (or the end of the file, as psql reads it) belong to the statement."""
        line_end = self.text.find("\n", following)
        if line_end < 0:
            return following - 1, following
        closing = _COPY_END.search(self.text, line_end + 1)
        if closing is None:
            return len(self.text), len(self.text)
        return closing.start() + 2, closing.end()

    def _statement(self, cut: _Cut, end: int, *, first: bool) -> Statement:
        directives: tuple[Directive, ...] = ()
        if self.directives:
            comments = [*cut.before, *cut.inside]
            directives = directives_of(comments, self.source)
            for directive, comment in zip(directives, comments, strict=True):
                if directive.verb == FILE_VERB and not (
                    first and directive.span.start < self.source.span(cut.start, cut.start).start
                ):
                    raise misplaced(
                        directive,
                        where=excerpt_at(self.source, comment.start),
                        why="`file` speaks of the whole file and must come before its first statement",
                    )
            directives = tuple(directive for directive in directives if directive.verb != FILE_VERB)
        return Statement(
            sql=self.text[cut.start : end],
            span=self.source.span(cut.start, end),
            directives=directives,
            anchors=self.source.anchors(cut.start, end),
        )

    def _of_file(self, comment: CommentToken) -> bool:
        return is_directive(comment.text) and any(d.verb == FILE_VERB for d in directives_of([comment], self.source))

    def _refuse_orphans(self, comments: list[CommentToken]) -> None:
        """A directive without a statement behind it would be silently lost."""
        if not self.directives:
            return
        for directive, comment in zip(directives_of(comments, self.source), comments, strict=True):
            if directive.verb != FILE_VERB:
                raise misplaced(
                    directive,
                    where=excerpt_at(self.source, comment.start),
                    why="no statement follows it",
                    hint="put the comment on a line of its own above the statement it speaks of",
                )

    def _meta_command(self, at: int) -> ParseError:
        end = self.text.find("\n", at)
        line = self.text[at : end if end >= 0 else None]
        command, why, hint = explain_meta_command(line)
        return self._error("DF-E204", f"psql meta-command {command}", at, why=why, hint=hint)

    def _error(self, code: str, summary: str, at: int, *, why: str, hint: str = "") -> ParseError:
        return ParseError(
            code, summary, where=excerpt_at(self.source, at), why=why, hint=hint or "correct the file, then run the command again"
        )
