"""What takes another name, another schema or another owner of an object back that has no operation of its own."""

from __future__ import annotations

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name
from driftflow.model.operations import AlterObject, CreateFunction, Operation
from driftflow.model.operations.moving import ROUTINES, named, statistics_named
from driftflow.model.record import replace
from driftflow.strategies.definers import called, given_away, hung_on

BY_NAME = (
    "type",
    "domain",
    "schema",
    "statistics",
    "publication",
    "collation",
    "conversion",
    "event_trigger",
    "text_search_configuration",
    "text_search_dictionary",
    "text_search_parser",
    "text_search_template",
)
"""Kinds of which ALTER names one by its name alone."""


def moved_back(operation: AlterObject, before: Catalog, dialect: Dialect) -> tuple[Operation, ...]:
    """Nothing where it is no such change, or what was before is not known."""
    name, kind = operation.name, operation.kind
    if name is None:
        return ()
    if kind in ROUTINES:
        return _routine(operation, name, before, dialect)
    match operation.action:
        case "rename" if kind == "rule" and operation.relations:
            return (_rule(operation, name, dialect),)
        case "rename" if kind == "domain_constraint":
            head = f"ALTER DOMAIN {dialect.quote_name(name)} RENAME CONSTRAINT"
            sql = f"{head} {dialect.quote(operation.to)} TO {dialect.quote(operation.constraint)}"
            return (replace(operation, constraint=operation.to, to=operation.constraint, sql=sql),)
        case "rename" if kind in BY_NAME:
            now = replace(_whole(kind, name, before), name=operation.to)
            return (_said(operation, now, f"RENAME TO {dialect.quote(name.name)}", name.name, dialect),)
        case "set_schema" if kind in BY_NAME and (old := _whole(kind, name, before)).schema:
            now = replace(old, schema=operation.to)
            return (_said(operation, now, f"SET SCHEMA {dialect.quote(old.schema)}", old.schema, dialect),)
        case "owner" if kind in ("type", "domain") and name.text in before.types and before.types[name.text].owner:
            return (_said(operation, name, f"OWNER TO {dialect.quote(before.types[name.text].owner)}", "", dialect),)
        case _:
            return ()


def without_attributes(operation: AlterObject, dialect: Dialect) -> AlterObject:
    """What ADD ATTRIBUTE has added to a composite type goes again."""
    assert operation.name is not None
    changes = tuple(replace(one, action="drop") for one in reversed(operation.attributes))
    dropped = ", ".join(f"DROP ATTRIBUTE {dialect.quote(one.name)}{' CASCADE' if one.cascade else ''}" for one in changes)
    return replace(operation, attributes=changes, sql=f"ALTER TYPE {dialect.quote_name(operation.name)} {dropped}")


def _said(operation: AlterObject, name: Name, action: str, to: str, dialect: Dialect) -> AlterObject:
    words = operation.kind.replace("_", " ").upper()
    return replace(operation, name=name, to=to, sql=f"ALTER {words} {dialect.quote_name(name)} {action}")


def _whole(kind: str, name: Name, before: Catalog) -> Name:
    """With its schema, where the catalog says which."""
    if kind != "statistics" or name.schema:
        return name
    found = statistics_named(before, name)
    return found[1].name if found is not None else name


def _rule(operation: AlterObject, name: Name, dialect: Dialect) -> AlterObject:
    on = dialect.quote_name(operation.relations[0])
    sql = f"ALTER RULE {dialect.quote(operation.to)} ON {on} RENAME TO {dialect.quote(name.name)}"
    return replace(operation, name=Name(name=operation.to), to=name.name, sql=sql)


def _routine(operation: AlterObject, name: Name, before: Catalog, dialect: Dialect) -> tuple[Operation, ...]:
    """PostgreSQL: of the one that its name and arguments mean; its definition says all of it but name, schema and owner."""
    found = named(before, name, operation.arguments)
    if len(found) != 1 or not found[0].definition or found[0].kept is not None:
        return ()
    old = found[0]
    match operation.action:
        case "alter":
            return (CreateFunction(routine=old, or_replace=True),)
        case "rename" | "set_schema" if operation.to:
            rename = operation.action == "rename"
            now = replace(old.name, name=operation.to) if rename else replace(old.name, schema=operation.to)
            to = old.name.name if rename else old.name.schema
            action = f"{'RENAME TO' if rename else 'SET SCHEMA'} {dialect.quote(to)}"
            word, target = called(replace(old, name=now), dialect)
            sql = f"ALTER {word} {target} {action}"
            return (replace(operation, kind=old.kind, name=now, to=to, sql=sql, arguments=old.arguments),)
        case "owner":
            # What the new owner was granted before is one with what owners may do.
            return (*given_away(old, dialect), *hung_on(old, dialect))
        case _:
            return ()
