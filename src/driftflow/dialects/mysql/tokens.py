"""MySQL's and MariaDB's token rules: strings with backslash escapes, back-quoted names, three kinds of comment, and comments that are code.

Source: MySQL 8.4 manual, "Language Structure"; MariaDB documentation, "Comment Syntax". ANSI_QUOTES is taken to be off: a word in double quotes is a string.
"""

from __future__ import annotations

import re

from driftflow.dialects.tokens import CommentToken, Token, TokenFault
from driftflow.patterns import lazy_regex

__all__ = ["CommentToken", "Token", "TokenFault", "name_of", "string_of", "tokenize"]

_NEWEST_MYSQL = 90999
_MARIADB_SKIPS = (50700, 99999)
"""MariaDB leaves code comments of these version numbers to MySQL (10.0 and later)."""

TOKEN = lazy_regex(
    r"""
    (?P<space>[ \t\n\f\r\v\ufeff]+)
  | (?P<comment>--(?=[\s\x00-\x1f]|\Z)[^\n]*|\#[^\n]*|/\*(?!!|M!).*?\*/)
  | (?P<code>/\*M?![0-9]{0,6})
  | (?P<string>(?:[nN]|_[A-Za-z0-9]++[ \t\r\n]*+)?(?:'(?:[^'\\]++|\\.|'')*+'|"(?:[^"\\]++|\\.|"")*+"))
  | (?P<blob>[xXbB]'[0-9A-Fa-f]*'|0x[0-9A-Fa-f]+(?![^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f])|0b[01]+(?![^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]))
  | (?P<number>(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE][+-]?[0-9]))(?:[eE][+-]?[0-9]+)?|[0-9]+(?![^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]))
  | (?P<word>[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+)
  | (?P<quoted>`[^`]*+(?:``[^`]*+)*+`)
  | (?P<variable>@@?(?:[^\x00-\x23\x25-\x2d\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+|`[^`]*+(?:``[^`]*+)*+`|'(?:[^'\\]++|\\.|'')*+'|"(?:[^"\\]++|\\.|"")*+")?|\?)
  | (?P<operator>->>|->|<=>|:=|\|\||&&|<<|>>|<=|>=|<>|!=|\*/|\\N|/(?!\*)|[-+*%&|~^=<>(){}!,;.:])
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str, *, mariadb: bool = False) -> tuple[list[Token], list[CommentToken]]:
    """All tokens and all comments, in order. The inside of a code comment (`/*! ... */`) is read as code where a supported server runs it.

    Raises TokenFault for NUL, an unterminated quote or comment, or a character that starts no token.
    """
    if (nul := text.find("\x00")) >= 0:
        raise TokenFault("a NUL character, which no statement may hold", nul, "DF-E203")
    tokens: list[Token] = []
    comments: list[CommentToken] = []
    at, end = 0, len(text)
    code_from: int | None = None
    while at < end:
        token, kind, after = next_token(text, at)
        match kind:
            case "space":
                pass
            case "comment":
                comments.append(CommentToken(text[at:after], at))
            case "code":
                if runs(text[at:after], mariadb=mariadb):
                    code_from = at
                else:
                    after = closing(text, at)
                    comments.append(CommentToken(text[at:after], at))
            case _ if token is not None and token.key == "*/":
                if code_from is None:
                    raise TokenFault('unrecognized token: "*/"', at, "DF-E205")
                code_from = None
            case _:
                assert token is not None
                tokens.append(token)
        at = after
    if code_from is not None:
        raise TokenFault("this comment is never closed", code_from, "DF-E202")
    return tokens, comments


def next_token(text: str, at: int) -> tuple[Token | None, str, int]:
    """(the token or None for white space and comments, the group it matched, where it ends). Raises TokenFault."""
    match = TOKEN.match(text, at)
    if match is None:
        raise _fault(text, at)
    kind, found = match.lastgroup, match.group()
    after = match.end()
    match kind:
        case "word":
            return Token("word", found, at, found.upper()), "word", after
        case "operator":
            return Token("operator", found, at, found), "operator", after
        case "number" | "blob" | "string" | "quoted" | "variable":
            return Token(kind, found, at, ""), kind, after
        case _:
            return None, str(kind), after


def runs(opening: str, *, mariadb: bool) -> bool:
    """Whether some supported server runs the code behind this opening of a comment."""
    only_mariadb = opening.startswith("/*M!")
    digits = opening.rpartition("!")[2]
    if only_mariadb and not mariadb:
        return False
    if not digits:
        return True
    number = int(digits)
    if mariadb:
        return only_mariadb or not _MARIADB_SKIPS[0] <= number <= _MARIADB_SKIPS[1]
    return number <= _NEWEST_MYSQL


def closing(text: str, at: int) -> int:
    """Where the comment that opens at `at` ends."""
    end = text.find("*/", at)
    if end < 0:
        raise TokenFault("this comment is never closed", at, "DF-E202")
    return end + 2


def _fault(text: str, at: int) -> TokenFault:
    if text.startswith("/*", at):
        return TokenFault("this comment is never closed", at, "DF-E202")
    if text[at] in "'\"`@":
        what = "quoted name" if text[at] == "`" else "string"
        return TokenFault(f"this {what} is never closed", at, "DF-E202")
    return TokenFault(f'unrecognized token: "{text[at]}"', at, "DF-E205")


_ESCAPE = lazy_regex(r"\\(.)", re.DOTALL)
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}


def string_of(token: Token) -> str:
    """The characters that a string literal stands for. `\\%` and `\\_` keep their backslash, as the server does."""
    text = token.text
    opening = min(at for at in (text.find("'"), text.find('"')) if at >= 0)
    quote, inside = text[opening], text[opening + 1 : -1]
    inside = inside.replace(quote * 2, quote)
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0] if found[1] in "%_" else found[1]), inside)


def name_of(token: Token) -> str:
    """The identifier that a word, a back-quoted name or (for aliases) a string spells."""
    match token.kind:
        case "quoted":
            return token.text[1:-1].replace("``", "`")
        case "string":
            return string_of(token)
        case _:
            return token.text
