"""Operations on enums, domains, composite and range types."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Check, TypeDefinition
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreateType(BaseOperation, frozen=True, kw_only=True, tag="create_type"):
    """CREATE TYPE and CREATE DOMAIN."""

    type: TypeDefinition


class AddEnumValue(BaseOperation, frozen=True, kw_only=True, tag="add_enum_value"):
    name: Name
    value: str
    before: str = ""
    after_value: str = ""
    if_not_exists: bool = False


class RenameEnumValue(BaseOperation, frozen=True, kw_only=True, tag="rename_enum_value"):
    name: Name
    value: str
    to: str


class AlterDomain(BaseOperation, frozen=True, kw_only=True, tag="alter_domain"):
    name: Name
    action: Literal[
        "set_default",
        "drop_default",
        "set_not_null",
        "drop_not_null",
        "add_constraint",
        "drop_constraint",
        "validate_constraint",
    ]
    value: str = ""
    """The default, or the constraint's name."""
    check: Check | None = None
    if_exists: bool = False
    cascade: bool = False


class DropType(BaseOperation, frozen=True, kw_only=True, tag="drop_type"):
    """DROP TYPE and DROP DOMAIN."""

    name: Name
    domain: bool = False
    if_exists: bool = False
    cascade: bool = False
