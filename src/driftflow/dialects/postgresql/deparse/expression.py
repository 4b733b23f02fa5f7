"""Expressions as text in normal form.

What the server rewrites when it stores an expression is written the way both sides meet: `x IN (1, 2)` for `x = ANY (ARRAY[1, 2])`,
`LIKE` for `~~`, `x >= 1 AND x <= 9` for BETWEEN, `'-1'::integer` as `-1`. Brackets follow from precedence alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driftflow.dialects.numbers import whole
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote, quote_text
from driftflow.dialects.postgresql.types import type_text

Piece = tuple[str, int]
"""Text and how tightly it binds."""

OR, AND, NOT, IS, COMPARE, IN, OPERATOR, ADD, MULTIPLY, POWER, AT_ZONE, COLLATE, MINUS, CAST, PRIMARY = range(15)
"""PostgreSQL's precedences, loosest first (documentation, section 4.1.6)."""


class NotUnderstood(Exception):
    """A node that this deparser has no text for; the statement is then kept as raw SQL with the reason."""


def expression_text(node: Node) -> str:
    """The expression in normal form."""
    return piece(node)[0]


def piece(node: Node) -> Piece:
    for tag, body in node.items():
        writer = WRITERS.get(tag)
        if writer is None:
            raise NotUnderstood(f"an expression of kind {tag}")
        return writer(body)
    raise NotUnderstood("an empty expression")


def bound(node: Node, at_least: int) -> str:
    """The text, in brackets where it binds more loosely."""
    text, precedence = piece(node)
    return text if precedence >= at_least else f"({text})"


def list_text(nodes: list[Node]) -> str:
    return ", ".join([piece(node)[0] for node in nodes])


def names_of(nodes: list[Node]) -> list[str]:
    """The identifiers of a list of String nodes."""
    return [node["String"].get("sval", "") for node in nodes]


def qualified(nodes: list[Node]) -> str:
    """A qualified name as SQL, without pg_catalog, which every search path has."""
    names = names_of(nodes)
    if len(names) == 2 and names[0] == "pg_catalog":
        names = names[1:]
    return ".".join(map(quote, names))


# constants and references


def constant(body: Node) -> Piece:
    if body.get("isnull"):
        return "NULL", PRIMARY
    if (value := body.get("ival")) is not None:
        number = value.get("ival", 0)
        return str(number), PRIMARY if number >= 0 else MINUS
    if (value := body.get("sval")) is not None:
        return quote_text(value.get("sval", "")), PRIMARY
    if (value := body.get("boolval")) is not None:
        return ("true" if value.get("boolval") else "false"), PRIMARY
    if (value := body.get("fval")) is not None:
        return value["fval"], PRIMARY if value["fval"][:1] != "-" else MINUS
    if (value := body.get("bsval")) is not None:
        bits = value["bsval"]
        return f"{bits[0].upper()}'{bits[1:]}'", PRIMARY
    raise NotUnderstood("a constant without a value")


def column(body: Node) -> Piece:
    return ".".join(["*" if "A_Star" in field else quote(field["String"]["sval"]) for field in body["fields"]]), PRIMARY


def indirection(body: Node) -> Piece:
    text = bound(body["arg"], PRIMARY)
    subscripted = "A_Indices" in body["indirection"][0] and next(iter(body["arg"])) in {"ColumnRef", "ParamRef"}
    if not subscripted and text[:1] != "(":
        # (x).y is a field of the column x; x.y would be a column of the table x.
        text = f"({text})"
    return text + indirection_text(body["indirection"]), PRIMARY


def indirection_text(nodes: list[Node]) -> str:
    """`.field`, `[1]`, `[1:2]`, `.*` behind a value or a column."""
    text = ""
    for node in nodes:
        match node:
            case {"String": {"sval": field}}:
                text += f".{quote(field)}"
            case {"A_Star": _}:
                text += ".*"
            case {"A_Indices": {"is_slice": True}}:
                bounds = node["A_Indices"]
                lower = expression_text(bounds["lidx"]) if "lidx" in bounds else ""
                upper = expression_text(bounds["uidx"]) if "uidx" in bounds else ""
                text += f"[{lower}:{upper}]"
            case {"A_Indices": {"uidx": upper}}:
                text += f"[{expression_text(upper)}]"
            case _:
                raise NotUnderstood("a subscript")
    return text


def cast(body: Node) -> Piece:
    if (each := cast_by_element(body)) is not None:
        return array(each)
    written = type_text(body["typeName"])
    if (number := _number_of(body["arg"], written)) is not None:
        return number
    return f"{bound(body['arg'], CAST)}::{written}", CAST


