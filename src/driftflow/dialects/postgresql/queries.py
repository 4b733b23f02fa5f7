"""What a query gives out, as far as its text alone says so."""

from __future__ import annotations

from driftflow.dialects.postgresql import grammar
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.scan import Unterminated


def output_columns(query: str) -> tuple[str, ...]:
    """The names of its columns (FigureColname); nothing where a star or an unusual form hides them."""
    try:
        (statement,) = grammar.parse(query)
        body: Node = statement["stmt"]["SelectStmt"]
        while "larg" in body:
            body = body["larg"]
        names = [_name(node["ResTarget"]) for node in body["targetList"]]
    except (grammar.SyntaxFault, grammar.TooDeep, Unterminated, KeyError, ValueError):
        return ()
    return tuple(names) if all(names) else ()


def _name(target: Node) -> str:
    if "name" in target:
        return str(target["name"])
    node = target["val"]
    while "TypeCast" in node and "A_Const" not in node["TypeCast"]["arg"]:
        node = node["TypeCast"]["arg"]
    match node:
        case {"ColumnRef": {"fields": [*_, {"String": {"sval": name}}]}}:
            return str(name)
        case {"FuncCall": {"funcname": [*_, {"String": {"sval": name}}]}}:
            return str(name)
        case _:
            return ""
