"""Columns and constraints, as CREATE TABLE, ADD COLUMN, ADD CONSTRAINT and CREATE DOMAIN write them."""

from __future__ import annotations

from typing import Any

from driftflow.dialects.postgresql.deparse import NotUnderstood, expression_text
from driftflow.dialects.postgresql.deparse.expression import names_of, operator_name, stored_name
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.parse.node import name_of, number, option_sql, options, relation, value_text
from driftflow.dialects.postgresql.types import SERIAL, type_text
from driftflow.model.catalog import (
    Action,
    Check,
    Column,
    Constraint,
    Exclusion,
    ForeignKey,
    Generated,
    Identity,
    IndexPart,
    NotNull,
    PrimaryKey,
    SequenceOptions,
    Unique,
)
from driftflow.model.names import Name
from driftflow.model.record import LocalState, field, replace

ACTIONS: dict[str, Action] = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


class _Parts(LocalState):
    """What the clauses behind a column add up to."""

    fields: dict[str, Any] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)


def column_definition(body: Node) -> tuple[Column, tuple[Constraint, ...]]:
    """A ColumnDef: the column, and the constraints written behind it in order (NOT NULL is on the column; named, it is a constraint too)."""
    if "fdwoptions" in body:
        raise NotUnderstood("column OPTIONS of a foreign table")
    name, parts = body["colname"], _Parts()
    for node in body.get("constraints", ()):
        _clause(name, node["Constraint"], parts)
    type_node = body.get("typeName")
    serial = None
    if type_node is not None and len(type_node["names"]) == 1:
        serial = SERIAL.get(type_node["names"][0]["String"]["sval"])
    column = Column(
        name=name,
        type=serial or (type_text(type_node) if type_node is not None else ""),
        serial=serial is not None,
        collation=stored_name(body["collClause"]["collname"]) if "collClause" in body else "",
        storage=body.get("storage_name", "").upper(),
        compression=body.get("compression", ""),
        **parts.fields,
    )
    return column, tuple(parts.constraints)


def _clause(name: str, body: Node, parts: _Parts) -> None:
    match body["contype"]:
        case "CONSTR_NULL":
            pass
        case "CONSTR_NOTNULL":
            parts.fields["nullable"] = False
            if "conname" in body or body.get("is_no_inherit"):
                no_inherit = bool(body.get("is_no_inherit"))
                parts.constraints.append(NotNull(name=body.get("conname", ""), column=name, no_inherit=no_inherit))
        case "CONSTR_DEFAULT":
            parts.fields["default"] = expression_text(body["raw_expr"])
        case "CONSTR_GENERATED":
            parts.fields["generated"] = generated(body)
        case "CONSTR_IDENTITY":
            parts.fields["identity"] = identity(body)
        case "CONSTR_PRIMARY" | "CONSTR_UNIQUE" | "CONSTR_CHECK" | "CONSTR_FOREIGN":
            parts.constraints.append(constraint(body, column=name))
        case attribute if attribute.startswith("CONSTR_ATTR_"):
            if not parts.constraints:
                raise NotUnderstood("an attribute behind no constraint")  # the grammar takes it, the server does not
            parts.constraints[-1] = _with_attribute(parts.constraints[-1], attribute)
        case other:
            raise NotUnderstood(f"a column clause of kind {other}")


def _with_attribute(before: Constraint, attribute: str) -> Constraint:
    changes: dict[str, bool]
    match attribute:
        case "CONSTR_ATTR_DEFERRABLE" | "CONSTR_ATTR_NOT_DEFERRABLE":
            changes = {"deferrable": attribute == "CONSTR_ATTR_DEFERRABLE"}
        case "CONSTR_ATTR_DEFERRED":
            changes = {"deferrable": True, "initially_deferred": True}
        case "CONSTR_ATTR_IMMEDIATE":
            changes = {"initially_deferred": False}
        case "CONSTR_ATTR_ENFORCED" | "CONSTR_ATTR_NOT_ENFORCED":
            enforced = attribute == "CONSTR_ATTR_ENFORCED"
            changes = {"enforced": enforced, "validated": enforced}
        case _:
            raise NotUnderstood(f"a constraint attribute {attribute}")
    if not changes.keys() <= set(before.__struct_fields__):
        raise NotUnderstood("an attribute that a constraint of this kind cannot have")
    return replace(before, **changes)


def generated(body: Node) -> Generated:
    return Generated(expression=expression_text(body["raw_expr"]), stored=body.get("generated_kind", "s") != "v")


def identity(body: Node) -> Identity:
    given, restart, rest = sequence_options(body.get("options", ()))
    named = rest.pop("sequence_name", None)
    if restart or rest:
        raise NotUnderstood("an identity option that only sequences take")
    sequence = name_of(named["List"]["items"]) if named else None
    return Identity(always=body.get("generated_when") == "a", options=given, sequence=sequence)


def constraint(body: Node, *, column: str = "") -> Constraint:
    """A Constraint node of any of the six kinds; `column` is the one it was written behind."""
    name = body.get("conname", "")
    columns = (column,) if column else tuple(names_of(body.get("keys", [])))
    deferrable = bool(body.get("deferrable"))
    deferred = bool(body.get("initdeferred"))
    match body["contype"]:
        case "CONSTR_PRIMARY" | "CONSTR_UNIQUE" as kind:
            return _key(kind, name, columns, body)
        case "CONSTR_CHECK":
            return _check(name, body, column)
        case "CONSTR_FOREIGN":
            return _foreign_key(name, columns or tuple(names_of(body.get("fk_attrs", []))), body)
        case "CONSTR_NOTNULL":
            return NotNull(name=name, column=columns[0], validated=_validated(body), no_inherit=bool(body.get("is_no_inherit")))
        case "CONSTR_EXCLUSION":
            return Exclusion(
                name=name,
                definition=_exclusion(body),
                columns=tuple(
                    element["List"]["items"][0]["IndexElem"]["name"]
                    for element in body["exclusions"]
                    if "name" in element["List"]["items"][0]["IndexElem"]
                ),
                deferrable=deferrable,
                initially_deferred=deferred,
            )
        case other:
            raise NotUnderstood(f"a constraint of kind {other}")


