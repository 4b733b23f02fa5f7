"""Cut a file of SQLite statements at its semicolons, knowing where a trigger's body ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from driftflow.dialects.directives import is_directive, statements_of
from driftflow.dialects.excerpt import excerpt_at
from driftflow.dialects.mixed import hint_for
from driftflow.dialects.place import shortened
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite.tokens import CommentToken, Token, TokenFault, tokens_of
from driftflow.errors import ParseError
from driftflow.model.migration import Statement

_HINTS = {
    "DF-E202": "close it, or double the quote inside",
    "DF-E203": "save the file as UTF-8 text",
    "DF-E205": "SQLite knows no such character here: quote the name, or remove it",
    "DF-E206": "end the trigger with END;",
}


def split(source: SourceText) -> tuple[Statement, ...]:
    """The statements of a file, not yet parsed. Raises ParseError for what cannot be tokens, a trigger whose body does not end, a command of the
    sqlite3 shell, or a directive that speaks of nothing."""
    comments: list[CommentToken] = []
    try:
        return statements_of(_groups(source, comments), comments, source)
    except TokenFault as fault:
        raise _error(fault, source) from None


def _shell_command(source: SourceText, start: int) -> ParseError:
    line = source.text[start:].split("\n", 1)[0].strip()
    return ParseError(
        "DF-E204",
        f"a command of the sqlite3 shell: {shortened(line.split()[0])}",
        where=excerpt_at(source, start),
        why="only the shell understands it, and it may change what the rest of the file means",
        hint="remove the line, or write what it does in SQL",
    )


@dataclass
class _Group:
    """One statement while it is read. Of its tokens only what decides where it ends is kept: a statement may be a dump."""

    start: int
    end: int = 0
    head: list[str] = field(default_factory=list)
    last: tuple[str, str] = ("", "")
    """The keys of the two tokens read last."""
    trigger: bool = False

    def take(self, token: Token) -> None:
        self.end = token.end
        self.last = (self.last[1], token.key)
        if len(self.head) < HEAD:
            self.head.append(token.key)
            if token.key == "TRIGGER":
                self.trigger = _opens_trigger(self.head)

    @property
    def open(self) -> bool:
        """Inside a trigger's body. As sqlite3_complete() judges: the body ends with `; END`. The END of a CASE never follows a semicolon."""
        return self.trigger and self.last != (";", "END")


HEAD = 6
"""EXPLAIN QUERY PLAN CREATE TEMP TRIGGER, and room for one EXPLAIN more."""


def _groups(source: SourceText, comments: list[CommentToken]) -> Iterator[tuple[int, int]]:
    """Where each statement begins and ends, without the terminator. Empty statements (`;;`) are none."""
    group: _Group | None = None
    for token in tokens_of(source.text, comments, keep=is_directive):
        if token.key == ";" and not (group is not None and group.open):
            if group is not None:
                yield group.start, group.end
            group = None
            continue
        if group is None:
            if token.key == ".":
                raise _shell_command(source, token.start)
            group = _Group(token.start)
        group.take(token)
    if group is not None:
        if group.open:
            raise TokenFault("this trigger's body is never closed", group.start, "DF-E206")
        yield group.start, group.end


def _opens_trigger(keys: Sequence[str]) -> bool:
    """CREATE [TEMP | TEMPORARY] TRIGGER, behind EXPLAIN [QUERY PLAN] too; a table called trigger does not count."""
    while keys[:1] == ["EXPLAIN"]:
        keys = keys[3:] if keys[1:3] == ["QUERY", "PLAN"] else keys[1:]
    return bool(keys) and keys[0] == "CREATE" and (len(keys) == 2 or (len(keys) == 3 and keys[1] in {"TEMP", "TEMPORARY"}))


def _error(fault: TokenFault, source: SourceText) -> ParseError:
    hint = hint_for(source.text, "sqlite", _HINTS[fault.code])
    return ParseError(fault.code, fault.message, where=excerpt_at(source, fault.offset), hint=hint)
