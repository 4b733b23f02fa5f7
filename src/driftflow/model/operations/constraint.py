"""Operations on table constraints."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, Check, Constraint, Exclusion, ForeignKey, NotNull, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import dependents, heirs, keys
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import children, find_table, parents, put, refuse, replace_column, taken
from driftflow.model.operations.rules import dependents_block, other_schemas_are_unseen, parents_may_be_missing
from driftflow.model.record import replace


class AddConstraint(BaseOperation, frozen=True, kw_only=True, tag="add_constraint"):
    table: Name
    constraint: Constraint
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """The constraint, the index that implements it, NOT NULL for a primary key; on partitions and heirs what they get of it."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        constraint = keys.as_kept(catalog, self.constraint)
        self._fits(catalog, table)
        match self.constraint:
            case NotNull():
                one = self.constraint
                table = keys.with_not_null(catalog, table, (one.column,), name=one.name, validated=one.validated)
            case PrimaryKey() | Unique() if self.constraint.using_index:
                table = _with_adopted_index(table, self.constraint)
            case _:
                if isinstance(constraint, PrimaryKey | Unique):
                    table = keys.without_implied(catalog, table, keys.parts_of(constraint))
                table = keys.with_key_indexes(catalog, replace(table, constraints=(*table.constraints, constraint)))
        if isinstance(constraint, ForeignKey):
            table = keys.with_referencing_index(catalog, table, constraint)
        if isinstance(constraint, PrimaryKey):
            primary = table.primary_key
            table = keys.with_not_null(catalog, table, primary.columns if primary is not None else constraint.columns)
        catalog = put(catalog, table)
        return catalog if self.only else self._on_heirs(catalog, table)

    def _on_heirs(self, catalog: Catalog, table: Table) -> Catalog:
        kept = next((one for one in table.constraints if one.name == self.constraint.name), None)
        kept = (
            kept if kept is not None else next((one for one in table.constraints if _same_not_null(one, self.constraint)), None)
        )
        if kept is None:
            return catalog
        for child in children(catalog, self.table):
            partition = child.partition_of == self.table
            catalog = heirs.give_constraint(catalog, child.name, kept, self.table, partition=partition)
            passed_on = _own_form(catalog.tables[child.name.text], kept)
            if passed_on is not None:
                catalog = AddConstraint(table=child.name, constraint=passed_on)._on_heirs(
                    catalog, catalog.tables[child.name.text]
                )
        return catalog

    def _fits(self, catalog: Catalog, table: Table) -> None:
        constraint = self.constraint
        known = table.constraint(constraint.name) if constraint.name else None
        if known is not None and not _same_not_null(known, constraint):
            refuse(catalog, f"constraint {constraint.name} of table {self.table} exists already")
        if isinstance(constraint, PrimaryKey) and table.primary_key is not None:
            refuse(catalog, f"table {self.table} has a primary key already: {table.primary_key.name or 'unnamed'}")
        if isinstance(constraint, PrimaryKey | Unique) and constraint.using_index and table.index(constraint.using_index) is None:
            refuse(catalog, f"index {constraint.using_index} of table {self.table} does not exist")
        listed = constraint.columns if isinstance(constraint, PrimaryKey | Unique) else ()
        if len(set(listed)) < len(listed):
            refuse(catalog, f"a column appears twice in constraint {constraint.name} of table {self.table}")
        for column in keys.columns_of(constraint):
            if table.column(column) is None and not table.partial:
                refuse(catalog, f"column {column} of table {self.table} does not exist")
        if isinstance(constraint, ForeignKey):
            _fits_referenced(catalog, table, constraint)


class ValidateConstraint(BaseOperation, frozen=True, kw_only=True, tag="validate_constraint"):
    table: Name
    name: str
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        constraint = table.constraint(self.name)
        if constraint is None:
            refuse(catalog, f"constraint {self.name} of table {self.table} does not exist")
            return catalog
        match constraint:
            case Check(enforced=False) | ForeignKey(enforced=False):
                refuse(catalog, f"constraint {self.name} of table {self.table} is not enforced and cannot be validated")
                return catalog
            case Check() | ForeignKey():
                table = keys.swap(table, self.name, replace(constraint, validated=True))
            case NotNull():
                table = keys.with_not_null(catalog, table, (constraint.column,))
            case PrimaryKey() | Unique() | Exclusion():
                refuse(catalog, f"constraint {self.name} of table {self.table} is of a kind that is always valid")
                return catalog
        catalog = put(catalog, table)
        for child in [] if self.only else children(catalog, self.table):
            if child.constraint(self.name) is not None:
                catalog = ValidateConstraint(table=child.name, name=self.name).after(catalog)
        return catalog


