"""RENAME, SET SCHEMA, OWNER TO and DEPENDS ON EXTENSION, which share their nodes among all kinds of objects."""

from __future__ import annotations

from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.kinds import kind_of, object_name, object_relation
from driftflow.dialects.postgresql.parse.node import NotUnderstood, cascades, name_of, names_of, relation
from driftflow.dialects.postgresql.parse.routine import call_arguments
from driftflow.dialects.postgresql.scan import normal_text
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterIndex,
    AlterObject,
    AlterPolicy,
    AlterTrigger,
    MoveTable,
    Operation,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    RenameTable,
)
from driftflow.model.record import replace

_COLUMN_OWNERS = {
    "OBJECT_TABLE": "table",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized_view",
    "OBJECT_FOREIGN_TABLE": "foreign_table",
    "OBJECT_TYPE": "type",
}
_RELATIONS = {**_COLUMN_OWNERS, "OBJECT_SEQUENCE": "sequence"}
del _RELATIONS["OBJECT_TYPE"]


def rename(body: Node, sql: str) -> tuple[Operation, ...]:
    kind, to, missing = body["renameType"], body["newname"], bool(body.get("missing_ok"))
    match kind:
        case "OBJECT_INDEX":
            return (RenameIndex(name=relation(body["relation"]), to=to, if_exists=missing),)
        case _ if kind in _RELATIONS:
            return (RenameTable(name=relation(body["relation"]), to=to, if_exists=missing, relation_kind=_RELATIONS[kind]),)  # type: ignore[arg-type]
        case "OBJECT_COLUMN" | "OBJECT_ATTRIBUTE" if not cascades(body):
            return (_if_table_exists(_column(body), missing),)
        case "OBJECT_TABCONSTRAINT":
            constraint = RenameConstraint(
                table=relation(body["relation"]), name=body["subname"], to=to, only=not body["relation"].get("inh")
            )
            return (_if_table_exists(constraint, missing),)
        case "OBJECT_DOMCONSTRAINT":
            domain = name_of(body["object"]["List"]["items"])
            renamed = AlterObject(
                kind="domain_constraint", action="rename", name=domain, constraint=body["subname"], to=to, sql=normal_text(sql)
            )
            return (renamed,)
        case "OBJECT_TRIGGER":
            return (AlterTrigger(name=body["subname"], table=relation(body["relation"]), to=to),)
        case "OBJECT_POLICY":
            return (_if_table_exists(AlterPolicy(name=body["subname"], table=relation(body["relation"]), to=to), missing),)
        case _:
            return (replace(_other(kind, "rename", body, sql), to=to),)


def _column(body: Node) -> RenameColumn:
    kind = _COLUMN_OWNERS.get(body["relationType"])
    if kind is None:
        raise NotUnderstood(f"RENAME COLUMN of {body['relationType']}")
    # ALTER TYPE ... RENAME ATTRIBUTE knows no ONLY.
    only = kind != "type" and not body["relation"].get("inh")
    return RenameColumn(
        table=relation(body["relation"]),
        column=body["subname"],
        to=body["newname"],
        only=only,
        relation_kind=kind,  # type: ignore[arg-type]
    )


def _if_table_exists(operation: Operation, missing: bool) -> Operation:
    return replace(operation, table_if_exists=True) if missing else operation


def _other(kind: str, action: str, body: Node, sql: str) -> AlterObject:
    """A kind that has no operation of its own for this."""
    if kind == "OBJECT_ATTRIBUTE":
        return AlterObject(kind="type", action="alter", name=relation(body["relation"]), sql=normal_text(sql))
    node = body.get("object")
    hangs_on = relation(body["relation"]) if "relation" in body else object_relation(kind, node) if node is not None else None
    if node is not None:
        name = object_name(kind, node)
    elif "subname" in body:
        name = Name(name=body["subname"])
    else:
        name = hangs_on
    return AlterObject(
        kind=kind_of(kind),
        action=action,
        name=name,
        sql=normal_text(sql),
        relations=(hangs_on,) if hangs_on is not None else (),
        arguments=call_arguments(node["ObjectWithArgs"]) if node is not None and "ObjectWithArgs" in node else None,
    )


def set_schema(body: Node, sql: str) -> tuple[Operation, ...]:
    kind = body["objectType"]
    if kind in _RELATIONS:
        return (
            MoveTable(
                name=relation(body["relation"]),
                schema=body["newschema"],
                if_exists=bool(body.get("missing_ok")),
                relation_kind=_RELATIONS[kind],  # type: ignore[arg-type]
            ),
        )
    return (replace(_other(kind, "set_schema", body, sql), to=body["newschema"]),)


def owner(body: Node, sql: str) -> tuple[Operation, ...]:
    return (_other(body["objectType"], "owner", body, sql),)


def depends(body: Node, sql: str) -> tuple[Operation, ...]:
    kind, extension = body["objectType"], body["extname"]["sval"]
    if kind == "OBJECT_INDEX" and not body.get("remove"):
        return (AlterIndex(name=relation(body["relation"]), action="depends", value=extension),)
    if kind == "OBJECT_TRIGGER" and not body.get("remove"):
        name = names_of(body["object"]["List"]["items"])[-1]
        return (AlterTrigger(name=name, table=relation(body["relation"]), depends_on_extension=extension),)
    return (_other(kind, "depends", body, sql),)
