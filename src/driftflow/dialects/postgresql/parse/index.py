"""CREATE INDEX, ALTER INDEX, REINDEX."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import NotUnderstood, expression_text
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.column import index_part
from driftflow.dialects.postgresql.parse.node import option_sql, option_text, options, relation
from driftflow.model.catalog import Index
from driftflow.model.names import Name
from driftflow.model.operations import AlterIndex, CreateIndex, Operation, Reindex


def create_index(body: Node, sql: str) -> tuple[Operation, ...]:
    method = body.get("accessMethod", "btree")
    index = Index(
        name=Name(name=body.get("idxname", "")),
        table=relation(body["relation"]),
        parts=tuple(index_part(node["IndexElem"]) for node in body["indexParams"]),
        include=tuple(node["IndexElem"]["name"] for node in body.get("indexIncludingParams", ())),
        unique=bool(body.get("unique")),
        nulls_not_distinct=bool(body.get("nulls_not_distinct")),
        method="" if method == "btree" else method,
        predicate=expression_text(body["whereClause"]) if "whereClause" in body else "",
        options=options(body.get("options", [])),
        tablespace=body.get("tableSpace", ""),
    )
    return (
        CreateIndex(
            index=index,
            concurrently=bool(body.get("concurrent")),
            if_not_exists=bool(body.get("if_not_exists")),
            only=not body["relation"].get("inh"),
        ),
    )


def alter_index(body: Node, command: Node) -> Operation:
    """One clause of ALTER INDEX."""
    name, if_exists = relation(body["relation"]), bool(body.get("missing_ok"))
    match command["subtype"]:
        case "AT_AttachPartition":
            return AlterIndex(name=name, action="attach", child=relation(command["def"]["PartitionCmd"]["name"]))
        case "AT_SetRelOptions":
            return AlterIndex(name=name, action="set", value=_list(command), if_exists=if_exists)
        case "AT_ResetRelOptions":
            return AlterIndex(name=name, action="reset", value=_list(command), if_exists=if_exists)
        case "AT_SetTableSpace":
            return AlterIndex(name=name, action="tablespace", value=command["name"], if_exists=if_exists)
        case "AT_SetStatistics" if "num" in command:
            value = f"{command['num']} {command['def']['Integer'].get('ival', 0)}"
            return AlterIndex(name=name, action="statistics", value=value, if_exists=if_exists)
        case other:
            raise NotUnderstood(f"ALTER INDEX with {other}")


def _list(command: Node) -> str:
    return ", ".join(option_sql(option) for option in options(command["def"]["List"]["items"]))


_KINDS = {
    "REINDEX_OBJECT_INDEX": "index",
    "REINDEX_OBJECT_TABLE": "table",
    "REINDEX_OBJECT_SCHEMA": "schema",
    "REINDEX_OBJECT_DATABASE": "database",
    "REINDEX_OBJECT_SYSTEM": "system",
}


def reindex(body: Node, sql: str) -> tuple[Operation, ...]:
    given = [node["DefElem"] for node in body.get("params", ())]
    name = relation(body["relation"]) if "relation" in body else Name(name=body["name"]) if "name" in body else None
    concurrently = any(option["defname"] == "concurrently" and option.get("arg", {"on": 1}) for option in given)
    return (
        Reindex(
            kind=_KINDS[body["kind"]],  # type: ignore[arg-type]  # the five of the grammar
            name=name,
            concurrently=concurrently,
            options=tuple(option_text(option) for option in given if option["defname"] != "concurrently"),
        ),
    )
