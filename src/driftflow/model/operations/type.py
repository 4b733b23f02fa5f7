"""Operations on enums, domains, composite and range types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from driftflow.model.catalog import Catalog, Check, Column, Table, TypeDefinition
from driftflow.model.names import Name
from driftflow.model.operations import dependents
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.identifiers import spelled
from driftflow.model.operations.lookup import refuse
from driftflow.model.record import Record, replace


class CreateType(BaseOperation, frozen=True, kw_only=True, tag="create_type"):
    """CREATE TYPE and CREATE DOMAIN."""

    type: TypeDefinition

    def after(self, catalog: Catalog) -> Catalog:
        """A shell type that is there is filled."""
        there = catalog.types.get(self.type.name.text)
        if there is not None and there.kind != "shell":
            refuse(catalog, f"type {self.type.name} exists already")
            return catalog
        return _put(catalog, self.type)


class AddEnumValue(BaseOperation, frozen=True, kw_only=True, tag="add_enum_value"):
    name: Name
    value: str
    before: str = ""
    after_value: str = ""
    if_not_exists: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        enum = _find(catalog, self.name)
        if enum is None:
            return catalog
        if self.value in enum.labels:
            if not self.if_not_exists:
                refuse(catalog, f"type {self.name} has the value {self.value} already")
            return catalog
        anchor = self.before or self.after_value
        if anchor and anchor not in enum.labels:
            refuse(catalog, f"type {self.name} has no value {anchor}")
            return catalog
        at = enum.labels.index(anchor) + (1 if self.after_value else 0) if anchor else len(enum.labels)
        return _put(catalog, replace(enum, labels=(*enum.labels[:at], self.value, *enum.labels[at:])))


class RenameEnumValue(BaseOperation, frozen=True, kw_only=True, tag="rename_enum_value"):
    name: Name
    value: str
    to: str

    def after(self, catalog: Catalog) -> Catalog:
        enum = _find(catalog, self.name)
        if enum is None:
            return catalog
        if self.value not in enum.labels:
            refuse(catalog, f"type {self.name} has no value {self.value}")
        if self.to in enum.labels:
            refuse(catalog, f"type {self.name} has the value {self.to} already")
        return _put(catalog, replace(enum, labels=tuple(self.to if one == self.value else one for one in enum.labels)))


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

    def after(self, catalog: Catalog) -> Catalog:
        domain = _find(catalog, self.name)
        if domain is None:
            return catalog
        match self.action:
            case "set_default":
                return _put(catalog, replace(domain, default=self.value))
            case "drop_default":
                return _put(catalog, replace(domain, default=None))
            case "set_not_null" | "drop_not_null":
                return _put(catalog, replace(domain, nullable=self.action == "drop_not_null"))
            case "add_constraint":
                return _put(catalog, replace(domain, checks=(*domain.checks, self.check))) if self.check is not None else catalog
            case "drop_constraint":
                if not self.if_exists and all(one.name != self.value for one in domain.checks):
                    refuse(catalog, f"constraint {self.value} of domain {self.name} does not exist")
                return _put(catalog, replace(domain, checks=tuple(one for one in domain.checks if one.name != self.value)))
            case "validate_constraint":
                checks = tuple(replace(one, validated=True) if one.name == self.value else one for one in domain.checks)
                return _put(catalog, replace(domain, checks=checks))


class AttributeChange(Record, frozen=True, kw_only=True):
    """A clause of ALTER TYPE about an attribute of a composite type."""

    action: Literal["add", "drop", "type"]
    name: str
    type: str = ""
    collation: str = ""
    cascade: bool = False


class DropType(BaseOperation, frozen=True, kw_only=True, tag="drop_type"):
    """DROP TYPE and DROP DOMAIN."""

    name: Name
    domain: bool = False
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """Columns of the type go only with CASCADE."""
        if self.name.text not in catalog.types:
            if not self.if_exists:
                refuse(catalog, f"type {self.name} does not exist")
            return catalog
        users = [
            (table, column.name)
            for table in catalog.tables.values()
            for column in table.columns
            if _is_of(column.type, self.name)
        ]
        if users and not self.cascade:
            table, column = users[0]
            refuse(catalog, f"type {self.name} cannot be dropped without CASCADE: column {column} of {table.name} is of it")
        names = {table.name: [column for owner, column in users if owner.name == table.name] for table, _ in users}

        def without_columns(table: Table) -> Table:
            for column in names.get(table.name, []):
                table = dependents.without_column(table, column)
            return table

        catalog = replace(catalog, types={key: one for key, one in catalog.types.items() if key != self.name.text})
        return dependents.rewrite_tables(catalog, without_columns)


def renamed_type(catalog: Catalog, name: Name, new: Name) -> Catalog:
    """ALTER TYPE ... RENAME TO and SET SCHEMA: columns of the type, and defaults that say it, go by the new name."""
    found = _find(catalog, name)
    if found is None:
        return catalog
    if new.text in catalog.types:
        refuse(catalog, f"type {new} exists already")
        return catalog
    types = {
        (new.text if key == name.text else key): (replace(one, name=new) if one is found else one)
        for key, one in catalog.types.items()
    }

    def renamed(table: Table) -> Table:
        columns = tuple(_of_new_name(column, name, new) for column in table.columns)
        of_type = _new_name(table.of_type, name, new) if table.of_type else ""
        same = (columns, of_type) == (table.columns, table.of_type)
        return table if same else replace(table, columns=columns, of_type=of_type)

    return dependents.rewrite_tables(replace(catalog, types=types), renamed)


def changed_attributes(catalog: Catalog, name: Name, changes: Sequence[AttributeChange]) -> Catalog:
    """Of the type; tables of the type (CREATE TABLE OF) follow, and are known only in part then."""
    found = _find(catalog, name)
    if found is None:
        return catalog
    attributes = list(found.attributes)
    for one in changes:
        match one.action:
            case "add":
                attributes.append(Column(name=one.name, type=one.type, collation=one.collation))
            case "drop":
                attributes = [known for known in attributes if known.name != one.name]
            case "type":
                attributes = [
                    replace(known, type=one.type, collation=one.collation) if known.name == one.name else known
                    for known in attributes
                ]
    catalog = _put(catalog, replace(found, attributes=tuple(attributes)))
    return dependents.rewrite_tables(
        catalog, lambda table: replace(table, partial=True) if table.of_type and _is_of(table.of_type, name) else table
    )


def renamed_check(catalog: Catalog, name: Name, constraint: str, to: str) -> Catalog:
    """ALTER DOMAIN ... RENAME CONSTRAINT."""
    domain = _find(catalog, name)
    if domain is None:
        return catalog
    checks = tuple(replace(one, name=to) if one.name == constraint else one for one in domain.checks)
    return _put(catalog, replace(domain, checks=checks))


def _of_new_name(column: Column, name: Name, to: Name) -> Column:
    new = _new_name(column.type, name, to)
    if new == column.type:
        return column
    old, bare = column.type.removesuffix("[]"), new.removesuffix("[]")
    default = column.default.replace(f"::{old}", f"::{bare}") if column.default is not None else None
    return replace(column, type=new, default=default)


def _new_name(type_: str, name: Name, to: Name) -> str:
    """With its schema where that was said, or is another one now."""
    if not _is_of(type_, name):
        return type_
    old = type_.removesuffix("[]")
    whole = old.replace('"', "") == name.text or to.schema != name.schema
    new = f"{spelled(to.schema)}.{spelled(to.name)}" if whole and to.schema else spelled(to.name)
    return new + type_[len(old) :]


def _find(catalog: Catalog, name: Name) -> TypeDefinition | None:
    found = catalog.types.get(name.text)
    if found is None:
        refuse(catalog, f"type {name} does not exist")
    return found


def _put(catalog: Catalog, type_: TypeDefinition) -> Catalog:
    return replace(catalog, types={**catalog.types, type_.name.text: type_})


def _is_of(type_: str, name: Name) -> bool:
    """The type itself or an array of it, schema-qualified or not."""
    return type_.removesuffix("[]").replace('"', "") in {name.text, name.name}
