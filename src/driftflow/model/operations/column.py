"""Operations on one column of a table."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Column, Constraint, Generated, Identity, SequenceOptions
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class AddColumn(BaseOperation, frozen=True, kw_only=True, tag="add_column"):
    """ADD COLUMN, with the constraints written behind it (CHECK, REFERENCES, UNIQUE, PRIMARY KEY; NOT NULL is on the column)."""

    table: Name
    column: Column
    constraints: tuple[Constraint, ...] = ()
    if_not_exists: bool = False
    only: bool = False
    position: str = ""
    """MySQL: FIRST or AFTER column."""


class DropColumn(BaseOperation, frozen=True, kw_only=True, tag="drop_column"):
    table: Name
    column: str
    if_exists: bool = False
    cascade: bool = False
    only: bool = False


class RenameColumn(BaseOperation, frozen=True, kw_only=True, tag="rename_column"):
    table: Name
    column: str
    to: str
    only: bool = False
    relation_kind: Literal["table", "view", "materialized_view", "foreign_table", "type"] = "table"


class AlterColumnType(BaseOperation, frozen=True, kw_only=True, tag="alter_column_type"):
    table: Name
    column: str
    type: str
    collation: str = ""
    using: str = ""
    only: bool = False


class SetDefault(BaseOperation, frozen=True, kw_only=True, tag="set_default"):
    table: Name
    column: str
    default: str
    only: bool = False


class DropDefault(BaseOperation, frozen=True, kw_only=True, tag="drop_default"):
    table: Name
    column: str
    only: bool = False


class SetNotNull(BaseOperation, frozen=True, kw_only=True, tag="set_not_null"):
    table: Name
    column: str
    only: bool = False
    constraint_name: str = ""
    """PostgreSQL 18 names it; filled by resolve."""


class DropNotNull(BaseOperation, frozen=True, kw_only=True, tag="drop_not_null"):
    table: Name
    column: str
    only: bool = False


class AlterIdentity(BaseOperation, frozen=True, kw_only=True, tag="alter_identity"):
    """ADD GENERATED ... AS IDENTITY, SET GENERATED / sequence options, or DROP IDENTITY."""

    table: Name
    column: str
    action: Literal["add", "set", "drop"]
    identity: Identity | None = None
    options: SequenceOptions = SequenceOptions()
    restart: int | None = None
    if_exists: bool = False
    only: bool = False


class SetExpression(BaseOperation, frozen=True, kw_only=True, tag="set_expression"):
    """SET EXPRESSION AS (...), PostgreSQL 17."""

    table: Name
    column: str
    generated: Generated
    only: bool = False


class DropExpression(BaseOperation, frozen=True, kw_only=True, tag="drop_expression"):
    table: Name
    column: str
    if_exists: bool = False
    only: bool = False


class SetColumnOption(BaseOperation, frozen=True, kw_only=True, tag="set_column_option"):
    """SET STATISTICS, SET STORAGE, SET COMPRESSION, SET (n_distinct = ...), RESET (...)."""

    table: Name
    column: str
    option: Literal["statistics", "storage", "compression", "set", "reset"]
    value: str
    only: bool = False