def _key(kind: str, name: str, columns: tuple[str, ...], body: Node) -> Constraint:
    if "options" in body or "indexspace" in body or body.get("without_overlaps"):
        raise NotUnderstood("a key with storage options, a tablespace or WITHOUT OVERLAPS")
    common: dict[str, Any] = {
        "name": name,
        "columns": columns,
        "include": tuple(names_of(body.get("including", []))),
        "deferrable": bool(body.get("deferrable")),
        "initially_deferred": bool(body.get("initdeferred")),
        "using_index": body.get("indexname", ""),
    }
    if kind == "CONSTR_PRIMARY":
        return PrimaryKey(**common)
    return Unique(**common, nulls_not_distinct=bool(body.get("nulls_not_distinct")))


def _validated(body: Node) -> bool:
    return not body.get("skip_validation")


def _check(name: str, body: Node, column: str) -> Check:
    enforced = bool(body.get("is_enforced"))
    return Check(
        name=name,
        expression=expression_text(body["raw_expr"]),
        validated=_validated(body) and enforced,
        enforced=enforced,
        no_inherit=bool(body.get("is_no_inherit")),
        column=column,
    )


def _foreign_key(name: str, columns: tuple[str, ...], body: Node) -> ForeignKey:
    if body.get("fk_with_period") or body.get("pk_with_period"):
        raise NotUnderstood("a foreign key with PERIOD")
    enforced = bool(body.get("is_enforced"))
    return ForeignKey(
        name=name,
        columns=columns,
        referenced=relation(body["pktable"]),
        referenced_columns=tuple(names_of(body.get("pk_attrs", []))),
        on_delete=ACTIONS[body.get("fk_del_action", "a")],
        on_update=ACTIONS[body.get("fk_upd_action", "a")],
        set_columns=tuple(names_of(body.get("fk_del_set_cols", []))),
        match="FULL" if body.get("fk_matchtype") == "f" else "",
        deferrable=bool(body.get("deferrable")),
        initially_deferred=bool(body.get("initdeferred")),
        validated=_validated(body) and enforced,
        enforced=enforced,
    )


def _exclusion(body: Node) -> str:
    pieces = []
    for element in body["exclusions"]:
        part, operator = element["List"]["items"]
        pieces.append(f"{part_text(index_part(part['IndexElem']))} WITH {operator_name(operator['List']['items'])}")
    text = f"USING {quote(body.get('access_method', 'gist'))} ({', '.join(pieces)})"
    if "including" in body:
        text += f" INCLUDE ({', '.join(map(quote, names_of(body['including'])))})"
    if "options" in body:
        text += f" WITH ({', '.join(map(option_sql, options(body['options'])))})"
    if "indexspace" in body:
        text += f" USING INDEX TABLESPACE {quote(body['indexspace'])}"
    if "where_clause" in body:
        text += f" WHERE ({expression_text(body['where_clause'])})"
    return text


def index_part(body: Node) -> IndexPart:
    """An IndexElem."""
    opclass = stored_name(body["opclass"]) if "opclass" in body else ""
    if "opclassopts" in body:
        opclass += f"({', '.join(options(body['opclassopts']))})"
    nulls = body.get("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    return IndexPart(
        column=body.get("name", ""),
        expression=expression_text(body["expr"]) if "expr" in body else "",
        descending=body.get("ordering") == "SORTBY_DESC",
        nulls_first=None if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST",
        collation=stored_name(body["collation"]) if "collation" in body else "",
        opclass=opclass,
    )


def part_text(part: IndexPart) -> str:
    """An index key as SQL."""
    from driftflow.dialects.postgresql.render.clause import index_part_text

    return index_part_text(part)


def sequence_options(nodes: Any) -> tuple[SequenceOptions, tuple[int | None, ...], dict[str, Any]]:
    """The options of a sequence; RESTART (its value, or None without one) apart; what else was written, by its name."""
    fields: dict[str, Any] = {}
    restart: tuple[int | None, ...] = ()
    rest: dict[str, Any] = {}
    names = {"increment": "increment", "minvalue": "minimum", "maxvalue": "maximum", "start": "start", "cache": "cache"}
    for node in nodes:
        option = node["DefElem"]
        name, argument = option["defname"], option.get("arg")
        if name in names:
            fields[names[name]] = number(argument) if argument is not None else None
        elif name == "as":
            fields["type"] = type_text(argument["TypeName"])
        elif name == "cycle":
            fields["cycle"] = value_text(argument) == "true"
        elif name == "restart":
            restart = (number(argument) if argument is not None else None,)
        else:
            rest[name] = argument
    return SequenceOptions(**fields), restart, rest


def owner_column(argument: Any) -> str:
    """OWNED BY: `schema.table.column`, or empty for NONE."""
    names = names_of(argument["List"]["items"])
    if names == ["none"]:
        return ""
    if not 2 <= len(names) <= 3:
        raise NotUnderstood("an OWNED BY that names no column of a table")
    return ".".join(names)


def type_name(body: Node) -> Name:
    """The name in a TypeName node that names a user's type."""
    return name_of(body["names"])
