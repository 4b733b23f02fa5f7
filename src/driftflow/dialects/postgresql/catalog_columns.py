"""Columns and sequences, as PostgreSQL's catalogs hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from driftflow.model.catalog import Column, Generated, Identity, SequenceOptions

Row = Mapping[str, Any]

STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}
COMPRESSION = {"p": "pglz", "l": "lz4"}
LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


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
    )


def _identity(row: Row) -> Identity:
    own = {key.removeprefix("sequence_"): value for key, value in row.items() if key.startswith("sequence_")}
    options = sequence_options(own, default_type=row["type"]) if own["type"] else SequenceOptions()
    return Identity(always=row["identity"] == "a", options=options)


def sequence_options(row: Row, *, default_type: str) -> SequenceOptions:
    """The options that differ from what CREATE SEQUENCE would have chosen by itself."""
    type_, increment = row["type"], row["increment"]
    rising = increment > 0
    lowest = 1 if rising else -LARGEST[type_] - 1
    highest = LARGEST[type_] if rising else -1
    return SequenceOptions(
        type="" if type_ == default_type else type_,
        start=_unless(row["start"], row["minimum"] if rising else row["maximum"]),
        increment=_unless(increment, 1),
        minimum=_unless(row["minimum"], lowest),
        maximum=_unless(row["maximum"], highest),
        cache=_unless(row["cache"], 1),
        cycle=True if row["cycle"] else None,
    )


def _unless(value: int, usual: int) -> int | None:
    return None if value == usual else value
