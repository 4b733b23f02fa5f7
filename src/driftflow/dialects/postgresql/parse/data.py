"""Statements that read or change rows, with what they touch. Their text is kept as it was written."""

from __future__ import annotations

from typing import Any

from driftflow.dialects.postgresql.builtin_functions import VOLATILITY
from driftflow.dialects.postgresql.deparse import NotUnderstood, expression_text
from driftflow.dialects.postgresql.deparse.expression import indirection_text
from driftflow.dialects.postgresql.deparse.query import from_text
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.node import cascades, relation, value_text
from driftflow.dialects.postgresql.parse.touches import Touches, touches_of
from driftflow.model.operations import Copy, Delete, Insert, Operation, Select, SetSetting, Truncate, Update
from driftflow.patterns import lazy_regex

PINNING = frozenset(("id", "ctid"))
"""Columns whose equality is taken for one row without a catalog; `bounded_by_key` knows better with one."""


def insert(body: Node, sql: str) -> tuple[Operation, ...]:
    touched = touches_of({"InsertStmt": body})
    target = relation(body["relation"])
    if len(touched.writes) > 1:
        return (_several(touched, sql),)
    rows: int | None = None
    left_out: tuple[int, ...] = ()
    values: int | None = None
    match body.get("selectStmt", {}).get("SelectStmt"):
        case None:
            rows, values = 1, 0
        case {"valuesLists": lists}:
            said = [node["List"]["items"] for node in lists]
            rows, values = len(lists), len(said[0])
            left_out = tuple(at for at in range(values) if all("SetToDefault" in row[at] for row in said if at < len(row)))
        case _:
            pass
    conflict = body.get("onConflictClause", {}).get("action", "").removeprefix("ONCONFLICT_").lower()
    return (
        Insert(
            table=target,
            sql=sql,
            columns=tuple(node["ResTarget"]["name"] for node in body.get("cols", ())),
            rows=rows,
            left_out=left_out,
            values=values,
            overriding=body.get("override", "OVERRIDING_NOT_SET") not in ("OVERRIDING_NOT_SET", "OVERRIDING_KIND_UNDEFINED"),
            reads=tuple(touched.reads),
            on_conflict="" if conflict == "none" else conflict,
        ),
    )


def update(body: Node, sql: str) -> tuple[Operation, ...]:
    touched = touches_of({"UpdateStmt": body})
    if len(touched.writes) > 1:
        return (_several(touched, sql),)
    where = body.get("whereClause")
    return (
        Update(
            table=relation(body["relation"]),
            sql=sql,
            assignments=assignments(body["targetList"]),
            where=expression_text(where) if where is not None else "",
            reads=tuple(touched.reads),
            bounded=pins(where),
            alias=body["relation"].get("alias", {}).get("aliasname", ""),
            from_clause=from_text(body["fromClause"]) if "fromClause" in body else "",
            returning=_returns(body),
            only=not body["relation"].get("inh"),
        ),
    )


def delete(body: Node, sql: str) -> tuple[Operation, ...]:
    touched = touches_of({"DeleteStmt": body})
    if len(touched.writes) > 1:
        return (_several(touched, sql),)
    where = body.get("whereClause")
    return (
        Delete(
            table=relation(body["relation"]),
            sql=sql,
            where=expression_text(where) if where is not None else "",
            reads=tuple(touched.reads),
            bounded=pins(where),
            alias=body["relation"].get("alias", {}).get("aliasname", ""),
            using=from_text(body["usingClause"]) if "usingClause" in body else "",
            returning=_returns(body),
            only=not body["relation"].get("inh"),
        ),
    )


def merge(body: Node, sql: str) -> tuple[Operation, ...]:
    return (_several(touches_of({"MergeStmt": body}), sql),)


def _several(touched: Touches, sql: str) -> Select:
    """MERGE, and statements that change several tables through WITH: what they touch, and the text."""
    return Select(sql=sql, reads=tuple(touched.reads), writes=tuple(touched.writes), calls=_calls(touched))


