"""Queries as text in normal form: SELECT, VALUES, set operations, WITH, joins, windows."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import expression as e
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.types import type_text


def query_text(node: Node) -> str:
    """A query (a node wrapping SelectStmt, or its body) in normal form."""
    if "SelectStmt" not in node and any(key.endswith("Stmt") for key in node):
        raise e.NotUnderstood("a data-modifying statement inside a query")
    body = node.get("SelectStmt", node)
    if body.get("op", "SETOP_NONE") != "SETOP_NONE":
        return _with(body) + _set_operation(body) + _tail(body)
    if "valuesLists" in body:
        rows = ", ".join([f"({e.list_text(row['List']['items'])})" for row in body["valuesLists"]])
        return _with(body) + f"VALUES {rows}" + _tail(body)
    return _with(body) + _simple(body) + _tail(body)


def _simple(body: Node) -> str:
    text = "SELECT"
    if "distinctClause" in body:
        on = [item for item in body["distinctClause"] if item]
        text += f" DISTINCT ON ({e.list_text(on)})" if on else " DISTINCT"
    if "targetList" in body:
        text += " " + targets_text(body["targetList"])
    if "intoClause" in body:
        raise e.NotUnderstood("SELECT INTO inside a query")
    if "fromClause" in body:
        text += " FROM " + from_text(body["fromClause"])
    if "whereClause" in body:
        text += " WHERE " + e.expression_text(body["whereClause"])
    if "groupClause" in body:
        text += " GROUP BY " + ("DISTINCT " if body.get("groupDistinct") else "") + ", ".join(map(_grouping, body["groupClause"]))
    if "havingClause" in body:
        text += " HAVING " + e.expression_text(body["havingClause"])
    if "windowClause" in body:
        text += " WINDOW " + ", ".join(
            f"{quote(window['WindowDef']['name'])} AS {window_text({**window['WindowDef'], 'name': ''})}"
            for window in body["windowClause"]
        )
    return text


def targets_text(nodes: list[Node]) -> str:
    """A SELECT or RETURNING list."""
    pieces = []
    for node in nodes:
        target = node["ResTarget"]
        alias = f" AS {quote(target['name'])}" if "name" in target else ""
        pieces.append(e.expression_text(target["val"]) + alias)
    return ", ".join(pieces)


def _set_operation(body: Node) -> str:
    word = {"SETOP_UNION": "UNION", "SETOP_INTERSECT": "INTERSECT", "SETOP_EXCEPT": "EXCEPT"}[body["op"]]
    word += " ALL" if body.get("all") else ""
    left, right = body["larg"], body["rarg"]
    chained = left.get("op") == body["op"] and left.get("all") == body.get("all") and not _has_tail(left)
    left_text = query_text(left) if chained else _operand(left)
    return f"{left_text} {word} {_operand(right)}"


def _operand(body: Node) -> str:
    text = query_text(body)
    return f"({text})" if body.get("op", "SETOP_NONE") != "SETOP_NONE" or _has_tail(body) else text


def _has_tail(body: Node) -> bool:
    return any(key in body for key in ("sortClause", "limitCount", "limitOffset", "lockingClause", "withClause"))


def _tail(body: Node) -> str:
    text = ""
    if "sortClause" in body:
        text += " ORDER BY " + order_text(body["sortClause"])
    if "limitCount" in body:
        if body.get("limitOption") == "LIMIT_OPTION_WITH_TIES":
            text += f" FETCH FIRST ({e.expression_text(body['limitCount'])}) ROWS WITH TIES"
        elif not body["limitCount"].get("A_Const", {}).get("isnull"):
            text += " LIMIT " + e.expression_text(body["limitCount"])
    if "limitOffset" in body:
        text += " OFFSET " + e.expression_text(body["limitOffset"])
    for node in body.get("lockingClause", ()):
        text += _locking(node["LockingClause"])
    return text


def _locking(body: Node) -> str:
    words = {
        "LCS_FORKEYSHARE": " FOR KEY SHARE",
        "LCS_FORSHARE": " FOR SHARE",
        "LCS_FORNOKEYUPDATE": " FOR NO KEY UPDATE",
        "LCS_FORUPDATE": " FOR UPDATE",
    }
    text = words[body["strength"]]
    if "lockedRels" in body:
        text += " OF " + ", ".join(relation_text(item["RangeVar"]) for item in body["lockedRels"])
    return text + {"LockWaitSkip": " SKIP LOCKED", "LockWaitError": " NOWAIT"}.get(body.get("waitPolicy", ""), "")


def _with(body: Node) -> str:
    clause = body.get("withClause")
    if clause is None:
        return ""
    return f"WITH {'RECURSIVE ' if clause.get('recursive') else ''}{', '.join(_common(node['CommonTableExpr']) for node in clause['ctes'])} "


def _common(body: Node) -> str:
    columns = f" ({', '.join(map(quote, e.names_of(body['aliascolnames'])))})" if "aliascolnames" in body else ""
    how = {"CTEMaterializeAlways": " MATERIALIZED", "CTEMaterializeNever": " NOT MATERIALIZED"}.get(
        body.get("ctematerialized", ""), ""
    )
    if "search_clause" in body or "cycle_clause" in body:
        raise e.NotUnderstood("a SEARCH or CYCLE clause")
    return f"{quote(body['ctename'])}{columns} AS{how} ({query_text(body['ctequery'])})"


def order_text(nodes: list[Node]) -> str:
    """An ORDER BY list."""
    pieces = []
    for node in nodes:
        sort = node["SortBy"]
        text = e.expression_text(sort["node"])
        match sort.get("sortby_dir"):
            case "SORTBY_DESC":
                text += " DESC"
            case "SORTBY_USING":
                text += f" USING {e.operator_name(sort['useOp'])}"
        text += {"SORTBY_NULLS_FIRST": " NULLS FIRST", "SORTBY_NULLS_LAST": " NULLS LAST"}.get(sort.get("sortby_nulls", ""), "")
        pieces.append(text)
    return ", ".join(pieces)


def _grouping(node: Node) -> str:
    if "GroupingSet" not in node:
        return e.expression_text(node)
    body = node["GroupingSet"]
    items = ", ".join(map(_grouping, body.get("content", ())))
    match body["kind"]:
        case "GROUPING_SET_EMPTY":
            return "()"
        case "GROUPING_SET_ROLLUP":
            return f"ROLLUP({items})"
        case "GROUPING_SET_CUBE":
            return f"CUBE({items})"
        case _:
            return f"GROUPING SETS ({items})"


# Bits of WindowDef.frameOptions, from PostgreSQL's parsenodes.h.
_FRAME_NONDEFAULT, _FRAME_RANGE, _FRAME_ROWS, _FRAME_GROUPS, _FRAME_BETWEEN = 1, 2, 4, 8, 16
_FRAME_ENDS = (
    (0x20, 0x40, "UNBOUNDED PRECEDING"),
    (0x80, 0x100, "UNBOUNDED FOLLOWING"),
    (0x200, 0x400, "CURRENT ROW"),
    (0x800, 0x1000, "{} PRECEDING"),
    (0x2000, 0x4000, "{} FOLLOWING"),
)
_FRAME_EXCLUDE = ((0x8000, " EXCLUDE CURRENT ROW"), (0x10000, " EXCLUDE GROUP"), (0x20000, " EXCLUDE TIES"))


def window_text(body: Node) -> str:
    """What stands behind OVER: a name, or a definition in brackets."""
    frame = body.get("frameOptions", 0)
    if body.get("name") and not any(key in body for key in ("partitionClause", "orderClause")) and not frame & _FRAME_NONDEFAULT:
        return quote(body["name"])
    parts = [quote(body["refname"])] if body.get("refname") else []
    if "partitionClause" in body:
        parts.append(f"PARTITION BY {e.list_text(body['partitionClause'])}")
    if "orderClause" in body:
        parts.append(f"ORDER BY {order_text(body['orderClause'])}")
    if frame & _FRAME_NONDEFAULT:
        parts.append(_frame(body, frame))
    return f"({' '.join(parts)})"


def _frame(body: Node, frame: int) -> str:
    unit = "ROWS" if frame & _FRAME_ROWS else "GROUPS" if frame & _FRAME_GROUPS else "RANGE"
    start = next(text for bit, _, text in _FRAME_ENDS if frame & bit)
    end = next(text for _, bit, text in _FRAME_ENDS if frame & bit)
    if "startOffset" in body:
        start = start.format(e.bound(body["startOffset"], e.ADD))
    if "endOffset" in body:
        end = end.format(e.bound(body["endOffset"], e.ADD))
    text = f"{unit} BETWEEN {start} AND {end}" if frame & _FRAME_BETWEEN else f"{unit} {start}"
    return text + next((words for bit, words in _FRAME_EXCLUDE if frame & bit), "")


# FROM


def from_text(nodes: list[Node]) -> str:
    """A FROM or USING list."""
    return ", ".join([_from_item(node) for node in nodes])


def relation_text(body: Node) -> str:
    """A RangeVar: `ONLY schema.table AS alias`."""
    names = [body[key] for key in ("catalogname", "schemaname", "relname") if key in body]
    only = "" if body.get("inh") else "ONLY "
    return only + ".".join(map(quote, names)) + _alias(body.get("alias"))


def _alias(body: Node | None, *, definitions: list[Node] | None = None) -> str:
    if definitions is not None:
        columns = ", ".join(
            f"{quote(item['ColumnDef']['colname'])} {type_text(item['ColumnDef']['typeName'])}" for item in definitions
        )
        return f" AS {quote(body['aliasname']) if body else ''}({columns})"
    if body is None:
        return ""
    columns = f"({', '.join(map(quote, e.names_of(body['colnames'])))})" if "colnames" in body else ""
    return f" AS {quote(body['aliasname'])}{columns}"


def _from_item(node: Node) -> str:
    match node:
        case {"RangeVar": body}:
            return relation_text(body)
        case {"JoinExpr": body}:
            return _join(body)
        case {"RangeSubselect": body}:
            return f"{'LATERAL ' if body.get('lateral') else ''}({query_text(body['subquery'])}){_alias(body.get('alias'))}"
        case {"RangeFunction": body}:
            return _range_function(body)
        case {"RangeTableSample": body}:
            text = f"{_from_item(body['relation'])} TABLESAMPLE {e.qualified(body['method'])}({e.list_text(body['args'])})"
            return text + (f" REPEATABLE ({e.expression_text(body['repeatable'])})" if "repeatable" in body else "")
        case _:
            raise e.NotUnderstood(f"a FROM item of kind {next(iter(node))}")


def _range_function(body: Node) -> str:
    calls = []
    for function in body["functions"]:
        call, *definitions = function["List"]["items"]
        text = e.expression_text(call)
        columns = definitions[0].get("List", {}).get("items") if definitions and definitions[0] else None
        calls.append(text + (_alias(None, definitions=columns) if columns else ""))
    text = f"ROWS FROM ({', '.join(calls)})" if body.get("is_rowsfrom") else calls[0]
    text = ("LATERAL " if body.get("lateral") else "") + text + (" WITH ORDINALITY" if body.get("ordinality") else "")
    return text + _alias(body.get("alias"), definitions=body.get("coldeflist"))


def _join(body: Node) -> str:
    words = {"JOIN_INNER": "JOIN", "JOIN_LEFT": "LEFT JOIN", "JOIN_RIGHT": "RIGHT JOIN", "JOIN_FULL": "FULL JOIN"}
    word = words[body["jointype"]]
    qualified = "quals" in body or "usingClause" in body
    if body.get("isNatural"):
        word = f"NATURAL {word}"
    elif not qualified:
        word = "CROSS JOIN"
    right = body["rarg"]
    right_text = f"({_from_item(right)})" if "JoinExpr" in right and "alias" not in right["JoinExpr"] else _from_item(right)
    text = f"{_from_item(body['larg'])} {word} {right_text}"
    if "usingClause" in body:
        text += f" USING ({', '.join(map(quote, e.names_of(body['usingClause'])))})"
        text += _alias(body.get("join_using_alias"))
    elif "quals" in body:
        text += f" ON {e.expression_text(body['quals'])}"
    return f"({text}){_alias(body['alias'])}" if "alias" in body else text
