"""Schemas, extensions, comments, grants, and objects that are known by kind and name alone."""

from __future__ import annotations

import re
from typing import Literal

from driftflow.model.catalog import Catalog, ExtendedStatistics, Extension, Rule, Table
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.comments import Kept, column_comment_kept, comment_kept
from driftflow.model.operations.dependents import drop_table, drop_views
from driftflow.model.operations.identifiers import spelled
from driftflow.model.operations.lookup import put, put_holder, refuse
from driftflow.model.operations.moving import moved, statistics_named
from driftflow.model.operations.publishing import Carried, publish, publish_as
from driftflow.model.operations.type import AttributeChange, changed_attributes, renamed_check
from driftflow.model.record import Record, replace
from driftflow.patterns import lazy_regex

TARGET = lazy_regex(r"\bSET STATISTICS (-?\d+|DEFAULT)", re.IGNORECASE)


class Published(Record, frozen=True, kw_only=True):
    """What CREATE or ALTER PUBLICATION says of what the publication carries."""

    action: Literal["create", "add", "set", "drop"]
    all_tables: bool = False
    schemas: tuple[str, ...] = ()
    """`""` for CURRENT_SCHEMA; resolve says its name."""
    tables: tuple[Carried, ...] = ()


class CreateSchema(BaseOperation, frozen=True, kw_only=True, tag="create_schema"):
    name: str
    if_not_exists: bool = False
    or_replace: bool = False
    """MariaDB, as of CreateTable: the DropSchema stands before it."""
    owner: str = ""
    options: tuple[str, ...] = ()
    """MySQL and MariaDB: `CHARSET=latin1`, `COLLATE=latin1_bin`, `COMMENT=said`, `ENCRYPTION=Y`."""

    def after(self, catalog: Catalog) -> Catalog:
        if self.name in catalog.schemas:
            if not self.if_not_exists:
                refuse(catalog, f"schema {self.name} exists already")
            return catalog
        return replace(catalog, schemas=tuple(sorted((*catalog.schemas, self.name))))


class DropSchema(BaseOperation, frozen=True, kw_only=True, tag="drop_schema"):
    name: str
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """With CASCADE everything in it goes, and what elsewhere depends on that."""
        if self.name not in catalog.schemas:
            if not self.if_exists:
                refuse(catalog, f"schema {self.name} does not exist")
            return catalog
        tables = [table.name for table in catalog.tables.values() if table.name.schema == self.name]
        views = [view.name for view in catalog.views.values() if view.name.schema == self.name]
        if not self.cascade and (tables or views or self._holds_more(catalog)):
            refuse(catalog, f"schema {self.name} cannot be dropped without CASCADE: it is not empty")
        catalog = drop_views(catalog, views)
        for name in tables:
            if name.text in catalog.tables:
                catalog = drop_table(catalog, name, cascade=True)
        catalog = catalog.without_sequences([key for key, one in catalog.sequences.items() if one.name.schema == self.name])
        return replace(
            catalog,
            schemas=tuple(one for one in catalog.schemas if one != self.name),
            schemas_said=tuple(one for one in catalog.schemas_said if one.name != self.name),
            routines={key: one for key, one in catalog.routines.items() if one.name.schema != self.name},
            types={key: one for key, one in catalog.types.items() if one.name.schema != self.name},
        )

    def _holds_more(self, catalog: Catalog) -> bool:
        names = [one.name for one in catalog.sequences.values()]
        names += [one.name for one in catalog.routines.values()]
        names += [one.name for one in catalog.types.values()]
        return any(name.schema == self.name for name in names)


class CreateExtension(BaseOperation, frozen=True, kw_only=True, tag="create_extension"):
    name: str
    if_not_exists: bool = False
    schema: str = ""
    version: str = ""
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        if any(one.name == self.name for one in catalog.extensions):
            if not self.if_not_exists:
                refuse(catalog, f"extension {self.name} exists already")
            return catalog
        extension = Extension(name=self.name, version=self.version, schema=self.schema)
        return replace(catalog, extensions=tuple(sorted((*catalog.extensions, extension), key=lambda one: one.name)))


