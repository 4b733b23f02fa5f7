"""What the database itself still says under a name that a statement takes away: the server keeps it as text, so nothing stops the statement, and it fails later."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.model.catalog import Catalog, Trigger, is_ours
from driftflow.model.dependency import Dependent
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.column import DropColumn, RenameColumn
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.redefinition import ChangeColumn
from driftflow.model.operations.rules import dependents_block, names_in_any_case, names_said_alone
from driftflow.model.operations.table import DropTable, MoveTable, RenameTable

Taking = DropTable | RenameTable | MoveTable | DropColumn | RenameColumn | ChangeColumn


MOST = 8
"""Of which the names are said."""


def sentences(operation: BaseOperation, final: Catalog) -> tuple[str, ...]:
    """A sentence about each of them, `trigger audit on orders says log in its text, and fails: whoever writes orders fails with it`; of many, how many there are."""
    if not isinstance(operation, Taking):
        return ()
    table = operation.name if isinstance(operation, DropTable | RenameTable | MoveTable) else operation.table
    what = f"{table.name}.{column}" if (column := getattr(operation, "column", "")) else table.name
    found = left_naming(operation, final)
    said = [f"{one.text} says {what} in its text, and fails" + _with_it(one) for one in found[:MOST]]
    more = len(found) - MOST
    return (*said, *([f"{more} more that say {what} in their text fail too"] if more > 0 else []))


def _with_it(one: Dependent) -> str:
    return f": whoever writes {one.on} fails with it" if one.kind == "trigger" else ""


def left_naming(operation: Taking, final: Catalog) -> tuple[Dependent, ...]:
    """Views, triggers and routines that say the name when the release is through (`final`), found by their words. Empty where all of them follow, or have gone."""
    match operation:
        case RenameTable(name=name) | MoveTable(name=name):
            return () if names_said_alone(final) or operation.relation_kind in ("index", "sequence") else _of_table(final, name)
        case DropTable(name=name):
            return _of_table(final, name)
        case DropColumn(table=table, column=column):
            return () if names_said_alone(final) else _of_column(final, table, column)
        case RenameColumn(table=table, column=column) if operation.relation_kind == "table":
            return () if names_said_alone(final) else _of_column(final, table, column)
        case ChangeColumn(table=table, column=column) if operation.definition.name.lower() != column.lower():
            return _of_column(final, table, column)
        case _:
            return ()


def _of_table(final: Catalog, name: Name) -> tuple[Dependent, ...]:
    if name.text in final.tables or name.text in final.views:
        return ()
    return tuple(_found(final, name, ""))


def _of_column(final: Catalog, table: Name, column: str) -> tuple[Dependent, ...]:
    """Under the name that the table bears in the end, or had."""
    held = final.table(table)
    if held is not None and held.column(column) is not None:
        return ()
    return tuple(_found(final, table, column))


def _found(final: Catalog, table: Name, column: str) -> Iterator[Dependent]:
    for view in () if dependents_block(final) else final.readers_of(table):
        if not column or mentions(view.definition, column, any_case=names_in_any_case(final)):
            yield Dependent(kind="view", name=view.name.name, fate="broken", by_words=bool(column))
    for holder in final.tables.values():
        own = bool(column) and holder.name == table
        for trigger in () if dependents_block(final) and not own else holder.triggers:
            text = trigger_text(final, trigger)
            if not is_ours(trigger.name) and text and _says(text, table, column, own=own):
                yield Dependent(kind="trigger", name=trigger.name, on=holder.name.name, fate="broken", by_words=True)
    for routine in final.routines.values():
        if not routine.depends_on_columns and _says(routine.definition, table, column, own=False):
            yield Dependent(kind="function", name=routine.name.name, fate="broken", by_words=True)


def trigger_text(catalog: Catalog, trigger: Trigger) -> str:
    """What a trigger carries out: its own text, or the body of its function (PostgreSQL), empty where that is not known."""
    if trigger.function is None:
        return trigger.definition
    return next((one.definition for one in catalog.routines.values() if one.name == trigger.function), "")


def says(text: str, name: str) -> bool:
    """Whether the name stands in the text as a word, in whatever letters; a body may be a string to the server, so strings count."""
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE))


def _says(text: str, table: Name, column: str, *, own: bool) -> bool:
    return (own or says(text, table.name)) and (not column or says(text, column))
