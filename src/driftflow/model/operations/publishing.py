"""What a publication carries, after a statement has changed it: the publication itself, and the tables that know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftflow.model.catalog import Catalog, Publication, Table
from driftflow.model.names import Name
from driftflow.model.record import replace


def publish(
    catalog: Catalog, name: str, *, action: str, all_tables: bool, schemas: Sequence[str], tables: Mapping[Name, Sequence[str]]
) -> Catalog:
    """`action` is create, add, set or drop; `tables` are those that the statement names, with the columns that it names of each."""
    known = next((one for one in catalog.publications if one.name == name), None)
    if known is None and action != "create":
        return catalog
    before = known if known is not None and action != "create" else Publication(name=name)
    columns = tuple(f"{table.text}.{column}" for table, named in tables.items() for column in dict.fromkeys(named))
    match action:
        case "drop":
            after = replace(
                before,
                schemas=tuple(one for one in before.schemas if one not in schemas),
                tables=tuple(one for one in before.tables if one not in tables),
                columns=tuple(one for one in before.columns if not any(_is_of(one, table) for table in tables)),
            )
        case "add":
            after = replace(
                before,
                schemas=tuple(sorted({*before.schemas, *schemas})),
                tables=tuple(sorted({*before.tables, *tables})),
                columns=tuple(dict.fromkeys((*before.columns, *columns))),
            )
        case _:
            listed = tuple(sorted(tables))
            after = replace(before, all_tables=all_tables, schemas=tuple(sorted(schemas)), tables=listed, columns=columns)
    others = [one for one in catalog.publications if one.name != name]
    return _told(replace(catalog, publications=tuple(sorted((*others, after), key=lambda one: one.name))), after)


def publish_as(catalog: Catalog, name: str, to: str) -> Catalog:
    """The publication under another name."""
    known = tuple(replace(one, name=to) if one.name == name else one for one in catalog.publications)
    catalog = replace(catalog, publications=tuple(sorted(known, key=lambda one: one.name)))
    return catalog.with_tables(
        replace(table, publications=tuple(sorted(to if one == name else one for one in table.publications)))
        for table in catalog.tables.values()
        if name in table.publications
    )


def _is_of(column: str, table: Name) -> bool:
    return column.rpartition(".")[0] == table.text


def _told(catalog: Catalog, publication: Publication) -> Catalog:
    """Every table knows by which publications it is carried."""
    changed = []
    for table in catalog.tables.values():
        carried = _carries(publication, table, catalog)
        if carried is not (publication.name in table.publications):
            others = [one for one in table.publications if one != publication.name]
            names = [*others, publication.name] if carried else others
            changed.append(replace(table, publications=tuple(sorted(names))))
    return catalog.with_tables(changed)


def _carries(publication: Publication, table: Table, catalog: Catalog) -> bool:
    """By itself, by its schema, by a partitioned ancestor, or because it carries everything."""
    if table.unlogged or table.kind in ("foreign", "temporary"):
        return False
    if publication.all_tables or table.name in publication.tables or table.name.schema in publication.schemas:
        return True
    parent = catalog.table(table.partition_of) if table.partition_of is not None else None
    return parent is not None and _carries(publication, parent, catalog)
