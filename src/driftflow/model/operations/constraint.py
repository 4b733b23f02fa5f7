"""Operations on table constraints."""

from __future__ import annotations

from driftflow.model.catalog import Constraint
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class AddConstraint(BaseOperation, frozen=True, kw_only=True, tag="add_constraint"):
    table: Name
    constraint: Constraint
    only: bool = False


class ValidateConstraint(BaseOperation, frozen=True, kw_only=True, tag="validate_constraint"):
    table: Name
    name: str
    only: bool = False


class AlterConstraint(BaseOperation, frozen=True, kw_only=True, tag="alter_constraint"):
    """ALTER CONSTRAINT ... DEFERRABLE, ENFORCED, INHERIT. None leaves as is."""

    table: Name
    name: str
    deferrable: bool | None = None
    initially_deferred: bool | None = None
    enforced: bool | None = None
    no_inherit: bool | None = None
    only: bool = False


class DropConstraint(BaseOperation, frozen=True, kw_only=True, tag="drop_constraint"):
    table: Name
    name: str
    if_exists: bool = False
    cascade: bool = False
    only: bool = False


class RenameConstraint(BaseOperation, frozen=True, kw_only=True, tag="rename_constraint"):
    table: Name
    name: str
    to: str
    only: bool = False
