"""Kinds of objects: the grammar's name, SQL's words, and how one object of the kind is named in text."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import NotUnderstood
from driftflow.dialects.postgresql.deparse.expression import names_of, qualified
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.parse.routine import call_arguments
from driftflow.dialects.postgresql.types import type_text
from driftflow.model.names import Name

WORDS: dict[str, str] = {
    "OBJECT_ACCESS_METHOD": "ACCESS METHOD",
    "OBJECT_AGGREGATE": "AGGREGATE",
    "OBJECT_CAST": "CAST",
    "OBJECT_COLLATION": "COLLATION",
    "OBJECT_COLUMN": "COLUMN",
    "OBJECT_CONVERSION": "CONVERSION",
    "OBJECT_DATABASE": "DATABASE",
    "OBJECT_DOMAIN": "DOMAIN",
    "OBJECT_DOMCONSTRAINT": "CONSTRAINT",
    "OBJECT_EVENT_TRIGGER": "EVENT TRIGGER",
    "OBJECT_EXTENSION": "EXTENSION",
    "OBJECT_FDW": "FOREIGN DATA WRAPPER",
    "OBJECT_FOREIGN_SERVER": "SERVER",
    "OBJECT_FOREIGN_TABLE": "FOREIGN TABLE",
    "OBJECT_FUNCTION": "FUNCTION",
    "OBJECT_INDEX": "INDEX",
    "OBJECT_LANGUAGE": "LANGUAGE",
    "OBJECT_MATVIEW": "MATERIALIZED VIEW",
    "OBJECT_OPCLASS": "OPERATOR CLASS",
    "OBJECT_OPERATOR": "OPERATOR",
    "OBJECT_OPFAMILY": "OPERATOR FAMILY",
    "OBJECT_POLICY": "POLICY",
    "OBJECT_PROCEDURE": "PROCEDURE",
    "OBJECT_PUBLICATION": "PUBLICATION",
    "OBJECT_ROLE": "ROLE",
    "OBJECT_ROUTINE": "ROUTINE",
    "OBJECT_RULE": "RULE",
    "OBJECT_SCHEMA": "SCHEMA",
    "OBJECT_SEQUENCE": "SEQUENCE",
    "OBJECT_STATISTIC_EXT": "STATISTICS",
    "OBJECT_SUBSCRIPTION": "SUBSCRIPTION",
    "OBJECT_TABCONSTRAINT": "CONSTRAINT",
    "OBJECT_TABLE": "TABLE",
    "OBJECT_TABLESPACE": "TABLESPACE",
    "OBJECT_TRANSFORM": "TRANSFORM",
    "OBJECT_TRIGGER": "TRIGGER",
    "OBJECT_TSCONFIGURATION": "TEXT SEARCH CONFIGURATION",
    "OBJECT_TSDICTIONARY": "TEXT SEARCH DICTIONARY",
    "OBJECT_TSPARSER": "TEXT SEARCH PARSER",
    "OBJECT_TSTEMPLATE": "TEXT SEARCH TEMPLATE",
    "OBJECT_TYPE": "TYPE",
    "OBJECT_VIEW": "VIEW",
}

ON_RELATION = frozenset(("OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY"))
RELATIONS = frozenset(
    ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE", "OBJECT_COLUMN")
)


def kind_of(tag: str) -> str:
    """`OBJECT_FOREIGN_TABLE` → `foreign_table`."""
    if tag not in WORDS:
        raise NotUnderstood(f"an object of kind {tag}")
    return WORDS[tag].lower().replace(" ", "_")


def items(node: Node) -> list[Node]:
    nodes: list[Node] = node["List"]["items"]
    return nodes


def object_text(tag: str, node: Node) -> str:
    """The object as SQL, as COMMENT ON and DROP name it behind its kind's words."""
    match node:
        case {"ObjectWithArgs": body} if tag == "OBJECT_OPERATOR":
            *schema, operator = names_of(body["objname"])
            return f"{'.'.join([*map(quote, schema), operator])}({call_arguments(body)})"
        case {"ObjectWithArgs": body}:
            name, arguments = ".".join(map(quote, names_of(body["objname"]))), call_arguments(body)
            if tag == "OBJECT_AGGREGATE" and arguments == "":
                arguments = "*"
            return name if arguments is None else f"{name}({arguments})"
        case {"String": {"sval": name}}:
            return quote(name)
        case {"TypeName": body}:
            return type_text(body)
        case {"List": _}:
            return _list_text(tag, items(node))
        case _:
            raise NotUnderstood(f"an object of kind {tag}")


def _list_text(tag: str, nodes: list[Node]) -> str:
    if tag in ON_RELATION:
        return f"{quote(names_of(nodes)[-1])} ON {'.'.join(map(quote, names_of(nodes)[:-1]))}"
    match tag:
        case "OBJECT_DOMCONSTRAINT":
            return f"{quote(names_of(nodes[1:])[0])} ON DOMAIN {type_text(nodes[0]['TypeName'])}"
        case "OBJECT_OPCLASS" | "OBJECT_OPFAMILY":
            return f"{qualified(nodes[1:])} USING {quote(names_of(nodes)[0])}"
        case "OBJECT_CAST":
            return f"({type_text(nodes[0]['TypeName'])} AS {type_text(nodes[1]['TypeName'])})"
        case "OBJECT_TRANSFORM":
            return f"FOR {type_text(nodes[0]['TypeName'])} LANGUAGE {quote(names_of(nodes[1:])[0])}"
        case _:
            return ".".join(map(quote, names_of(nodes)))


def object_name(tag: str, node: Node) -> Name | None:
    """The object's name, where it has one of one or two parts."""
    match node:
        case {"ObjectWithArgs": body}:
            names = names_of(body["objname"])
        case {"String": {"sval": name}}:
            names = [name]
        case {"TypeName": body}:
            names = names_of(body["names"])
        case {"List": _} if tag not in {"OBJECT_CAST", "OBJECT_TRANSFORM", "OBJECT_DOMCONSTRAINT"}:
            names = names_of(items(node))
        case _:
            return None
    if tag in ON_RELATION or tag == "OBJECT_COLUMN":
        return Name(name=names[-1])
    return Name(schema=names[-2] if len(names) > 1 else "", name=names[-1])


def object_relation(tag: str, node: Node) -> Name | None:
    """The relation that an object is or hangs on."""
    if tag in ON_RELATION or tag == "OBJECT_COLUMN":
        names = names_of(items(node))[:-1]
    elif tag in RELATIONS and "List" in node:
        names = names_of(items(node))
    else:
        return None
    return Name(schema=names[-2] if len(names) > 1 else "", name=names[-1]) if names else None
