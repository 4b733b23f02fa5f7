"""Operations on indexes."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Catalog, Index, Table, View
from driftflow.model.names import Name
from driftflow.model.operations import dependents, heirs, keys
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import children, find_index, index_taken, put, put_holder, refuse
from driftflow.model.operations.rules import dependents_block
from driftflow.model.record import replace


class CreateIndex(BaseOperation, frozen=True, kw_only=True, tag="create_index"):
    """`index.name.name` is empty before resolve when the statement gave none."""

    index: Index
    concurrently: bool = False
    if_not_exists: bool = False
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """The index, and on a partitioned table one per partition, under names that the server makes up. With ONLY it stays invalid until
        all partitions have theirs."""
        holder: Table | View | None = catalog.tables.get(self.index.table.text) or catalog.views.get(self.index.table.text)
        if holder is None:
            refuse(catalog, f"table {self.index.table} does not exist")
            return catalog
        if isinstance(holder, Table):
            named = [part.column for part in self.index.parts if part.column] + list(self.index.include)
            missing = [column for column in named if holder.column(column) is None]
            if missing and not holder.partial:
                refuse(catalog, f"column {missing[0]} of table {holder.name} does not exist")
            holder = keys.without_implied(catalog, holder, self.index.parts)
        if self.index.name.name and index_taken(catalog, holder, self.index.name):
            if not self.if_not_exists:
                refuse(catalog, f"relation {self.index.name} exists already")
            return catalog
        partitions = catalog.partitions(holder.name) if isinstance(holder, Table) and holder.partitioning is not None else []
        index = replace(self.index, valid=self.index.valid and not (self.only and bool(partitions)))
        catalog = put_holder(catalog, replace(holder, indexes=(*holder.indexes, index)))
        for partition in [] if self.only else partitions:
            catalog = heirs.give_index(catalog, partition.name, index)
        return catalog


class DropIndex(BaseOperation, frozen=True, kw_only=True, tag="drop_index"):
    name: Name
    table: Name | None = None
    """Filled by resolve (and by MySQL, which says it)."""
    concurrently: bool = False
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        found = find_index(catalog, self.name, self.table)
        if found is None:
            if not self.if_exists:
                refuse(catalog, f"index {self.name} does not exist")
            return catalog
        holder, index = found
        if index.constraint:
            refuse(catalog, f"index {self.name} cannot be dropped: constraint {index.constraint} of {holder.name} needs it")
        if index.parent is not None:
            refuse(catalog, f"index {self.name} cannot be dropped: it is a part of index {index.parent}")
        if isinstance(holder, Table) and index.unique:
            catalog = self._without_keys_on(catalog, holder, index)
        return without_index(catalog, holder.name, index)

    def _without_keys_on(self, catalog: Catalog, table: Table, index: Index) -> Catalog:
        """A foreign key may stand on a unique index that is no constraint."""
        others = [
            one for one in table.indexes if one.unique and one.name != index.name and set(one.columns) == set(index.columns)
        ]
        if others or index.predicate or not dependents_block(catalog):
            return catalog
        standing = [
            (holder, key) for holder, key in catalog.referencing(table.name) if set(key.referenced_columns) == set(index.columns)
        ]
        if standing and not self.cascade:
            names = ", ".join(f"foreign key {key.name} of {holder.name}" for holder, key in standing)
            refuse(catalog, f"index {self.name} cannot be dropped without CASCADE: {names} depends on it")
        return dependents.drop_foreign_keys(catalog, standing)


class RenameIndex(BaseOperation, frozen=True, kw_only=True, tag="rename_index"):
    name: Name
    to: str
    table: Name | None = None
    if_exists: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """A constraint that the index implements takes the new name too."""
        found = find_index(catalog, self.name, self.table)
        if found is None:
            if not (self.if_exists or self.table_if_exists):
                refuse(catalog, f"index {self.name} does not exist")
            return catalog
        holder, index = found
        if index_taken(catalog, holder, Name(schema=self.name.schema, name=self.to)):
            refuse(catalog, f"relation {Name(schema=self.name.schema, name=self.to)} exists already")
            return catalog
        if index.constraint and isinstance(holder, Table) and holder.constraint(self.to) is not None:
            refuse(catalog, f"constraint {self.to} of table {holder.name} exists already")
            return catalog
        return renamed_index(catalog, holder, index, self.to)


class AlterIndex(BaseOperation, frozen=True, kw_only=True, tag="alter_index"):
    """ATTACH PARTITION, SET (...), RESET (...), SET TABLESPACE, ALTER COLUMN n SET STATISTICS, DEPENDS ON EXTENSION, visibility."""

    name: Name
    action: Literal["attach", "set", "reset", "tablespace", "statistics", "depends", "visible"]
    child: Name | None = None
    value: str = ""
    table: Name | None = None
    if_exists: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        found = find_index(catalog, self.name, self.table)
        if found is None:
            if not (self.if_exists or self.table_if_exists):
                refuse(catalog, f"index {self.name} does not exist")
            return catalog
        holder, index = found
        match self.action:
            case "attach":
                return self._attached(catalog, holder, index)
            case "set":
                changed = replace(index, options=with_options(index.options, self.value))
            case "reset":
                changed = replace(index, options=without_options(index.options, self.value))
            case "tablespace":
                changed = replace(index, tablespace="" if self.value == "pg_default" else self.value)
            case "visible":
                changed = replace(index, visible=self.value.lower() != "invisible")
            case "statistics" | "depends":
                return catalog
        return put_holder(catalog, swap_index(holder, index.name, changed))

    def _attached(self, catalog: Catalog, holder: Table | View, index: Index) -> Catalog:
        """The parent's index becomes valid with the last partition."""
        found = find_index(catalog, self.child) if self.child is not None else None
        if found is None:
            refuse(catalog, f"index {self.child} does not exist")
            return catalog
        on, child = found
        catalog = put_holder(catalog, swap_index(on, child.name, replace(child, parent=index.name)))
        parts = catalog.partitions(holder.name)
        attached = [one for part in parts for one in part.indexes if one.parent == index.name]
        complete = len(attached) == len(parts) and all(one.valid for one in attached)
        return put_holder(catalog, swap_index(holder, index.name, replace(index, valid=index.valid or complete)))


