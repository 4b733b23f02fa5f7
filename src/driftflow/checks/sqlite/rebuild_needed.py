"""DF651: SQLite's ALTER TABLE cannot do this: the table has to be copied into a new one."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropNotNull,
    SetDefault,
    SetNotNull,
)

REBUILDS = (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropNotNull,
    SetDefault,
    SetNotNull,
)
_Altering = (
    AddColumn
    | AddConstraint
    | AlterColumnType
    | DropColumn
    | DropConstraint
    | DropDefault
    | DropNotNull
    | SetDefault
    | SetNotNull
)


@check("DF651", on=REBUILDS, page="sqlite/rebuild-needed", title="SQLite must rebuild the table", dialects=("sqlite",))
def rebuild_needed(operation: _Altering, at: Situation) -> Iterator[Finding]:
    """The plan does the rebuild; sent as it stands, the statement is a syntax error (or, before 3.53, one on older libraries)."""
    reasons = [condition for condition in at.effects.fails_if if condition.kind == "unsupported"]
    if not reasons or is_new(at, operation.table):
        return
    table = at.dialect.quote_name(operation.table)
    new = at.dialect.quote(f"new_{operation.table.name}")
    certain = any(condition.certain for condition in reasons)
    yield finding(
        at,
        f"will fail as it stands: {reasons[0].summary}" if certain else f"may fail: {reasons[0].summary}",
        axis="breaks",
        severity="error" if certain else "warning",
        why=f"a rebuild copies {size(at, operation.table)}; every writer of the file waits for the last of it, and triggers, indexes and views must be made again",
        remedy=Remedy(
            summary="let the plan rebuild the table (rebuild_table); by hand, outside any tool's transaction:",
            sql=(
                f"PRAGMA foreign_keys = OFF;\nBEGIN IMMEDIATE;\nCREATE TABLE {new} (…);\nINSERT INTO {new} (…) SELECT … FROM {table};\n"
                f"DROP TABLE {table};\nALTER TABLE {new} RENAME TO {at.dialect.quote(operation.table.name)};\n"
                "-- indexes, triggers and views again\nPRAGMA foreign_key_check;\nCOMMIT;\nPRAGMA foreign_keys = ON;"
            ),
        ),
        near=getattr(operation, "column", "") if isinstance(getattr(operation, "column", ""), str) else "",
    )