class AlterConstraint(BaseOperation, frozen=True, kw_only=True, tag="alter_constraint"):
    """ALTER CONSTRAINT ... DEFERRABLE, ENFORCED, INHERIT. None leaves as is."""

    table: Name
    name: str
    deferrable: bool | None = None
    initially_deferred: bool | None = None
    enforced: bool | None = None
    no_inherit: bool | None = None
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        constraint = table.constraint(self.name)
        if constraint is None:
            refuse(catalog, f"constraint {self.name} of table {self.table} does not exist")
            return catalog
        catalog = put(catalog, keys.swap(table, self.name, self._changed(constraint)))
        for child in [] if self.only else children(catalog, self.table):
            if child.constraint(self.name) is not None:
                heir = replace(self, table=child.name)
                catalog = heir.after(catalog)
        return catalog

    def _changed(self, constraint: Constraint) -> Constraint:
        match constraint:
            case ForeignKey():
                deferrable = constraint.deferrable if self.deferrable is None else self.deferrable
                deferred = constraint.initially_deferred if self.initially_deferred is None else self.initially_deferred
                enforced = constraint.enforced if self.enforced is None else self.enforced
                validated = constraint.validated if self.enforced is None else self.enforced
                changed = replace(
                    constraint, deferrable=deferrable or deferred, initially_deferred=deferred and deferrable is not False
                )
                return replace(changed, enforced=enforced, validated=validated)
            case NotNull():
                return constraint if self.no_inherit is None else replace(constraint, no_inherit=self.no_inherit)
            case PrimaryKey() | Unique() | Check() | Exclusion():
                return constraint


class DropConstraint(BaseOperation, frozen=True, kw_only=True, tag="drop_constraint"):
    table: Name
    name: str
    if_exists: bool = False
    cascade: bool = False
    only: bool = False
    keys_again: bool = False
    """A primary key that foreign keys stand on: the plan lets them stand on a unique constraint of the same columns; no statement says so."""
    foreign_key: bool = False
    """Said or known to be one, where that has words of its own (MySQL, MariaDB)."""

    def after(self, catalog: Catalog) -> Catalog:
        """The constraint with its index. Foreign keys that stand on a key go only with CASCADE; NOT NULL of a primary key stays."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        constraint = table.constraint(self.name)
        if constraint is None:
            if not self.if_exists:
                refuse(catalog, f"constraint {self.name} of table {self.table} does not exist")
            return catalog
        if _is_inherited(catalog, table, constraint):
            refuse(catalog, f"constraint {self.name} of table {self.table} is inherited; drop it on the parent")
        if isinstance(constraint, PrimaryKey) and self.keys_again:
            made = keys.stand_in(catalog, table, constraint)
            catalog = _drop(catalog, self.table, constraint, only=self.only)
            return AddConstraint(table=self.table, constraint=made).after(catalog) if made is not None else catalog
        if isinstance(constraint, PrimaryKey | Unique):
            catalog = self._without_standing_on(catalog, table, constraint)
        return _drop(catalog, self.table, constraint, only=self.only)

    def _without_standing_on(self, catalog: Catalog, table: Table, key: PrimaryKey | Unique) -> Catalog:
        standing = dependents.keys_on_key(catalog, table, key)
        if standing and not self.cascade and dependents_block(catalog):
            names = ", ".join(f"foreign key {one.name} of {holder.name}" for holder, one in standing)
            refuse(
                catalog, f"constraint {self.name} of table {self.table} cannot be dropped without CASCADE: {names} depends on it"
            )
        return dependents.drop_foreign_keys(catalog, standing)


class RenameConstraint(BaseOperation, frozen=True, kw_only=True, tag="rename_constraint"):
    table: Name
    name: str
    to: str
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """A key's index is renamed along; heirs follow for CHECK and NOT NULL, whose name they share."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        constraint = table.constraint(self.name)
        if constraint is None:
            refuse(catalog, f"constraint {self.name} of table {self.table} does not exist")
            return catalog
        if table.constraint(self.to) is not None:
            refuse(catalog, f"constraint {self.to} of table {self.table} exists already")
            return catalog
        if any(one.constraint == self.name for one in table.indexes) and taken(catalog, self.table.schema)(self.to):
            refuse(catalog, f"relation {Name(schema=self.table.schema, name=self.to)} exists already")
            return catalog
        if isinstance(constraint, Check | NotNull) and _is_inherited(catalog, table, constraint):
            refuse(catalog, f"constraint {self.name} of table {self.table} is inherited; rename it on the parent")
        old = Name(schema=self.table.schema, name=self.name)
        new = Name(schema=self.table.schema, name=self.to)
        indexes = tuple(
            replace(one, name=new, constraint=self.to) if one.constraint == self.name else one for one in table.indexes
        )
        catalog = put(catalog, keys.swap(replace(table, indexes=indexes), self.name, replace(constraint, name=self.to)))
        shared = isinstance(constraint, Check | NotNull) and not constraint.no_inherit
        for child in children(catalog, self.table):
            followed = tuple(replace(one, parent=new) if one.parent == old else one for one in child.indexes)
            if followed != child.indexes:
                catalog = put(catalog, replace(child, indexes=followed))
            if shared and not self.only and child.constraint(self.name) is not None:
                catalog = RenameConstraint(table=child.name, name=self.name, to=self.to).after(catalog)
        return catalog


