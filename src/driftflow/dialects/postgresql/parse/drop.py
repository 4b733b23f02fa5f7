"""DROP of every kind: one operation for each object."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse.expression import names_of
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.kinds import WORDS, items, kind_of, object_name, object_relation, object_text
from driftflow.dialects.postgresql.parse.node import NotUnderstood, cascades, name_of
from driftflow.dialects.postgresql.parse.routine import call_arguments
from driftflow.model.operations import (
    DropFunction,
    DropIndex,
    DropObject,
    DropPolicy,
    DropSchema,
    DropSequence,
    DropTable,
    DropTrigger,
    DropType,
    DropView,
    Operation,
)


def drop(body: Node, sql: str) -> tuple[Operation, ...]:
    return tuple(_one(body, node) for node in body["objects"])


def _one(body: Node, node: Node) -> Operation:
    kind, missing, cascade = body["removeType"], bool(body.get("missing_ok")), cascades(body)
    match kind:
        case "OBJECT_TABLE" | "OBJECT_FOREIGN_TABLE":
            return DropTable(
                name=name_of(items(node)), if_exists=missing, cascade=cascade, foreign=kind == "OBJECT_FOREIGN_TABLE"
            )
        case "OBJECT_VIEW" | "OBJECT_MATVIEW":
            return DropView(name=name_of(items(node)), materialized=kind == "OBJECT_MATVIEW", if_exists=missing, cascade=cascade)
        case "OBJECT_INDEX":
            concurrently = bool(body.get("concurrent"))
            return DropIndex(name=name_of(items(node)), concurrently=concurrently, if_exists=missing, cascade=cascade)
        case "OBJECT_SEQUENCE":
            return DropSequence(name=name_of(items(node)), if_exists=missing, cascade=cascade)
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            name = name_of(node["TypeName"]["names"])
            return DropType(name=name, domain=kind == "OBJECT_DOMAIN", if_exists=missing, cascade=cascade)
        case "OBJECT_SCHEMA":
            return DropSchema(name=node["String"]["sval"], if_exists=missing, cascade=cascade)
        case "OBJECT_TRIGGER":
            table = name_of(items(node)[:-1])
            return DropTrigger(name=names_of(items(node))[-1], table=table, if_exists=missing, cascade=cascade)
        case "OBJECT_POLICY":
            table = name_of(items(node)[:-1])
            return DropPolicy(name=names_of(items(node))[-1], table=table, if_exists=missing, cascade=cascade)
        case "OBJECT_FUNCTION" | "OBJECT_PROCEDURE" | "OBJECT_ROUTINE" | "OBJECT_AGGREGATE":
            return _routine(kind, node["ObjectWithArgs"], if_exists=missing, cascade=cascade)
        case _:
            return _object(kind, node, if_exists=missing, cascade=cascade)


def _routine(kind: str, body: Node, *, if_exists: bool, cascade: bool) -> DropFunction:
    return DropFunction(
        name=name_of(body["objname"]), arguments=call_arguments(body), kind=kind_of(kind), if_exists=if_exists, cascade=cascade
    )


def _object(kind: str, node: Node, *, if_exists: bool, cascade: bool) -> DropObject:
    if kind not in WORDS:
        raise NotUnderstood(f"DROP of {kind}")
    relation = object_relation(kind, node)
    sql = f"DROP {WORDS[kind]} {'IF EXISTS ' if if_exists else ''}{object_text(kind, node)}{' CASCADE' if cascade else ''}"
    return DropObject(
        kind=kind_of(kind),
        name=object_name(kind, node),
        sql=sql,
        if_exists=if_exists,
        cascade=cascade,
        relations=(relation,) if relation is not None else (),
    )
