"""Triggers with their relation and function spelled out, and their definition as the server prints it."""

from __future__ import annotations

from driftflow.dialects.postgresql import grammar
from driftflow.dialects.postgresql.deparse import NotUnderstood
from driftflow.dialects.postgresql.parse import trigger as parsed
from driftflow.dialects.postgresql.parse.node import relation
from driftflow.dialects.postgresql.resolve import place
from driftflow.model.catalog import Catalog, Trigger
from driftflow.model.record import replace


def resolved_trigger(trigger: Trigger, catalog: Catalog) -> Trigger:
    table = place.relation(trigger.table, catalog)
    function = place.routine(trigger.function, catalog) if trigger.function is not None else None
    return normal_trigger(replace(trigger, table=table, function=function), catalog)


def normal_trigger(trigger: Trigger, catalog: Catalog) -> Trigger:
    """The same trigger with its definition in normal form: the relation qualified, the function only where the path does not find it."""
    try:
        (node,) = grammar.parse(trigger.definition)
        body = node["stmt"]["CreateTrigStmt"]
        from_table = place.relation(relation(body["constrrel"]), catalog) if "constrrel" in body else None
        shown = trigger.function if trigger.function is not None else parsed.trigger(body).function
        if shown is not None and shown.schema in place.path(catalog):
            shown = replace(shown, schema="")
        definition = parsed.definition(replace(trigger, function=shown), body, constrains=from_table)
    except (grammar.SyntaxFault, grammar.TooDeep, NotUnderstood, KeyError, ValueError):
        return trigger
    return replace(trigger, definition=definition)
