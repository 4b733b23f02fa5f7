"""PostgreSQL's token rules, as far as cutting text needs them: what is quoted, what is a comment, where a token ends.

Source: PostgreSQL 18 documentation, section 4.1, and the flex rules of psql, which cuts statements the same way.
"""

from __future__ import annotations

import re

from driftflow.patterns import lazy_regex

# Classes of characters are written by what they leave out: to compile a range up to U+10FFFF takes ten milliseconds each.
BLANK = lazy_regex(r"[ \t\n\r\f\v\ufeff]+")
LINE_COMMENT = lazy_regex(r"--[^\n\r]*")
# Possessive: a quote that is never closed is looked through once, and no way back is kept in memory for each of its characters.
PLAIN_QUOTED = lazy_regex(r"'[^']*+(?:''[^']*+)*+'")
ESCAPE_QUOTED = lazy_regex(r"'(?:[^'\\]++|\\.|'')*+'", re.DOTALL)
IDENTIFIER_QUOTED = lazy_regex(r'"[^"]*+(?:""[^"]*+)*+"')
DOLLAR_QUOTE = lazy_regex(r"\$(?:[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f][^\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*)?\$")
CONTINUATION = lazy_regex(r"[ \t\f\v]*[\n\r][ \t\n\r\f\v]*(?=')")
"""Two string constants on different lines are one; a continued E'...' keeps its escapes."""
_BRACKET_COMMENT = lazy_regex(r"/\*|\*/")
_WORD_CHARACTER = lazy_regex(r"[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]")


class Unterminated(Exception):
    """A quote or comment that the text does not close."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what, offset)
        self.what, self.offset = what, offset


def after_quoted(text: str, at: int) -> int:
    """The offset behind the string constant whose quote is at `at`; escapes are read where an E stands before it."""
    escaped = at > 0 and text[at - 1] in "eE" and not (at > 1 and _WORD_CHARACTER.match(text[at - 2]))
    match = (ESCAPE_QUOTED if escaped else PLAIN_QUOTED).match(text, at)
    if match is None:
        raise Unterminated("quoted string", at)
    end = match.end()
    while escaped and (gap := CONTINUATION.match(text, end)) is not None:
        match = ESCAPE_QUOTED.match(text, gap.end())
        if match is None:
            raise Unterminated("quoted string", gap.end())
        end = match.end()
    return end


def after_identifier(text: str, at: int) -> int:
    """The offset behind the quoted identifier at `at`."""
    match = IDENTIFIER_QUOTED.match(text, at)
    if match is None:
        raise Unterminated("quoted identifier", at)
    return match.end()


def after_comment(text: str, at: int) -> int:
    """The offset behind the `/* */` comment at `at`; comments nest."""
    depth, here = 1, at + 2
    while depth:
        mark = _BRACKET_COMMENT.search(text, here)
        if mark is None:
            raise Unterminated("/* comment", at)
        depth += 1 if mark[0] == "/*" else -1
        here = mark.end()
    return here


def after_dollar_quoted(text: str, at: int) -> int | None:
    """The offset behind the dollar-quoted string at `at`; None when the `$` there begins none (a parameter, a part of a name)."""
    if at > 0 and _WORD_CHARACTER.match(text[at - 1]):
        return None
    tag = DOLLAR_QUOTE.match(text, at)
    if tag is None:
        return None
    close = text.find(tag[0], tag.end())
    if close < 0:
        raise Unterminated("dollar-quoted string", at)
    return close + len(tag[0])


def skip_blank(text: str, at: int) -> int:
    """The offset of the first character at or behind `at` that is neither white space nor a comment."""
    end = len(text)
    while at < end:
        if (blank := BLANK.match(text, at)) is not None or (blank := LINE_COMMENT.match(text, at)) is not None:
            at = blank.end()
        elif text.startswith("/*", at):
            at = after_comment(text, at)
        else:
            break
    return at


_BRACKET = lazy_regex(r"""['"()$]|--[^\n\r]*|/\*""")


def stays_inside(text: str) -> bool:
    """Whether the text put into brackets stays in them: it closes none that it did not open."""
    depth = at = 0
    while (mark := _BRACKET.search(text, at)) is not None:
        here, at = mark.start(), mark.end()
        match mark[0]:
            case "'":
                at = after_quoted(text, here)
            case '"':
                at = after_identifier(text, here)
            case "$":
                at = after_dollar_quoted(text, here) or at
            case "/*":
                at = after_comment(text, here)
            case "(":
                depth += 1
            case ")":
                depth -= 1
                if depth < 0:
                    return False
            case _:
                pass
    return True


_NORMAL = lazy_regex(r"""[^\s'"$/\-]+|\s+|['"$]|--[^\n\r]*|/\*|[/\-]""")


def normal_text(sql: str) -> str:
    """The same tokens with one space between them: comments and line breaks outside of quotes are gone. Applying it twice changes nothing."""
    if sql.find("\n") < 0 and "  " not in sql and "--" not in sql and "/*" not in sql and "\t" not in sql:
        return sql.strip()
    pieces: list[str] = []
    space = False
    at, end = 0, len(sql)
    while at < end and (token := _NORMAL.match(sql, at)) is not None:
        text, stop = token[0], token.end()
        if text.startswith("--") or text.isspace():
            space, at = True, stop
            continue
        if text == "/*":
            space, at = True, after_comment(sql, at)
            continue
        if text == "'":
            stop = after_quoted(sql, at)
        elif text == '"':
            stop = after_identifier(sql, at)
        elif text == "$":
            stop = after_dollar_quoted(sql, at) or stop
        if space and pieces:
            pieces.append("\n" if text == "'" and pieces[-1][-1:] == "'" else " ")
        space = False
        pieces.append(sql[at:stop])
        at = stop
    return "".join(pieces)
