"""Enums, domains, composite and range types."""

from __future__ import annotations

from typing import Any

from driftflow.dialects.postgresql.deparse import NotUnderstood, expression_text
from driftflow.dialects.postgresql.deparse.expression import names_of, stored_name
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.column import column_definition, constraint
from driftflow.dialects.postgresql.parse.node import cascades, name_of, option_text, relation
from driftflow.dialects.postgresql.types import type_text
from driftflow.model.catalog import Check, TypeDefinition
from driftflow.model.operations import AddEnumValue, AlterDomain, CreateType, Operation, RenameEnumValue


def create_enum(body: Node, sql: str) -> tuple[Operation, ...]:
    return (
        CreateType(
            type=TypeDefinition(name=name_of(body["typeName"]), kind="enum", labels=tuple(names_of(body.get("vals", []))))
        ),
    )


def create_composite(body: Node, sql: str) -> tuple[Operation, ...]:
    attributes = tuple(column_definition(node["ColumnDef"])[0] for node in body.get("coldeflist", ()))
    return (CreateType(type=TypeDefinition(name=relation(body["typevar"]), kind="composite", attributes=attributes)),)


def create_range(body: Node, sql: str) -> tuple[Operation, ...]:
    definition = ", ".join(_parameter(node["DefElem"]) for node in body["params"])
    return (CreateType(type=TypeDefinition(name=name_of(body["typeName"]), kind="range", definition=definition)),)


def create_base_type(body: Node) -> tuple[Operation, ...]:
    """CREATE TYPE name, and CREATE TYPE name (INPUT = ..., ...)."""
    parameters = body.get("definition", ())
    kind = "base" if parameters else "shell"
    definition = ", ".join(_parameter(node["DefElem"]) for node in parameters)
    return (CreateType(type=TypeDefinition(name=name_of(body["defnames"]), kind=kind, definition=definition)),)  # type: ignore[arg-type]


def _parameter(body: Node) -> str:
    argument = body.get("arg")
    if argument is not None and "TypeName" in argument:
        return f"{body['defname']} = {type_text(argument['TypeName'])}"
    name, equals, value = option_text(body).partition("=")
    return f"{name} = {value}" if equals else name


def create_domain(body: Node, sql: str) -> tuple[Operation, ...]:
    fields: dict[str, Any] = {}
    checks: list[Check] = []
    for node in body.get("constraints", ()):
        clause = node["Constraint"]
        match clause["contype"]:
            case "CONSTR_NULL":
                pass
            case "CONSTR_NOTNULL" if "conname" not in clause:
                fields["nullable"] = False
            case "CONSTR_DEFAULT":
                fields["default"] = expression_text(clause["raw_expr"])
            case "CONSTR_CHECK":
                checks.append(_check(clause))
            case other:
                raise NotUnderstood(f"a domain clause of kind {other}")
    definition = TypeDefinition(
        name=name_of(body["domainname"]),
        kind="domain",
        base=type_text(body["typeName"]),
        checks=tuple(checks),
        collation=stored_name(body["collClause"]["collname"]) if "collClause" in body else "",
        **fields,
    )
    return (CreateType(type=definition),)


def _check(body: Node) -> Check:
    check = constraint({"is_enforced": True, **body})
    assert isinstance(check, Check)
    return check


def alter_enum(body: Node, sql: str) -> tuple[Operation, ...]:
    name = name_of(body["typeName"])
    if "oldVal" in body:
        return (RenameEnumValue(name=name, value=body["oldVal"], to=body["newVal"]),)
    neighbour, behind = body.get("newValNeighbor", ""), bool(body.get("newValIsAfter"))
    return (
        AddEnumValue(
            name=name,
            value=body.get("newVal", ""),
            before="" if behind else neighbour,
            after_value=neighbour if behind else "",
            if_not_exists=bool(body.get("skipIfNewValExists")),
        ),
    )


def alter_domain(body: Node, sql: str) -> tuple[Operation, ...]:
    name = name_of(body["typeName"])
    match body["subtype"]:
        case "T" if "def" in body:
            return (AlterDomain(name=name, action="set_default", value=expression_text(body["def"])),)
        case "T":
            return (AlterDomain(name=name, action="drop_default"),)
        case "O":
            return (AlterDomain(name=name, action="set_not_null"),)
        case "N":
            return (AlterDomain(name=name, action="drop_not_null"),)
        case "C" if body["def"]["Constraint"]["contype"] == "CONSTR_CHECK":
            check = _check(body["def"]["Constraint"])
            return (AlterDomain(name=name, action="add_constraint", value=check.name, check=check),)
        case "X":
            missing = bool(body.get("missing_ok"))
            return (
                AlterDomain(name=name, action="drop_constraint", value=body["name"], if_exists=missing, cascade=cascades(body)),
            )
        case "V":
            return (AlterDomain(name=name, action="validate_constraint", value=body["name"]),)
        case other:
            raise NotUnderstood(f"ALTER DOMAIN of kind {other}")