def _returns(body: Node) -> bool:
    return "returningClause" in body or "returningList" in body


def assignments(nodes: list[Node]) -> tuple[tuple[str, str], ...]:
    """(column, expression) of a SET list; `(a, b) = (1, 2)` becomes two, a subquery that gives several columns stays whole on each."""
    found = []
    for node in nodes:
        target = node["ResTarget"]
        column = target["name"] + (indirection_text(target["indirection"]) if "indirection" in target else "")
        value = target["val"]
        if "MultiAssignRef" in value:
            value = _one_of(value["MultiAssignRef"])
        found.append((column, value if isinstance(value, str) else expression_text(value)))
    return tuple(found)


def _one_of(body: Node) -> Any:
    source, position = body["source"], body["colno"] - 1
    if "RowExpr" in source:
        return source["RowExpr"]["args"][position]
    return f"{expression_text(source)}[{position + 1} of {body['ncolumns']}]"


def pins(where: Node | None) -> bool:
    """Whether the predicate alone, without a catalog, limits the rows: `id = constant`, `ctid = ...`, or IN a subquery with LIMIT."""
    return where is not None and any(_pins_one(node) for node in conjuncts(where))


def conjuncts(where: Node) -> list[Node]:
    """The parts of a predicate that must all hold."""
    body = where.get("BoolExpr")
    if body is None or body["boolop"] != "AND_EXPR":
        return [where]
    return [inner for node in body["args"] for inner in conjuncts(node)]


def _pins_one(node: Node) -> bool:
    match node:
        case {"A_Expr": _}:
            return bool(pinned_columns(node) & PINNING)
        case {"SubLink": {"subLinkType": "ANY_SUBLINK", "subselect": {"SelectStmt": query}}}:
            return "limitCount" in query
        case _:
            return False


def pinned_columns(node: Node) -> frozenset[str]:
    """The columns that a conjunct holds equal to constants: `id = 5`, `id IN (1, 2)`."""
    match node:
        case {"A_Expr": {"kind": "AEXPR_OP", "name": [{"String": {"sval": "="}}], "lexpr": left, "rexpr": right}}:
            if _constant(right):
                return _columns(left)
            return _columns(right) if _constant(left) else frozenset()
        case {
            "A_Expr": {
                "kind": "AEXPR_IN",
                "name": [{"String": {"sval": "="}}],
                "lexpr": left,
                "rexpr": {"List": {"items": items}},
            }
        }:
            return _columns(left) if all(map(_constant, items)) else frozenset()
        case {"A_Expr": {"kind": "AEXPR_OP_ANY", "name": [{"String": {"sval": "="}}], "lexpr": left, "rexpr": right}}:
            return _columns(left) if _constant(right) else frozenset()
        case {
            "SubLink": {
                "subLinkType": "ANY_SUBLINK",
                "testexpr": {"ColumnRef": {"fields": [*_, {"String": {"sval": "ctid"}}]}},
                "subselect": {"SelectStmt": {"limitCount": _}},
            }
        }:
            return frozenset(("ctid",))
        case _:
            return frozenset()


def _columns(node: Node) -> frozenset[str]:
    match node:
        case {"ColumnRef": {"fields": [*_, {"String": {"sval": name}}]}}:
            return frozenset((name,))
        case _:
            return frozenset()


def _constant(node: Node) -> bool:
    match node:
        case {"A_Const": _} | {"ParamRef": _}:
            return True
        case {"TypeCast": {"arg": inner}}:
            return _constant(inner)
        case {"A_ArrayExpr": {"elements": items}}:
            return all(map(_constant, items))
        case _:
            return False


def truncate(body: Node, sql: str) -> tuple[Operation, ...]:
    alone = [not node["RangeVar"].get("inh") for node in body["relations"]]
    if any(alone) and not all(alone):
        raise NotUnderstood("TRUNCATE with ONLY for some of its tables")
    return (
        Truncate(
            tables=tuple(relation(node["RangeVar"]) for node in body["relations"]),
            restart_identity=bool(body.get("restart_seqs")),
            cascade=cascades(body),
            only=all(alone),
        ),
    )


