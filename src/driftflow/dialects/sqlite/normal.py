"""One spelling for equal SQL: white space, case of keywords and functions, quotes that are not needed, outer parentheses.

Everything driftflow keeps as text (defaults, checks, predicates, views, triggers) goes through here, so two texts that mean the same compare equal.
Nothing is reordered and no literal is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from driftflow.dialects.sqlite.keywords import RESERVED, quote, quote_string
from driftflow.dialects.sqlite.tokens import END, Token, TokenFault, name_of, tokenize

ROWID_NAMES = frozenset({"rowid", "oid", "_rowid_"})

_INFIX = frozenset({"LIKE", "GLOB", "MATCH", "REGEXP"})
_OPERAND_WORDS = frozenset({"NULL", "END"})
_NOT_A_FUNCTION_AFTER = frozenset(
    {"INTO", "ON", "TABLE", "AS", "WITH", "FROM", "JOIN", "VIEW", "REFERENCES", "UPDATE", "RECURSIVE", "."}
)
_AFTER = {
    "BY": frozenset({"GROUP", "ORDER", "PARTITION"}),
    "RECURSIVE": frozenset({"WITH"}),
    "REPLACE": frozenset({"OR"}),
    "IGNORE": frozenset({"OR", "("}),
    "ABORT": frozenset({"OR", "("}),
    "FAIL": frozenset({"OR", "("}),
    "ROLLBACK": frozenset({"OR", "("}),
    "CONFLICT": frozenset({"ON"}),
    "FIRST": frozenset({"NULLS"}),
    "LAST": frozenset({"NULLS"}),
    "FOLLOWING": frozenset({"UNBOUNDED"}),
    "PRECEDING": frozenset({"UNBOUNDED"}),
}
"""Words that fall back to names, and the word before them that makes them keywords all the same."""
_BEFORE = {
    "PARTITION": frozenset({"BY"}),
    "DO": frozenset({"UPDATE", "NOTHING"}),
    "NULLS": frozenset({"FIRST", "LAST"}),
    "UNBOUNDED": frozenset({"PRECEDING", "FOLLOWING"}),
    "ROWS": frozenset({"BETWEEN", "UNBOUNDED", "CURRENT"}),
    "RANGE": frozenset({"BETWEEN", "UNBOUNDED", "CURRENT"}),
    "GROUPS": frozenset({"BETWEEN", "UNBOUNDED", "CURRENT"}),
    "CURRENT": frozenset({"ROW"}),
    "CAST": frozenset({"("}),
    "RAISE": frozenset({"("}),
    "REPLACE": frozenset({"INTO"}),
}
"""The same, by the word behind."""


def normal_expression(expression: str, columns: Collection[str] | None = None) -> str:
    """The normal form; the text itself where it holds no tokens of SQLite."""
    try:
        tokens, _ = tokenize(expression)
    except TokenFault:
        return expression
    return normal(without_outer_parentheses(tokens), columns) if tokens else expression.strip()


def without_outer_parentheses(tokens: Sequence[Token]) -> Sequence[Token]:
    while len(tokens) > 2 and tokens[0].key == "(" and _closes_at(tokens) == len(tokens) - 1:
        if tokens[1].key in {"SELECT", "VALUES", "WITH"}:  # a scalar subquery is not the same without them
            break
        tokens = tokens[1:-1]
    return tokens


def _closes_at(tokens: Sequence[Token]) -> int:
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.key == "(") - (token.key == ")")
        if depth == 0:
            return index
    return -1


def normal(tokens: Sequence[Token], columns: Collection[str] | None = None) -> str:
    """The tokens as text in normal form.

    `columns` (lower case) are the names that an expression may mention. With them, a word in double quotes that names none of them is what
    SQLite takes it for: a string. Without them such a word keeps its quotes, because nobody can say what it is.
    """
    pieces: list[str] = []
    before = END
    before_ends_operand = False
    tight = True
    """Nothing stands between the piece before and this one."""
    cases = 0
    for index, token in enumerate(tokens):
        after = tokens[index + 1] if index + 1 < len(tokens) else END
        cases += token.key == "CASE"
        keyword = _is_keyword(token, before, after, before_ends_operand, cases)
        if token.key == "END" and cases:
            cases -= 1
        text = _spell(token, before, after, keyword=keyword, columns=columns, is_table=_is_table(tokens, index))
        if not tight and _spaced(
            token, before, keyword_before=pieces[-1:] and pieces[-1] == before.key, before_ends=before_ends_operand
        ):
            pieces.append(" ")
        pieces.append(text)
        unary = token.key in {"-", "+", "~"} and not before_ends_operand
        # Two minus signs side by side would begin a comment.
        tight = (unary and not token.key == after.key == "-") or token.key in {"(", "."}
        before, before_ends_operand = token, _ends_operand(token, keyword)
    return "".join(pieces)


def _is_keyword(token: Token, before: Token, after: Token, operand_before: bool, cases: int) -> bool:
    key = token.key
    if token.kind != "word" or before.key == "." or after.key == ".":
        return False
    if key in RESERVED:
        return True
    match key:
        case "END":
            return cases > 0
        case "CURRENT_TIMESTAMP" | "CURRENT_DATE" | "CURRENT_TIME" | "TRUE" | "FALSE":
            return after.key != "("
        case "LIKE" | "GLOB" | "MATCH" | "REGEXP":
            return operand_before or before.key == "NOT"
        case "ASC" | "DESC":
            return operand_before and (after is END or after.key in {",", ")", ";", "NULLS", "LIMIT"})
        case "OFFSET":
            return operand_before and after is not END and after.key not in {",", ")"}
        case _:
            return before.key in _AFTER.get(key, ()) or after.key in _BEFORE.get(key, ())


def _is_table(tokens: Sequence[Token], index: int) -> bool:
    """Behind FROM (of a query), JOIN, INTO and UPDATE [OR IGNORE] a word in double quotes is no string: so the server writes a table that got another name."""
    third, second, first = ("", "", "", *(token.key for token in tokens[max(0, index - 3) : index]))[-3:]
    return (
        first in {"JOIN", "INTO", "UPDATE"} or (first == "FROM" and second != "DISTINCT") or (third, second) == ("UPDATE", "OR")
    )


def _spell(token: Token, before: Token, after: Token, *, keyword: bool, columns: Collection[str] | None, is_table: bool) -> str:
    match token.kind:
        case "word":
            if keyword:
                return token.key
            is_function = after.key == "(" and before.key not in _NOT_A_FUNCTION_AFTER
            return token.text.lower() if is_function else token.text
        case "quoted":
            return _spell_quoted(token, before, after, columns, is_table=is_table)
        case "blob":
            return "X" + token.text[1:].upper()
        case "number":
            return token.text.lower()
        case _:
            return token.text


def _spell_quoted(token: Token, before: Token, after: Token, columns: Collection[str] | None, *, is_table: bool) -> str:
    name = name_of(token)
    if token.text[0] != '"' or is_table or before.key in {".", "COLLATE"} or after.key == ".":
        return quote(name)
    if columns is None:
        return '"' + name.replace('"', '""') + '"'
    return quote(name) if name.lower() in columns or name.lower() in ROWID_NAMES else quote_string(name)


def _ends_operand(token: Token, keyword: bool) -> bool:
    match token.kind:
        case "operator":
            return token.key == ")"
        case "word":
            return (
                not keyword or token.key in _OPERAND_WORDS or token.key.startswith("CURRENT_") or token.key in {"TRUE", "FALSE"}
            )
        case _:
            return True


def _spaced(token: Token, before: Token, *, keyword_before: bool | list[str], before_ends: bool) -> bool:
    match token.key:
        case "," | ")" | "." | ";":
            return False
        case "(":
            # A call or a column list stands close to its name; what follows a keyword or an operator does not.
            is_name = before.kind in {"word", "quoted"} and before_ends and not keyword_before
            return not (is_name or before.key in {"CAST", "RAISE"})
        case _:
            return True
