"""Operations on whole tables."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Catalog, Check, Column, Index, Table, TableStatistics
from driftflow.model.names import Name
from driftflow.model.operations import creation, dependents, heirs, renaming
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.index import renamed_index, with_options, without_options
from driftflow.model.operations.lookup import find_index, find_table, put, refuse, taken
from driftflow.model.operations.rules import other_schemas_are_unseen
from driftflow.model.record import replace

VERSIONED = "WITH SYSTEM VERSIONING"
"""MariaDB, among the table's options: the server keeps every version of its rows."""


class CreateTable(BaseOperation, frozen=True, kw_only=True, tag="create_table"):
    """The table as it will be in the catalog; PARTITION OF and PARTITION BY are on the table itself."""

    table: Table
    if_not_exists: bool = False
    like: tuple[tuple[Name, tuple[str, ...]], ...] = ()
    """LIKE source INCLUDING ...; resolve expands it and leaves this empty."""
    like_positions: tuple[int, ...] = ()
    """How many of the table's own columns stand before each LIKE; empty when all LIKEs come first."""
    copied_from: tuple[Name, ...] = ()
    """The sources of the LIKEs that resolve expanded: they are still read."""
    on_commit: str = ""
    """DROP or DELETE ROWS, on a temporary table."""
    or_replace: bool = False
    """MariaDB: the second half of a CREATE OR REPLACE TABLE. The first is the DropTable before it, which says what is lost."""

    def after(self, catalog: Catalog) -> Catalog:
        """The table, new and empty, with what it gets from a parent, its sequences and the indexes of its keys."""
        name = self.table.name
        if taken(catalog, name.schema)(name.name):
            if not self.if_not_exists:
                refuse(catalog, f"relation {name} exists already")
            return catalog
        if name.schema and catalog.schemas and name.schema not in catalog.schemas and self.table.kind != "temporary":
            refuse(catalog, f"schema {name.schema} does not exist")
        return creation.create(catalog, creation.typed(catalog, self.table))


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
    body: str = ""
    """MySQL and MariaDB: the columns and keys before the query, in parentheses; `columns` are their names."""
    duplicates: Literal["", "IGNORE", "REPLACE"] = ""
    """MySQL and MariaDB: what happens to rows that break a unique key of the body."""
    or_replace: bool = False
    """As of CreateTable."""

    def after(self, catalog: Catalog) -> Catalog:
        """The columns' types are the server's to say; the table is known only in part."""
        if taken(catalog, self.name.schema)(self.name.name):
            if not self.if_not_exists:
                refuse(catalog, f"relation {self.name} exists already")
            return catalog
        table = Table(
            name=self.name,
            columns=tuple(Column(name=column, type="") for column in self.columns),
            kind="temporary" if self.temporary else "table",
            unlogged=self.unlogged,
            options=self.options,
            partial=True,
            new=True,
            statistics=TableStatistics() if self.with_data else TableStatistics(rows=0, basis="created empty by this release"),
        )
        return put(catalog, table)


class DropTable(BaseOperation, frozen=True, kw_only=True, tag="drop_table"):
    name: Name
    if_exists: bool = False
    cascade: bool = False
    foreign: bool = False
    wait_seconds: int | None = None
    """MariaDB: WAIT n; 0 for NOWAIT."""

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.name, if_exists=self.if_exists)
        if table is None:
            if self.name.text in catalog.views:
                refuse(catalog, f"{self.name} is a view, not a table")
            return catalog
        return dependents.drop_table(catalog, self.name, cascade=self.cascade)


class RenameTable(BaseOperation, frozen=True, kw_only=True, tag="rename_table"):
    name: Name
    to: str
    if_exists: bool = False
    relation_kind: Literal["table", "view", "materialized_view", "foreign_table", "sequence", "index"] = "table"
    wait_seconds: int | None = None
    """MariaDB: WAIT n; 0 for NOWAIT."""

    @property
    def renamed(self) -> Name:
        """What it is called afterwards."""
        return Name(schema=self.name.schema, name=self.to)

    def after(self, catalog: Catalog) -> Catalog:
        """Foreign keys, views, heirs, sequences and publications follow; constraints and indexes keep their names."""
        new = self.renamed
        if taken(catalog, self.name.schema)(self.to):
            refuse(catalog, f"relation {new} exists already")
            return catalog
        if self.name.text in catalog.tables or self.name.text in catalog.views:
            return renaming.relation(catalog, self.name, new)
        if self.name.text in catalog.sequences:
            return renaming.sequence(catalog, self.name, new)
        found = find_index(catalog, self.name)
        if found is not None:
            return renamed_index(catalog, found[0], found[1], self.to)
        if not (self.if_exists or self.table_if_exists):
            refuse(catalog, f"{self.relation_kind.replace('_', ' ')} {self.name} does not exist")
        return catalog


