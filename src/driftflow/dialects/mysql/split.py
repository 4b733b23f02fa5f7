"""Cut a file of MySQL or MariaDB statements: at semicolons, at what DELIMITER says, and behind the END of a routine's body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from driftflow.dialects.directives import is_directive, statements_of
from driftflow.dialects.excerpt import excerpt_at
from driftflow.dialects.mixed import hint_for
from driftflow.dialects.mysql.tokens import closing, next_token, runs
from driftflow.dialects.place import shortened
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.tokens import CommentToken, Token, TokenFault
from driftflow.errors import ParseError
from driftflow.model.migration import Statement
from driftflow.patterns import lazy_regex

_HINTS = {
    "DF-E202": "close it, or double the quote inside",
    "DF-E203": "save the file as UTF-8 text",
    "DF-E205": "no such character can stand here: quote the name, or remove it",
    "DF-E206": "end the body with END, or set another DELIMITER around it",
}
_DELIMITER = lazy_regex(r"DELIMITER[ \t]+(\S+)[^\n]*", re.IGNORECASE)
_SHELL = lazy_regex(r"(?:source[ \t]+\S|\\[a-zA-Z.!]|system[ \t]+\S)", re.IGNORECASE)
"""Commands of the mysql client that change what the rest of a file means."""
_ROUTINES = frozenset({"TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "PACKAGE"})
_BEFORE_STATEMENT = frozenset({";", "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", ":", "ATOMIC", "ROW"})
_ENDS_OF = frozenset({"IF", "CASE", "LOOP", "WHILE", "REPEAT"})


@dataclass
class _Group:
    """One statement while it is read: where it begins and ends, and how deep its blocks are."""

    start: int = -1
    end: int = -1
    head: list[str] = field(default_factory=list)
    last: str = ""
    """The key of the token read last. No more is kept of them: a statement may be a dump."""
    depth: int = 0
    routine: bool = False

    def take(self, token: Token) -> None:
        if self.start < 0:
            self.start = token.start
        self.end = token.end
        if len(self.head) <= 12:
            if self.head[:1] == ["CREATE"] and token.key in _ROUTINES and not self.routine:
                self.routine = self.last != "DROP"
            self.head.append(token.key)
        if self.routine:
            self._block(token, self.last)
        elif token.key == "ATOMIC" and self.head == ["BEGIN", "NOT", "ATOMIC"]:  # MariaDB: a body without a routine around it
            self.routine, self.depth = True, 1
        self.last = token.key

    def _block(self, token: Token, before: str) -> None:
        opens = before in _BEFORE_STATEMENT or (self.depth == 0 and token.key == "BEGIN")
        match token.key:
            case "CASE" if before != "END":
                self.depth += 1
            case "BEGIN" | "IF" | "LOOP" | "WHILE" | "REPEAT" if opens and before != "END":
                self.depth += 1
            case "END":
                self.depth -= 1


def split(source: SourceText, *, mariadb: bool = False) -> tuple[Statement, ...]:
    """The statements of a file, not yet parsed. Raises ParseError for what cannot be tokens, a body that does not end, a command of the mysql
    client other than DELIMITER, or a directive that speaks of nothing."""
    try:
        groups, comments = _groups(source, mariadb=mariadb)
    except TokenFault as fault:
        hint = hint_for(source.text, "mysql", _HINTS[fault.code])
        raise ParseError(fault.code, fault.message, where=excerpt_at(source, fault.offset), hint=hint) from None
    return statements_of(groups, comments, source)


def _groups(source: SourceText, *, mariadb: bool) -> tuple[list[tuple[int, int]], list[CommentToken]]:
    """Where each statement begins and ends, without the terminator. Empty statements (`;;`) are none."""
    text = source.text
    if (nul := text.find("\x00")) >= 0:
        raise TokenFault("a NUL character, which no statement may hold", nul, "DF-E203")
    found: list[tuple[int, int]] = []
    comments: list[CommentToken] = []
    group = _Group()
    delimiter, at, code_from = ";", 0, -1

    def finish() -> None:
        nonlocal group
        if group.start >= 0:
            found.append((group.start, group.end))
        group = _Group()

    while at < len(text):
        if group.start < 0 and code_from < 0 and (command := _DELIMITER.match(text, at)) is not None:
            delimiter, at = command[1], command.end()
            continue
        if delimiter != ";" and code_from < 0 and text.startswith(delimiter, at):
            finish()
            at += len(delimiter)
            continue
        if group.start < 0 and _SHELL.match(text, at):
            raise _client_command(source, at)
        token, kind, after = next_token(text, at)
        if delimiter != ";" and kind == "word" and (cut := text.find(delimiter, at, after)) > at:
            token, after = Token("word", text[at:cut], at, text[at:cut].upper()), cut  # END$$
        if kind == "comment":
            if is_directive(text[at:after]):
                comments.append(CommentToken(text[at:after], at))
        elif kind == "code" and not runs(text[at:after], mariadb=mariadb):
            after = closing(text, at)
        elif kind == "code":
            code_from = at
            group.start = at if group.start < 0 else group.start
        elif token is not None and token.key == "*/":
            if code_from < 0:
                raise TokenFault('unrecognized token: "*/"', at, "DF-E205")
            code_from = -1
            group.end = after
        elif token is not None and token.key == ";" and delimiter == ";" and group.depth <= 0:
            finish()
        elif token is not None and not (token.key == ";" and group.start < 0):
            group.take(token)
        at = after
    if code_from >= 0:
        raise TokenFault("this comment is never closed", code_from, "DF-E202")
    if group.start >= 0 and group.depth > 0 and delimiter == ";":
        raise TokenFault("the body of this routine is never closed", group.start, "DF-E206")
    finish()
    return found, comments


def _client_command(source: SourceText, start: int) -> ParseError:
    line = source.text[start:].split("\n", 1)[0].strip()
    return ParseError(
        "DF-E204",
        f"a command of the mysql client: {shortened(line.split()[0])}",
        where=excerpt_at(source, start),
        why="only the client understands it, and it may change what the rest of the file means",
        hint="remove the line, or write what it does in SQL",
    )
