"""Operations on one column of a table."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import (
    Catalog,
    Check,
    Column,
    Constraint,
    ForeignKey,
    Generated,
    Identity,
    NotNull,
    PrimaryKey,
    SequenceOptions,
    Table,
    TypeDefinition,
    Unique,
    View,
)
from driftflow.model.names import Name
from driftflow.model.operations import dependents, renaming
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.constraint import AddConstraint
from driftflow.model.operations.heirs import inherited_column
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.index import with_options, without_options
from driftflow.model.operations.keys import with_not_null
from driftflow.model.operations.lookup import (
    change_each,
    children,
    find_column,
    find_table,
    inherited_from,
    placed,
    put,
    put_view,
    refuse,
    replace_column,
)
from driftflow.model.operations.rules import (
    column_takes_keys_along,
    dependents_block,
    index_outlives_column,
    names_in_any_case,
    partitions_share_identity,
    renames_to_itself,
    texts_read_by_name,
)
from driftflow.model.operations.sequences import add_identity_sequence, as_kept, merged, sequence_of, with_owned_sequences
from driftflow.model.record import replace


class AddColumn(BaseOperation, frozen=True, kw_only=True, tag="add_column"):
    """ADD COLUMN, with the constraints written behind it (CHECK, REFERENCES, UNIQUE, PRIMARY KEY; NOT NULL is on the column)."""

    table: Name
    column: Column
    constraints: tuple[Constraint, ...] = ()
    if_not_exists: bool = False
    only: bool = False
    position: str = ""
    """MySQL: FIRST or AFTER column."""

    def after(self, catalog: Catalog) -> Catalog:
        """The column at the end, its constraints, the sequence that it owns; the same on every heir, unless ONLY."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        if table.partition_of is not None:
            refuse(catalog, f"table {self.table} is a partition: its columns are added on {table.partition_of}")
        return self._applied(catalog, table)

    def _applied(self, catalog: Catalog, table: Table) -> Catalog:
        if table.column(self.column.name) is not None:
            if not self.if_not_exists:
                refuse(catalog, f"column {self.column.name} of table {self.table} exists already")
            return catalog
        kept = as_kept(catalog, self.table, self.column)
        catalog = put(catalog, replace(table, columns=placed(table.columns, kept, self.position)))
        catalog = with_owned_sequences(catalog, self.table, self.column)
        not_null = next((one for one in self.constraints if isinstance(one, NotNull)), None)
        if not self.column.nullable:
            name = not_null.name if not_null is not None else ""
            catalog = put(catalog, with_not_null(catalog, catalog.tables[self.table.text], (self.column.name,), name=name))
        if not self.only:
            catalog = self._on_heirs(catalog, table)
        for constraint in self.constraints:
            if not isinstance(constraint, NotNull):
                catalog = AddConstraint(table=self.table, constraint=constraint, only=self.only).after(catalog)
        return catalog

    def _on_heirs(self, catalog: Catalog, table: Table) -> Catalog:
        """An inheritance child that has such a column already keeps its own."""
        made = catalog.tables[self.table.text].constraints
        constraints = tuple(one for one in made if isinstance(one, NotNull) and one.column == self.column.name)
        for child in children(catalog, self.table):
            column = inherited_column(
                catalog, as_kept(catalog, self.table, self.column), partition=child.partition_of == table.name
            )
            heir = AddColumn(table=child.name, column=column, constraints=constraints, if_not_exists=True)
            catalog = heir._applied(catalog, child)
        return catalog