class MoveTable(BaseOperation, frozen=True, kw_only=True, tag="move_table"):
    """SET SCHEMA."""

    name: Name
    schema: str
    if_exists: bool = False
    relation_kind: Literal["table", "view", "materialized_view", "foreign_table", "sequence"] = "table"
    wait_seconds: int | None = None
    """MariaDB: WAIT n; 0 for NOWAIT."""

    @property
    def renamed(self) -> Name:
        """Where it is afterwards."""
        return Name(schema=self.schema, name=self.name.name)

    def after(self, catalog: Catalog) -> Catalog:
        """The relation in its new schema, with its indexes and the sequences that it owns."""
        new = self.renamed
        if catalog.schemas and self.schema not in catalog.schemas and not other_schemas_are_unseen(catalog):
            refuse(catalog, f"schema {self.schema} does not exist")
        if new == self.name:
            return catalog
        if taken(catalog, self.schema)(new.name):
            refuse(catalog, f"relation {new} exists already")
            return catalog
        if self.name.text in catalog.sequences:
            return renaming.sequence(catalog, self.name, new)
        if self.name.text not in catalog.tables and self.name.text not in catalog.views:
            if not (self.if_exists or self.table_if_exists):
                refuse(catalog, f"{self.relation_kind.replace('_', ' ')} {self.name} does not exist")
            return catalog
        catalog = renaming.relation(catalog, self.name, new)
        for sequence in catalog.sequences_of(new):
            if sequence.owned_by.rpartition(".")[0] == new.text:
                catalog = renaming.sequence(catalog, sequence.name, Name(schema=self.schema, name=sequence.name.name))
        return catalog


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
        "add_period",
        "drop_period",
    ]
    value: str = ""
    only: bool = False
    columns: tuple[str, ...] = ()
    """MariaDB: where a period begins and ends; `value` is its name."""
    if_exists: bool = False
    if_not_exists: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        match self.option:
            case "set":
                return put(catalog, replace(table, options=with_options(table.options, self.value)))
            case "reset":
                return put(catalog, replace(table, options=without_options(table.options, self.value)))
            case "owner":
                return put(catalog, replace(table, owner=self.value))
            case "replica_identity":
                marked = tuple(replace(one, identifies=self._names(one, "USING INDEX ")) for one in table.indexes)
                return put(catalog, replace(table, replica_identity=_replica_identity(self.value), indexes=marked))
            case "cluster_on" | "without_cluster":
                marked = tuple(replace(one, clustered=self._names(one)) for one in table.indexes)
                return put(catalog, replace(table, indexes=marked))
            case "of":
                return put(catalog, replace(table, of_type=self.value))
            case "not_of":
                return put(catalog, replace(table, of_type=""))
            case "add_period":
                held = tuple(replace(one, nullable=False) if one.name in self.columns else one for one in table.columns)
                return put(catalog, replace(table, columns=held))
            case "without_oids" | "rule" | "mysql" | "drop_period":
                return catalog

    def _names(self, index: Index, words: str = "") -> bool:
        """Whether the index is the one that is meant, behind these words."""
        return self.value.startswith(words) and self.value.removeprefix(words).strip('"') == index.name.name


class RewriteTable(BaseOperation, frozen=True, kw_only=True, tag="rewrite_table"):
    """What writes the whole table anew: SET LOGGED/UNLOGGED, SET TABLESPACE, SET ACCESS METHOD, CLUSTER, VACUUM FULL; VACUUM and ANALYZE too,
    which do not (`action` says which). MySQL and MariaDB: OPTIMIZE, ENGINE, FORCE, ROW_FORMAT, KEY_BLOCK_SIZE, ORDER BY, REPAIR; ADD and DROP
    SYSTEM VERSIONING (`value` is add or drop)."""

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
        "force",
        "row_format",
        "key_block_size",
        "order_by",
        "encryption",
        "repair",
        "check",
        "system_versioning",
    ]
    value: str = ""

    def after(self, catalog: Catalog) -> Catalog:
        if self.table is None:
            return catalog
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        match self.action:
            case "logged" | "unlogged":
                return put(catalog, replace(table, unlogged=self.action == "unlogged"))
            case "tablespace":
                return put(catalog, replace(table, tablespace="" if self.value == "pg_default" else self.value))
            case "access_method":
                return put(catalog, replace(table, access_method="" if self.value in {"heap", "DEFAULT"} else self.value))
            case "engine" | "row_format" | "key_block_size" | "encryption":
                word = self.action.upper()
                kept = (option for option in table.options if option.partition("=")[0] != word)
                return put(catalog, replace(table, options=tuple(sorted((*kept, f"{word}={self.value}")))))
            case "system_versioning":
                kept = (option for option in table.options if option != VERSIONED)
                return put(
                    catalog, replace(table, options=tuple(sorted((*kept, *((VERSIONED,) if self.value == "add" else ())))))
                )
            case "cluster" | "vacuum_full" | "vacuum" | "analyze" | "optimize" | "force" | "order_by" | "repair" | "check":
                return catalog


