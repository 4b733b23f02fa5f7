"""What a statement asks of a server that has no such thing, and no equivalent: said before anything runs, and not left to the server's syntax error."""

from __future__ import annotations

import re

from driftflow.dialects.base import Capability
from driftflow.dialects.lacking import ROW_SECURITY, SEQUENCE
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Check
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    AlterSequence,
    ChangeColumn,
    ConvertCharset,
    CreateSequence,
    DropColumn,
    DropSequence,
    Operation,
    RawSql,
    SetRowSecurity,
)
from driftflow.model.operations.table import VERSIONED
from driftflow.patterns import lazy_regex
from driftflow.strategies import spoken
from driftflow.strategies.security import said_row_security
from driftflow.strategies.types.offenders import refuse_unheard

INDEX = lazy_regex(
    r"^\s*CREATE\s+(UNIQUE\s+)?INDEX\b.*\)\s*((?P<where>WHERE)\b|NULLS\s+NOT\s+DISTINCT\b)", re.IGNORECASE | re.DOTALL
)


def refuse_unsupported(at: Situation) -> None:
    """Raises RefusedError: DF-E657 for a unique constraint or foreign key that is to be checked at the end of the transaction where none can be, DF-E659 for a regular
    expression where nobody knows one, DF-E662 for row-level security where there is none, DF-E714 for partitions and references to other databases
    on SQLite, DF-E724 for a table that is to move where there are no schemas, DF-E725 for a sequence where there is none, DF-E726 for another type of
    a rowid, DF-E730 for a column with which a key or a row becomes too long, DF-E734 for a directive about a change of a type that there is not, DF-E735 for the character set of a
    column where the whole database has one, DF-E792 for an index over some rows, or in which NULLs are equal, on MySQL and MariaDB, DF-E788 for the directive row-security where the server has policies,
    DF-E799 for a text that the server's sql_mode gives another meaning."""
    refuse_unheard(at)
    operation = at.operation
    asked = operation.sql if isinstance(operation, RawSql) else operation.type if isinstance(operation, AlterColumnType) else ""
    lack = at.dialect.lacking(asked) if asked else None
    if lack is None and (mode := spoken.sql_mode(at)) is not None:
        lack = at.dialect.read_otherwise(at.statement, mode)
    if lack is not None:
        raise RefusedError(lack.code, lack.what, where=str(at.statement.span), why=lack.why, hint=lack.hint)
    if isinstance(operation, AddConstraint) and isinstance(operation.constraint, Check) and at.can(Capability.SINGLE_WRITER):
        _refuse_regexp(at, operation.constraint)
    if (isinstance(operation, ChangeColumn | ConvertCharset) or _keeps_history(at)) and not spoken.as_is(at):
        _refuse_too_long(at)
    said_row_security.refuse_elsewhere(at)
    if not at.can(Capability.ROW_SECURITY) and _asks_row_security(at):
        raise RefusedError(
            "DF-E662",
            f"{at.dialect.name} has no row-level security",
            where=str(at.statement.span),
            why="the server has no policies; a view that shows each session the rows of its tenant is the nearest thing",
            hint=f"above ALTER TABLE ... ENABLE ROW LEVEL SECURITY: {said_row_security.EXAMPLE} (no CREATE POLICY is needed, nor FORCE)",
        )
    if isinstance(operation, AlterColumnType) and at.can(Capability.SINGLE_WRITER):
        _refuse_other_rowid(at, operation)
    if not at.can(Capability.SEQUENCE) and _speaks_of_sequence(operation):
        raise RefusedError(
            "DF-E725",
            f"{at.dialect.name} has no sequences",
            where=str(at.statement.span),
            why="it counts up keys of tables alone",
            hint="let the key of a table count: ALTER TABLE tickets AUTO_INCREMENT = 5000",
        )
    if isinstance(operation, RawSql) and at.can(Capability.JOINED_UPDATE) and not spoken.as_is(at):
        _refuse_index(at, operation)


