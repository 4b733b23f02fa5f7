"""Which existing tables and columns a set of migrations changes: the words to look for in running code."""

from __future__ import annotations

from driftflow.model.finding import Assessment
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, Operation


def changed_names(assessment: Assessment) -> dict[str, list[str]]:
    """Table to the columns that change. Tables that these migrations create are left out: nobody uses them yet."""
    operations = [operation for assessed in assessment.statements for operation in assessed.statement.operations]
    created = {operation.table.name.name for operation in operations if isinstance(operation, CreateTable)}
    names: dict[str, list[str]] = {}
    for operation in operations:
        table = _table(operation)
        if table is None or table in created:
            continue
        columns = names.setdefault(table, [])
        column = getattr(operation, "column", None)
        name = column if isinstance(column, str) else getattr(column, "name", None)
        if name and name not in columns:
            columns.append(name)
    return names


def _table(operation: Operation) -> str | None:
    table = getattr(operation, "table", None)
    return table.name if isinstance(table, Name) else None