class AttachPartition(BaseOperation, frozen=True, kw_only=True, tag="attach_partition"):
    table: Name
    partition: Name
    bound: str
    """`FOR VALUES ...` or `DEFAULT` in normal form."""

    def after(self, catalog: Catalog) -> Catalog:
        """The partition with the parent's indexes, keys, foreign keys and row triggers: its own where they are equal, else new ones."""
        parent = find_table(catalog, self.table, if_exists=self.table_if_exists)
        child = find_table(catalog, self.partition)
        if parent is None or child is None:
            return catalog
        self._fits(catalog, parent, child)
        catalog = put(catalog, replace(child, partition_of=self.table, partition_bound=self.bound))
        return heirs.give_everything(catalog, self.partition, parent)

    def _fits(self, catalog: Catalog, parent: Table, child: Table) -> None:
        if parent.name in {child.name, *(one.name for one in dependents.heirs_of(catalog, child.name))}:
            refuse(catalog, f"table {child.name} cannot become a partition of {parent.name}, which is below it")
        if child.partition_of is not None:
            refuse(catalog, f"table {child.name} is a partition of {child.partition_of} already")
        if parent.partitioning is None:
            refuse(catalog, f"table {parent.name} is not partitioned")
        if parent.partial or child.partial:
            return
        theirs = {column.name: column for column in child.columns}
        for column in parent.columns:
            own = theirs.pop(column.name, None)
            if own is None or own.type != column.type:
                refuse(catalog, f"table {child.name} has no column {column.name} of type {column.type}, as {parent.name} has")
            elif own.nullable and not column.nullable:
                refuse(catalog, f"column {column.name} of table {child.name} must be NOT NULL, as it is in {parent.name}")
        if theirs:
            refuse(catalog, f"table {child.name} has a column {next(iter(theirs))} that {parent.name} has not")
        for constraint in parent.constraints:
            if isinstance(constraint, Check) and not constraint.no_inherit and child.constraint(constraint.name) is None:
                refuse(catalog, f"table {child.name} lacks the check {constraint.name} of {parent.name}")


class DetachPartition(BaseOperation, frozen=True, kw_only=True, tag="detach_partition"):
    table: Name
    partition: Name
    concurrently: bool = False
    finalize: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """A table of its own: it keeps indexes, keys and foreign keys; the parent's row triggers go."""
        parent = find_table(catalog, self.table, if_exists=self.table_if_exists)
        child = find_table(catalog, self.partition)
        if parent is None or child is None:
            return catalog
        if child.partition_of != self.table:
            refuse(catalog, f"table {child.name} is not a partition of {self.table}")
            return catalog
        inherited = {trigger.name for trigger in parent.triggers if trigger.per_row}
        detached = replace(
            child,
            partition_of=None,
            partition_bound="",
            indexes=tuple(replace(index, parent=None) for index in child.indexes),
            triggers=tuple(trigger for trigger in child.triggers if trigger.name not in inherited),
            columns=tuple(replace(column, identity=None) for column in child.columns),
        )
        return put(catalog, detached)


class SetInherit(BaseOperation, frozen=True, kw_only=True, tag="set_inherit"):
    table: Name
    parent: Name
    inherit: bool

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None or find_table(catalog, self.parent) is None:
            return catalog
        there = self.parent in table.inherits
        if self.inherit == there:
            refuse(catalog, f"table {self.table} {'inherits from' if there else 'does not inherit from'} {self.parent}")
            return catalog
        if self.inherit and (self.parent == self.table or _is_below(catalog, self.parent, self.table)):
            refuse(catalog, f"table {self.table} cannot inherit from itself")
            return catalog
        kept = (*table.inherits, self.parent) if self.inherit else tuple(one for one in table.inherits if one != self.parent)
        return put(catalog, replace(table, inherits=kept))


def _is_below(catalog: Catalog, name: Name, top: Name) -> bool:
    """Whether the table inherits from the other, at any depth."""
    table = catalog.table(name)
    return table is not None and any(parent == top or _is_below(catalog, parent, top) for parent in table.inherits)


def _replica_identity(value: str) -> str:
    """DEFAULT, NOTHING, FULL or USING INDEX name, as one letter of the catalog's."""
    word = value.strip().split(" ", 1)[0].upper()
    return {"DEFAULT": "d", "NOTHING": "n", "FULL": "f", "USING": "i"}.get(word, value)
