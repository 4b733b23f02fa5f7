"""What two databases must have in common after the naive migration on one and the plan on the other."""

from __future__ import annotations

from typing import Any

from driftflow.model.catalog import Catalog, Table, View, is_ours, structure
from driftflow.model.names import Name
from driftflow.model.record import replace


def structure_of(catalog: Catalog) -> dict[str, Any]:
    """Everything but our own tables, sequences and routines; columns by name, since a plan may add them in another order than one ALTER does."""
    return {
        "tables": {name: _plain(table) for name, table in catalog.tables.items() if not ours(table.name)},
        "views": {name: _view(view) for name, view in catalog.views.items()},
        "sequences": {name: value for name, value in catalog.sequences.items() if not ours(value.name)},
        "routines": {name: value for name, value in catalog.routines.items() if not ours(value.name)},
        "types": catalog.types,
    }


def ours(name: Name) -> bool:
    return is_ours(name.schema) or is_ours(name.name)


def _plain(table: Table) -> Table:
    same = structure(table)
    return replace(same, columns=tuple(sorted(same.columns, key=lambda column: column.name)), owner="")


def _view(view: View) -> View:
    """With its grants and its comment; how large its indexes are differs from build to build."""
    return replace(view, owner="", indexes=tuple(replace(index, bytes=None) for index in view.indexes))