class DropColumn(BaseOperation, frozen=True, kw_only=True, tag="drop_column"):
    table: Name
    column: str
    if_exists: bool = False
    cascade: bool = False
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """Constraints and indexes that contain the column go with it, several columns or not; what else reads it only with CASCADE."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        if table.column(self.column) is None:
            if not self.if_exists:
                find_column(catalog, table, self.column)
            return catalog
        self._may_go(catalog, table)
        _may_change_here(catalog, table, self.column)
        for name in dependents.computed_from(catalog, table, self.column):
            catalog = DropColumn(table=self.table, column=name, cascade=True, only=self.only).after(catalog)
        catalog = dependents.drop_foreign_keys(catalog, dependents.keys_on_column(catalog, self.table, self.column))
        if dependents_block(catalog) or (self.cascade and not column_takes_keys_along(catalog)):
            views = dependents.views_on_column(catalog, self.table, self.column)
            catalog = dependents.drop_views(catalog, (view.name for view in views))
        if self.cascade and not column_takes_keys_along(catalog):
            catalog = dependents.without_triggers_naming(catalog, self.table, self.column)
        catalog = dependents.drop_sequences_of(catalog, {self.table}, self.column)
        heirs = [] if self.only else children(catalog, self.table)
        dropped_indexes = _index_names(catalog.tables[self.table.text])
        catalog = put(
            catalog,
            dependents.without_column(
                catalog.tables[self.table.text],
                self.column,
                keep_indexes=index_outlives_column(catalog),
                any_case=names_in_any_case(catalog),
            ),
        )
        gone = dropped_indexes - _index_names(catalog.tables[self.table.text])
        for child in heirs:
            kept = tuple(
                replace(one, parent=None) if one.parent in gone else one for one in catalog.tables[child.name.text].indexes
            )
            catalog = put(catalog, replace(catalog.tables[child.name.text], indexes=kept))
            if child.column(self.column) is not None:
                catalog = DropColumn(table=child.name, column=self.column, cascade=True).after(catalog)
        return catalog

    def _may_go(self, catalog: Catalog, table: Table) -> None:
        if table.partitioning is not None and self.column in table.partitioning.key:
            refuse(catalog, f"column {self.column} of table {self.table} cannot be dropped: it is in the partition key")
        if not column_takes_keys_along(catalog):
            # SQLite has no CASCADE of its own: there it is the author's directive, and everything but the primary key goes in order.
            holders = [one for one in _holders(catalog, table, self.column) if not self.cascade or one == "the primary key"]
            if holders:
                refuse(catalog, f"column {self.column} of table {self.table} cannot be dropped: {', '.join(holders)} contains it")
        if self.cascade or not dependents_block(catalog):
            return
        blocking = dependents.blocking_a_column(catalog, table, self.column)
        blocking += [f"view {view.name}" for view in dependents.views_on_column(catalog, self.table, self.column)]
        blocking += [
            f"foreign key {key.name} of {holder.name}"
            for holder, key in dependents.keys_on_column(catalog, self.table, self.column)
        ]
        if blocking:
            refuse(
                catalog,
                f"column {self.column} of table {self.table} cannot be dropped without CASCADE: {', '.join(blocking)} depends on it",
            )


class RenameColumn(BaseOperation, frozen=True, kw_only=True, tag="rename_column"):
    table: Name
    column: str
    to: str
    only: bool = False
    relation_kind: Literal["table", "view", "materialized_view", "foreign_table", "type"] = "table"

    def after(self, catalog: Catalog) -> Catalog:
        """The new name wherever the column is known: keys, indexes, expressions, policies, triggers, foreign keys of others, heirs."""
        if self.table.text in catalog.types and self.relation_kind == "type":
            return _renamed_attribute(catalog, catalog.types[self.table.text], self.column, self.to)
        if self.table.text in catalog.views:
            return put_view(catalog, _renamed_output(catalog.views[self.table.text], self.column, self.to))
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None or find_column(catalog, table, self.column) is None:
            return catalog
        if table.column(self.to) is not None and not (self.to == self.column and renames_to_itself(catalog)):
            refuse(catalog, f"column {self.to} of table {self.table} exists already")
            return catalog
        _may_change_here(catalog, table, self.column)
        follow = not texts_read_by_name(catalog)
        any_case = names_in_any_case(catalog)
        catalog = put(catalog, renaming.column_in_table(table, self.column, self.to, any_case=any_case, triggers_follow=follow))
        catalog = renaming.column_elsewhere(catalog, self.table, self.column, self.to)
        for child in [] if self.only else children(catalog, self.table):
            if child.column(self.column) is not None:
                catalog = RenameColumn(table=child.name, column=self.column, to=self.to).after(catalog)
        return catalog


class AlterColumnType(BaseOperation, frozen=True, kw_only=True, tag="alter_column_type"):
    table: Name
    column: str
    type: str
    collation: str = ""
    using: str = ""
    only: bool = False
    views_again: bool = False
    """The plan drops the views that read the column and makes them again; no statement says so."""

    def after(self, catalog: Catalog) -> Catalog:
        """Without COLLATE the new type's own collation holds; storage and compression go back to the type's default."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None or find_column(catalog, table, self.column) is None:
            return catalog
        self._may_change(catalog, table)
        _may_change_here(catalog, table, self.column)

        def change(one: Table) -> Table:
            column = one.column(self.column)
            if column is None:
                return one
            return replace_column(one, replace(column, type=self.type, collation=self.collation, storage="", compression=""))

        catalog = change_each(catalog, self.table, change, only=self.only)
        sequence = sequence_of(catalog, self.table, self.column)
        if sequence is not None and sequence.identity:
            options = replace(sequence.options, type="" if self.type == "bigint" else self.type)
            catalog = catalog.with_sequence(replace(sequence, options=options))
        return catalog

    def _may_change(self, catalog: Catalog, table: Table) -> None:
        for one in (table, *dependents.heirs_of(catalog, self.table)):
            if one.partitioning is not None and self.column in one.partitioning.key:
                whose = "" if one is table else f" of {one.name.name}"
                refuse(
                    catalog, f"the type of {self.table}.{self.column} cannot change: the column is in the partition key{whose}"
                )
        if not dependents_block(catalog):
            return
        blocking = dependents.blocking_a_column(catalog, table, self.column)
        if not self.views_again:
            blocking += [f"view {view.name}" for view in dependents.views_on_column(catalog, self.table, self.column)]
        if blocking:
            refuse(catalog, f"the type of {self.table}.{self.column} cannot change: {', '.join(blocking)} depends on it")