def _same_not_null(one: Constraint, other: Constraint) -> bool:
    return isinstance(one, NotNull) and isinstance(other, NotNull) and one.column == other.column


def _own_form(child: Table, parent: Constraint) -> Constraint | None:
    """The child's constraint that came from the parent's: of the same name, or its own key over the same columns."""
    same = child.constraint(parent.name)
    if same is not None:
        return same
    return next(
        (one for one in child.constraints if type(one) is type(parent) and keys.columns_of(one) == keys.columns_of(parent)), None
    )


def _with_adopted_index(table: Table, key: PrimaryKey | Unique) -> Table:
    """The columns come from the index where the statement names none."""
    index = table.index(key.using_index)
    columns = key.columns or (index.columns if index is not None else ())
    include = key.include or (index.include if index is not None else ())
    kept = replace(key, columns=columns, include=include, using_index="")
    if isinstance(kept, Unique) and index is not None:
        kept = replace(kept, nulls_not_distinct=index.nulls_not_distinct)
    return keys.adopt_index(replace(table, constraints=(*table.constraints, kept)), key)


def _fits_referenced(catalog: Catalog, table: Table, key: ForeignKey) -> None:
    """The referenced table is there, and the columns are one of its keys."""
    elsewhere = bool(key.referenced.schema) and key.referenced.schema not in catalog.schemas and other_schemas_are_unseen(catalog)
    later = parents_may_be_missing(catalog) or elsewhere
    referenced = table if key.referenced == table.name else find_table(catalog, key.referenced, if_exists=later)
    if referenced is None or not dependents_block(catalog):
        return
    wanted = set(key.referenced_columns)
    missing = sorted(column for column in wanted if referenced.column(column) is None and not referenced.partial)
    if missing:
        refuse(catalog, f"column {missing[0]} of table {key.referenced} does not exist")
    unique = [set(index.columns) for index in referenced.indexes if index.unique and index.valid and not index.predicate]
    unique += [set(one.columns) for one in (*referenced.constraints, *table.constraints) if isinstance(one, PrimaryKey | Unique)]
    if wanted and not referenced.partial and wanted not in unique:
        refuse(
            catalog,
            f"table {key.referenced} has no unique key over ({', '.join(key.referenced_columns)}) for a foreign key to stand on",
        )


def _is_inherited(catalog: Catalog, table: Table, constraint: Constraint) -> bool:
    """Whether the constraint came from a parent, and can only go with the parent's."""
    if isinstance(constraint, PrimaryKey | Unique):
        return any(index.parent is not None for index in table.indexes if index.constraint == constraint.name)
    found = [one for parent in parents(catalog, table) if (one := parent.constraint(constraint.name)) is not None]
    return any(type(one) is type(constraint) and not getattr(one, "no_inherit", False) for one in found)


def _drop(catalog: Catalog, name: Name, constraint: Constraint, *, only: bool) -> Catalog:
    table = catalog.tables[name.text]
    if isinstance(constraint, NotNull):
        if table.primary_key is not None and constraint.column in table.primary_key.columns:
            refuse(catalog, f"column {constraint.column} of table {name} must stay NOT NULL: it is in the primary key")
        column = table.column(constraint.column)
        if column is not None and column.identity is not None:
            refuse(catalog, f"column {constraint.column} of table {name} must stay NOT NULL: it is an identity column")
        if column is not None:
            table = replace_column(table, replace(column, nullable=True))
    catalog = put(catalog, keys.without(table, constraint.name))
    gone = Name(schema=name.schema, name=constraint.name)
    for child in [] if only else children(catalog, name):
        inherited = next((index.constraint for index in child.indexes if index.parent == gone), constraint.name)
        own = child.constraint(inherited)
        partition = child.partition_of == name
        if own is not None and type(own) is type(constraint) and (partition or isinstance(own, Check | NotNull)):
            catalog = _drop(catalog, child.name, own, only=False)
    return catalog
