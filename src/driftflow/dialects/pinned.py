"""Whether a condition picks rows by a key: then a change touches as many rows as it names, however large the table is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftflow.dialects.tokens import Token
from driftflow.model.catalog import PrimaryKey, Table, Unique


def covers_key(fixed: frozenset[str], table: Table) -> bool:
    """Whether the columns (lower case) hold the primary key, or a unique key of columns alone."""
    keys = [constraint.columns for constraint in table.constraints if isinstance(constraint, (PrimaryKey, Unique))]
    keys += [
        index.columns
        for index in table.indexes
        if index.unique and not index.predicate and len(index.columns) == len(index.parts)
    ]
    return any(all(column.lower() in fixed for column in key) for key in keys if key)


def fixed_columns(tokens: Sequence[Token], name_of: Callable[[Token], str]) -> frozenset[str]:
    """Columns in `column = literal` and `column IN (literals)` among the conditions joined by AND; none as soon as an OR stands beside them."""
    fixed: set[str] = set()
    for condition in _conjuncts(tokens):
        names = list(condition)
        while len(names) > 2 and names[1].key == ".":  # alias.column
            names = names[2:]
        match names:
            case [Token(kind="word" | "quoted") as column, Token(key="=" | "==" | "IS"), value] if _is_value(value):
                fixed.add(name_of(column).lower())
            case [Token(kind="word" | "quoted") as column, Token(key="IN"), Token(key="("), *values, Token(key=")")] if all(
                _is_value(value) or value.key == "," for value in values
            ):
                fixed.add(name_of(column).lower())
    return frozenset(fixed)


def _is_value(token: Token) -> bool:
    return token.kind in {"string", "number", "blob", "variable"}


def _conjuncts(tokens: Sequence[Token]) -> list[list[Token]]:
    groups: list[list[Token]] = [[]]
    depth = between = 0
    for token in tokens:
        depth += (token.key == "(") - (token.key == ")")
        if depth == 0 and token.key == "OR":
            return []
        between += token.key == "BETWEEN"
        if depth == 0 and token.key == "AND" and not between:
            groups.append([])
            continue
        between -= token.key == "AND" and between > 0
        groups[-1].append(token)
    return groups