class SetDefault(BaseOperation, frozen=True, kw_only=True, tag="set_default"):
    table: Name
    column: str
    default: str
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        column = find_column(catalog, table, self.column) if table is not None else None
        if table is None or column is None:
            return catalog
        if column.identity is not None or column.generated is not None:
            kind = "an identity" if column.identity is not None else "a generated"
            refuse(catalog, f"column {self.column} of table {self.table} is {kind} column and takes no default")
        default = as_kept(catalog, self.table, replace(column, default=self.default)).default
        return _change_column(catalog, self.table, self.column, only=self.only, default=default)


class DropDefault(BaseOperation, frozen=True, kw_only=True, tag="drop_default"):
    table: Name
    column: str
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        column = find_column(catalog, table, self.column) if table is not None else None
        if table is None or column is None:
            return catalog
        if column.identity is not None or column.generated is not None:
            way = "DROP IDENTITY" if column.identity is not None else "DROP EXPRESSION"
            refuse(catalog, f"column {self.column} of table {self.table} has no default to drop; {way} is meant")
        return _change_column(catalog, self.table, self.column, only=self.only, default=None)


class SetNotNull(BaseOperation, frozen=True, kw_only=True, tag="set_not_null"):
    table: Name
    column: str
    only: bool = False
    constraint_name: str = ""
    """PostgreSQL 18 names it; filled by resolve."""

    def after(self, catalog: Catalog) -> Catalog:
        """A NOT NULL constraint that is there (PostgreSQL 18) is validated; else one is made, of one name on all heirs."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None or find_column(catalog, table, self.column) is None:
            return catalog
        name = self.constraint_name
        catalog = put(catalog, with_not_null(catalog, table, (self.column,), name=name))
        made = next(
            (
                one
                for one in catalog.tables[self.table.text].constraints
                if isinstance(one, NotNull) and one.column == self.column
            ),
            None,
        )

        def change(one: Table) -> Table:
            return with_not_null(catalog, one, (self.column,), name=made.name if made is not None else "")

        return change_each(catalog, self.table, change, only=self.only)


class DropNotNull(BaseOperation, frozen=True, kw_only=True, tag="drop_not_null"):
    table: Name
    column: str
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        column = find_column(catalog, table, self.column) if table is not None else None
        if table is None or column is None:
            return catalog
        self._may_go(catalog, table, column)

        def change(one: Table) -> Table:
            found = one.column(self.column)
            if found is None or (one.primary_key is not None and self.column in one.primary_key.columns):
                return one
            kept = tuple(each for each in one.constraints if not (isinstance(each, NotNull) and each.column == self.column))
            return replace_column(replace(one, constraints=kept), replace(found, nullable=True))

        return change_each(catalog, self.table, change, only=self.only)

    def _may_go(self, catalog: Catalog, table: Table, column: Column) -> None:
        what = f"column {self.column} of table {self.table} must stay NOT NULL"
        if table.primary_key is not None and self.column in table.primary_key.columns:
            refuse(catalog, f"{what}: it is in the primary key")
        if column.identity is not None:
            refuse(catalog, f"{what}: it is an identity column")
        parent = catalog.table(table.partition_of) if table.partition_of is not None else None
        above = parent.column(self.column) if parent is not None else None
        if parent is not None and above is not None and not above.nullable:
            refuse(catalog, f"{what}: it is NOT NULL in {parent.name}")


class AlterIdentity(BaseOperation, frozen=True, kw_only=True, tag="alter_identity"):
    """ADD GENERATED ... AS IDENTITY, SET GENERATED / sequence options, or DROP IDENTITY."""

    table: Name
    column: str
    action: Literal["add", "set", "drop"]
    identity: Identity | None = None
    options: SequenceOptions = SequenceOptions()
    restart: int | None = None
    restarts: bool = False
    """RESTART, with or without a value."""
    if_exists: bool = False
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        column = find_column(catalog, table, self.column) if table is not None else None
        if table is None or column is None:
            return catalog
        self._fits(catalog, column)
        sequence = sequence_of(catalog, self.table, self.column)
        match self.action:
            case "add":
                identity: Identity | None = self.identity or Identity(options=self.options)
                catalog = add_identity_sequence(catalog, self.table, replace(column, identity=identity))
            case "set":
                if column.identity is None:
                    return catalog
                always = self.identity.always if self.identity is not None else column.identity.always
                options = merged(column.identity.options, self.options)
                identity = Identity(always=always, options=options)
                if sequence is not None:
                    catalog = catalog.with_sequence(replace(sequence, options=merged(sequence.options, self.options)))
            case "drop":
                identity = None
                if column.identity is not None:
                    catalog = dependents.drop_sequences_of(catalog, {self.table}, self.column)
        return self._on_columns(catalog, column, identity)

    def _on_columns(self, catalog: Catalog, column: Column, identity: Identity | None) -> Catalog:
        catalog = put(catalog, replace_column(catalog.tables[self.table.text], replace(column, identity=identity)))
        if not partitions_share_identity(catalog):
            return catalog
        shared = replace(identity, options=SequenceOptions()) if identity is not None else None

        def change(one: Table) -> Table:
            found = one.column(self.column)
            return one if found is None or one.partition_of is None else replace_column(one, replace(found, identity=shared))

        for child in catalog.partitions(self.table):
            catalog = change_each(catalog, child.name, change)
        return catalog

    def _fits(self, catalog: Catalog, column: Column) -> None:
        what = f"column {self.column} of table {self.table}"
        if self.action != "add":
            if column.identity is None and not self.if_exists:
                refuse(catalog, f"{what} is not an identity column")
            return
        if column.identity is not None:
            refuse(catalog, f"{what} is an identity column already")
        if column.default is not None:
            refuse(catalog, f"{what} has a default; an identity column cannot have one")
        if column.nullable:
            refuse(catalog, f"{what} must be NOT NULL before it can become an identity column")


class SetExpression(BaseOperation, frozen=True, kw_only=True, tag="set_expression"):
    """SET EXPRESSION AS (...), PostgreSQL 17."""

    table: Name
    column: str
    generated: Generated
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        column = find_column(catalog, table, self.column) if table is not None else None
        if table is None or column is None:
            return catalog
        if column.generated is None:
            refuse(catalog, f"column {self.column} of table {self.table} is not a generated column")
            return catalog
        generated = replace(column.generated, expression=self.generated.expression)
        return _change_column(catalog, self.table, self.column, only=self.only, generated=generated)


class DropExpression(BaseOperation, frozen=True, kw_only=True, tag="drop_expression"):
    table: Name
    column: str
    if_exists: bool = False
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        column = find_column(catalog, table, self.column) if table is not None else None
        if table is None or column is None:
            return catalog
        if column.generated is None:
            if not self.if_exists:
                refuse(catalog, f"column {self.column} of table {self.table} is not a generated column")
            return catalog
        if not column.generated.stored:
            refuse(
                catalog,
                f"column {self.column} of table {self.table} is a virtual generated column; its expression cannot be dropped",
            )
        return _change_column(catalog, self.table, self.column, only=self.only, generated=None)


class SetColumnOption(BaseOperation, frozen=True, kw_only=True, tag="set_column_option"):
    """SET STATISTICS, SET STORAGE, SET COMPRESSION, SET (n_distinct = ...), RESET (...); MySQL: SET VISIBLE, SET INVISIBLE."""

    table: Name
    column: str
    option: Literal["statistics", "storage", "compression", "set", "reset", "visible"]
    value: str
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        column = find_column(catalog, table, self.column) if table is not None else None
        if table is None or column is None:
            return catalog
        match self.option:
            case "storage":
                usual = self.value.upper() in {"DEFAULT", _usual_storage(column.type)}
                return _change_column(
                    catalog, self.table, self.column, only=self.only, storage="" if usual else self.value.upper()
                )
            case "compression":
                method = "" if self.value.lower() == "default" else self.value.lower()
                return _change_column(catalog, self.table, self.column, only=self.only, compression=method)
            case "visible":
                visible = self.value.upper() != "INVISIBLE"
                return _change_column(catalog, self.table, self.column, only=self.only, visible=visible)
            case "statistics":
                target = int(self.value) if self.value.isdecimal() and len(self.value) < 10 else None
                return _change_column(catalog, self.table, self.column, only=self.only, statistics=target)
            case "set":
                options = with_options(column.options, self.value)
                return _change_column(catalog, self.table, self.column, only=self.only, options=options)
            case "reset":
                options = without_options(column.options, self.value)
                return _change_column(catalog, self.table, self.column, only=self.only, options=options)


def _change_column(catalog: Catalog, table: Name, column: str, *, only: bool, **changes: object) -> Catalog:
    """The column's fields changed, on the heirs too."""

    def change(one: Table) -> Table:
        found = one.column(column)
        return one if found is None else replace_column(one, replace(found, **changes))

    return change_each(catalog, table, change, only=only)


