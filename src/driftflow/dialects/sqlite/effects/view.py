"""Views and triggers: rows of the schema table, checked only when somebody uses them."""

from __future__ import annotations

from driftflow.dialects.sqlite import mentions
from driftflow.dialects.sqlite.effects.prediction import Prediction
from driftflow.model.catalog import Table, View
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger, CreateView, DropTrigger, DropView


def create_view(p: Prediction, operation: CreateView) -> None:
    view = operation.view
    if operation.or_replace:
        p.fails("unsupported", "SQLite has no CREATE OR REPLACE VIEW", certain=True)
    if (view.name.text in p.catalog.tables or view.name.text in p.catalog.views) and not operation.if_not_exists:
        p.fails("exists", f"{view.name.name} already exists", relation=view.name, certain=True)
    if not operation.temporary:
        p.writes(view.name)
    if p.catalog.complete:
        _names_missing(p, f"view {view.name.name}", view.depends_on)


def _names_missing(p: Prediction, what: str, names: tuple[Name, ...]) -> None:
    """SQLite makes it all the same, and fails when it is used, and at every RENAME until it is gone."""
    for name in mentions.missing_relations(p.catalog, names):
        p.breaks(
            f"{what} names {name.name}, which does not exist: using it fails, and so does every RENAME in this database", name
        )


def drop_view(p: Prediction, operation: DropView) -> None:
    view = p.catalog.views.get(operation.name.text)
    if view is None:
        if p.catalog.complete and not operation.if_exists:
            p.fails("missing", f"view {operation.name.name} does not exist", relation=operation.name, certain=True)
        p.writes(operation.name)
        return
    p.writes(view.name)
    p.loses(f"view {view.name.name}", view.name, reversible=True)
    for trigger in view.triggers:
        p.loses(f"trigger {trigger.name} of the view", view.name, reversible=True)
    for other in p.catalog.dependents(view.name):
        p.breaks(f"view {other.name.name} reads it and fails from then on", other.name)
    p.breaks(f"code that still reads {view.name.name}", view.name)


def create_trigger(p: Prediction, operation: CreateTrigger) -> None:
    trigger = operation.trigger
    table = p.catalog.table(trigger.table) or p.catalog.views.get(trigger.table.text)
    if table is None and p.catalog.complete:
        p.fails("missing", f"{trigger.table.name} does not exist", relation=trigger.table, certain=True)
    if isinstance(table, Table) and trigger.timing == "INSTEAD OF":
        p.fails("unsupported", "INSTEAD OF triggers are for views", relation=trigger.table, certain=True)
    if isinstance(table, View) and trigger.timing != "INSTEAD OF":
        p.fails("unsupported", "a view takes INSTEAD OF triggers alone", relation=trigger.table, certain=True)
    taken = any(held.name.lower() == trigger.name.lower() for _, held in mentions.triggers(p.catalog))
    if taken and not operation.if_not_exists:
        p.fails("exists", f"trigger {trigger.name} already exists", relation=trigger.table, certain=True)
    p.writes(trigger.table)
    events = " or ".join(trigger.events)
    p.breaks(f"{events} on {trigger.table.name} runs the trigger from then on", trigger.table)
    if p.catalog.complete:
        _names_missing(p, f"trigger {trigger.name}", operation.touches)


def drop_trigger(p: Prediction, operation: DropTrigger) -> None:
    if operation.table is None:
        if p.catalog.complete and not operation.if_exists:
            p.fails("missing", f"trigger {operation.name} does not exist", certain=True)
        p.writes(Name(schema="main", name=operation.name))
        return
    p.writes(operation.table)
    p.loses(f"trigger {operation.name}", operation.table, reversible=True)
    p.breaks(f"what trigger {operation.name} did on writes to {operation.table.name} no longer happens", operation.table)
