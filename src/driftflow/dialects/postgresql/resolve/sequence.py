"""Sequences: the owner's full name."""

from __future__ import annotations

from driftflow.dialects.postgresql.resolve import place
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name


def owner(owned_by: str, catalog: Catalog) -> str:
    """`table.column` as `schema.table.column`."""
    if not owned_by:
        return ""
    *table, column = owned_by.split(".")
    found = place.relation(Name(schema=table[-2] if len(table) > 1 else "", name=table[-1]), catalog)
    return f"{found.text}.{column}"
