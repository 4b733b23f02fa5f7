"""SQLite's keywords: which of them can never be a bare identifier, and which fall back to one.

Source: mkkeywordhash.c and the `%fallback` list of parse.y (3.54). A word that falls back (KEY, REPLACE, ...) is legal as a bare name.
"""

from __future__ import annotations

from driftflow.patterns import lazy_regex

RESERVED = frozenset(
    [
        "ADD",
        "ALL",
        "ALTER",
        "AND",
        "AS",
        "AUTOINCREMENT",
        "BETWEEN",
        "CASE",
        "CHECK",
        "COLLATE",
        "COMMIT",
        "CONSTRAINT",
        "CREATE",
        "CROSS",
        "DEFAULT",
        "DEFERRABLE",
        "DELETE",
        "DISTINCT",
        "DROP",
        "ELSE",
        "ESCAPE",
        "EXCEPT",
        "EXISTS",
        "FILTER",
        "FOREIGN",
        "FROM",
        "FULL",
        "GROUP",
        "HAVING",
        "IN",
        "INDEX",
        "INDEXED",
        "INNER",
        "INSERT",
        "INTERSECT",
        "INTO",
        "IS",
        "ISNULL",
        "JOIN",
        "LEFT",
        "LIMIT",
        "NATURAL",
        "NOT",
        "NOTHING",
        "NOTNULL",
        "NULL",
        "ON",
        "OR",
        "ORDER",
        "OUTER",
        "OVER",
        "PRIMARY",
        "REFERENCES",
        "RETURNING",
        "RIGHT",
        "SELECT",
        "SET",
        "TABLE",
        "THEN",
        "TO",
        "TRANSACTION",
        "UNION",
        "UNIQUE",
        "UPDATE",
        "USING",
        "VALUES",
        "WHEN",
        "WHERE",
        "WINDOW",
        "WITH",
    ]
)
"""Never a bare name (JOIN words and WINDOW words are, in places; we quote them all the same)."""

FALLBACK = frozenset(
    [
        "ABORT",
        "ACTION",
        "AFTER",
        "ALWAYS",
        "ANALYZE",
        "ASC",
        "ATTACH",
        "BEFORE",
        "BEGIN",
        "BY",
        "CASCADE",
        "CAST",
        "COLUMN",
        "CONFLICT",
        "CURRENT",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "DATABASE",
        "DEFERRED",
        "DESC",
        "DETACH",
        "DO",
        "EACH",
        "END",
        "EXCLUDE",
        "EXCLUSIVE",
        "EXPLAIN",
        "FAIL",
        "FIRST",
        "FOLLOWING",
        "FOR",
        "GENERATED",
        "GLOB",
        "GROUPS",
        "IF",
        "IGNORE",
        "IMMEDIATE",
        "INITIALLY",
        "INSTEAD",
        "KEY",
        "LAST",
        "LIKE",
        "MATCH",
        "MATERIALIZED",
        "NO",
        "NULLS",
        "OF",
        "OFFSET",
        "OTHERS",
        "PARTITION",
        "PLAN",
        "PRAGMA",
        "PRECEDING",
        "QUERY",
        "RAISE",
        "RANGE",
        "RECURSIVE",
        "REGEXP",
        "REINDEX",
        "RELEASE",
        "RENAME",
        "REPLACE",
        "RESTRICT",
        "ROLLBACK",
        "ROW",
        "ROWS",
        "SAVEPOINT",
        "TEMP",
        "TEMPORARY",
        "TIES",
        "TRIGGER",
        "UNBOUNDED",
        "VACUUM",
        "VIEW",
        "VIRTUAL",
        "WITHOUT",
    ]
)

_PLAIN = lazy_regex(r"[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f][^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*")

_QUOTED_ANYWAY = RESERVED | {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CAST", "RAISE", "TRUE", "FALSE", "END", "IF"}
"""Bare, these mean something else in an expression, whatever the table's columns are called."""


def needs_quotes(identifier: str) -> bool:
    return _PLAIN.fullmatch(identifier) is None or identifier.upper() in _QUOTED_ANYWAY


def quote(identifier: str) -> str:
    """The identifier as SQL, in double quotes only where a bare word would not say the same."""
    return '"' + identifier.replace('"', '""') + '"' if needs_quotes(identifier) else identifier


def quote_string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
