"""Schemas, extensions, comments, grants, and objects that are known by kind and name alone."""

from __future__ import annotations

from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreateSchema(BaseOperation, frozen=True, kw_only=True, tag="create_schema"):
    name: str
    if_not_exists: bool = False
    owner: str = ""


class DropSchema(BaseOperation, frozen=True, kw_only=True, tag="drop_schema"):
    name: str
    if_exists: bool = False
    cascade: bool = False


class CreateExtension(BaseOperation, frozen=True, kw_only=True, tag="create_extension"):
    name: str
    if_not_exists: bool = False
    schema: str = ""
    version: str = ""
    cascade: bool = False


class Comment(BaseOperation, frozen=True, kw_only=True, tag="comment"):
    """COMMENT ON kind target IS text. `target` is rendered text; `relation` the table, view, ... that is locked."""

    kind: str
    target: str
    text: str | None = None
    relation: Name | None = None
    column: str = ""


class Grant(BaseOperation, frozen=True, kw_only=True, tag="grant"):
    """GRANT, REVOKE, ALTER DEFAULT PRIVILEGES; `sql` is the statement in normal form."""

    sql: str
    revoke: bool = False
    relations: tuple[Name, ...] = ()
    roles: tuple[str, ...] = ()


class AlterObject(BaseOperation, frozen=True, kw_only=True, tag="alter_object"):
    """An ALTER (or CREATE) of a kind that has no operation of its own (statistics, publication, collation, function options, rule, ...)."""

    kind: str
    """lower case with underscores: statistics, publication, subscription, collation, cast, operator, role, database, function, extension, ..."""
    action: str
    """create, alter, rename, owner, set_schema, ..."""
    name: Name | None = None
    sql: str
    relations: tuple[Name, ...] = ()


class DropObject(BaseOperation, frozen=True, kw_only=True, tag="drop_object"):
    kind: str
    name: Name | None = None
    sql: str
    if_exists: bool = False
    cascade: bool = False
    relations: tuple[Name, ...] = ()
