"""Columns and sequences, as PostgreSQL's catalogs hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from driftflow.model.catalog import Column, Generated, Identity, SequenceOptions
from driftflow.model.operations.sequences import usual

Row = Mapping[str, Any]

STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}
COMPRESSION = {"p": "pglz", "l": "lz4"}


def column(row: Row, *, normal: Callable[[str], str], normal_type: Callable[[str], str]) -> Column:
    """One row of columns.sql."""
    expression = normal(row["expression"]) if row["expression"] is not None else None
    return Column(
        name=row["name"],
        type=normal_type(row["type"]),
        nullable=not row["not_null"],
        default=None if row["generated"] else expression,
        generated=Generated(expression=expression or "", stored=row["generated"] == "s") if row["generated"] else None,
        identity=_identity(row) if row["identity"] else None,
        collation=row["collation"] or "",
        comment=row["comment"] or "",
        storage=STORAGE[row["storage"]] if row["storage"] else "",
        compression=COMPRESSION.get(row["compression"] or "", ""),
        statistics=row.get("statistics"),
        options=tuple(row.get("options") or ()),
        grants=tuple(sorted(row.get("acl") or ())),
    )


def _identity(row: Row) -> Identity:
    own = {key.removeprefix("sequence_"): value for key, value in row.items() if key.startswith("sequence_")}
    options = sequence_options(own, default_type=row["type"]) if own["type"] else SequenceOptions()
    return Identity(always=row["identity"] == "a", options=options)


def sequence_options(row: Row, *, default_type: str) -> SequenceOptions:
    """The options that differ from what CREATE SEQUENCE would have chosen by itself."""
    names = ("type", "start", "increment", "minimum", "maximum", "cache", "cycle")
    return usual(SequenceOptions(**{name: row[name] for name in names}), type=default_type)
