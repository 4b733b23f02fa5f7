"""What a table's validated constraints already prove, read from the catalog alone."""

from __future__ import annotations

import re

from driftflow.model.catalog import Check, NotNull, PrimaryKey, Table


def proves_not_null(table: Table, column: str) -> bool:
    """Whether a validated constraint says that the column holds no NULL, so that SET NOT NULL need not read the table (PostgreSQL 12 and later)."""
    found = table.column(column)
    if found is not None and not found.nullable:
        return True
    for constraint in table.constraints:
        match constraint:
            case Check(validated=True, enforced=True) if _implies_not_null(constraint.expression, column):
                return True
            case NotNull(validated=True) if constraint.column == column:
                return True
            case PrimaryKey() if column in constraint.columns:
                return True
            case _:
                pass
    return False


def conjuncts(expression: str) -> tuple[str, ...]:
    """The parts of `a AND b AND c`, outer parentheses removed, at any depth of nesting."""
    text = strip_parentheses(expression)
    parts = split_top_level(text, "AND")
    if len(parts) == 1 or re.search(r"\bBETWEEN\b", text, re.IGNORECASE):
        return (text,)
    return tuple(inner for part in parts for inner in conjuncts(part))


def strip_parentheses(expression: str) -> str:
    """The expression without parentheses that enclose the whole of it, white space made single."""
    text = " ".join(expression.split())
    while text.startswith("(") and _closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def split_top_level(text: str, word: str) -> list[str]:
    """Split at a keyword that stands outside parentheses and quotes."""
    parts, depth, start, at = [], 0, 0, 0
    quote = ""
    while at < len(text):
        character = text[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif depth == 0 and text[at : at + len(word)].upper() == word and _stands_alone(text, at, at + len(word)):
            parts.append(text[start:at].strip())
            at += len(word)
            start = at
            continue
        at += 1
    return [*parts, text[start:].strip()]


def _stands_alone(text: str, start: int, end: int) -> bool:
    def joins(character: str) -> bool:
        return character.isalnum() or character in "_$"

    return not (start and joins(text[start - 1])) and not (end < len(text) and joins(text[end]))


def _closing(text: str) -> int:
    depth, quote = 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return at
    return -1


def _implies_not_null(expression: str, column: str) -> bool:
    """Only `column IS NOT NULL` itself, alone or ANDed: that is what the server's own proof accepts in practice."""
    wanted = re.compile(rf'(?:"{re.escape(column)}"|{re.escape(column)})\s+IS\s+NOT\s+NULL', re.IGNORECASE)
    return any(wanted.fullmatch(strip_parentheses(part)) for part in conjuncts(expression))