class Comment(BaseOperation, frozen=True, kw_only=True, tag="comment"):
    """COMMENT ON kind target IS text. `target` is rendered text; `relation` the table, view, ... that is locked."""

    kind: str
    target: str
    text: str | None = None
    relation: Name | None = None
    column: str = ""
    name: Name | None = None
    """PostgreSQL: of the object itself, where its kind has such a name."""
    arguments: str | None = None
    """Of a function, procedure or aggregate: its argument list, where one was written."""

    def after(self, catalog: Catalog) -> Catalog:
        """Of what the catalog keeps comments of."""
        kept = self.kept(catalog)
        table = catalog.tables.get(self.relation.text) if self.relation is not None and self.column else None
        if kept is None and table is not None and not table.partial:
            refuse(catalog, f"column {self.column} of table {self.relation} does not exist")
        return kept[1](self.text or "") if kept is not None else catalog

    def kept(self, catalog: Catalog) -> Kept | None:
        """What is said of it, and how that is changed; None where the catalog does not keep it."""
        if self.column and self.relation is not None:
            return column_comment_kept(catalog, self.relation, self.column)
        name = self.name or self.relation
        if name is None:
            return None
        return comment_kept(catalog, self.kind.lower(), name, relation=self.relation, arguments=self.arguments)


class Right(Record, frozen=True, kw_only=True):
    name: str = ""
    """SELECT, EXECUTE, ...; empty for all that there are."""
    columns: tuple[str, ...] = ()


class Rights(Record, frozen=True, kw_only=True):
    """What GRANT, REVOKE and ALTER DEFAULT PRIVILEGES of PostgreSQL say beside the roles that get or lose something."""

    kind: str
    """table (views too), sequence, function, procedure, routine, schema, type, domain, database, ..."""
    rights: tuple[Right, ...] = ()
    """Empty for ALL."""
    objects: tuple[Name, ...] = ()
    arguments: tuple[str | None, ...] = ()
    """Of functions and procedures: the argument list of each, where one was written."""
    in_schemas: tuple[str, ...] = ()
    """ALL ... IN SCHEMA; of default privileges IN SCHEMA."""
    grantable: bool = False
    """WITH GRANT OPTION, or GRANT OPTION FOR."""
    cascade: bool = False
    by_default: bool = False
    """ALTER DEFAULT PRIVILEGES."""
    made_by: tuple[str, ...] = ()
    """FOR ROLE; none: whoever runs it."""


class Grant(BaseOperation, frozen=True, kw_only=True, tag="grant"):
    """GRANT, REVOKE, ALTER DEFAULT PRIVILEGES; `sql` is the statement in normal form."""

    sql: str
    revoke: bool = False
    relations: tuple[Name, ...] = ()
    roles: tuple[str, ...] = ()
    said: Rights | None = None
    """PostgreSQL: None for what goes to a role by way of another role, and where GRANTED BY names who gives it."""
    holder: str = ""
    """MySQL and MariaDB, of a REVOKE of ours that leaves nothing of what this account holds on the relation: `'app'@'%'`, as
    information_schema spells it."""

    @property
    def every(self) -> str:
        """The tables or sequences that no name is given of: `all tables in public`, `tables that are made from now on`. Not of functions and
        types, which are everybody's by default."""
        if self.said is None or self.said.kind not in ("table", "sequence"):
            return ""
        if self.said.by_default:
            return f"{self.said.kind}s that are made from now on"
        return f"all {self.said.kind}s in {', '.join(self.said.in_schemas)}" if self.said.in_schemas else ""


