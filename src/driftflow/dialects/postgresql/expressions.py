"""Expressions as text: one spelling for equal ones, comparison that ignores what the server adds, and volatility."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from driftflow.dialects.postgresql import grammar
from driftflow.dialects.postgresql.builtin_functions import VOLATILITY
from driftflow.dialects.postgresql.deparse import NotUnderstood, expression_text
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.scan import Unterminated, normal_text, stays_inside
from driftflow.model.catalog import Catalog
from driftflow.patterns import lazy_regex

_PLAIN = lazy_regex(r"[a-z_][a-z0-9_]*(?:\(\))?\Z|-?[0-9]+\Z|'[^'\\]*'\Z")
"""Texts that are their own normal form: a bare call or word, a whole number, a simple string."""


def expression_node(expression: str) -> Node | None:
    """The parsed expression, or None when the text is none."""
    try:
        if ")" in expression and not stays_inside(expression):
            return None
        statements = grammar.parse(f"SELECT ({expression}\n)")
        (target,) = statements[0]["stmt"]["SelectStmt"]["targetList"]
        node: Node = target["ResTarget"]["val"]
    except (grammar.SyntaxFault, grammar.TooDeep, Unterminated, KeyError, ValueError):
        return None
    return node


@lru_cache(maxsize=8192)
def normal_expression(expression: str) -> str:
    """What the server prints and what a user writes, in one spelling. Casts that the server adds stay: see `same_expression`."""
    if _PLAIN.match(expression) and expression not in _WORDS:
        return expression
    node = expression_node(expression)
    if node is None:
        try:
            return normal_text(expression)
        except Unterminated:
            return expression
    try:
        return expression_text(node)
    except (NotUnderstood, RecursionError):
        return normal_text(expression)


_WORDS = frozenset(
    """
    current_date current_time current_timestamp localtime localtimestamp current_user current_role session_user user
    current_catalog current_schema system_user null
    """.split()  # noqa: SIM905 (a list would be 13 lines)
)


def same_expression(one: str, other: str, *, types: Mapping[str, str] | None = None) -> bool:
    """Whether two expressions are the same but for what the server adds when it stores one.

    Ignored: brackets, casts of constants (`'x'::text`, `'1'::integer`, arrays of them), `pg_catalog.`. With `types` (column name to type) a
    cast of a `character varying` column to text is ignored too, which the server adds to every comparison. Every other cast counts.
    """
    if one == other:
        return True
    return bare_expression(one, types) == bare_expression(other, types)


def bare_expression(expression: str, types: Mapping[str, str] | None = None) -> str:
    """The expression as `same_expression` compares it: for comparing, not for running."""
    node = expression_node(expression)
    if node is None:
        return normal_expression(expression)
    try:
        return expression_text(_without_casts(node, types or {}))
    except NotUnderstood:
        return normal_expression(expression)


def _without_casts(node: Any, types: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_without_casts(item, types) for item in node]
    if not isinstance(node, dict):
        return node
    if "TypeCast" in node:
        inner = _without_casts(node["TypeCast"]["arg"], types)
        if _is_constant(inner) or _is_text_column(inner, node["TypeCast"]["typeName"], types):
            return _as_number(inner)
        return {"TypeCast": {**node["TypeCast"], "arg": inner}}
    return {key: _without_casts(value, types) for key, value in node.items()}


def _is_constant(node: Node) -> bool:
    match node:
        case {"A_Const": _}:
            return True
        case {"A_ArrayExpr": {"elements": items}}:
            return all(map(_is_constant, items))
        case _:
            return False


def _is_text_column(node: Node, type_name: Node, types: Mapping[str, str]) -> bool:
    if type_name["names"][-1]["String"]["sval"] != "text" or "ColumnRef" not in node:
        return False
    name = node["ColumnRef"]["fields"][-1].get("String", {}).get("sval", "")
    return types.get(name, "").startswith("character varying")


_NUMBER = lazy_regex(r"-?[0-9]+(?:\.[0-9]+)?\Z")


def _as_number(node: Node) -> Node:
    """`'-1'` that was cast is the number -1 to whoever wrote it without a cast."""
    text = node.get("A_Const", {}).get("sval", {}).get("sval", "")
    return {"A_Const": {"fval": {"fval": text}}} if _NUMBER.match(text) else node


@lru_cache(maxsize=8192)
def columns_named(expression: str) -> tuple[tuple[str, ...], ...]:
    """What the expression names as columns, each with what stands before it; not what a query in it names. Nothing of text that is no expression."""
    found: dict[tuple[str, ...], None] = {}
    _names(expression_node(expression), found)
    return tuple(found)


def _names(node: Any, found: dict[tuple[str, ...], None]) -> None:
    match node:
        case {"SubLink": _}:
            pass
        case {"ColumnRef": {"fields": fields}} if all("String" in field for field in fields):
            found[tuple(field["String"].get("sval", "") for field in fields)] = None
        case dict():
            for inner in node.values():
                _names(inner, found)
        case list():
            for inner in node:
                _names(inner, found)
        case _:
            pass


@lru_cache(maxsize=8192)
def asks_a_query(expression: str) -> bool:
    """Whether a query stands in the expression itself, not in a function that it calls."""
    return "select" in expression.lower() and _has_query(expression_node(expression))


def _has_query(node: Any) -> bool:
    match node:
        case dict():
            return "SubLink" in node or any(map(_has_query, node.values()))
        case list():
            return any(map(_has_query, node))
        case _:
            return False


def volatile(expression: str, catalog: Catalog) -> bool:
    """Whether the expression may give another value for each row. Unknown functions, and text that cannot be read, count as volatile."""
    return volatility(expression, catalog) == "v"


@lru_cache(maxsize=2048)
def _functions(expression: str) -> tuple[str, ...] | None:
    node = expression_node(expression)
    if node is None:
        return None
    found: dict[str, None] = {}
    _collect(node, found)
    return tuple(found)


def _collect(node: Any, found: dict[str, None]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect(item, found)
    elif isinstance(node, dict):
        if "FuncCall" in node:
            found[".".join(name["String"]["sval"] for name in node["FuncCall"]["funcname"])] = None
        if "SQLValueFunction" in node or "SubLink" in node:
            found["now"] = None
        for value in node.values():
            if isinstance(value, (dict, list)):
                _collect(value, found)


def volatility(expression: str, catalog: Catalog) -> str:
    """i, s or v: the most volatile of the functions in the expression. CURRENT_TIMESTAMP and subqueries are stable at least."""
    functions = _functions(expression)
    if functions is None:
        return "v"
    worst = "i"
    for name in functions:
        worst = max(worst, _volatility_of(name, catalog), key="isv".index)
    return worst


def _volatility_of(name: str, catalog: Catalog) -> str:
    schema, _, bare = name.rpartition(".")
    if schema in {"", "pg_catalog"} and bare in VOLATILITY:
        return VOLATILITY[bare]
    places = (schema,) if schema else (catalog.search_path or ("public",))
    found = [routine for routine in catalog.routines.values() if routine.name.name == bare and routine.name.schema in places]
    return max((routine.volatility[0] for routine in found), key="isv".index, default="v")