def _asks_row_security(at: Situation) -> bool:
    operation = at.operation
    if isinstance(operation, SetRowSecurity):
        return said_row_security.request_of(at) is None
    return isinstance(operation, RawSql) and ROW_SECURITY.search(operation.sql) is not None


def _refuse_index(at: Situation, operation: RawSql) -> None:
    """MySQL and MariaDB: their grammar ends behind the columns of an index."""
    found = INDEX.search(re.sub(r"'(?:[^'\\]|''|\\.)*'", "''", operation.sql))
    if found is None:
        return
    what, value = (
        ("partial index", "CASE WHEN <the condition> THEN <the column> END")
        if found["where"]
        else ("index in which NULLs are equal", "COALESCE(<the column>, <a value that stands for nothing>)")
    )
    raise RefusedError(
        "DF-E792",
        f"{at.dialect.name} has no {what}",
        where=str(at.statement.span),
        why="an index holds every row there, and each NULL is another one",
        hint=f"give it a column that says so: ALTER TABLE ... ADD COLUMN ... AS ({value}) VIRTUAL; then CREATE UNIQUE INDEX over that column",
    )


HISTORY = (
    "SET SESSION system_versioning_alter_history = KEEP; before the statement, where the history may be changed with the table"
)
SHORTER = "shorten the column, or the prefix of its index, or choose a row format that takes longer keys (DYNAMIC)"
ANEW = "drop the column and add it in its new form, where its values may go"
HINTS = (
    ("system_versioning_alter_history", HISTORY),
    ("between virtual and stored", ANEW),
    ("bytes", SHORTER),
    ("key length", SHORTER),
)
"""By what the server's refusal is about."""


def _keeps_history(at: Situation) -> bool:
    """Whether a column comes or goes whose rows have a history (MariaDB)."""
    operation = at.operation
    table = at.table(operation.table) if isinstance(operation, AddColumn | DropColumn) else None
    return table is not None and VERSIONED in table.options


def _refuse_too_long(at: Situation) -> None:
    for condition in at.effects.fails_if:
        if condition.certain and condition.kind == "unsupported":
            raise RefusedError(
                "DF-E730",
                "the server takes no such definition",
                where=str(at.statement.span),
                why=condition.summary,
                hint=next((hint for said, hint in HINTS if said in condition.summary), "correct the definition"),
            )


def _refuse_other_rowid(at: Situation, operation: AlterColumnType) -> None:
    """INTEGER PRIMARY KEY is the rowid by that very word."""
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if table is None or column is None or table.primary_key is None or "WITHOUT ROWID" in table.options:
        return
    is_rowid = column.type.upper() == "INTEGER" and table.primary_key.columns == (column.name,)
    if is_rowid and operation.type.upper() != "INTEGER":
        raise RefusedError(
            "DF-E726",
            f"{table.name.name}.{column.name} is 64 bits wide already, and stays INTEGER",
            where=str(at.statement.span),
            why="the word INTEGER makes the key the rowid: with another one the server would choose no key any more, and allow NULL",
            hint="leave the statement out for this server: every integer of SQLite has 64 bits",
        )


def _speaks_of_sequence(operation: Operation) -> bool:
    if isinstance(operation, RawSql):
        return SEQUENCE.search(operation.sql) is not None
    return isinstance(operation, CreateSequence | AlterSequence | DropSequence)


def _refuse_regexp(at: Situation, check: Check) -> None:
    if re.search(r"\bREGEXP\b", re.sub(r"'(?:[^']|'')*'", "''", check.expression), re.IGNORECASE):
        raise RefusedError(
            "DF-E659",
            f"{at.dialect.name} has no regular expressions by itself",
            where=str(at.statement.span),
            why="REGEXP calls a function that each application would have to bring along; where it is missing every INSERT fails",
            hint="say it with GLOB: code GLOB '[A-Z][A-Z]-[0-9]*'",
        )
