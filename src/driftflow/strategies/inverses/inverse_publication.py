"""What ALTER PUBLICATION changes of what a publication carries, and of its options, taken back (PostgreSQL)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog
from driftflow.model.operations import AlterObject, Operation
from driftflow.model.operations.object import Published
from driftflow.model.operations.publishing import Carried, carried_by
from driftflow.model.record import replace


def publication_back(operation: AlterObject, before: Catalog, dialect: Dialect) -> tuple[Operation, ...]:
    """Nothing where it is no such change, or what was before is not known."""
    name = operation.name.name if operation.name is not None else ""
    known = next((one for one in before.publications if one.name == name), None)
    if operation.kind != "publication" or operation.action != "alter" or known is None:
        return ()
    said = operation.published
    if said is None:
        sql = f"ALTER PUBLICATION {dialect.quote(name)} SET ({', '.join(known.options)})"
        return (replace(operation, sql=sql),) if known.options else ()
    if known.all_tables or any(before.children(one.table) for one in said.tables if _inherited(before, one)):
        return ()
    carried = carried_by(known)
    named = {one.table for one in said.tables}
    match said.action:
        case "add":
            tables = [one for one in said.tables if one.table not in known.tables]
            return _said(operation, "drop", tables, [one for one in said.schemas if one not in known.schemas], dialect)
        case "drop":
            tables = [one for one in carried if one.table in named]
            return _said(operation, "add", tables, [one for one in said.schemas if one in known.schemas], dialect)
        case "set" if carried or known.schemas:
            return _said(operation, "set", carried, known.schemas, dialect)
        case "set":
            return _said(operation, "drop", said.tables, said.schemas, dialect)
        case _:
            return ()


def _inherited(before: Catalog, one: Carried) -> bool:
    """Whether tables inherit from it, which the statement names with it."""
    table = before.table(one.table)
    return table is not None and table.partitioning is None


def _said(
    operation: AlterObject,
    action: Literal["add", "set", "drop"],
    tables: Sequence[Carried],
    schemas: Sequence[str],
    dialect: Dialect,
) -> tuple[Operation, ...]:
    assert operation.name is not None
    listed = [f"{dialect.quote_name(one.table)}{one.narrowed if action != 'drop' else ''}" for one in tables]
    objects = [f"TABLE {', '.join(listed)}"] if listed else []
    objects += [f"TABLES IN SCHEMA {', '.join(map(dialect.quote, schemas))}"] if schemas else []
    if not objects:
        return ()
    sql = f"ALTER PUBLICATION {dialect.quote(operation.name.name)} {action.upper()} {', '.join(objects)}"
    published = Published(action=action, schemas=tuple(schemas), tables=tuple(tables))
    return (replace(operation, sql=sql, published=published, relations=tuple(one.table for one in tables)),)
