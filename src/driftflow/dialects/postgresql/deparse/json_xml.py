"""SQL/JSON and SQL/XML expressions, which have a grammar of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driftflow.dialects.postgresql.deparse import expression as e
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.types import type_text


def value_text(body: Node) -> str:
    """A JsonValueExpr: the expression and how it is to be read."""
    inner = body.get("JsonValueExpr", body)
    return e.expression_text(inner["raw_expr"]) + _format(inner.get("format", {}))


def _format(body: Node) -> str:
    if body.get("format_type") in {"JS_FORMAT_JSON", "JS_FORMAT_JSONB"}:
        encoding = body.get("encoding", "JS_ENC_DEFAULT").removeprefix("JS_ENC_")
        return " FORMAT JSON" + ("" if encoding == "DEFAULT" else f" ENCODING {encoding}")
    return ""


def returning(body: Node, key: str = "output") -> str:
    output = body.get(key)
    if not output or "typeName" not in output:
        return ""
    return f" RETURNING {type_text(output['typeName'])}" + _format(output.get("returning", {}).get("format", {}))


def key_value(node: Node) -> str:
    body = node["JsonKeyValue"]
    return f"{e.bound(body['key'], e.ADD)} : {value_text(body['value'])}"


def json_object(body: Node) -> e.Piece:
    words = ", ".join(key_value(pair) for pair in body.get("exprs", ()))
    words += " ABSENT ON NULL" if body.get("absent_on_null") else ""
    words += " WITH UNIQUE KEYS" if body.get("unique") else ""
    return f"JSON_OBJECT({(words + returning(body)).strip()})", e.PRIMARY


def json_array(body: Node) -> e.Piece:
    words = ", ".join(value_text(item) for item in body.get("exprs", ()))
    words += " NULL ON NULL" if words and not body.get("absent_on_null") else ""
    return f"JSON_ARRAY({(words + returning(body)).strip()})", e.PRIMARY


def json_predicate(body: Node) -> e.Piece:
    kinds = {"JS_TYPE_OBJECT": " OBJECT", "JS_TYPE_ARRAY": " ARRAY", "JS_TYPE_SCALAR": " SCALAR"}
    unique = " WITH UNIQUE KEYS" if body.get("unique_keys") else ""
    return f"{e.bound(body['expr'], e.OPERATOR)} IS JSON{kinds.get(body.get('item_type', ''), '')}{unique}", e.IS


def json_parse(body: Node) -> e.Piece:
    return f"JSON({value_text(body['expr'])}{' WITH UNIQUE KEYS' if body.get('unique_keys') else ''})", e.PRIMARY


def json_scalar(body: Node) -> e.Piece:
    return f"JSON_SCALAR({e.expression_text(body['expr'])})", e.PRIMARY


def json_serialize(body: Node) -> e.Piece:
    return f"JSON_SERIALIZE({value_text(body['expr'])}{returning(body)})", e.PRIMARY


_BEHAVIOURS = {
    "JSON_BEHAVIOR_NULL": "NULL",
    "JSON_BEHAVIOR_ERROR": "ERROR",
    "JSON_BEHAVIOR_EMPTY": "EMPTY",
    "JSON_BEHAVIOR_TRUE": "TRUE",
    "JSON_BEHAVIOR_FALSE": "FALSE",
    "JSON_BEHAVIOR_UNKNOWN": "UNKNOWN",
    "JSON_BEHAVIOR_EMPTY_ARRAY": "EMPTY ARRAY",
    "JSON_BEHAVIOR_EMPTY_OBJECT": "EMPTY OBJECT",
}


def _behaviour(body: Node, key: str, event: str) -> str:
    behaviour = body.get(key)
    if not behaviour:
        return ""
    if behaviour["btype"] == "JSON_BEHAVIOR_DEFAULT":
        return f" DEFAULT {e.expression_text(behaviour['expr'])} ON {event}"
    return f" {_BEHAVIOURS[behaviour['btype']]} ON {event}"


def json_function(body: Node) -> e.Piece:
    name = {"JSON_EXISTS_OP": "JSON_EXISTS", "JSON_QUERY_OP": "JSON_QUERY", "JSON_VALUE_OP": "JSON_VALUE"}.get(body["op"])
    if name is None:
        raise e.NotUnderstood("JSON_TABLE")
    text = f"{value_text(body['context_item'])}, {e.expression_text(body['pathspec'])}"
    passing = [
        f"{value_text(item['JsonArgument']['val'])} AS {quote(item['JsonArgument']['name'])}" for item in body.get("passing", ())
    ]
    text += f" PASSING {', '.join(passing)}" if passing else ""
    text += returning(body)
    wrapper = {
        "JSW_NONE": " WITHOUT WRAPPER",
        "JSW_CONDITIONAL": " WITH CONDITIONAL WRAPPER",
        "JSW_UNCONDITIONAL": " WITH WRAPPER",
    }
    text += wrapper.get(body.get("wrapper", ""), "")
    text += {"JS_QUOTES_KEEP": " KEEP QUOTES", "JS_QUOTES_OMIT": " OMIT QUOTES"}.get(body.get("quotes", ""), "")
    return f"{name}({text}{_behaviour(body, 'on_empty', 'EMPTY')}{_behaviour(body, 'on_error', 'ERROR')})", e.PRIMARY


def xml(body: Node) -> e.Piece:
    name = quote(body.get("name", ""))
    content = e.list_text(body.get("args", []))
    named = ", ".join(_named(item) for item in body.get("named_args", ()))
    match body["op"]:
        case "IS_XMLCONCAT":
            return f"XMLCONCAT({content})", e.PRIMARY
        case "IS_XMLFOREST":
            return f"XMLFOREST({named})", e.PRIMARY
        case "IS_XMLELEMENT":
            parts = [f"NAME {name}", *([f"XMLATTRIBUTES({named})"] if named else []), *([content] if content else [])]
            return f"XMLELEMENT({', '.join(parts)})", e.PRIMARY
        case "IS_XMLPI":
            return f"XMLPI(NAME {name}{', ' + content if content else ''})", e.PRIMARY
        case "IS_DOCUMENT":
            return f"{e.bound(body['args'][0], e.OPERATOR)} IS DOCUMENT", e.IS
        case other:
            raise e.NotUnderstood(f"an XML expression of kind {other}")


def _named(node: Node) -> str:
    body = node["ResTarget"]
    alias = f" AS {quote(body['name'])}" if "name" in body else ""
    return e.expression_text(body["val"]) + alias


JSON_XML: dict[str, Callable[[Any], e.Piece]] = {
    "JsonObjectConstructor": json_object,
    "JsonArrayConstructor": json_array,
    "JsonIsPredicate": json_predicate,
    "JsonParseExpr": json_parse,
    "JsonScalarExpr": json_scalar,
    "JsonSerializeExpr": json_serialize,
    "JsonFuncExpr": json_function,
    "XmlExpr": xml,
}
