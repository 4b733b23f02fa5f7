"""Sequences: the owner's full name, and options without those that the server would have chosen anyway."""

from __future__ import annotations

from driftflow.dialects.postgresql.resolve import place
from driftflow.model.catalog import Catalog, SequenceOptions
from driftflow.model.names import Name

LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def owner(owned_by: str, catalog: Catalog) -> str:
    """`table.column` as `schema.table.column`."""
    if not owned_by:
        return ""
    *table, column = owned_by.split(".")
    found = place.relation(Name(schema=table[-2] if len(table) > 1 else "", name=table[-1]), catalog)
    return f"{found.text}.{column}"


def usual(options: SequenceOptions, *, type: str = "bigint") -> SequenceOptions:
    """The options that differ from what CREATE SEQUENCE chooses by itself, as introspection gives them."""
    kind = options.type or type
    rising = (options.increment or 1) > 0
    largest = LARGEST.get(kind, LARGEST["bigint"])
    minimum = options.minimum if options.minimum is not None else (1 if rising else -largest - 1)
    maximum = options.maximum if options.maximum is not None else (largest if rising else -1)
    return SequenceOptions(
        type="" if kind == type else kind,
        start=None if options.start == (minimum if rising else maximum) else options.start,
        increment=None if options.increment == 1 else options.increment,
        minimum=None if minimum == (1 if rising else -largest - 1) else minimum,
        maximum=None if maximum == (largest if rising else -1) else maximum,
        cache=None if options.cache == 1 else options.cache,
        cycle=True if options.cycle else None,
    )
