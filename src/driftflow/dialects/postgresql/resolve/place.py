"""Which schema an unqualified name means, by the catalog's search_path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from driftflow.model.catalog import Catalog, Index
from driftflow.model.names import Name
from driftflow.model.operations.lookup import find_index

TEMPORARY = "pg_temp"
"""Where a session's temporary relations are; it is searched before the path."""


def path(catalog: Catalog) -> tuple[str, ...]:
    return _usual(catalog.search_path)


@lru_cache(maxsize=64)
def _usual(search_path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(schema for schema in search_path if schema not in {"pg_catalog", '"$user"', "$user"}) or ("public",)


def new(name: Name, catalog: Catalog, *, temporary: bool = False) -> Name:
    """Where a statement creates an unqualified name."""
    if name.schema:
        return name
    return Name(schema=TEMPORARY if temporary else path(catalog)[0], name=name.name)


def relation(name: Name, catalog: Catalog) -> Name:
    """The relation (table, view, sequence, index) that the name means; one that the catalog does not know stands where it would be created."""
    if name.schema:
        return name
    tables, views, sequences = catalog.tables, catalog.views, catalog.sequences
    for schema in (TEMPORARY, *path(catalog)):
        text = f"{schema}.{name.name}"
        if text in tables or text in views or text in sequences:
            return Name(schema=schema, name=name.name)
    found_index = index(name, catalog)
    if found_index is None and name.name.startswith("pg_"):
        return Name(
            schema="pg_catalog", name=name.name
        )  # searched before the path; new schemas and tables of users avoid the prefix
    return found_index.name if found_index is not None else new(name, catalog)


def relations(names: Iterable[Name], catalog: Catalog) -> tuple[Name, ...]:
    return tuple(dict.fromkeys(relation(name, catalog) for name in names))


def exists(name: Name, catalog: Catalog) -> bool:
    return (
        name.text in catalog.tables
        or name.text in catalog.views
        or name.text in catalog.sequences
        or index(name, catalog) is not None
    )


def index(name: Name, catalog: Catalog) -> Index | None:
    """The index of that name, wherever the path finds it."""
    for schema in (name.schema,) if name.schema else path(catalog):
        found = find_index(catalog, Name(schema=schema, name=name.name))
        if found is not None:
            return found[1]
    return None


def index_name(name: Name, catalog: Catalog) -> Name:
    found = index(name, catalog)
    return found.name if found is not None else new(name, catalog)


def known(name: Name, catalog: Catalog, known: Mapping[str, object]) -> Name:
    """A type (or another object kept by its text) on the path."""
    if name.schema:
        return name
    for schema in path(catalog):
        found = Name(schema=schema, name=name.name)
        if found.text in known:
            return found
    return new(name, catalog)


def routine(name: Name, catalog: Catalog) -> Name:
    """A function or procedure by its bare name; overloads share the schema in which the first is found."""
    if name.schema:
        return name
    there = {one.name.schema for one in catalog.routines.values() if one.name.name == name.name}
    return Name(schema=next((schema for schema in path(catalog) if schema in there), path(catalog)[0]), name=name.name)
