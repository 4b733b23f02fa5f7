"""Sequences."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import NotUnderstood
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.column import owner_column, sequence_options
from driftflow.dialects.postgresql.parse.node import relation
from driftflow.model.catalog import Sequence
from driftflow.model.operations import AlterSequence, CreateSequence, Operation


def create_sequence(body: Node, sql: str) -> tuple[Operation, ...]:
    given, restart, rest = sequence_options(body.get("options", ()))
    owner = rest.pop("owned_by", None)
    persistence = body["sequence"].get("relpersistence", "p")
    if restart or rest or persistence == "u":
        raise NotUnderstood("an unlogged sequence, or an option that only ALTER SEQUENCE takes")
    sequence = Sequence(name=relation(body["sequence"]), options=given, owned_by=owner_column(owner) if owner else "")
    return (CreateSequence(sequence=sequence, if_not_exists=bool(body.get("if_not_exists")), temporary=persistence == "t"),)


def alter_sequence(body: Node, sql: str) -> tuple[Operation, ...]:
    given, restart, rest = sequence_options(body.get("options", ()))
    owner = rest.pop("owned_by", None)
    unlimited = [node["DefElem"]["defname"] for node in body.get("options", ()) if "arg" not in node["DefElem"]]
    if rest or [name for name in unlimited if name != "restart"]:
        raise NotUnderstood("ALTER SEQUENCE with NO MINVALUE, NO MAXVALUE or LOGGED")
    return (
        AlterSequence(
            name=relation(body["sequence"]),
            options=given,
            restart=restart[0] if restart else None,
            restarts=bool(restart),
            owned_by=owner_column(owner) if owner else None,
            if_exists=bool(body.get("missing_ok")),
        ),
    )
