"""What sql_mode makes of a statement's text: where the server reads it otherwise than we do, what ran would not be what was planned.

Source: MySQL 8.4 manual, "Server SQL Modes"; MariaDB documentation, "SQL_MODE".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftflow.dialects.lacking import Lack
from driftflow.dialects.mysql.tokens import TokenFault, tokenize
from driftflow.dialects.tokens import Token
from driftflow.model.operations import Operation, RawSql

COMBINED = {"ANSI": ("ANSI_QUOTES", "PIPES_AS_CONCAT"), "ORACLE": ("ANSI_QUOTES", "PIPES_AS_CONCAT")}
"""Modes that stand for others. The server lists those too; a SET in a migration may name them alone."""

QUOTES = "write texts in single quotes and names in backticks"


def read_otherwise(sql: str, sql_mode: str, parse: Callable[[str], Sequence[Operation]], *, mariadb: bool) -> Lack | None:
    """What of the text such a server reads otherwise, and how to write it so that every server reads the same. `parse` gives the operations of a text."""
    said = sql_mode.upper().split(",")
    modes = {*said, *(name for one in said for name in COMBINED.get(one, ()))}
    try:
        tokens, _ = tokenize(sql, mariadb=mariadb)
    except TokenFault:
        return None
    if "PIPES_AS_CONCAT" in modes and any(token.key == "||" for token in tokens):
        return _lack(
            "||", "it joins texts (PIPES_AS_CONCAT), and is read as OR here", "write CONCAT(a, b), or OR where that was meant"
        )
    strings = [token for token in tokens if token.kind == "string"]
    quoted = [token for token in strings if token.text.startswith('"')]
    if quoted and "ANSI_QUOTES" in modes and _understood(parse(sql)):
        return _lack("double quotes", "they hold a name (ANSI_QUOTES), and a text is read here", QUOTES)
    if quoted and "ANSI_QUOTES" not in modes and not _understood(parse(sql)) and _understood(parse(_as_names(sql, quoted))):
        return _lack("double quotes", "they hold a text (no ANSI_QUOTES), and where they stand a name is wanted", QUOTES)
    if "NO_BACKSLASH_ESCAPES" in modes and any("\\" in token.text for token in strings):
        why = "it stands for itself (NO_BACKSLASH_ESCAPES), and is read as an escape here"
        return _lack("a backslash", why, "write such a text as X'...', its bytes in hexadecimal")
    return None


def _understood(operations: Sequence[Operation]) -> bool:
    """Names in double quotes are not read: such a statement is carried out as it stands."""
    return not any(isinstance(operation, RawSql) for operation in operations)


def _lack(what: str, why: str, hint: str) -> Lack:
    return Lack(
        code="DF-E799", what=f"this server reads {what} otherwise than driftflow does", why=f"under its sql_mode {why}", hint=hint
    )


def _as_names(sql: str, quoted: Sequence[Token]) -> str:
    """The statement with names in backticks in the place of what stands in double quotes."""
    out, at = [], 0
    for token in quoted:
        name = token.text[1:-1].replace('""', '"').replace("`", "``")
        out += [sql[at : token.start], f"`{name}`"]
        at = token.end
    return "".join([*out, sql[at:]])
