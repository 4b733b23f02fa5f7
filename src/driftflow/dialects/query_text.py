"""The application's queries as text: constants masked, placeholders of every style as the server's own, and what cannot be prepared at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence

from driftflow.dialects.mysql import tokens as mysql
from driftflow.dialects.postgresql import scan
from driftflow.dialects.sqlite import tokens as sqlite
from driftflow.dialects.tokens import Token, TokenFault
from driftflow.patterns import lazy_regex

PREPARABLE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "WITH", "TABLE", "CALL", "("})
_POSTGRESQL = lazy_regex(
    r"""
    (?P<space>[ \t\n\f\r\v\ufeff]+)
  | (?P<comment>--[^\n\r]*)
  | (?P<word>[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f][^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*)
  | (?P<number>0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)
  | (?P<variable>\$[0-9]+)
  | (?P<operator>::|:=|=>|\.\.|[-+*/<>=~!@\#%^&|`?]|[()\[\],;:.{}]|\$|\\)
    """,
    re.VERBOSE,
)
_PERCENT = lazy_regex(r"%(?:\((?P<name>[^)\s]+)\))?[sbt](?![A-Za-z0-9_])")
_NAMED = lazy_regex(r":(?P<name>[A-Za-z_][A-Za-z0-9_]*)")


def lex(sql: str, dialect: str) -> list[Token]:
    """The tokens without comments. Raises TokenFault for text that is not closed or holds what starts no token."""
    if dialect == "sqlite":
        return sqlite.tokenize(sql)[0]
    if dialect in {"mysql", "mariadb"}:
        return mysql.tokenize(sql, mariadb=dialect == "mariadb")[0]
    return _lex_postgresql(sql)


def _lex_postgresql(sql: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    try:
        while at < len(sql):
            here = at
            if sql.startswith("/*", at):
                at = scan.after_comment(sql, at)
            elif sql[at] == '"':
                at = scan.after_identifier(sql, at)
                found.append(Token("quoted", sql[here:at], here, ""))
            elif sql[at] == "$" and (after := scan.after_dollar_quoted(sql, at)) is not None:
                at = after
                found.append(Token("string", sql[here:at], here, ""))
            elif (opening := _QUOTE.match(sql, at)) is not None:
                at = scan.after_quoted(sql, opening.end() - 1)
                found.append(Token("string", sql[here:at], here, ""))
            else:
                match = _POSTGRESQL.match(sql, at)
                if match is None:
                    raise TokenFault(f"unrecognized token: {sql[at]!r}", at, "DF-E205")
                at = match.end()
                if match.lastgroup in {"word", "number", "variable", "operator"}:
                    kind = match.lastgroup
                    found.append(Token(kind, match[0], here, match[0].upper() if kind in {"word", "operator"} else ""))  # type: ignore[arg-type]  # the groups are the kinds
    except scan.Unterminated as fault:
        raise TokenFault(f"this {fault.what} is never closed", fault.offset, "DF-E202") from fault
    return found


_QUOTE = lazy_regex(r"(?:[eEbBxXnN]|[uU]&)?'")

# masking


class _Everything(frozenset[str]):
    def __contains__(self, name: object) -> bool:
        return True


EVERYTHING = _Everything()
"""For `names`: every word in double quotes is a name. To tell queries apart, and for a schema's own statements; not to show a query."""


def masked(sql: str, dialect: str, *, names: Collection[str] = ()) -> str:
    """The query for people: constants are `?`, comments are gone, white space is one space, lists of constants are `?, ...`.

    On SQLite a word in double quotes may be a string: it is shown only where it is one of the `names` (lower case) that the schema has.
    What cannot be cut into tokens is not shown beyond its first word.
    """
    try:
        tokens = lex(sql, dialect)
    except TokenFault:
        first = re.match(r"\s*([A-Za-z]+)", sql)
        return f"{first[1].upper() if first else '?'} … (its text cannot be read)"
    pieces: list[str] = []
    end = None
    for token in tokens:
        if token.key == ";":
            continue
        if end is not None and token.start > end:
            pieces.append(" ")
        pieces.append(_masked(token, dialect, names))
        end = token.end
    return _lists("".join(pieces))


def _masked(token: Token, dialect: str, names: Collection[str]) -> str:
    if token.kind in {"string", "blob", "number"}:
        return "?"
    if dialect == "sqlite" and token.kind == "quoted" and token.text[0] == '"' and sqlite.name_of(token).lower() not in names:
        return "?"
    return token.text


_LIST = lazy_regex(r"(\(|, ?)(\?|\$\d+|%s|:\w+)(?: ?, ?(?:\?|\$\d+|%s))+(?= ?[,)])")
_ROWS = lazy_regex(r"(\((?:[^()]|\(\))*\))(?: ?, ?\1)+")


def _lists(text: str) -> str:
    text = _LIST.sub(lambda found: f"{found[1]}{found[2]}, ...", text)
    return _ROWS.sub(
        lambda found: f"{found[1]}, ..." if "?" in found[1] or "$" in found[1] or "%" in found[1] else found[0], text
    )


def digest_of(text: str) -> str:
    """Eight hex digits of a masked text."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:8]


def without_constants(message: str, sql: str, dialect: str, *, code: str = "") -> str:
    """The server's message with the query's own constants masked: a type error quotes the value that it could not read.

    A message that speaks of names (no such column) quotes none, and stays as it is: a constant may read like the name of a column.
    """
    if _speaks_of_names(message, code, dialect):
        return message
    if "near" in message and (code in {"42601", "1064"} or dialect == "sqlite"):
        return re.sub(r"near .*", "near what is not shown", message, flags=re.DOTALL)
    message = _VALUE.sub(r"\1?\2", message)
    try:
        constants = {token.text.strip("'\"$") for token in lex(sql, dialect) if token.kind in {"string", "blob", "number"}}
    except TokenFault:
        return "the message is not shown: it may quote the query"
    for constant in sorted((one for one in constants if one), key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(constant)}(?!\w)", "?", message)
    return message


_VALUE = lazy_regex(r"""(: "|value:? ').*("|'(?= for )|'$)""", re.DOTALL)
"""PostgreSQL: invalid input syntax for type integer: "…". MySQL: Incorrect datetime value: '…' for column ….  Quotes inside are the value's."""


def _speaks_of_names(message: str, code: str, dialect: str) -> bool:
    match dialect:
        case "postgresql":
            return code.startswith("42") and code != "42601"
        case "sqlite":
            return message.startswith(("no such ", "ambiguous column", "table ")) and "string literal" not in message
        case _:
            return code in {"1054", "1146", "1052", "1136", "1305", "1049", "1364"}


# what can be prepared


def first_word(sql: str, dialect: str) -> str:
    """The keyword that the query begins with, upper case; empty where it is not cut into tokens."""
    try:
        tokens = lex(sql, dialect)
    except TokenFault:
        return ""
    return tokens[0].key if tokens else ""


def placeholders(sql: str, dialect: str, *, question_marks: bool = False) -> str:
    """The query with `%s`, `%(name)s` and `:name` (and on PostgreSQL, with `question_marks`, `?`) as the server writes parameters.

    A name that stands twice is one parameter where the server can say so, two where it cannot.
    """
    tokens = lex(sql, dialect)
    percent = any(_PERCENT.match(sql, token.start) for token in tokens if token.text.startswith("%"))
    pieces: list[str] = []
    numbers: dict[str, int] = {}
    at = 0
    for index, token in enumerate(tokens):
        if token.start < at:
            continue
        found = _placeholder(sql, tokens, index, dialect, question_marks=question_marks)
        if found is None and not (percent and sql.startswith("%%", token.start)):
            continue
        pieces.append(sql[at : token.start])
        if found is None:
            pieces.append("%")
            at = token.start + 2
            continue
        name, at = found
        number = numbers.setdefault(name or f"\0{len(numbers)}", len(numbers) + 1)
        pieces.append(f"${number}" if dialect == "postgresql" else "?" if dialect != "sqlite" else f"?{number}")
    pieces.append(sql[at:])
    return "".join(pieces)


def _placeholder(sql: str, tokens: Sequence[Token], index: int, dialect: str, *, question_marks: bool) -> tuple[str, int] | None:
    """(name or empty, where it ends) of the placeholder at this token."""
    token = tokens[index]
    if token.text.startswith("%") and (match := _PERCENT.match(sql, token.start)):
        return match["name"] or "", match.end()
    before = sql[token.start - 1 : token.start]
    if token.text == ":" and before not in {":", "["} and (match := _NAMED.match(sql, token.start)):
        return match["name"], match.end()
    if question_marks and dialect == "postgresql" and token.text == "?":
        return "", token.end
    return None


_TYPED = lazy_regex(r"\b(interval|date|time|timetz|timestamp|timestamptz)\s+(\$\d+)", re.IGNORECASE)


def forms(sql: str, dialect: str, *, names: Collection[str] = ()) -> tuple[str, ...]:
    """How the query may be meant for the server to prepare, the likeliest first: as it is, and with its placeholders as the server's own.

    `names` (lower case) are those that the schema has: on SQLite a word in double quotes that is one of them is put in back quotes first.
    SQLite takes a double-quoted word that is no column any more for a string, and the query would go on working, with another meaning.
    """
    bare = sql.strip().rstrip(";").rstrip()
    try:
        converted = placeholders(bare, dialect)
        if dialect == "sqlite":
            return tuple(dict.fromkeys([_names_only(converted, names), converted]))
        if dialect != "postgresql":
            return (converted,)
        marks = placeholders(bare, dialect, question_marks=True)
        as_it_is = [] if any(_PERCENT.match(bare, token.start) for token in lex(bare, dialect) if token.text == "%") else [bare]
    except TokenFault:
        return (bare,)
    typed = _TYPED.sub(r"CAST(\2 AS \1)", marks)
    return tuple(dict.fromkeys([*as_it_is, converted, marks, typed]))


def _names_only(sql: str, names: Collection[str]) -> str:
    pieces: list[str] = []
    at = 0
    for token in lex(sql, "sqlite"):
        if token.kind == "quoted" and token.text[0] == '"' and sqlite.name_of(token).lower() in names:
            pieces += [sql[at : token.start], "`" + sqlite.name_of(token).replace("`", "``") + "`"]
            at = token.end
    return "".join(pieces) + sql[at:]
