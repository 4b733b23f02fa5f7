"""Expressions in normal form: parentheses only where the precedence of operators needs them, so that what was written and what the server
prints (it puts parentheses around every operation) compare equal.

Source: MySQL 8.4 manual, "Operator Precedence".
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.cursor import TokenCursor, Unread
from driftflow.dialects.mysql.normal import calls, literal_text, normal, spell
from driftflow.dialects.mysql.tokens import TokenFault, tokenize
from driftflow.dialects.tokens import Token

_BINARY: dict[str, tuple[int, str]] = {
    "OR": (1, "OR"),
    "||": (1, "OR"),
    "XOR": (2, "XOR"),
    "AND": (3, "AND"),
    "&&": (3, "AND"),
    "=": (6, "="),
    "<=>": (6, "<=>"),
    ">=": (6, ">="),
    ">": (6, ">"),
    "<=": (6, "<="),
    "<": (6, "<"),
    "<>": (6, "<>"),
    "!=": (6, "<>"),
    "|": (7, "|"),
    "&": (8, "&"),
    "<<": (9, "<<"),
    ">>": (9, ">>"),
    "+": (10, "+"),
    "-": (10, "-"),
    "*": (11, "*"),
    "/": (11, "/"),
    "DIV": (11, "DIV"),
    "%": (11, "%"),
    "MOD": (11, "%"),
    "^": (12, "^"),
}
_NOT, _COMPARISON, _UNARY, _COLLATE, _ATOM = 4, 6, 13, 14, 20
_ASSOCIATIVE = frozenset({"OR", "AND", "+", "*", "|", "&"})
_TALKS_INSIDE = frozenset({"AS", "USING", "FROM", "ORDER", "SEPARATOR", "SELECT", "WITH", "DISTINCT", "IN", "VALUES", "TABLE"})
"""Words that make the inside of a call more than a list of expressions."""

Piece = tuple[str, int]


def normal_expression(expression: str) -> str:
    """The normal form; the text itself where it holds no tokens."""
    try:
        tokens, _ = tokenize(expression, mariadb=True)
    except TokenFault:
        return expression.strip()
    return expression_text(tokens) if tokens else expression.strip()


def expression_text(tokens: Sequence[Token]) -> str:
    """A stretch of tokens as an expression; where it is more than we read, its tokens in normal spelling."""
    cursor = TokenCursor(tokens, "")
    try:
        text, _ = _expression(cursor, 0)
        cursor.finish()
    except (Unread, RecursionError):
        return normal(tokens)
    return text


def _expression(cursor: TokenCursor, least: int) -> Piece:
    left, strength = _prefix(cursor)
    while True:
        if (found := _postfix(cursor, left, strength, least)) is not None:
            left, strength = found
            continue
        power = _BINARY.get(cursor.peek().key)
        if power is None or power[0] < least:
            return left, strength
        level = power[0]
        pieces = [_within(left, strength, level)]
        while (power := _BINARY.get(cursor.peek().key)) is not None and power[0] == level:
            # One level in one go: a chain of a hundred thousand ORs is not copied a hundred thousand times.
            cursor.take()
            right, right_strength = _expression(cursor, level + 1)
            pieces += [power[1], _within(right, right_strength, level if power[1] in _ASSOCIATIVE else level + 1)]
        left, strength = " ".join(pieces), level


def _within(text: str, strength: int, least: int) -> str:
    return text if strength >= least else f"({text})"


def _prefix(cursor: TokenCursor) -> Piece:
    token = cursor.take()
    match token.key:
        case "(":
            cursor.index -= 1
            return _parenthesised(cursor)
        case "NOT" | "!":
            text, strength = _expression(cursor, _NOT)
            return f"NOT {_within(text, strength, _NOT + 1)}", _NOT
        case "-" | "+" | "~":
            text, strength = _expression(cursor, _UNARY)
            gap = " " if text.startswith("-") else ""
            return f"{token.key}{gap}{_within(text, strength, _UNARY)}", _UNARY
        case "BINARY":
            text, strength = _expression(cursor, _UNARY)
            return f"cast({text} AS CHAR CHARACTER SET binary)" if strength >= 0 else "", _ATOM
        case "CASE":
            return _case(cursor), _ATOM
        case "INTERVAL" if not cursor.at("("):
            text, _ = _expression(cursor, 0)
            unit = cursor.take().key
            return f"INTERVAL {text} {unit}", _ATOM
        case "INTERVAL":
            return _interval(cursor)
        case "EXISTS":
            return f"EXISTS ({normal(cursor.parenthesised())})", _ATOM
    match token.kind:
        case "word" if calls(token, cursor.peek()):
            return _call(cursor, token), _ATOM
        case "word" | "quoted":
            return _name(cursor, token), _ATOM
        case "string":
            text = literal_text(token)
            while cursor.peek().kind == "string":  # adjacent literals are one
                text = text[:-1] + literal_text(cursor.take())[1:]
            return text, _ATOM
        case "number" | "blob" | "variable":
            return spell(token), _ATOM
        case _:
            raise Unread(f"an operand was expected {cursor.here()}")


def _interval(cursor: TokenCursor) -> Piece:
    """INTERVAL (1 + 1) DAY, or the function INTERVAL(a, b)."""
    start = cursor.index
    inside = cursor.parenthesised()
    if cursor.peek().kind == "word" and cursor.peek().key not in _BINARY:
        text = expression_text(inside)
        return f"INTERVAL {text} {cursor.take().key}", _ATOM
    cursor.index = start
    return f"interval({_arguments(cursor.parenthesised())})", _ATOM


def _parenthesised(cursor: TokenCursor) -> Piece:
    inside = cursor.parenthesised()
    if inside and inside[0].key in {"SELECT", "WITH", "VALUES", "TABLE"}:
        return f"({normal(inside)})", _ATOM
    own = TokenCursor(inside, "")
    text, strength = _expression(own, 0)
    if own.accept(","):
        rest = [text]
        while True:
            item, _ = _expression(own, 0)
            rest.append(item)
            if not own.accept(","):
                break
        own.finish()
        return f"({', '.join(rest)})", _ATOM
    own.finish()
    return text, strength


def _postfix(cursor: TokenCursor, left: str, strength: int, least: int) -> Piece | None:
    """IS, IN, BETWEEN, LIKE, REGEXP, COLLATE, the JSON arrows and MEMBER OF."""
    key = cursor.peek().key
    if key == "COLLATE":
        cursor.take()
        return f"{_within(left, strength, _COLLATE)} COLLATE {cursor.take().text}", _COLLATE
    if key in {"->", "->>"}:
        cursor.take()
        path = cursor.take()
        call = f"json_extract({left}, {spell(path)})"
        return (call if key == "->" else f"json_unquote({call})"), _ATOM
    if least > _COMPARISON or (key not in {"IS", "IN", "BETWEEN", "LIKE", "REGEXP", "RLIKE", "NOT", "MEMBER", "SOUNDS"}):
        return None
    left = _within(left, strength, _COMPARISON)
    if cursor.accept("IS"):
        negated = "NOT " if cursor.accept("NOT") else ""
        value = cursor.accept_any(("NULL", "TRUE", "FALSE", "UNKNOWN"))
        if not value:
            raise Unread(f"NULL, TRUE or FALSE was expected {cursor.here()}")
        return f"{left} IS {negated}{value}", _COMPARISON
    negated = "NOT " if cursor.accept("NOT") else ""
    if cursor.accept("IN"):
        inside = cursor.parenthesised()
        listed = normal(inside) if inside and inside[0].key in {"SELECT", "WITH"} else _arguments(inside)
        return f"{left} {negated}IN ({listed})", _COMPARISON
    if cursor.accept("BETWEEN"):
        low, low_strength = _expression(cursor, _COMPARISON + 1)
        cursor.expect("AND")
        high, high_strength = _expression(cursor, _COMPARISON + 1)
        bounds = f"{_within(low, low_strength, _COMPARISON + 1)} AND {_within(high, high_strength, _COMPARISON + 1)}"
        return f"{left} {negated}BETWEEN {bounds}", _COMPARISON
    if word := cursor.accept_any(("LIKE", "REGEXP", "RLIKE")):
        pattern, pattern_strength = _expression(cursor, _COMPARISON + 1)
        text = f"{left} {negated}{'REGEXP' if word == 'RLIKE' else word} {_within(pattern, pattern_strength, _COMPARISON + 1)}"
        if cursor.accept("ESCAPE"):
            text += f" ESCAPE {spell(cursor.take())}"
        return text, _COMPARISON
    raise Unread(f"nothing is known about what begins {cursor.here()}")


def _case(cursor: TokenCursor) -> str:
    text = "CASE"
    if not cursor.at("WHEN"):
        text += f" {_expression(cursor, 0)[0]}"
    while cursor.accept("WHEN"):
        text += f" WHEN {_expression(cursor, 0)[0]}"
        cursor.expect("THEN")
        text += f" THEN {_expression(cursor, 0)[0]}"
    if cursor.accept("ELSE"):
        text += f" ELSE {_expression(cursor, 0)[0]}"
    cursor.expect("END")
    return f"{text} END"


def _call(cursor: TokenCursor, token: Token) -> str:
    name = {"now": "current_timestamp", "localtime": "current_timestamp", "localtimestamp": "current_timestamp"}.get(
        token.text.lower(), token.text.lower()
    )
    inside = cursor.parenthesised()
    depth = 0
    for one in inside:
        depth += (one.key == "(") - (one.key == ")")
        if depth == 0 and one.key in _TALKS_INSIDE:
            return f"{name}({normal(inside)})"
    arguments = _arguments(inside)
    if name == "current_timestamp" and arguments in {"", "0"}:
        return "current_timestamp()"
    text = f"{name}({arguments})"
    if cursor.accept("OVER"):
        text += f" OVER ({normal(cursor.parenthesised())})" if cursor.at("(") else f" OVER {cursor.take().text}"
    return text


def _arguments(tokens: Sequence[Token]) -> str:
    if not tokens:
        return ""
    own = TokenCursor(tokens, "")
    items = []
    while True:
        if own.at("*"):
            own.take()
            items.append("*")
        else:
            items.append(_expression(own, 0)[0])
        if not own.accept(","):
            break
    own.finish()
    return ", ".join(items)


def _name(cursor: TokenCursor, token: Token) -> str:
    if token.key in {"CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"} and token.kind == "word":
        return "current_timestamp()"
    if token.key in {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_USER", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP"}:
        return f"{token.text.lower()}()"
    text = spell(token)
    while cursor.accept("."):
        part = cursor.take()
        text += f".{spell(part)}"
    return text
