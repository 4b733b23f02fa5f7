"""Which relations a plan claims, and whose structure it relies on."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.model.catalog import Catalog, is_ours
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, CreateTableAs, CreateView
from driftflow.model.plan import Backfill, RebuildTable, Step
from driftflow.planner.draft import Draft


def footprint(steps: Sequence[Step], drafts: Sequence[Draft]) -> tuple[Name, ...]:
    """Every relation that a step locks or changes, and those that the plan creates; without our own."""
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
    return tuple(sorted(name for name in found if not (is_ours(name.schema) or is_ours(name.name))))


def related(touched: Sequence[Name], catalog: Catalog) -> tuple[Name, ...]:
    """The touched tables and views, and those that they reference, belong to, or read."""
    found = {name for name in touched if not _is_index(name, catalog)}
    for name in tuple(found):
        table, view = catalog.table(name), catalog.views.get(name.text)
        if table is not None:
            found |= {key.referenced for key in table.foreign_keys}
            found |= {table.partition_of} if table.partition_of is not None else set()
        if view is not None:
            found |= set(view.depends_on)
    return tuple(sorted(found))


def _is_index(name: Name, catalog: Catalog) -> bool:
    return any(index.name == name for table in catalog.tables.values() for index in table.indexes)