class AlterObject(BaseOperation, frozen=True, kw_only=True, tag="alter_object"):
    """An ALTER (or CREATE) of a kind that has no operation of its own (statistics, publication, collation, function options, rule, ...)."""

    kind: str
    """lower case with underscores: statistics, publication, subscription, collation, cast, operator, role, database, function, extension, ..."""
    action: str
    """create, alter, rename, owner, set_schema, ..."""
    name: Name | None = None
    sql: str
    relations: tuple[Name, ...] = ()
    to: str = ""
    """Of a rename: the new name; of SET SCHEMA: the schema."""
    constraint: str = ""
    """Of a domain's constraint that gets another name: its name; `name` is the domain's."""
    arguments: str | None = None
    """Of a function or procedure: its argument list, where one was written."""
    attributes: tuple[AttributeChange, ...] = ()
    """Of a composite type."""
    published: Published | None = None
    """Of a publication: None where the statement leaves what it carries as it is."""

    def after(self, catalog: Catalog) -> Catalog:
        """Of these only new extended statistics, what goes by another name, and what a publication carries, are in the catalog."""
        if self.kind == "publication" and self.name is not None:
            return self._published(catalog, self.name.name)
        if self.attributes and self.name is not None:
            return changed_attributes(catalog, self.name, self.attributes)
        if (self.kind, self.action) == ("rule", "create") and self.name is not None and self.relations:
            return _with_rule(catalog, self.relations[0], self.name.name, self.sql)
        if (self.kind, self.action) == ("rule", "rename") and self.name is not None and self.relations:
            return _renamed_rule(catalog, self.relations[0], self.name.name, self.to)
        if self.kind == "domain_constraint" and self.name is not None:
            return renamed_check(catalog, self.name, self.constraint, self.to)
        if self.to and self.name is not None:
            return moved(catalog, self.kind, self.name, action=self.action, to=self.to, arguments=self.arguments)
        if self.kind != "statistics" or self.name is None:
            return catalog
        if (found := statistics_named(catalog, self.name)) is not None:
            return self._altered(catalog, *found)
        if self.action != "create":
            return catalog
        for relation in self.relations:
            table = catalog.table(relation)
            if table is not None:
                name = self.name if self.name.schema else Name(schema=relation.schema, name=self.name.name)
                made = (*table.extended_statistics, ExtendedStatistics(name=name))
                catalog = put(catalog, replace(table, extended_statistics=made))
        return catalog

    def _altered(self, catalog: Catalog, table: Table, known: ExtendedStatistics) -> Catalog:
        target = TARGET.search(self.sql)
        if target is None:
            return catalog
        now = replace(known, target=None if target[1] in ("-1", "DEFAULT") else int(target[1]))
        return put(
            catalog, replace(table, extended_statistics=tuple(now if one == known else one for one in table.extended_statistics))
        )

    def _published(self, catalog: Catalog, name: str) -> Catalog:
        if self.to and self.action == "rename":
            return publish_as(catalog, name, self.to)
        if self.published is None:
            return catalog
        said = self.published
        return publish(
            catalog,
            name,
            action=said.action,
            all_tables=said.all_tables,
            schemas=said.schemas,
            tables=said.tables,
        )


class DropObject(BaseOperation, frozen=True, kw_only=True, tag="drop_object"):
    kind: str
    name: Name | None = None
    sql: str
    if_exists: bool = False
    cascade: bool = False
    relations: tuple[Name, ...] = ()

    def after(self, catalog: Catalog) -> Catalog:
        """Extensions, publications and subscriptions by name; other kinds are not in the catalog."""
        name = self.name.name if self.name is not None else ""
        match self.kind:
            case "extension":
                return replace(catalog, extensions=tuple(one for one in catalog.extensions if one.name != name))
            case "publication":
                return replace(catalog, publications=tuple(one for one in catalog.publications if one.name != name))
            case "subscription":
                return replace(catalog, subscriptions=tuple(one for one in catalog.subscriptions if one != name))
            case "rule":
                for relation in self.relations:
                    catalog = _without_rule(catalog, relation, name)
                return catalog
            case "statistics":
                found = statistics_named(catalog, self.name) if self.name is not None else None
                if found is None:
                    return catalog
                table, gone = found
                kept = tuple(one for one in table.extended_statistics if one != gone)
                return put(catalog, replace(table, extended_statistics=kept))
            case _:
                return catalog


def _with_rule(catalog: Catalog, relation: Name, rule: str, sql: str) -> Catalog:
    holder = catalog.tables.get(relation.text) or catalog.views.get(relation.text)
    if holder is None:
        return catalog
    made = Rule(name=rule, target=f"{spelled(rule)} ON {relation}", definition=sql)
    return put_holder(catalog, replace(holder, rules=(*(one for one in holder.rules if one.name != rule), made)))


def _renamed_rule(catalog: Catalog, relation: Name, rule: str, to: str) -> Catalog:
    """How the server spells it, and what makes it again, say the old name: the next reading of the catalog knows."""
    holder = catalog.tables.get(relation.text) or catalog.views.get(relation.text)
    if holder is None:
        return catalog
    rules = tuple(replace(one, name=to, **_spelled_anew(one, rule, to)) if one.name == rule else one for one in holder.rules)
    return put_holder(catalog, replace(holder, rules=rules))


def _spelled_anew(one: Rule, rule: str, to: str) -> dict[str, str]:
    old, new = spelled(rule), spelled(to)
    definition = one.definition.replace(f"CREATE RULE {old} AS", f"CREATE RULE {new} AS", 1)
    return {"definition": definition, "target": one.target.replace(f"{old} ON", f"{new} ON", 1)}


def _without_rule(catalog: Catalog, relation: Name, rule: str) -> Catalog:
    holder = catalog.tables.get(relation.text) or catalog.views.get(relation.text)
    if holder is None:
        return catalog
    return put_holder(catalog, replace(holder, rules=tuple(one for one in holder.rules if one.name != rule)))
