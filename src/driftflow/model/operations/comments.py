"""What is said of an object: where the catalog keeps it, and how it is changed there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from driftflow.model.catalog import Catalog, ExtendedStatistics, Table, View, ViewColumn
from driftflow.model.names import Name
from driftflow.model.operations.lookup import find_index, put, put_holder, put_view
from driftflow.model.operations.moving import named, statistics_named
from driftflow.model.record import replace

Kept = tuple[str, Callable[[str], Catalog]]
"""What is said now, and the catalog with something else said in its place."""
PARTS = {"constraint": "constraints", "trigger": "triggers", "policy": "policies", "rule": "rules"}
"""What hangs on a relation, by the field of it that holds it."""


def comment_kept(catalog: Catalog, kind: str, name: Name, *, relation: Name | None, arguments: str | None) -> Kept | None:
    """Of an object that is no table, view or column; None where the catalog does not know it, or keeps no comment of its kind.

    `kind` is that of `Comment`, `name` the object's own, `relation` what it is or hangs on.
    """
    if relation is not None:
        return _of_relation(catalog, kind, name, relation)
    match kind:
        case "type" | "domain" if (type := catalog.types.get(name.text)) is not None:
            return type.comment, lambda text: replace(catalog, types={**catalog.types, name.text: replace(type, comment=text)})
        case "function" | "procedure" | "routine" | "aggregate":
            return _of_routine(catalog, kind, name, arguments)
        case "statistics" if (found := statistics_named(catalog, name)) is not None:
            return _of_statistics(catalog, *found)
        case "schema" | "publication" | "extension":
            return _of_plain(catalog, kind, name.name)
        case _:
            return None


def column_comment_kept(catalog: Catalog, relation: Name, column: str) -> Kept | None:
    """Of a column of a table or view, or an attribute of a composite type."""
    table, view, type = catalog.tables.get(relation.text), catalog.views.get(relation.text), catalog.types.get(relation.text)
    if view is not None:
        return _of_view_column(catalog, view, column)
    columns = table.columns if table is not None else type.attributes if type is not None else ()
    found = next((one for one in columns if one.name == column), None)
    if found is None:
        return None
    if table is not None:
        return found.comment, lambda text: put(catalog, replace(table, columns=_having(columns, column, text)))
    assert type is not None
    return found.comment, lambda text: replace(
        catalog, types={**catalog.types, relation.text: replace(type, attributes=_having(columns, column, text))}
    )


def _of_view_column(catalog: Catalog, view: View, column: str) -> Kept | None:
    if column not in view.columns:
        return None
    said = next((one for one in view.said if one.name == column), ViewColumn(name=column))
    others = tuple(one for one in view.said if one.name != column)
    return said.comment, lambda text: put_view(catalog, replace(view, said=(*others, replace(said, comment=text))))


def _of_relation(catalog: Catalog, kind: str, name: Name, relation: Name) -> Kept | None:
    holder: Table | View | None = catalog.tables.get(relation.text) or catalog.views.get(relation.text)
    if (field := PARTS.get(kind)) is not None:
        return _of_part(catalog, holder, field, name.name)
    if kind == "index" and (indexed := find_index(catalog, relation)) is not None:
        on, index = indexed
        return index.comment, lambda text: put_holder(
            catalog, replace(on, indexes=tuple(replace(one, comment=text) if one == index else one for one in on.indexes))
        )
    if kind == "sequence" and (sequence := catalog.sequences.get(relation.text)) is not None:
        return sequence.comment, lambda text: catalog.with_sequence(replace(sequence, comment=text))
    if isinstance(holder, View):
        return holder.comment, lambda text: put_view(catalog, replace(holder, comment=text))
    if holder is not None and kind in ("table", "foreign_table"):
        return holder.comment, lambda text: put(catalog, replace(holder, comment=text))
    return None


def _of_part(catalog: Catalog, holder: Table | View | None, field: str, name: str) -> Kept | None:
    parts = getattr(holder, field, ())
    found = next((one for one in parts if one.name == name), None)
    if holder is None or found is None:
        return None
    return found.comment, lambda text: put_holder(catalog, replace(holder, **{field: _having(parts, name, text)}))


def _having(parts: Iterable[Any], name: str, text: str) -> tuple[Any, ...]:
    return tuple(replace(one, comment=text) if one.name == name else one for one in parts)


def _of_routine(catalog: Catalog, kind: str, name: Name, arguments: str | None) -> Kept | None:
    found = [one for one in named(catalog, name, arguments) if kind in ("routine", one.kind) or one.kind == "window"]
    if len(found) != 1:
        return None
    (old,) = found
    key = old.key(catalog.vendor)
    return old.comment, lambda text: replace(catalog, routines={**catalog.routines, key: replace(old, comment=text)})


def _of_statistics(catalog: Catalog, table: Table, known: ExtendedStatistics) -> Kept:
    return known.comment, lambda text: put(
        catalog,
        replace(
            table,
            extended_statistics=tuple(replace(one, comment=text) if one == known else one for one in table.extended_statistics),
        ),
    )


def _of_plain(catalog: Catalog, kind: str, name: str) -> Kept | None:
    field = {"schema": "schemas_said", "publication": "publications", "extension": "extensions"}[kind]
    found = next((one for one in getattr(catalog, field) if one.name == name), None)
    if found is None:
        return None
    return found.comment, lambda text: replace(catalog, **{field: _having(getattr(catalog, field), name, text)})
