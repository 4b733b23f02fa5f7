"""How much of one statement is read at all. Beyond it stands data or an accident, and reading it could take all memory or all time."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.tokens import Token

STATEMENT_MAX = 8 * 1024 * 1024
"""Characters. A statement of data takes up to a hundred times its size while it is read (measured: 0.8 GB for an IN list of 7 MB)."""
NESTING_MAX = 200
"""Levels of brackets. SQLite stops at 1,000 levels of an expression, MySQL and PostgreSQL where their stacks end; people stop at ten."""


def too_large(sql: str) -> str:
    """Why the statement is not read, or nothing."""
    if len(sql) <= STATEMENT_MAX:
        return ""
    return f"it has {len(sql) / 1024 / 1024:,.0f} MB, and statements of more than {STATEMENT_MAX // 1024 // 1024} MB are not read"


def too_deep(tokens: Sequence[Token]) -> str:
    """Why the statement is not read, or nothing. Each level would be looked through once for every level around it."""
    depth = 0
    for token in tokens:
        if token.key == "(":
            depth += 1
            if depth > NESTING_MAX:
                return f"it nests deeper than {NESTING_MAX} levels"
        elif token.key == ")":
            depth -= 1
    return ""
