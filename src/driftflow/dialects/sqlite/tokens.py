"""SQLite's token rules: what its tokenizer reads as strings, identifiers, numbers, variables, operators and comments.

Source: SQLite's tokenize.c (3.54). Unlike PostgreSQL there are no dollar quotes, no escapes in strings, and comments do not nest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from driftflow.dialects.tokens import END, CommentToken, Kind, Token, TokenFault
from driftflow.patterns import lazy_regex

__all__ = ["END", "CommentToken", "Kind", "Token", "TokenFault", "name_of", "tokenize", "tokens_of"]

_TOKEN = lazy_regex(
    r"""
    (?P<space>[ \t\n\f\r\ufeff]+)
  | (?P<comment>--[^\n]*|/\*.*?\*/)
  | (?P<blob>[xX]'(?:[0-9A-Fa-f]{2})*')
  | (?P<word>[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f][^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*)
  | (?P<number>0[xX][0-9A-Fa-f]+(?:_[0-9A-Fa-f]+)*
      | (?:[0-9]+(?:_[0-9]+)*(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?)
  | (?P<string>'[^']*+(?:''[^']*+)*+')
  | (?P<quoted>"[^"]*+(?:""[^"]*+)*+"|`[^`]*+(?:``[^`]*+)*+`|\[[^\]]*+\])
  | (?P<variable>\?[0-9]*|[:@\#][^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+|\$[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+(?:::[A-Za-z0-9_$]+)*(?:\([^\s)]*+\)|(?!\()))
  | (?P<operator>->>|->|\|\||<<|>>|<=|>=|<>|!=|==|/(?!\*)|[-+*%&|~=<>(),;.])
    """,
    re.VERBOSE | re.DOTALL,
)

_TRAILING_WORD = lazy_regex(r"[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]")


def tokenize(text: str) -> tuple[list[Token], list[CommentToken]]:
    """All tokens and all comments, in order. Raises TokenFault for NUL, an unterminated quote or comment, or a character that starts no token."""
    comments: list[CommentToken] = []
    return list(tokens_of(text, comments)), comments


def tokens_of(text: str, comments: list[CommentToken], *, keep: Callable[[str], bool] = bool) -> Iterator[Token]:
    """The same, one token after the other: those of a whole file would take fifty times its size. Comments that are to `keep` go to `comments`."""
    if (nul := text.find("\x00")) >= 0:
        raise TokenFault("a NUL character, at which SQLite would stop reading", nul, "DF-E203")
    at, end, match_at = 0, len(text), _TOKEN.match
    while at < end:
        match = match_at(text, at)
        if match is None:
            raise _fault(text, at)
        kind, found = match.lastgroup, match.group()
        after = match.end()
        match kind:
            case "space":
                pass
            case "comment":
                if keep(found):
                    comments.append(CommentToken(found, at))
            case "word":
                yield Token("word", found, at, found.upper())
            case "operator":
                yield Token("operator", found, at, found)
            case "number":
                if after < end and _TRAILING_WORD.match(text, after):  # SQLite: `12ab` is one illegal token
                    raise TokenFault(f"unrecognized token: {_word_at(text, at)}", at, "DF-E205")
                yield Token("number", found, at, "")
            case "blob" | "string" | "quoted" | "variable":
                yield Token(kind, found, at, "")
            case _:  # pragma: no cover
                raise AssertionError(kind)
        at = after


def _fault(text: str, at: int) -> TokenFault:
    opening = text[at]
    if text.startswith("/*", at):
        return TokenFault("this comment is never closed", at, "DF-E202")
    if opening in "'\"`[":
        what = "string" if opening == "'" else "quoted name"
        return TokenFault(f"this {what} is never closed", at, "DF-E202")
    return TokenFault(f"unrecognized token: {_word_at(text, at)}", at, "DF-E205")


def _word_at(text: str, at: int) -> str:
    match = re.compile(r"\S[A-Za-z0-9_$]*").match(text, at)
    return f'"{match.group() if match else text[at]}"'


def name_of(token: Token) -> str:
    """The identifier that a word, a quoted name, or (where SQLite allows it) a string spells."""
    text = token.text
    match text[:1]:
        case '"':
            return text[1:-1].replace('""', '"')
        case "`":
            return text[1:-1].replace("``", "`")
        case "'":
            return text[1:-1].replace("''", "'")
        case "[":
            return text[1:-1]
        case _:
            return text
