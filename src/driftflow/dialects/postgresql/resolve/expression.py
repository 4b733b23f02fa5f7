"""Types and expressions with the schemas of what is not the server's own, as introspection with an empty search_path spells them."""

from __future__ import annotations

from typing import Any

from driftflow.dialects.postgresql.builtin_functions import VOLATILITY
from driftflow.dialects.postgresql.deparse import NotUnderstood, expression_text
from driftflow.dialects.postgresql.expressions import expression_node
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote_name
from driftflow.dialects.postgresql.resolve import place
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name
from driftflow.patterns import lazy_regex

_BARE = lazy_regex(r'(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[a-z_][a-z0-9_$]*))(?P<rest>(?:\([^)]*\))?(?:\[\])?)\Z')
_SEQUENCE_CALLS = frozenset(("nextval", "currval", "setval"))


def resolved_type(text: str, catalog: Catalog) -> str:
    """`mood[]` → `public.mood[]`, for a type that the catalog knows."""
    match = _BARE.match(text) if catalog.types else None
    if match is None:
        return text
    name = match["plain"] or match["quoted"].replace('""', '"')
    found = _type(name, catalog)
    return text if found is None else quote_name(found) + match["rest"]


def _type(name: str, catalog: Catalog) -> Name | None:
    for schema in place.path(catalog):
        found = Name(schema=schema, name=name)
        if found.text in catalog.types:
            return found
    return None


def resolved_expression(expression: str, catalog: Catalog) -> str:
    """User functions, user types and sequences with their schema. Costs nothing where the catalog has none of them."""
    if not expression or not (catalog.types or catalog.routines or (catalog.sequences and "val(" in expression)):
        return expression
    if "(" not in expression and "::" not in expression:
        return expression
    node = expression_node(expression)
    if node is None:
        return expression
    try:
        return expression_text(_resolved(node, catalog))
    except (NotUnderstood, RecursionError):
        return expression


def _resolved(node: Any, catalog: Catalog) -> Any:
    if isinstance(node, list):
        return [_resolved(item, catalog) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _resolved(value, catalog) for key, value in node.items()}
    if "FuncCall" in changed:
        changed["FuncCall"] = _call(changed["FuncCall"], catalog)
    if "TypeCast" in changed:
        body = changed["TypeCast"]
        changed["TypeCast"] = {**body, "typeName": {**body["typeName"], "names": _type_names(body["typeName"], catalog)}}
    return changed


def _type_names(body: Node, catalog: Catalog) -> list[Node]:
    names: list[Node] = body["names"]
    found = _type(names[0]["String"]["sval"], catalog) if len(names) == 1 else None
    return names if found is None else _strings(found)


def _call(body: Node, catalog: Catalog) -> Node:
    names = body["funcname"]
    if len(names) != 1:
        return body
    name = names[0]["String"]["sval"]
    if name in _SEQUENCE_CALLS and body.get("args"):
        return {**body, "args": [_sequence(body["args"][0], catalog), *body["args"][1:]]}
    if name in VOLATILITY or not any(one.name.name == name for one in catalog.routines.values()):
        return body
    return {**body, "funcname": _strings(place.routine(Name(name=name), catalog))}


def _sequence(node: Node, catalog: Catalog) -> Node:
    """`'s'` or `'s'::regclass` → `'public.s'::regclass`."""
    constant = node.get("TypeCast", {}).get("arg", node)
    text = constant.get("A_Const", {}).get("sval", {}).get("sval", "")
    match = _BARE.match(text)
    if match is None or match["rest"]:
        return node
    found = place.relation(Name(name=match["plain"] or match["quoted"].replace('""', '"')), catalog)
    if found.text not in catalog.sequences:
        return node
    constant = {"A_Const": {"sval": {"sval": quote_name(found)}}}
    return {"TypeCast": {"arg": constant, "typeName": {"names": [{"String": {"sval": "regclass"}}]}}}


def _strings(name: Name) -> list[Node]:
    return [{"String": {"sval": part}} for part in (name.schema, name.name)]