def cast_by_element(body: Node) -> Node | None:
    """`ARRAY['a'::varchar]::text[]` as `ARRAY['a'::varchar::text]`: the server prints the one, and the other once it has read its own text again. None
    of another cast."""
    type, elements = body["typeName"], body["arg"].get("A_ArrayExpr", {}).get("elements", ())
    if len(type.get("arrayBounds", ())) != 1 or not elements or not all("TypeCast" in one for one in elements):
        return None
    element = {key: value for key, value in type.items() if key != "arrayBounds"}
    return {"elements": [{"TypeCast": {"arg": one, "typeName": element}} for one in elements]}


def _number_of(argument: Node, written: str) -> Piece | None:
    """The server prints a negative or a large constant as a quoted one with its type: the plain number means the same."""
    if written not in {"integer", "bigint", "numeric"}:
        return None
    text = argument.get("A_Const", {}).get("sval", {}).get("sval", "")
    digits = text.removeprefix("-")
    if written == "numeric":
        left, dot, right = digits.partition(".")
        if not (dot and (left + right).isascii() and (left + right).isdigit() and left and right):
            return None
    elif "_" in text or (value := whole(text)) is None or (-(2**31) <= value < 2**31) is not (written == "integer"):
        return None
    return text, MINUS if text[:1] == "-" else PRIMARY


# operators


def operator(body: Node) -> Piece:
    return A_EXPR[body.get("kind", "AEXPR_OP")](body)


_BINDS = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "%": MULTIPLY, "^": POWER}
_COMPARISONS = frozenset(("<", ">", "=", "<=", ">=", "<>"))
_WORDS = {"~~": "LIKE", "!~~": "NOT LIKE", "~~*": "ILIKE", "!~~*": "NOT ILIKE"}


def operator_name(nodes: list[Node]) -> str:
    names = names_of(nodes)
    if len(names) == 1 or (len(names) == 2 and names[0] == "pg_catalog"):
        return names[-1]
    return f"OPERATOR({'.'.join([*map(quote, names[:-1]), names[-1]])})"


def plain_operator(body: Node) -> Piece:
    name = operator_name(body["name"])
    right = body.get("rexpr")
    if right is None:
        raise NotUnderstood("a postfix operator")
    if "lexpr" not in body:
        if name in {"-", "+"}:
            text = bound(right, CAST)
            return f"{name} {text}" if text[:1] in "-+" else f"{name}{text}", MINUS
        return f"{name} {bound(right, ADD)}", OPERATOR
    left = body["lexpr"]
    if name in _WORDS:
        return f"{bound(left, OPERATOR)} {_WORDS[name]} {bound(right, OPERATOR)}", IN
    if name in _COMPARISONS:
        return f"{bound(left, OPERATOR)} {name} {bound(right, OPERATOR)}", COMPARE
    level = _BINDS.get(name, OPERATOR)
    if level == OPERATOR:
        # One precedence holds ->, ||, @> and all others: brackets around a mixed chain tell a reader what the server does.
        return f"{_same_chain(left, name)} {name} {bound(right, ADD)}", OPERATOR
    return f"{bound(left, level)} {name} {bound(right, level + 1)}", level


def _same_chain(left: Node, name: str) -> str:
    inner = left.get("A_Expr")
    arrows = ("->", "->>", "#>", "#>>")
    if inner is not None and inner.get("kind", "AEXPR_OP") == "AEXPR_OP" and "lexpr" in inner:
        inner_name = operator_name(inner["name"])
        if inner_name == name or (inner_name in arrows and name in arrows):
            return bound(left, OPERATOR)
    return bound(left, ADD)


def membership(body: Node) -> Piece:
    word = "IN" if body["name"][0]["String"]["sval"] == "=" else "NOT IN"
    right = body["rexpr"]
    items = right["List"]["items"] if "List" in right else right["A_ArrayExpr"]["elements"]
    return f"{bound(body['lexpr'], OPERATOR)} {word} ({list_text(items)})", IN


def quantified(body: Node) -> Piece:
    """`x = ANY (ARRAY[...])` is what the server keeps of `x IN (...)`."""
    every = body["kind"] == "AEXPR_OP_ALL"
    name, right = operator_name(body["name"]), body["rexpr"]
    if "TypeCast" in right and (each := cast_by_element(right["TypeCast"])) is not None:
        right = {"A_ArrayExpr": each}
    elements = right.get("A_ArrayExpr", {}).get("elements")
    if (name, every) in {("=", False), ("<>", True)} and elements and all(map(is_constant, elements)):
        return membership({**body, "rexpr": right})
    return f"{bound(body['lexpr'], ADD)} {_WORDS.get(name, name)} {'ALL' if every else 'ANY'} ({expression_text(right)})", COMPARE


