"""Transactions, settings, locks, and maintenance commands."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse.expression import expression_text, names_of
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.parse.node import NotUnderstood, option_text, relation, value_text
from driftflow.model.operations import LockTable, Operation, RewriteTable, SetSetting, TransactionControl

_ACTIONS = {
    "TRANS_STMT_BEGIN": "begin",
    "TRANS_STMT_START": "begin",
    "TRANS_STMT_COMMIT": "commit",
    "TRANS_STMT_ROLLBACK": "rollback",
    "TRANS_STMT_SAVEPOINT": "savepoint",
    "TRANS_STMT_RELEASE": "release",
    "TRANS_STMT_ROLLBACK_TO": "rollback_to",
    "TRANS_STMT_PREPARE": "prepare",
    "TRANS_STMT_COMMIT_PREPARED": "commit",
    "TRANS_STMT_ROLLBACK_PREPARED": "rollback",
}

LOCK_MODES = (
    "",
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
"""By their number in the parse tree (lockdefs.h)."""


def transaction(body: Node, sql: str) -> tuple[Operation, ...]:
    return (TransactionControl(action=_ACTIONS[body["kind"]], sql=sql),)  # type: ignore[arg-type]  # the keys are the grammar's


def set_variable(body: Node, sql: str) -> tuple[Operation, ...]:
    local = bool(body.get("is_local"))
    match body["kind"]:
        case "VAR_SET_VALUE":
            value = ", ".join(_plain(node) for node in body["args"])
            return (SetSetting(name=body["name"], value=value, local=local, sql=sql),)
        case "VAR_SET_DEFAULT" | "VAR_RESET" | "VAR_RESET_ALL":
            return (SetSetting(name=body.get("name", "all"), value=None, local=local, sql=sql),)
        case "VAR_SET_MULTI":
            words = ", ".join(
                f"{node['DefElem']['defname']}={_argument(node['DefElem'])}" for node in body["args"] if "DefElem" in node
            )
            return (SetSetting(name=body["name"].lower(), value=words, local=local or body["name"] == "TRANSACTION", sql=sql),)
        case other:
            raise NotUnderstood(f"SET of kind {other}")


def _plain(node: Node) -> str:
    text = node.get("A_Const", {}).get("sval", {}).get("sval")
    return text if text is not None else expression_text(node)


def _argument(option: Node) -> str:
    argument = option.get("arg", {})
    return _plain(argument) if "A_Const" in argument else value_text(argument)


def set_constraints(body: Node, sql: str) -> tuple[Operation, ...]:
    return (SetSetting(name="constraints", value="deferred" if body.get("deferred") else "immediate", local=True, sql=sql),)


def lock_table(body: Node, sql: str) -> tuple[Operation, ...]:
    if any(not node["RangeVar"].get("inh") for node in body["relations"]):
        raise NotUnderstood("LOCK TABLE ONLY")
    tables = tuple(relation(node["RangeVar"]) for node in body["relations"])
    return (LockTable(tables=tables, mode=LOCK_MODES[body["mode"]], nowait=bool(body.get("nowait"))),)


def vacuum(body: Node, sql: str) -> tuple[Operation, ...]:
    """VACUUM and ANALYZE; `value` keeps the options and the columns: `(VERBOSE, PARALLEL 2) (a, b)`."""
    given = [node["DefElem"] for node in body.get("options", ())]
    full = any(option["defname"] == "full" and _argument_or(option, "true") not in {"false", "off", "0"} for option in given)
    action = "analyze" if not body.get("is_vacuumcmd") else "vacuum_full" if full else "vacuum"
    words = ", ".join(option_text(option).replace("=", " ").upper() for option in given if option["defname"] != "full")
    options = f"({words})" if words else ""
    found: list[Operation] = []
    for node in body.get("rels", [None]):
        columns = (
            f" ({', '.join(map(quote, names_of(node['VacuumRelation']['va_cols'])))})"
            if node and "va_cols" in node["VacuumRelation"]
            else ""
        )
        table = relation(node["VacuumRelation"]["relation"]) if node else None
        value = (options or "()") + columns if columns else options
        found.append(RewriteTable(table=table, action=action, value=value))  # type: ignore[arg-type]  # one of three
    return tuple(found)


def _argument_or(option: Node, default: str) -> str:
    return value_text(option["arg"]) if "arg" in option else default


def cluster(body: Node, sql: str) -> tuple[Operation, ...]:
    table = relation(body["relation"]) if "relation" in body else None
    return (RewriteTable(table=table, action="cluster", value=body.get("indexname", "")),)
