"""Operations on indexes."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Index
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreateIndex(BaseOperation, frozen=True, kw_only=True, tag="create_index"):
    """`index.name.name` is empty before resolve when the statement gave none."""

    index: Index
    concurrently: bool = False
    if_not_exists: bool = False
    only: bool = False


class DropIndex(BaseOperation, frozen=True, kw_only=True, tag="drop_index"):
    name: Name
    table: Name | None = None
    """Filled by resolve (and by MySQL, which says it)."""
    concurrently: bool = False
    if_exists: bool = False
    cascade: bool = False


class RenameIndex(BaseOperation, frozen=True, kw_only=True, tag="rename_index"):
    name: Name
    to: str
    table: Name | None = None
    if_exists: bool = False


class AlterIndex(BaseOperation, frozen=True, kw_only=True, tag="alter_index"):
    """ATTACH PARTITION, SET (...), RESET (...), SET TABLESPACE, ALTER COLUMN n SET STATISTICS, DEPENDS ON EXTENSION, visibility."""

    name: Name
    action: Literal["attach", "set", "reset", "tablespace", "statistics", "depends", "visible"]
    child: Name | None = None
    value: str = ""
    table: Name | None = None
    if_exists: bool = False


class Reindex(BaseOperation, frozen=True, kw_only=True, tag="reindex"):
    kind: Literal["index", "table", "schema", "database", "system", "all"]
    name: Name | None = None
    concurrently: bool = False
    options: tuple[str, ...] = ()
