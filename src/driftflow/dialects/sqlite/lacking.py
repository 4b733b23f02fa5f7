"""Statements of other servers for which SQLite has nothing, and what stands nearest to each. Its own grammar would say no more than `syntax error`."""

from __future__ import annotations

import re

from driftflow.dialects.lacking import DEFERRABLE, ROW_SECURITY, SEQUENCE, Lack, no_deferrable
from driftflow.patterns import lazy_regex

_ASIDE = lazy_regex(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_LACKING = (
    (
        ROW_SECURITY,
        Lack(
            code="DF-E662",
            what="sqlite has no row-level security",
            why="it has no users from whom anything could be hidden: whoever can open the file reads all of it",
            hint="give each tenant a file of its own, or let the application filter",
        ),
    ),
    (
        lazy_regex(r"^\s*ALTER\s+TABLE\b.*?\b(SET\s+SCHEMA|RENAME\s+TO\s+\S+\s*\.)", re.IGNORECASE | re.DOTALL),
        Lack(
            code="DF-E724",
            what="sqlite moves no table to another schema",
            why="what looks like a schema is another file: a table can only be copied there, and two files are not written in one moment under WAL",
            hint="rename it within its file, or copy the rows while the application is stopped",
        ),
    ),
    (
        SEQUENCE,
        Lack(
            code="DF-E725",
            what="sqlite has no sequences",
            why="it counts up keys of tables alone",
            hint="let a key count: UPDATE sqlite_sequence SET seq = 4999 WHERE name = 'tickets'",
        ),
    ),
    (
        lazy_regex(r"\)\s*PARTITION\s+BY\b", re.IGNORECASE | re.DOTALL),
        Lack(
            code="DF-E714",
            what="sqlite has no partitioned tables",
            why="a table is one tree there; a view over several tables is the nearest thing",
            hint="keep the rows in one table, or leave it out",
        ),
    ),
    (
        lazy_regex(r"\bREFERENCES\s+[\w\"`\[\]]+\s*\.", re.IGNORECASE | re.DOTALL),
        Lack(
            code="DF-E714",
            what="sqlite has no foreign keys to another database",
            why="an attached file may be another one tomorrow; its grammar has no name for it",
            hint="keep the tables in one file, or leave it out",
        ),
    ),
    (
        lazy_regex(r"\bCHARACTER\s+SET\b", re.IGNORECASE | re.DOTALL),
        Lack(
            code="DF-E735",
            what="sqlite has no character sets of tables and columns",
            why="the whole database has one encoding, which was chosen when it was made (PRAGMA encoding)",
            hint="copy the rows into a database that was made with another encoding, while the application is stopped",
        ),
    ),
    (
        DEFERRABLE,
        no_deferrable("sqlite"),
    ),
    (
        lazy_regex(r"\bNULLS\s+NOT\s+DISTINCT\b", re.IGNORECASE | re.DOTALL),
        Lack(
            code="DF-E656",
            what="sqlite has no unique index in which NULLs are equal",
            why="each NULL is another one there",
            hint="leave it out, and above the statement: -- driftflow: nulls-not-distinct",
        ),
    ),
)


def lacking(sql: str) -> Lack | None:
    """Which of these the statement asks for, by its words outside texts and comments."""
    said = _ASIDE.sub(" ", sql)
    return next((lack for pattern, lack in _LACKING if pattern.search(said)), None)
