"""Enums, domains and other types. A domain locks every table that uses it, and the statement names none of them."""

from __future__ import annotations

import re

from driftflow.dialects.postgresql.effects import probes
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, SHARE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import columns_of_type
from driftflow.dialects.postgresql.names import quote
from driftflow.model.catalog import TypeDefinition
from driftflow.model.names import Name
from driftflow.model.operations import AddEnumValue, AlterDomain, CreateType, DropType, RenameEnumValue


def create_type(p: Prediction, operation: CreateType) -> None:
    if operation.type.name.text in p.catalog.types:
        p.fails("exists", f'type "{operation.type.name.text}" exists already', certain=True)
    elif operation.type.kind == "composite":
        p.created.add(operation.type.name)
        p.lock(operation.type.name, ACCESS_EXCLUSIVE, why="a composite type is a relation too")


def add_enum_value(p: Prediction, operation: AddEnumValue) -> None:
    """No lock on any table. The new label cannot be used before the commit."""
    known = _known(p, operation.name)
    if known is not None and operation.value in known.labels and not operation.if_not_exists:
        p.fails("exists", f"label '{operation.value}' of {known.name.name} exists already", certain=True)
    p.loses(f"nothing can remove the label '{operation.value}' again")
    p.breaks(f"running code that does not know the label '{operation.value}'")


def rename_enum_value(p: Prediction, operation: RenameEnumValue) -> None:
    known = _known(p, operation.name)
    if known is not None and operation.value not in known.labels:
        p.fails("missing", f"'{operation.value}' is not a label of {known.name.name}", certain=True)
    p.breaks(f"running code that writes the label '{operation.value}' or compares with it")


def alter_domain(p: Prediction, operation: AlterDomain) -> None:
    """A validated constraint reads every table that has a column of the domain, under SHARE: writers wait."""
    domain = _known(p, operation.name)
    match operation.action:
        case "add_constraint":
            scans = operation.check is None or operation.check.validated
        case "set_not_null" | "validate_constraint":
            scans = True
        case _:
            scans = False
    if not scans:
        return
    expression = operation.check.expression if operation.check is not None else ""
    if operation.action == "validate_constraint" and domain is not None:
        expression = next((check.expression for check in domain.checks if check.name == operation.value), "")
    for table, column in columns_of_type(p.catalog, operation.name):
        p.lock(table.name, SHARE, why=f"{column.name} has the domain {operation.name.name}")
        p.does("scan", table.name, f"{column.name} is checked")
        if table.new:
            continue
        if operation.action == "set_not_null":
            p.fails(
                "nulls",
                f"{table.name.name}.{column.name} holds NULLs",
                relation=table.name,
                probe=probes.nulls(table.name, column.name),
            )
        elif expression:
            own = re.sub(r"\bVALUE\b", quote(column.name), expression, flags=re.IGNORECASE)
            p.fails(
                "check_violations",
                f"{table.name.name}.{column.name} holds values that the domain refuses",
                relation=table.name,
                probe=probes.violations(table.name, own),
            )


def drop_type(p: Prediction, operation: DropType) -> None:
    known = _known(p, operation.name, if_exists=operation.if_exists)
    for table, column in columns_of_type(p.catalog, operation.name):
        if operation.cascade:
            p.lock(table.name, ACCESS_EXCLUSIVE, why=f"{column.name} is dropped by CASCADE")
            p.loses(f"column {table.name.name}.{column.name} and its data", table.name)
        else:
            p.fails("dependency", f"column {table.name.name}.{column.name} has the type", relation=table.name, certain=True)
    if known is not None or not p.catalog.complete:
        p.loses(f"type {operation.name.name}", reversible=True)
    if known is None and operation.cascade and not p.catalog.complete:
        p.loses("every column that has the type, and its data")


def _known(p: Prediction, name: Name, *, if_exists: bool = False) -> TypeDefinition | None:
    known = p.catalog.types.get(name.text)
    if known is None and p.catalog.complete and not if_exists:
        p.fails("missing", f'type "{name.text}" does not exist', certain=True)
    return known