def is_constant(node: Node) -> bool:
    """A constant, cast or not. Of an IN list with columns the server makes a chain of comparisons instead."""
    return "A_Const" in node or ("TypeCast" in node and is_constant(node["TypeCast"]["arg"]))


def distinct(body: Node) -> Piece:
    word = "IS DISTINCT FROM" if body["kind"] == "AEXPR_DISTINCT" else "IS NOT DISTINCT FROM"
    return f"{bound(body['lexpr'], OPERATOR)} {word} {bound(body['rexpr'], OPERATOR)}", IS


def nullif(body: Node) -> Piece:
    return f"NULLIF({expression_text(body['lexpr'])}, {expression_text(body['rexpr'])})", PRIMARY


def like(body: Node) -> Piece:
    word = _WORDS[body["name"][0]["String"]["sval"]]
    return f"{bound(body['lexpr'], OPERATOR)} {word} {bound(body['rexpr'], OPERATOR)}", IN


def similar(body: Node) -> Piece:
    return f"{bound(body['lexpr'], ADD)} {body['name'][0]['String']['sval']} {bound(body['rexpr'], ADD)}", OPERATOR


def between(body: Node) -> Piece:
    kind = body["kind"]
    value = bound(body["lexpr"], OPERATOR)
    low, high = (bound(item, OPERATOR) for item in body["rexpr"]["List"]["items"])
    if "SYM" in kind:
        word = "NOT BETWEEN SYMMETRIC" if "NOT" in kind else "BETWEEN SYMMETRIC"
        low, high = (bound(item, ADD) for item in body["rexpr"]["List"]["items"])
        return f"{value} {word} {low} AND {high}", IN
    if "NOT" in kind:
        return f"{value} < {low} OR {value} > {high}", OR
    return f"{value} >= {low} AND {value} <= {high}", AND


A_EXPR: dict[str, Callable[[Node], Piece]] = {
    "AEXPR_OP": plain_operator,
    "AEXPR_OP_ANY": quantified,
    "AEXPR_OP_ALL": quantified,
    "AEXPR_DISTINCT": distinct,
    "AEXPR_NOT_DISTINCT": distinct,
    "AEXPR_NULLIF": nullif,
    "AEXPR_IN": membership,
    "AEXPR_LIKE": like,
    "AEXPR_ILIKE": like,
    "AEXPR_SIMILAR": similar,
    "AEXPR_BETWEEN": between,
    "AEXPR_NOT_BETWEEN": between,
    "AEXPR_BETWEEN_SYM": between,
    "AEXPR_NOT_BETWEEN_SYM": between,
}


def boolean(body: Node) -> Piece:
    arguments = body["args"]
    if body["boolop"] == "NOT_EXPR":
        return _negation(arguments[0])
    word, level = (" AND ", AND) if body["boolop"] == "AND_EXPR" else (" OR ", OR)
    return word.join([bound(argument, level) for argument in arguments]), level


def _negation(argument: Node) -> Piece:
    inner = argument.get("A_Expr", {})
    if inner.get("kind") == "AEXPR_DISTINCT":
        return distinct({**inner, "kind": "AEXPR_NOT_DISTINCT"})
    return f"NOT {bound(argument, PRIMARY)}", NOT


def null_test(body: Node) -> Piece:
    word = "IS NULL" if body["nulltesttype"] == "IS_NULL" else "IS NOT NULL"
    return f"{bound(body['arg'], OPERATOR)} {word}", IS


def boolean_test(body: Node) -> Piece:
    return f"{bound(body['arg'], OPERATOR)} {body['booltesttype'].replace('_', ' ')}", IS


def collate(body: Node) -> Piece:
    if "arg" not in body:
        return f"COLLATE {qualified(body['collname'])}", COLLATE
    return f"{bound(body['arg'], COLLATE)} COLLATE {qualified(body['collname'])}", COLLATE


def stored_name(nodes: list[Node]) -> str:
    """A collation or operator class as the catalog keeps it: `schema.name`, unquoted, without pg_catalog."""
    return ".".join(names_of(nodes)).removeprefix("pg_catalog.")


# values made of values


def array(body: Node) -> Piece:
    return f"ARRAY[{list_text(body.get('elements', []))}]", PRIMARY


def row(body: Node) -> Piece:
    items = list_text(body.get("args", []))
    bare = body.get("row_format") == "COERCE_IMPLICIT_CAST" and len(body.get("args", ())) > 1
    return (f"({items})" if bare else f"ROW({items})"), PRIMARY


