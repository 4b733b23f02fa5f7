"""INSERT INTO new (columns) SELECT values FROM old: how Django, Alembic, Prisma and people copy a table that SQLite's ALTER TABLE cannot change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.sqlite.keywords import RESERVED, quote
from driftflow.dialects.sqlite.tokens import Token, TokenFault, name_of, tokenize

NAMES = ("word", "quoted")
ENDS_VALUE = (*NAMES, "string", "number", "blob")
AGGREGATES = ("COUNT", "SUM", "AVG", "TOTAL", "GROUP_CONCAT", "STRING_AGG", "JSON_GROUP_ARRAY", "JSON_GROUP_OBJECT")
OPERATORS = ("LIKE", "GLOB", "MATCH", "REGEXP")
"""Words that are operators between two values, and may be names elsewhere."""


def copied_values(sql: str, *, columns: Sequence[str] = (), source: Sequence[str] = ()) -> dict[str, str] | None:
    """Column of the new table to what it gets from a row of the old one, a column of that by its bare name. `columns` are those of the new table,
    where the INSERT names none, `source` those of the old one, for a `*`. None for anything but every row of one table."""
    try:
        tokens = [token for token in tokenize(sql)[0] if token.text != ";"]
    except TokenFault:
        return None
    if [token.key for token in tokens[:2]] != ["INSERT", "INTO"] or any(token.key == "DISTINCT" for token in tokens):
        return None
    selects = [number for number, token in enumerate(tokens) if token.key == "SELECT"]
    last = len(tokens) - 2
    if len(selects) != 1 or last <= selects[0] + 1 or tokens[last].key != "FROM" or tokens[-1].kind not in NAMES:
        return None
    named = _named(tokens[2 : selects[0]], columns)
    if named is None:
        return None
    parts = list(_parts(tokens[selects[0] + 1 : last]))
    if len(parts) == 1 and [token.text for token in parts[0]] == ["*"] and source:
        values: list[str | None] = [quote(column) for column in source]
    else:
        values = [_value(sql, part, table=name_of(tokens[-1])) for part in parts]
    if len(named) != len(values) or not all(values):
        return None
    return {column: value for column, value in zip(named, values, strict=True) if value is not None}


def _named(tokens: Sequence[Token], columns: Sequence[str]) -> list[str] | None:
    """The columns that the INSERT names behind its table; those of the table where it names none."""
    opened = next((number for number, token in enumerate(tokens) if token.text == "("), None)
    if opened is None:
        return list(columns) if len(tokens) in (1, 3) and columns else None
    if tokens[-1].text != ")":
        return None
    return [name_of(token) for token in tokens[opened + 1 : -1] if token.text != ","]


def _parts(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens between commas that stand in no parentheses."""
    depth, part = 0, list[Token]()
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _value(sql: str, part: Sequence[Token], *, table: str) -> str | None:
    """The expression without the table's own name and without its alias."""
    if len(part) > 2 and part[-2].key == "AS" and part[-1].kind in NAMES:
        part = part[:-2]
    qualified = [number for number in range(len(part) - 1) if _is_qualifier(part, number, table=table)]
    bare = [token for number, token in enumerate(part) if number not in qualified and number - 1 not in qualified]
    if not bare or bare[0].text == "*" or any(token.text == "." or token.key == "OVER" for token in bare):
        return None
    if _has_alias(bare) or _takes_all_rows(bare):
        return None
    if len(bare) == 1 and bare[0].kind in NAMES and bare[0].key not in ("NULL", "TRUE", "FALSE"):
        return quote(name_of(bare[0]))
    text, start = sql[: part[-1].end], part[0].start
    for number in reversed(qualified):
        text = text[: part[number].start] + text[part[number + 1].end :]
    return text[start:]


def _is_qualifier(part: Sequence[Token], number: int, *, table: str) -> bool:
    return part[number].kind in NAMES and part[number + 1].text == "." and name_of(part[number]).lower() == table.lower()


def _takes_all_rows(part: Sequence[Token]) -> bool:
    """Whether it is one value for all of them, as max(a) is; max(a, b) is one of each row."""
    for number, token in enumerate(part[:-1]):
        called = part[number + 1].text == "("
        if called and token.key in AGGREGATES:
            return True
        if called and token.key in ("MAX", "MIN"):
            depth, several = 0, False
            for inner in part[number + 1 :]:
                depth += (inner.text == "(") - (inner.text == ")")
                several = several or (inner.text == "," and depth == 1)
                if depth == 0:
                    break
            if not several:
                return True
    return False


def _has_alias(part: Sequence[Token]) -> bool:
    """A name behind a value, without AS between them."""
    if len(part) < 2 or part[-1].kind not in NAMES or part[-1].key in (*RESERVED, "END"):
        return False
    before = part[-2]
    return before.text == ")" or (before.kind in ENDS_VALUE and before.key not in (*RESERVED, *OPERATORS))
