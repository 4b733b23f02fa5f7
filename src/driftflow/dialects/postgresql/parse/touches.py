"""Which relations a statement reads and writes, and which functions it calls, wherever they stand in it."""

from __future__ import annotations

from typing import Any

from driftflow.dialects.postgresql.grammar import Node
from driftflow.model.names import Name
from driftflow.model.record import LocalState, field

_WRITES = frozenset(("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"))
_PLAIN: frozenset[str] = frozenset(("A_Const", "TypeName", "typeName", "String", "Integer", "Float", "location", "lockedRels"))


class Touches(LocalState):
    """In order of appearance, each once."""

    reads: dict[Name, None] = field(default_factory=dict)
    writes: dict[Name, None] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)


def touches_of(node: Node) -> Touches:
    found = Touches()
    _walk(node, frozenset(), found)
    return found


def reads_of(node: Node) -> tuple[Name, ...]:
    return tuple(touches_of(node).reads)


def _walk(node: Any, hidden: frozenset[str], found: Touches) -> None:
    """`hidden` are the names of common table expressions in scope, which hide relations of the same bare name."""
    if isinstance(node, list):
        for item in node:
            _walk(item, hidden, found)
        return
    if not isinstance(node, dict):
        return
    if "withClause" in node:
        hidden = _common(node["withClause"], hidden, found)
    for key, value in node.items():
        if key in _PLAIN or key == "withClause":
            continue
        if key == "RangeVar":
            _note(value, hidden, found.reads)
        elif key in _WRITES:
            inside = _common(value["withClause"], hidden, found) if "withClause" in value else hidden
            _note(value["relation"], frozenset(), found.writes)
            _walk({k: v for k, v in value.items() if k not in {"relation", "withClause"}}, inside, found)
        elif key == "FuncCall":
            found.calls[".".join(name["String"]["sval"] for name in value["funcname"])] = None
            _walk(value, hidden, found)
        elif isinstance(value, (dict, list)):
            _walk(value, hidden, found)


def _common(clause: Node, hidden: frozenset[str], found: Touches) -> frozenset[str]:
    """Walk the common table expressions; each sees those before it, all see all in WITH RECURSIVE."""
    expressions = [node["CommonTableExpr"] for node in clause["ctes"]]
    if clause.get("recursive"):
        hidden |= {expression["ctename"] for expression in expressions}
    for expression in expressions:
        _walk(expression["ctequery"], hidden, found)
        hidden |= {expression["ctename"]}
    return hidden


def _note(body: Node, hidden: frozenset[str], names: dict[Name, None]) -> None:
    if "schemaname" in body or body["relname"] not in hidden:
        names[Name(schema=body.get("schemaname", ""), name=body["relname"])] = None
