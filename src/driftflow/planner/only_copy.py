"""Tables of the release that hold the rows of one that it drops: on the way back they stay, for the rows are nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as with_fields

from driftflow.dialects.situation import Situation
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, CreateTableAs, DropTable, Insert
from driftflow.model.plan import Irreversible, UndoNothing
from driftflow.model.record import replace
from driftflow.planner.draft import Draft


def with_copies_kept(drafts: Sequence[Draft], situations: Sequence[Situation]) -> list[Draft]:
    """The drafts, where the undo of such a table's CREATE leaves it alone."""
    copies = _copies(situations)
    return [_kept(draft, copies) if copies else draft for draft in drafts]


def _copies(situations: Sequence[Situation]) -> dict[Name, Name]:
    """Copy to the table whose rows it holds."""
    filled: dict[Name, list[Name]] = {}
    found: dict[Name, Name] = {}
    for at in situations:
        match at.operation:
            case Insert(table=copy, reads=reads) | CreateTableAs(name=copy, reads=reads):
                for table in reads:
                    filled.setdefault(table, []).append(copy)
            case DropTable(name=table) if (known := at.table(table)) is not None and not known.new:
                found |= dict.fromkeys(filled.get(table, ()), table)
            case _:
                pass
    return found


def _kept(draft: Draft, copies: dict[Name, Name]) -> Draft:
    made = [
        one.table.name if isinstance(one, CreateTable) else one.name
        for one in draft.operations
        if isinstance(one, CreateTable | CreateTableAs)
    ]
    held = next((copies[name] for name in made if name in copies), None)
    if held is None:
        return draft
    undo = UndoNothing(reason=f"it holds the rows of {held}, which is dropped: nobody else has them")
    steps = tuple(one if isinstance(one.undo, Irreversible) else replace(one, undo=undo) for one in draft.steps)
    return with_fields(draft, steps=steps)
