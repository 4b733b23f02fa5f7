"""Logical replication carries rows, not DDL: a subscriber without a new column stops. Only a person knows the subscribers, so the run asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Column
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, CreateTable, CreateTableAs, RenameColumn, RenameTable
from driftflow.model.plan import Gate, UndoNothing
from driftflow.planner.draft import Draft
from driftflow.planner.order import Placed

NAME = "subscribers"
QUESTION = "Are the subscribers of the published tables ready for what is added?"


def with_subscribers(placed: Sequence[Placed], start: Catalog) -> list[Placed]:
    """The steps, with a gate before the first one that changes what a publication carries."""
    asked = {id(one.draft): wants for one in placed if (wants := tuple(_of_draft(one.draft, start)))}
    checklist = tuple(dict.fromkeys(line for wants in asked.values() for line in wants))
    first = next((index for index, one in enumerate(placed) if id(one.draft) in asked), None)
    if first is None:
        return list(placed)
    before = placed[first]
    return [*placed[:first], Placed(_gate(checklist, before), before.draft, True), *placed[first:]]


def _of_draft(draft: Draft, start: Catalog) -> Iterator[str]:
    for at in draft.situations:
        yield from _wanted(at, start)


def _wanted(at: Situation, start: Catalog) -> Iterator[str]:
    """What the subscribers need, a line each."""
    match at.operation:
        case AddColumn(table=table, column=column) if names := carried(table, at, start):
            plain = AddColumn(table=table, column=_as_there(column, at))
            yield f"on every subscriber of {names}, now: {at.dialect.render(plain)}"
        case RenameColumn(table=table) | RenameTable(name=table) if names := carried(table, at, start):
            yield f"on every subscriber of {names}, when this run has done it (it waits until then): {at.dialect.render(at.operation)}"
        case CreateTable(table=made) if names := by_schema(made.name, start):
            yield f"on every subscriber of {names}, now: create {made.name} as it is here"
        case CreateTableAs(name=name) if names := by_schema(name, start):
            yield f"on every subscriber of {names}, now: create {name} as it is here"
        case _:
            pass


def _as_there(column: Column, at: Situation) -> Column:
    """Old rows get a constant default without being changed, so nothing is sent for them: the subscriber needs the default too. What is filled
    in chunks arrives as changed rows."""
    constant = column.default if column.default and not at.dialect.volatile(column.default, at.catalog) else None
    return Column(name=column.name, type=column.type, collation=column.collation, default=constant, generated=column.generated)


def carried(table: Name, at: Situation, start: Catalog) -> str:
    """The publications that carry a table of before this release; empty for none."""
    found = at.table(table)
    return "" if found is None or found.new else ", ".join(found.publications) or by_schema(table, start)


def by_schema(table: Name, start: Catalog) -> str:
    return ", ".join(one.name for one in start.publications if one.all_tables or table.schema in one.schemas)


def _gate(checklist: tuple[str, ...], before: Placed) -> Gate:
    return Gate(
        purpose=f"Wait until somebody says yes: {QUESTION}",
        migration=before.step.migration,
        span=before.step.span,
        strategy="gate",
        phase=before.step.phase,
        name=NAME,
        question=QUESTION,
        checklist=checklist,
        undo=UndoNothing(reason="waiting changes nothing"),
    )
