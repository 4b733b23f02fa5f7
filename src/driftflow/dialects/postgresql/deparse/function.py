"""Function calls: the plain form, aggregates and windows, and the calls that SQL writes with words (EXTRACT, TRIM, AT TIME ZONE, ...)."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import expression as e
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION, quote


def function_call(body: Node) -> e.Piece:
    """A call; where the user wrote words (`funcformat` says so), words again, as the server prints them."""
    arguments = body.get("args", [])
    if body.get("funcformat") == "COERCE_SQL_SYNTAX":
        written = _with_words(e.names_of(body["funcname"])[-1], arguments)
        if written is not None:
            return written
    return _plain(body, arguments), e.PRIMARY


def function_name(nodes: list[Node]) -> str:
    """The qualified name; words that the grammar reads as something else are quoted, as the server does."""
    names = e.names_of(nodes)
    if len(names) == 2 and names[0] == "pg_catalog":
        names = names[1:]
    if len(names) == 1 and names[0] in TYPE_OR_FUNCTION and names[0] not in RESERVED | COLUMN_NAME:
        # left(x, 1) and right(x, 1): a keyword that may be a function's name.
        return f'"{names[0]}"'
    return ".".join(map(quote, names))


def _plain(body: Node, arguments: list[Node]) -> str:
    items = "*" if body.get("agg_star") else e.list_text(arguments)
    if body.get("func_variadic"):
        items = ", ".join(
            [*[e.expression_text(argument) for argument in arguments[:-1]], "VARIADIC " + e.expression_text(arguments[-1])]
        )
    if body.get("agg_distinct"):
        items = "DISTINCT " + items
    within = ""
    if "agg_order" in body:
        from driftflow.dialects.postgresql.deparse.query import order_text

        if body.get("agg_within_group"):
            within = f" WITHIN GROUP (ORDER BY {order_text(body['agg_order'])})"
        else:
            items += f" ORDER BY {order_text(body['agg_order'])}"
    text = f"{function_name(body['funcname'])}({items}){within}"
    if "agg_filter" in body:
        text += f" FILTER (WHERE {e.expression_text(body['agg_filter'])})"
    if "over" in body:
        from driftflow.dialects.postgresql.deparse.query import window_text

        text += f" OVER {window_text(body['over'])}"
    return text


def _with_words(name: str, arguments: list[Node]) -> e.Piece | None:
    texts = [e.expression_text(argument) for argument in arguments]
    match name, texts:
        case "timezone", [zone, _]:
            del zone
            return f"{e.bound(arguments[1], e.AT_ZONE)} AT TIME ZONE {e.bound(arguments[0], e.COLLATE)}", e.AT_ZONE
        case "timezone", [_]:
            return f"{e.bound(arguments[0], e.AT_ZONE)} AT LOCAL", e.AT_ZONE
        case "extract", [_, source]:
            return f"EXTRACT({arguments[0]['A_Const']['sval']['sval']} FROM {source})", e.PRIMARY
        case "position", [text, part]:
            # b_expr on both sides.
            return f"POSITION({_bracketed(arguments[1], part)} IN {_bracketed(arguments[0], text)})", e.PRIMARY
        case "overlay", [text, new, start, *length]:
            return f"OVERLAY({text} PLACING {new} FROM {start}" + (f" FOR {length[0]}" if length else "") + ")", e.PRIMARY
        case "substring", [text, start, *length]:
            return f"SUBSTRING({text} FROM {start}" + (f" FOR {length[0]}" if length else "") + ")", e.PRIMARY
        case (("btrim" | "ltrim" | "rtrim"), [text, *characters]):
            side = {"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name]
            return f"TRIM({side} {characters[0] + ' ' if characters else ''}FROM {text})", e.PRIMARY
        case "overlaps", [a, b, c, d]:
            return f"({a}, {b}) OVERLAPS ({c}, {d})", e.OPERATOR
        case "normalize", [text, *form]:
            return f"NORMALIZE({text}{', ' + arguments[1]['A_Const']['sval']['sval'] if form else ''})", e.PRIMARY
        case "is_normalized", [_, *form]:
            word = arguments[1]["A_Const"]["sval"]["sval"] + " " if form else ""
            return f"{e.bound(arguments[0], e.OPERATOR)} IS {word}NORMALIZED", e.IS
        case "pg_collation_for", [text]:
            return f"COLLATION FOR ({text})", e.PRIMARY
        case "system_user", []:
            return "SYSTEM_USER", e.PRIMARY
        case "xmlexists", [path, document]:
            return f"XMLEXISTS({path} PASSING {_bracketed(arguments[1], document)})", e.PRIMARY
        case _:
            return None


def _bracketed(node: Node, text: str) -> str:
    return text if e.piece(node)[1] >= e.CAST else f"({text})"
