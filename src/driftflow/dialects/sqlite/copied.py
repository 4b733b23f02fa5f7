"""INSERT INTO new (columns) SELECT values FROM old: how Django, Alembic, Prisma and people copy a table that SQLite's ALTER TABLE cannot change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.tokens import Token, TokenFault, name_of, tokenize

NAMES = ("word", "quoted")


def copied_values(sql: str) -> dict[str, str] | None:
    """Column of the new table to what it gets from a row of the old one, a column of that by its bare name. None for anything but every row of one
    table, and for a value that says the table's name in an expression."""
    try:
        tokens = [token for token in tokenize(sql)[0] if token.text != ";"]
    except TokenFault:
        return None
    opened = next((number for number, token in enumerate(tokens) if token.text == "("), len(tokens))
    closed = next((number for number, token in enumerate(tokens) if token.text == ")"), len(tokens))
    source = len(tokens) - 2
    if source <= closed + 2 or tokens[closed + 1].key != "SELECT" or tokens[source].key != "FROM" or tokens[-1].kind not in NAMES:
        return None
    if [token.key for token in tokens[:2]] != ["INSERT", "INTO"] or any(token.key == "DISTINCT" for token in tokens[closed:]):
        return None
    columns = [name_of(token) for token in tokens[opened + 1 : closed] if token.text != ","]
    values = [_value(sql, part, table=name_of(tokens[-1])) for part in _parts(tokens[closed + 2 : source])]
    if len(columns) != len(values) or not all(values):
        return None
    return {column: value for column, value in zip(columns, values, strict=True) if value is not None}


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
    if len(part) == 1 and part[0].kind in NAMES and part[0].key not in ("NULL", "TRUE", "FALSE"):
        return quote(name_of(part[0]))
    if len(part) == 3 and part[1].text == "." and name_of(part[0]).lower() == table.lower():
        return quote(name_of(part[2]))
    if not part or part[0].text == "*" or any(token.text == "." or token.key in ("SELECT", "AS", "OVER") for token in part):
        return None
    return sql[part[0].start : part[-1].end]
