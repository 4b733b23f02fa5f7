"""Rows that lean on each other: what one statement may do to all of them at its end, and chunks may not do one after the other."""

from __future__ import annotations

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Exclusion, ForeignKey, Table, Unique
from driftflow.model.operations import Delete, Update

SAME_WHEN_EQUAL = (
    "smallint", "integer", "bigint", "boolean", "uuid", "date", "text", "character varying", "bytea",
    "timestamp without time zone", "timestamp with time zone", "timestamp", "timestamptz", "varchar", "int", "bool",
)  # fmt: skip
"""PostgreSQL types of which two equal values are the same value. Not so numeric (1.0, 1.00), interval (1 day, 24 hours), jsonb or float."""


SAME_ON_MYSQL = (
    "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "bit", "date", "datetime", "timestamp", "time", "year",
)  # fmt: skip
"""MySQL and MariaDB: texts are equal as their collation says, floats are 0 and -0."""


def tied(operation: Update | Delete, at: Situation, table: Table) -> str:
    """Why chunks would not do what the whole statement does; empty when nothing ties one chunk to another."""
    if operation.only and any(table.name in other.inherits for other in at.catalog.tables.values()):
        return f"ONLY leaves out the tables that inherit from {table.name.name}"
    if getattr(operation, "on_conflict", ""):
        return "what it does to a conflicting row depends on all rows before it"
    within = [one for one in table.constraints if isinstance(one, ForeignKey) and one.referenced == table.name and one.enforced]
    if isinstance(operation, Delete):
        return (
            f"its rows reference each other ({within[0].name}), which is checked and carried out when all are gone"
            if within
            else ""
        )
    assigned = {column for column, _ in operation.assignments}
    for constraint in table.constraints:
        match constraint:
            case ForeignKey(referenced_columns=referenced) if constraint in within and assigned & set(referenced):
                return f"it changes what rows of the same table reference ({constraint.name})"
            case Unique(columns=columns, deferrable=True) if assigned & set(columns):
                return f"{constraint.name} is checked when all rows are changed"
            case Exclusion():
                # Its elements may be expressions, so any column may be meant.
                return f"{constraint.name} compares rows with each other"
            case _:
                pass
    return ""


def same_when_equal(at: Situation, table: Table, column: str) -> bool:
    """Whether a row that holds an equal value may be left out without anybody being able to tell."""
    found = table.column(column)
    if found is None or found.collation or any(_fires(trigger.events, trigger.enabled) for trigger in table.triggers):
        return False
    declared = found.type.partition("(")[0].strip().lower()
    if at.can(Capability.TABLE_REBUILD_ONLY):
        # A column without affinity keeps 1 and 1.0 apart.
        return declared not in {"", "blob", "any"}
    return declared.partition(" ")[0] in SAME_ON_MYSQL if at.dialect.one_pass else declared in SAME_WHEN_EQUAL


def _fires(events: tuple[str, ...], enabled: str) -> bool:
    return "UPDATE" in events and enabled != "D"