def case(body: Node) -> Piece:
    text = "CASE"
    if "arg" in body:
        text += f" {expression_text(body['arg'])}"
    for when in body["args"]:
        branch = when["CaseWhen"]
        text += f" WHEN {expression_text(branch['expr'])} THEN {expression_text(branch['result'])}"
    if "defresult" in body:
        text += f" ELSE {expression_text(body['defresult'])}"
    return text + " END", PRIMARY


def coalesce(body: Node) -> Piece:
    return f"COALESCE({list_text(body['args'])})", PRIMARY


def extreme(body: Node) -> Piece:
    return f"{'GREATEST' if body['op'] == 'IS_GREATEST' else 'LEAST'}({list_text(body['args'])})", PRIMARY


def sql_value(body: Node) -> Piece:
    word = body["op"].removeprefix("SVFOP_").removesuffix("_N")
    modifier = body.get("typmod", -1)
    return f"{word}({modifier})" if body["op"].endswith("_N") and modifier >= 0 else word, PRIMARY


def named_argument(body: Node) -> Piece:
    return f"{quote(body['name'])} => {expression_text(body['arg'])}", PRIMARY


def parameter(body: Node) -> Piece:
    return (f"${body['number']}" if body.get("number") else "?"), PRIMARY


def grouping(body: Node) -> Piece:
    return f"GROUPING({list_text(body['args'])})", PRIMARY


def sub_link(body: Node) -> Piece:
    from driftflow.dialects.postgresql.deparse.query import query_text

    query = f"({query_text(body['subselect'])})"
    match body.get("subLinkType"):
        case "EXISTS_SUBLINK":
            return f"EXISTS {query}", PRIMARY
        case "ARRAY_SUBLINK":
            return f"ARRAY{query}", PRIMARY
        case "EXPR_SUBLINK":
            return query, PRIMARY
        case "ANY_SUBLINK" if "operName" not in body or operator_name(body["operName"]) == "=":
            return f"{bound(body['testexpr'], OPERATOR)} IN {query}", IN
        case "ANY_SUBLINK" | "ALL_SUBLINK" as kind:
            name = operator_name(body["operName"])
            word = "ANY" if kind == "ANY_SUBLINK" else "ALL"
            return f"{bound(body['testexpr'], ADD)} {_WORDS.get(name, name)} {word} {query}", COMPARE
        case other:
            raise NotUnderstood(f"a subquery of kind {other}")


def default(body: Any) -> Piece:
    return "DEFAULT", PRIMARY


def merge_action(body: Any) -> Piece:
    return "merge_action()", PRIMARY


def current_of(body: Node) -> Piece:
    return f"CURRENT OF {quote(body['cursor_name'])}", PRIMARY


def string(body: Node) -> Piece:
    return quote_text(body.get("sval", "")), PRIMARY


def integer(body: Node) -> Piece:
    return str(body.get("ival", 0)), PRIMARY


def floating(body: Node) -> Piece:
    return body["fval"], PRIMARY


def boolean_value(body: Node) -> Piece:
    return ("true" if body.get("boolval") else "false"), PRIMARY


def list_value(body: Node) -> Piece:
    return f"({list_text(body.get('items', []))})", PRIMARY


def star(body: Any) -> Piece:
    return "*", PRIMARY


from driftflow.dialects.postgresql.deparse.function import function_call  # noqa: E402  (it needs `piece`)
from driftflow.dialects.postgresql.deparse.json_xml import JSON_XML  # noqa: E402

WRITERS: dict[str, Callable[[Any], Piece]] = {
    "A_Const": constant,
    "ColumnRef": column,
    "A_Expr": operator,
    "FuncCall": function_call,
    "TypeCast": cast,
    "BoolExpr": boolean,
    "NullTest": null_test,
    "BooleanTest": boolean_test,
    "CollateClause": collate,
    "A_Indirection": indirection,
    "A_ArrayExpr": array,
    "RowExpr": row,
    "SubLink": sub_link,
    "CaseExpr": case,
    "CoalesceExpr": coalesce,
    "MinMaxExpr": extreme,
    "SQLValueFunction": sql_value,
    "NamedArgExpr": named_argument,
    "ParamRef": parameter,
    "GroupingFunc": grouping,
    "SetToDefault": default,
    "MergeSupportFunc": merge_action,
    "CurrentOfExpr": current_of,
    "String": string,
    "Integer": integer,
    "Float": floating,
    "Boolean": boolean_value,
    "List": list_value,
    "A_Star": star,
    **JSON_XML,
}
"""How each kind of expression is written."""
