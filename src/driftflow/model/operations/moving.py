"""Schemas, routines, types and extended statistics of PostgreSQL under another name or in another schema."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, ExtendedStatistics, Routine, Table, View
from driftflow.model.names import Name
from driftflow.model.operations import renaming
from driftflow.model.operations.dependents import rewrite_tables
from driftflow.model.operations.function import DropFunction
from driftflow.model.operations.identifiers import spelled
from driftflow.model.operations.lookup import put, refuse
from driftflow.model.operations.type import renamed_type
from driftflow.model.record import replace

ROUTINES = ("function", "procedure", "routine", "aggregate")


def moved(catalog: Catalog, kind: str, name: Name, *, action: str, to: str, arguments: str | None) -> Catalog:
    """`action` is rename, where `to` is the new name, or set_schema, where it is the new schema. Other kinds are not in the catalog."""
    if kind in ROUTINES:
        return _routine(catalog, name, action=action, to=to, arguments=arguments)
    if kind in ("type", "domain"):
        return renamed_type(catalog, name, _new(name, action, to))
    if kind == "statistics":
        return _statistics(catalog, name, action=action, to=to)
    if kind == "schema" and action == "rename":
        return _schema(catalog, name.name, to)
    return catalog


def _new(name: Name, action: str, to: str) -> Name:
    return replace(name, name=to) if action == "rename" else replace(name, schema=to)


def named(catalog: Catalog, name: Name, arguments: str | None) -> list[Routine]:
    """Those that ALTER FUNCTION, PROCEDURE or ROUTINE may mean; several where it says no arguments."""
    return [
        one
        for one in catalog.routines.values()
        if one.name.name == name.name
        and name.schema in ("", one.name.schema)
        and DropFunction(name=one.name, arguments=arguments, kind=one.kind).is_meant(one)
    ]


def _routine(catalog: Catalog, name: Name, *, action: str, to: str, arguments: str | None) -> Catalog:
    found = named(catalog, name, arguments)
    if len(found) != 1:
        return catalog
    old = found[0]
    new = _new(old.name, action, to)

    def said(text: str) -> str:
        return text.replace(f" {_text(old.name)}(", f" {_text(new)}(", 1)

    now = replace(old, name=new, definition=said(old.definition))
    routines = {key: one for key, one in catalog.routines.items() if one is not old} | {now.key(catalog.vendor): now}

    def called(table: Table) -> Table:
        triggers = tuple(
            replace(one, function=new, definition=said(one.definition)) if one.function == old.name else one
            for one in table.triggers
        )
        return table if triggers == table.triggers else replace(table, triggers=triggers)

    return rewrite_tables(replace(catalog, routines=routines), called)


def _text(name: Name) -> str:
    return ".".join(spelled(part) for part in (name.schema, name.name) if part)


def statistics_named(catalog: Catalog, name: Name) -> tuple[Table, ExtendedStatistics] | None:
    """Extended statistics, which a bare name finds as the server does: in the first schema of the search path that has some of that name."""
    named = [(table, one) for table in catalog.tables.values() for one in table.extended_statistics if one.name.name == name.name]
    schemas = (name.schema,) if name.schema else catalog.search_path
    return next((found for schema in schemas for found in named if found[1].name.schema == schema), None)


def _statistics(catalog: Catalog, name: Name, *, action: str, to: str) -> Catalog:
    found = statistics_named(catalog, name)
    if found is None:
        return catalog
    table, known = found
    new = _new(known.name, action, to)
    definition = known.definition.replace(f" {known.spelled} ", f" {_text(new)} ", 1) if known.spelled else ""
    now = replace(known, name=new, spelled=_text(new), definition=definition)
    return put(
        catalog, replace(table, extended_statistics=tuple(now if one == known else one for one in table.extended_statistics))
    )


def _schema(catalog: Catalog, old: str, new: str) -> Catalog:
    """With everything in it."""
    if old not in catalog.schemas and catalog.schemas:
        refuse(catalog, f"schema {old} does not exist")
    if new in catalog.schemas:
        refuse(catalog, f"schema {new} exists already")
        return catalog
    said = tuple(replace(one, name=new) if one.name == old else one for one in catalog.schemas_said)
    catalog = replace(catalog, schemas=tuple(sorted(new if one == old else one for one in catalog.schemas)), schemas_said=said)
    relations: list[Table | View] = [*catalog.tables.values(), *catalog.views.values()]
    names = [one.name for one in relations if one.name.schema == old]
    for name in names:
        catalog = renaming.relation(catalog, name, replace(name, schema=new))
    for name in [one.name for one in catalog.sequences.values() if one.name.schema == old]:
        catalog = renaming.sequence(catalog, name, replace(name, schema=new))
    for name in [one.name for one in catalog.types.values() if one.name.schema == old]:
        catalog = renamed_type(catalog, name, replace(name, schema=new))
    for routine in [one for one in catalog.routines.values() if one.name.schema == old]:
        catalog = _routine(catalog, routine.name, action="set_schema", to=new, arguments=routine.arguments)
    for statistics in [one for table in catalog.tables.values() for one in table.extended_statistics if one.name.schema == old]:
        catalog = _statistics(catalog, statistics.name, action="set_schema", to=new)
    return catalog
