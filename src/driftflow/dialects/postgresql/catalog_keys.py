"""Constraints and indexes, as PostgreSQL's catalogs hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from driftflow.model.catalog import (
    Action,
    Check,
    Constraint,
    Exclusion,
    ForeignKey,
    Index,
    IndexPart,
    NotNull,
    PrimaryKey,
    Unique,
)
from driftflow.model.names import Name

Row = Mapping[str, Any]
Normal = Callable[[str], str]

ACTIONS: Mapping[str, Action] = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
DESCENDING, NULLS_FIRST = 1, 2


def constraint(row: Row, *, normal: Normal) -> Constraint | None:
    """One row of constraints.sql; None for a kind that is none of ours."""
    when = {"deferrable": row["deferrable"], "initially_deferred": row["initially_deferred"]}
    named = {"name": row["name"], "comment": row["comment"] or ""}
    columns, include = tuple(row["columns"] or ()), tuple(row["include"] or ())
    match row["kind"]:
        case "p":
            return PrimaryKey(columns=columns, include=include, **named, **when)
        case "u":
            return Unique(columns=columns, include=include, nulls_not_distinct=row["nulls_not_distinct"], **named, **when)
        case "c":
            enforced, open_ = row["enforced"], row["no_inherit"]
            return Check(
                expression=normal(row["expression"]), validated=row["validated"], enforced=enforced, no_inherit=open_, **named
            )
        case "f":
            return _foreign_key(row, columns)
        case "n":
            return NotNull(column=columns[0], validated=row["validated"], no_inherit=row["no_inherit"], **named)
        case "x":
            return Exclusion(definition=_exclusion(row["definition"]), columns=columns, **named, **when)
    return None


def _foreign_key(row: Row, columns: tuple[str, ...]) -> ForeignKey:
    return ForeignKey(
        name=row["name"],
        columns=columns,
        referenced=Name(schema=row["referenced_schema"], name=row["referenced_name"]),
        referenced_columns=tuple(row["referenced_columns"] or ()),
        on_delete=ACTIONS[row["on_delete"]],
        on_update=ACTIONS[row["on_update"]],
        set_columns=tuple(row["set_columns"] or ()),
        match="FULL" if row["match"] == "f" else "",
        validated=row["validated"],
        enforced=row["enforced"],
        deferrable=row["deferrable"],
        initially_deferred=row["initially_deferred"],
        comment=row["comment"] or "",
    )


def _exclusion(definition: str) -> str:
    """`EXCLUDE USING gist (c WITH =) DEFERRABLE` without its first word and without what other fields say."""
    text = definition.removeprefix("EXCLUDE ")
    for suffix in (" INITIALLY DEFERRED", " DEFERRABLE"):
        text = text.removesuffix(suffix)
    return text


def index(row: Row, *, normal: Normal) -> Index:
    """One row of indexes.sql."""
    method = row["method"]
    return Index(
        name=Name(schema=row["schema"], name=row["name"]),
        table=Name(schema=row["schema"], name=row["relation"]),
        parts=tuple(_part(key, normal) for key in row["keys"] or ()),
        include=tuple(row["include"] or ()),
        unique=row["is_unique"],
        nulls_not_distinct=row["nulls_not_distinct"],
        method="" if method == "btree" else method,
        predicate=normal(row["predicate"]) if row["predicate"] else "",
        options=tuple(row["options"] or ()),
        tablespace=row["tablespace"],
        valid=row["valid"],
        constraint=row["constraint_name"] or "",
        comment=row["comment"] or "",
        parent=Name(schema=row["parent_schema"], name=row["parent_name"]) if row["parent_name"] else None,
        bytes=row["bytes"],
        clustered=row.get("clustered", False),
        identifies=row.get("identifies", False),
    )


def _part(key: Sequence[Any], normal: Normal) -> IndexPart:
    column, expression, option, collation, opclass, parameters = key
    descending = bool(option & DESCENDING)
    nulls_first = bool(option & NULLS_FIRST)
    opclass_text = opclass or ""
    if parameters:
        opclass_text = f"{opclass_text}({', '.join(parameters)})"
    return IndexPart(
        column=column or "",
        expression=normal(_unwrapped(expression)) if expression else "",
        descending=descending,
        nulls_first=None if nulls_first == descending else nulls_first,
        collation=collation or "",
        opclass=opclass_text,
    )


def _unwrapped(expression: str) -> str:
    """`((a + 1))` without the parentheses that CREATE INDEX needs around anything but a function call."""
    if not (expression.startswith("(") and expression.endswith(")")):
        return expression
    depth, quote = 0, ""
    for position, character in enumerate(expression):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character == "(") - (character == ")")
        if depth == 0 and position < len(expression) - 1:
            return expression
    return expression[1:-1]