def copy(body: Node, sql: str) -> tuple[Operation, ...]:
    if body.get("is_program"):
        raise NotUnderstood("COPY with PROGRAM, which runs a command on the server")
    inward = bool(body.get("is_from"))
    return (
        Copy(
            table=relation(body["relation"]) if "relation" in body else None,
            sql=sql,
            inward=inward,
            rows=copy_rows(sql, body) if inward and "filename" not in body else None,
        ),
    )


COPY_START = lazy_regex(r";[ \t]*\r?\n")


def copy_rows(sql: str, body: Node) -> int | None:
    """How many rows of data follow the statement; the header line of CSV does not count. None when no data is there."""
    start = COPY_START.search(sql)
    if start is None:
        return None
    lines = sql[start.end() :].splitlines()
    if lines and lines[-1].rstrip() == "\\.":
        lines.pop()
    given = {node["DefElem"]["defname"]: node["DefElem"].get("arg") for node in body.get("options", ())}
    header = "header" in given and (given["header"] is None or value_text(given["header"]) not in {"false", "off", "0"})
    return max(0, len(lines) - (1 if header else 0))


def select(body: Node, sql: str) -> tuple[Operation, ...]:
    if "intoClause" in body:
        from driftflow.dialects.postgresql.parse.create_table import select_into

        return (select_into(body),)
    setting = _set_config(body)
    if setting is not None:
        name, value, local = setting
        return (SetSetting(name=name, value=value, local=local, sql=sql),)
    touched = touches_of({"SelectStmt": body})
    return (
        Select(
            sql=sql,
            reads=tuple(touched.reads),
            writes=tuple(touched.writes),
            calls=_calls(touched),
            locks_rows=_row_lock(body),
        ),
    )


def _calls(touched: Touches) -> tuple[str, ...]:
    """The functions that are not the server's own immutable ones."""
    return tuple(name for name in touched.calls if VOLATILITY.get(name.removeprefix("pg_catalog.")) != "i")


def _row_lock(body: Node) -> str:
    strengths = {
        "LCS_FORKEYSHARE": "KEY SHARE",
        "LCS_FORSHARE": "SHARE",
        "LCS_FORNOKEYUPDATE": "NO KEY UPDATE",
        "LCS_FORUPDATE": "UPDATE",
    }
    found = [strengths[node["LockingClause"]["strength"]] for node in body.get("lockingClause", ())]
    return max(found, key=list(strengths.values()).index) if found else ""


def _set_config(body: Node) -> tuple[str, str, bool] | None:
    """`SELECT set_config('name', 'value', local)` and nothing else."""
    match body:
        case {"targetList": [{"ResTarget": {"val": {"FuncCall": {"funcname": names, "args": [name, value, local]}}}}]} if (
            names[-1]["String"]["sval"] == "set_config" and "fromClause" not in body
        ):
            try:
                return (
                    name["A_Const"]["sval"]["sval"],
                    value["A_Const"]["sval"].get("sval", ""),
                    bool(local["A_Const"]["boolval"].get("boolval")),
                )
            except KeyError:
                return None
        case _:
            return None


def opaque(body: Node, sql: str) -> tuple[Operation, ...]:
    """DO and CALL: what they do is the server's to say."""
    touched = touches_of(body)
    return (Select(sql=sql, reads=tuple(touched.reads), calls=_calls(touched), opaque=True),)


def bounded_by_key(where: str, columns: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a predicate holds every column of one of the unique keys equal to constants."""
    from driftflow.dialects.postgresql.expressions import expression_node

    node = expression_node(where) if where else None
    if node is None:
        return False
    pinned = frozenset().union(*(pinned_columns(part) for part in conjuncts(node)))
    return any(key and set(key) <= pinned for key in columns)
