"""The columns of a table that is rebuilt: which have another name in the new form, and what each of them holds there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.operations import ChangeColumn, Operation, RenameColumn


def renamed(operations: Sequence[Operation], before: Table) -> dict[str, str]:
    """Column names that change: old to new."""
    now = {column.name: column.name for column in before.columns}
    for operation in operations:
        match operation:
            case RenameColumn(column=old, to=new):
                now = {first: new if last == old else last for first, last in now.items()}
            case ChangeColumn(column=old, definition=column):
                now = {first: column.name if last == old else last for first, last in now.items()}
            case _:
                pass
    return {first: last for first, last in now.items() if first != last}


def mapped(
    form: Table, source: Table, names: Mapping[str, str], expressions: Mapping[str, str], at: Situation
) -> tuple[tuple[str, str], ...]:
    """(column of the form, expression over the source): what the server computes by itself, and what the source does not have, is left out."""
    found = []
    for column in form.columns:
        if column.generated is not None:
            continue
        origin = names.get(column.name, column.name)
        if column.name in expressions:
            found.append((column.name, expressions[column.name]))
        elif source.column(origin) is not None:
            found.append((column.name, at.dialect.quote(origin)))
    return tuple(found)