def _may_change_here(catalog: Catalog, table: Table, column: str) -> None:
    """A column that a parent has too changes there."""
    parent = inherited_from(catalog, table, column)
    if parent is not None:
        refuse(catalog, f"column {column} of table {table.name} is inherited from {parent}: it changes there")


def _index_names(table: Table) -> set[Name]:
    return {index.name for index in table.indexes}


def _holders(catalog: Catalog, table: Table, column: str) -> list[str]:
    """What keeps SQLite from dropping the column."""
    found, any_case = [], names_in_any_case(catalog)
    for one in table.constraints:
        match one:
            case PrimaryKey() if column in one.columns:
                found.append("the primary key")
            case Check():
                if one.column != column and mentions(one.expression, column, any_case=any_case):
                    found.append(f"check {one.name}".strip())
            case ForeignKey() if column in one.columns:
                found.append("a foreign key")
            case Unique() if column in one.columns:
                found.append("a unique constraint")
            case _:
                pass
    for index in table.indexes:
        texts = (index.predicate, *(part.expression for part in index.parts))
        if column in index.columns or any(text and mentions(text, column, any_case=any_case) for text in texts):
            found.append(f"index {index.name.name}")
    found += [f"generated column {name}" for name in dependents.computed_from(catalog, table, column)]
    return found


def _renamed_output(view: View, column: str, to: str) -> View:
    return replace(view, columns=tuple(to if one == column else one for one in view.columns))


def _renamed_attribute(catalog: Catalog, type_: TypeDefinition, column: str, to: str) -> Catalog:
    attributes = tuple(replace(one, name=to) if one.name == column else one for one in type_.attributes)
    return replace(catalog, types={**catalog.types, type_.name.text: replace(type_, attributes=attributes)})


MAIN_TYPES = ("numeric", "inet", "cidr")
PLAIN_TYPES = (
    "smallint",
    "integer",
    "bigint",
    "boolean",
    "date",
    "real",
    "double",
    "time",
    "timestamp",
    "uuid",
    "oid",
    "interval",
)


def _usual_storage(type_: str) -> str:
    """How PostgreSQL stores the type by itself."""
    word = type_.split("(", 1)[0].split(" ", 1)[0]
    return "MAIN" if word in MAIN_TYPES else "PLAIN" if word in PLAIN_TYPES else "EXTENDED"
