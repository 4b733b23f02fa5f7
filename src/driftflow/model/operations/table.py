"""Operations on whole tables."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreateTable(BaseOperation, frozen=True, kw_only=True, tag="create_table"):
    """The table as it will be in the catalog; PARTITION OF and PARTITION BY are on the table itself."""

    table: Table
    if_not_exists: bool = False
    like: tuple[tuple[Name, tuple[str, ...]], ...] = ()
    """LIKE source INCLUDING ...; resolve expands it and leaves this empty."""


class CreateTableAs(BaseOperation, frozen=True, kw_only=True, tag="create_table_as"):
    """CREATE TABLE AS and SELECT INTO. The columns are the server's to say."""

    name: Name
    query: str
    reads: tuple[Name, ...] = ()
    if_not_exists: bool = False
    temporary: bool = False
    with_data: bool = True
    options: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    unlogged: bool = False


class DropTable(BaseOperation, frozen=True, kw_only=True, tag="drop_table"):
    name: Name
    if_exists: bool = False
    cascade: bool = False
    foreign: bool = False


class RenameTable(BaseOperation, frozen=True, kw_only=True, tag="rename_table"):
    name: Name
    to: str
    if_exists: bool = False
    relation_kind: Literal["table", "view", "materialized_view", "foreign_table", "sequence", "index"] = "table"


class MoveTable(BaseOperation, frozen=True, kw_only=True, tag="move_table"):
    """SET SCHEMA."""

    name: Name
    schema: str
    if_exists: bool = False
    relation_kind: Literal["table", "view", "materialized_view", "foreign_table", "sequence"] = "table"


class AlterTableOption(BaseOperation, frozen=True, kw_only=True, tag="alter_table_option"):
    """ALTER TABLE forms that change the catalog alone: reloptions, owner, replica identity, cluster mark, OF type, ...; `value` as rendered."""

    table: Name
    option: Literal[
        "set",
        "reset",
        "owner",
        "replica_identity",
        "cluster_on",
        "without_cluster",
        "of",
        "not_of",
        "without_oids",
        "rule",
        "mysql",
    ]
    value: str = ""
    only: bool = False


class RewriteTable(BaseOperation, frozen=True, kw_only=True, tag="rewrite_table"):
    """What writes the whole table anew: SET LOGGED/UNLOGGED, SET TABLESPACE, SET ACCESS METHOD, CLUSTER, VACUUM FULL; VACUUM and ANALYZE too,
    which do not (`action` says which)."""

    table: Name | None
    action: Literal[
        "logged",
        "unlogged",
        "tablespace",
        "access_method",
        "cluster",
        "vacuum_full",
        "vacuum",
        "analyze",
        "optimize",
        "engine",
    ]
    value: str = ""


class AttachPartition(BaseOperation, frozen=True, kw_only=True, tag="attach_partition"):
    table: Name
    partition: Name
    bound: str
    """`FOR VALUES ...` or `DEFAULT` in normal form."""


class DetachPartition(BaseOperation, frozen=True, kw_only=True, tag="detach_partition"):
    table: Name
    partition: Name
    concurrently: bool = False
    finalize: bool = False


class SetInherit(BaseOperation, frozen=True, kw_only=True, tag="set_inherit"):
    table: Name
    parent: Name
    inherit: bool
