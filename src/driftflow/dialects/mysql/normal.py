"""One spelling for equal SQL: white space, case of keywords and functions, quotes that are not needed.

Everything driftflow keeps as text (views, triggers, predicates) goes through here; expressions lose needless parentheses besides (`expressions`).
No literal is touched but for the character set that the server writes in front of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.keywords import RESERVED, quote, quote_string
from driftflow.dialects.mysql.tokens import string_of
from driftflow.dialects.tokens import END, Token
from driftflow.patterns import lazy_regex

_INTRODUCER = lazy_regex(r"(?:_[A-Za-z0-9]+[ \t\r\n]*|[nN])(?=['\"])")
_WORDS_THAT_CALL = frozenset(
    [
        "CHAR",
        "CONVERT",
        "DATABASE",
        "IF",
        "INSERT",
        "INTERVAL",
        "LEFT",
        "MOD",
        "REPEAT",
        "REPLACE",
        "RIGHT",
        "SCHEMA",
        "VALUES",
        "USER",
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_USER",
        "UTC_TIMESTAMP",
        "UTC_DATE",
        "UTC_TIME",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "RANK",
        "LAG",
        "LEAD",
        "ROW_NUMBER",
        "DENSE_RANK",
        "NTILE",
        "FIRST_VALUE",
        "LAST_VALUE",
        "NTH_VALUE",
        "CUME_DIST",
        "PERCENT_RANK",
        "GROUPING",
        "JSON_TABLE",
        "TRUNCATE",
    ]
)
"""Reserved, and a function where a parenthesis follows."""


def normal(tokens: Sequence[Token], *, keywords: frozenset[str] = frozenset()) -> str:
    """The tokens as text in normal form. `keywords` are words that count as reserved here (`LESS THAN`)."""
    pieces: list[str] = []
    before = END
    ends_operand = False
    tight = True
    for index, token in enumerate(tokens):
        after = tokens[index + 1] if index + 1 < len(tokens) else END
        said = token.kind == "word" and token.key in keywords
        text = token.key if said else spell(token, before, after)
        keyword = said or (token.kind == "word" and token.key in RESERVED and before.key != ".")
        if not tight and _spaced(token, before, ends_operand):
            pieces.append(" ")
        pieces.append(text)
        unary = token.key in {"-", "+", "~", "!"} and not ends_operand
        tight = (unary and not token.key == after.key == "-") or token.key in {"(", "."}
        ends_operand = token.key == ")" if token.kind == "operator" else (not keyword or (calls(token, after) and not said))
        before = token
    return "".join(pieces)


def calls(token: Token, after: Token) -> bool:
    """Whether the word is the name of a function that is called here."""
    return after.key == "(" and token.kind == "word" and (token.key not in RESERVED or token.key in _WORDS_THAT_CALL)


def spell(token: Token, before: Token = END, after: Token = END) -> str:
    match token.kind:
        case "word":
            if before.key == "." or after.key == ".":
                return token.text
            if calls(token, after):
                return token.text.lower()
            return token.key if token.key in RESERVED else token.text
        case "quoted":
            return quote(token.text[1:-1].replace("``", "`"))
        case "string":
            return literal_text(token)
        case "number" | "blob":
            return token.text.lower() if token.text[:1] not in "xXbB" else token.text[0].lower() + token.text[1:].upper()
        case "operator":
            return {"!=": "<>", "&&": "AND"}.get(token.key, token.text)
        case _:
            return token.text


def literal_text(token: Token) -> str:
    """The string in single quotes, without the character set that the server writes in front of it."""
    found = _INTRODUCER.match(token.text)
    if found is not None and found.group().strip().lower() in {"_binary", "_ucs2", "_utf16", "_utf32"}:
        return found.group().strip().lower() + quote_string(string_of(token))
    return quote_string(string_of(token))


def _spaced(token: Token, before: Token, ends_operand: bool) -> bool:
    match token.key:
        case "," | ")" | "." | ";":
            return False
        case "(":
            return not (before.kind in {"word", "quoted"} and ends_operand)
        case _:
            return True


INVOKER = "SQL SECURITY INVOKER"
"""Among a view's options. DEFINER is what a view has where nothing is said."""
CHECK_OPTION = "CHECK OPTION"


def view_options(security: str, check_option: str) -> tuple[str, ...]:
    """With whose rights a view looks, and whether it refuses rows that it would not show, as the catalog keeps both."""
    found = (f"WITH {check_option.upper()} {CHECK_OPTION}",) if check_option else ()
    return (*((INVOKER,) if security.upper() == "INVOKER" else ()), *found)
