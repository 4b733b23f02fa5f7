"""What a publication carries, after a statement has changed it: the publication itself, and the tables that know of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.model.catalog import Catalog, Publication, Table
from driftflow.model.names import Name
from driftflow.model.record import Record, replace


class Carried(Record, frozen=True, kw_only=True):
    """A table of a publication, with the columns that its list and its row filter name."""

    table: Name
    columns: tuple[str, ...] = ()
    narrowed: str = ""
    """The list and the filter as they stand behind the table."""


def publish(
    catalog: Catalog, name: str, *, action: str, all_tables: bool, schemas: Sequence[str], tables: Sequence[Carried]
) -> Catalog:
    """`action` is create, add, set or drop; `tables` are those that the statement names."""
    known = next((one for one in catalog.publications if one.name == name), None)
    if known is None and action != "create":
        return catalog
    before = known if known is not None and action != "create" else Publication(name=name)
    carried = {one.table: one for one in carried_by(before)}
    said = {one.table: one for one in tables}
    match action:
        case "drop":
            after = replace(before, schemas=tuple(one for one in before.schemas if one not in schemas))
            now = {table: one for table, one in carried.items() if table not in said}
        case "add":
            after = replace(before, schemas=tuple(sorted({*before.schemas, *schemas})))
            now = carried | said
        case _:
            after = replace(before, all_tables=all_tables, schemas=tuple(sorted(schemas)))
            now = said
    listed = [now[table] for table in sorted(now)]
    after = replace(
        after,
        tables=tuple(one.table for one in listed),
        narrowed=tuple(one.narrowed for one in listed),
        columns=tuple(f"{one.table.text}.{column}" for one in listed for column in dict.fromkeys(one.columns)),
    )
    others = [one for one in catalog.publications if one.name != name]
    return _told(replace(catalog, publications=tuple(sorted((*others, after), key=lambda one: one.name))), after)


def carried_by(publication: Publication) -> tuple[Carried, ...]:
    """The tables that it names."""
    narrowed = publication.narrowed or ("",) * len(publication.tables)
    return tuple(
        Carried(table=table, columns=tuple(_columns_of(publication, table)), narrowed=text)
        for table, text in zip(publication.tables, narrowed, strict=True)
    )


def _columns_of(publication: Publication, table: Name) -> Iterator[str]:
    return (one.removeprefix(f"{table.text}.") for one in publication.columns if one.rpartition(".")[0] == table.text)


def publish_as(catalog: Catalog, name: str, to: str) -> Catalog:
    """The publication under another name."""
    known = tuple(replace(one, name=to) if one.name == name else one for one in catalog.publications)
    catalog = replace(catalog, publications=tuple(sorted(known, key=lambda one: one.name)))
    return catalog.with_tables(
        replace(table, publications=tuple(sorted(to if one == name else one for one in table.publications)))
        for table in catalog.tables.values()
        if name in table.publications
    )


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
