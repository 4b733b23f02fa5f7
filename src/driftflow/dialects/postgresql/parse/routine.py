"""Functions and procedures."""

from __future__ import annotations

from typing import Any

from driftflow.dialects.postgresql.deparse.expression import names_of
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.parse.node import name_of, value_text
from driftflow.dialects.postgresql.parse.touches import reads_of
from driftflow.dialects.postgresql.scan import normal_text
from driftflow.dialects.postgresql.types import type_text
from driftflow.model.catalog import Routine
from driftflow.model.operations import CreateFunction, Operation

_MODES = {"FUNC_PARAM_OUT": "OUT ", "FUNC_PARAM_INOUT": "INOUT ", "FUNC_PARAM_VARIADIC": "VARIADIC "}


def create_function(body: Node, sql: str) -> tuple[Operation, ...]:
    settings: dict[str, Any] = {}
    for node in body.get("options", ()):
        option = node["DefElem"]
        settings[option["defname"]] = option.get("arg", {})
    language = value_text(settings["language"]) if "language" in settings else ("sql" if "sql_body" in body else "")
    kind = (
        "procedure"
        if body.get("is_procedure")
        else "window"
        if settings.get("window", {}).get("Boolean", {}).get("boolval")
        else "function"
    )
    routine = Routine(
        name=name_of(body["funcname"]),
        arguments=arguments_text(body.get("parameters", ())),
        kind=kind,  # type: ignore[arg-type]  # one of three
        volatility=value_text(settings["volatility"]) if "volatility" in settings else "volatile",  # type: ignore[arg-type]
        language=language,
        returns=_returns(body),
        definition=normal_text(sql),
        security_definer=bool(settings.get("security", {}).get("Boolean", {}).get("boolval")),
        depends_on=reads_of(body["sql_body"]) if "sql_body" in body else (),
    )
    return (CreateFunction(routine=routine, or_replace=bool(body.get("replace"))),)


def create_aggregate(body: Node, sql: str) -> tuple[Operation, ...]:
    routine = Routine(
        name=name_of(body["defnames"]),
        arguments=_aggregated(body),
        kind="aggregate",
        language="internal",
        definition=normal_text(sql),
    )
    return (CreateFunction(routine=routine, or_replace=bool(body.get("replace"))),)


def _aggregated(body: Node) -> str:
    """Identity arguments, those behind ORDER BY too; none for `(*)`."""
    if body.get("oldstyle"):
        given = {node["DefElem"]["defname"]: node["DefElem"]["arg"] for node in body["definition"]}
        base = given.get("basetype", {})
        return type_text(base["TypeName"]) if "TypeName" in base else ""
    listed, direct = body["args"]
    nodes = listed.get("List", {}).get("items", [])
    count = int(direct["Integer"].get("ival", 0))
    if count < 0:
        return arguments_text(nodes)
    # A last VARIADIC argument stands on both sides.
    return f"{arguments_text(nodes[:count])} ORDER BY {arguments_text(nodes[count:] or nodes[-1:])}".strip()


def _returns(body: Node) -> str:
    table = [
        node["FunctionParameter"]
        for node in body.get("parameters", ())
        if node["FunctionParameter"]["mode"] == "FUNC_PARAM_TABLE"
    ]
    if table:
        return f"TABLE({', '.join(quote(column['name']) + ' ' + type_text(column['argType']) for column in table)})"
    return type_text(body["returnType"]) if "returnType" in body else ""


def arguments_text(nodes: Any) -> str:
    """Identity arguments, as pg_get_function_identity_arguments() writes them: mode, name, type; no defaults, no result columns."""
    pieces = []
    for node in nodes:
        body = node["FunctionParameter"]
        if body["mode"] == "FUNC_PARAM_TABLE":
            continue
        name = f"{quote(body['name'])} " if "name" in body else ""
        pieces.append(f"{_MODES.get(body['mode'], '')}{name}{type_text(body['argType'])}")
    return ", ".join(pieces)


def call_arguments(body: Node) -> str | None:
    """The argument list of an ObjectWithArgs, as DROP FUNCTION name(arguments) takes it; None where none was written."""
    if body.get("args_unspecified"):
        return None
    if "objfuncargs" in body:
        return arguments_text(body["objfuncargs"])
    return ", ".join(type_text(node["TypeName"]) if "TypeName" in node else "NONE" for node in body.get("objargs", ()))


def routine_text(body: Node) -> str:
    """`name(arguments)` of an ObjectWithArgs as SQL."""
    name, arguments = ".".join(map(quote, names_of(body["objname"]))), call_arguments(body)
    return name if arguments is None else f"{name}({arguments})"
