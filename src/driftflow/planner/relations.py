"""Which relations a plan claims, and whose structure it relies on."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.model.catalog import Catalog, is_ours
from driftflow.model.names import Name
from driftflow.model.operations import CreateIndex, CreateTable, CreateTableAs, CreateView
from driftflow.model.plan import Backfill, BuildIndex, RebuildTable, Step
from driftflow.planner.draft import Draft


def footprint(steps: Sequence[Step], drafts: Sequence[Draft], catalog: Catalog) -> tuple[Name, ...]:
    """Every table and view that a step locks or changes, and those that the plan creates; without indexes and without our own."""
    found: set[Name] = set()
    for step in steps:
        found |= {claim.relation for claim in step.claims}
        if isinstance(step, Backfill | RebuildTable):
            found.add(step.table)
    for draft in drafts:
        for operation in draft.operations:
            match operation:
                case CreateTable(table=table):
                    found.add(table.name)
                case CreateTableAs(name=name):
                    found.add(name)
                case CreateView(view=view):
                    found.add(view.name)
                case _:
                    pass
    indexes = {index.name for table in catalog.tables.values() for index in table.indexes}
    indexes |= {operation.index.name for draft in drafts for operation in draft.operations if isinstance(operation, CreateIndex)}
    indexes |= {step.index.name for step in steps if isinstance(step, BuildIndex)}
    return tuple(sorted(name for name in found - indexes if not (is_ours(name.schema) or is_ours(name.name))))


def related(touched: Sequence[Name], catalog: Catalog) -> tuple[Name, ...]:
    """The touched tables and views, and those that they reference, belong to, or read."""
    found = set(touched)
    for name in tuple(found):
        table, view = catalog.table(name), catalog.views.get(name.text)
        if table is not None:
            found |= {key.referenced for key in table.foreign_keys}
            found |= {table.partition_of} if table.partition_of is not None else set()
        if view is not None:
            found |= set(view.depends_on)
    return tuple(sorted(found))
