"""Triggers."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import expression_text
from driftflow.dialects.postgresql.deparse.expression import names_of
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote, quote_name, quote_text
from driftflow.dialects.postgresql.parse.node import name_of, relation
from driftflow.model.catalog import Trigger
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger, Operation
from driftflow.model.record import replace

# Bits of CreateTrigStmt, from PostgreSQL's pg_trigger.h, in the order in which pg_get_triggerdef() writes them.
_EVENTS = ((4, "INSERT"), (8, "DELETE"), (16, "UPDATE"), (32, "TRUNCATE"))
_BEFORE, _INSTEAD = 2, 64


def create_trigger(body: Node, sql: str) -> tuple[Operation, ...]:
    touches = (relation(body["constrrel"]),) if "constrrel" in body else ()
    return (CreateTrigger(trigger=trigger(body), or_replace=bool(body.get("replace")), touches=touches),)


def trigger(body: Node) -> Trigger:
    """The trigger of a CreateTrigStmt, with its definition in normal form."""
    timing, bits = body.get("timing", 0), body.get("events", 0)
    found = Trigger(
        name=body["trigname"],
        table=relation(body["relation"]),
        definition="",
        function=name_of(body["funcname"]),
        timing="BEFORE" if timing & _BEFORE else "INSTEAD OF" if timing & _INSTEAD else "AFTER",
        events=tuple(word for bit, word in _EVENTS if bits & bit),
        update_columns=tuple(names_of(body.get("columns", []))),
        per_row=bool(body.get("row")),
        constraint=bool(body.get("isconstraint")),
    )
    return replace(
        found, definition=definition(found, body, constrains=relation(body["constrrel"]) if "constrrel" in body else None)
    )


def definition(trigger: Trigger, body: Node, *, constrains: Name | None = None) -> str:
    """The whole statement, as pg_get_triggerdef() writes it; relation and function as the record names them."""
    events = " OR ".join(
        f"UPDATE OF {', '.join(map(quote, trigger.update_columns))}" if event == "UPDATE" and trigger.update_columns else event
        for event in trigger.events
    )
    text = f"CREATE {'CONSTRAINT ' if trigger.constraint else ''}TRIGGER {quote(trigger.name)} {trigger.timing} {events}"
    text += f" ON {quote_name(trigger.table)}"
    if constrains is not None:
        text += f" FROM {quote_name(constrains)}"
    if trigger.constraint:
        text += " DEFERRABLE" if body.get("deferrable") else " NOT DEFERRABLE"
        text += " INITIALLY DEFERRED" if body.get("initdeferred") else " INITIALLY IMMEDIATE"
    transitions = [node["TriggerTransition"] for node in body.get("transitionRels", ())]
    if transitions:
        text += " REFERENCING" + "".join(
            f" {'NEW' if item.get('isNew') else 'OLD'} TABLE AS {quote(item['name'])}" for item in transitions
        )
    text += f" FOR EACH {'ROW' if trigger.per_row else 'STATEMENT'}"
    if "whenClause" in body:
        text += f" WHEN ({expression_text(body['whenClause'])})"
    arguments = ", ".join(quote_text(argument) for argument in names_of(body.get("args", [])))
    assert trigger.function is not None
    return f"{text} EXECUTE FUNCTION {quote_name(trigger.function)}({arguments})"