class Reindex(BaseOperation, frozen=True, kw_only=True, tag="reindex"):
    kind: Literal["index", "table", "schema", "database", "system", "all"]
    name: Name | None = None
    concurrently: bool = False
    options: tuple[str, ...] = ()

    def after(self, catalog: Catalog) -> Catalog:
        """An index that was invalid is valid afterwards."""
        match self.kind:
            case "index" if self.name is not None:
                found = find_index(catalog, self.name)
                if found is None:
                    refuse(catalog, f"index {self.name} does not exist")
                    return catalog
                return put_holder(catalog, swap_index(found[0], self.name, replace(found[1], valid=True)))
            case "table" if self.name is not None:
                holder = catalog.tables.get(self.name.text)
                if holder is None:
                    return catalog
                return put(catalog, replace(holder, indexes=tuple(replace(one, valid=True) for one in holder.indexes)))
            case _:
                return catalog


def swap_index(holder: Table | View, name: Name, index: Index) -> Table | View:
    """The table or view with one index replaced in its place."""
    indexes = tuple(index if one.name == name else one for one in holder.indexes)
    return replace(holder, indexes=indexes)


def without_index(catalog: Catalog, holder: Name, index: Index) -> Catalog:
    """Without the index and its parts on partitions."""
    found = catalog.tables.get(holder.text) or catalog.views.get(holder.text)
    if found is None:
        return catalog
    kept = tuple(one for one in found.indexes if one.name != index.name)
    catalog = put_holder(catalog, replace(found, indexes=kept))
    for child in children(catalog, holder):
        for part in child.indexes:
            if part.parent == index.name:
                catalog = without_index(catalog, child.name, part)
    return catalog


def renamed_index(catalog: Catalog, holder: Table | View, index: Index, to: str) -> Catalog:
    """The index and the constraint that it implements under a new name; its parts on partitions know the new parent."""
    new = replace(index.name, name=to)
    renamed = replace(index, name=new, constraint=to if index.constraint else "")
    changed = swap_index(holder, index.name, renamed)
    if isinstance(changed, Table) and index.constraint:
        constraints = tuple(replace(one, name=to) if one.name == index.constraint else one for one in changed.constraints)
        changed = replace(changed, constraints=constraints)
    catalog = put_holder(catalog, changed)
    for child in children(catalog, holder.name):
        followed = tuple(replace(one, parent=new) if one.parent == index.name else one for one in child.indexes)
        catalog = put(catalog, replace(child, indexes=followed)) if followed != child.indexes else catalog
    return catalog


def with_options(options: tuple[str, ...], value: str) -> tuple[str, ...]:
    """reloptions after SET (a = 1, b): later words replace earlier ones of the same name."""
    given = {}
    for item in value.strip().removeprefix("(").removesuffix(")").split(","):
        name, found, text = item.partition("=")
        given[name.strip()] = f"{name.strip()}={text.strip().strip(chr(39)) if found else 'true'}"
    kept = [given.pop(name, option) for option in options if (name := option.partition("=")[0])]
    return (*kept, *given.values())


def without_options(options: tuple[str, ...], value: str) -> tuple[str, ...]:
    """reloptions after RESET (a, b)."""
    gone = {item.strip() for item in value.strip().removeprefix("(").removesuffix(")").split(",")}
    return tuple(option for option in options if option.partition("=")[0] not in gone)
