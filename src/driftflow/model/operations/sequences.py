"""Sequences that belong to a column: those of serial defaults, and those behind identity columns."""

from __future__ import annotations

import re

from driftflow.model.catalog import Catalog, Column, Sequence, SequenceOptions
from driftflow.model.names import Name
from driftflow.model.operations.identifiers import spelled
from driftflow.model.operations.lookup import taken
from driftflow.model.operations.naming import made_name
from driftflow.model.operations.rules import identity_has_sequence
from driftflow.model.record import replace, to_builtins
from driftflow.patterns import lazy_regex

NEXTVAL = lazy_regex(r"^nextval\('(?P<name>(?:[^']|'')+)'(?:::regclass)?\)$", re.IGNORECASE)
PART = lazy_regex(r'"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^."]+)')


LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def own_choice(options: SequenceOptions, *, type: str = "bigint") -> SequenceOptions:
    """What CREATE SEQUENCE takes for each option by itself, beside the bounds and the direction that these options name."""
    kind = options.type or type
    rising = (options.increment or 1) > 0
    largest = LARGEST.get(kind, LARGEST["bigint"])
    low, high = (1, largest) if rising else (-largest - 1, -1)
    first, otherwise = (options.minimum, low) if rising else (options.maximum, high)
    start = otherwise if first is None else first
    return SequenceOptions(type=type, start=start, increment=1, minimum=low, maximum=high, cache=1, cycle=False)


def usual(options: SequenceOptions, *, type: str = "bigint") -> SequenceOptions:
    """The options that differ from what CREATE SEQUENCE chooses by itself."""
    chosen = own_choice(options, type=type)
    return SequenceOptions(
        type="" if options.type in ("", type) else options.type,
        start=_unless(options.start, chosen.start),
        increment=_unless(options.increment, chosen.increment),
        minimum=_unless(options.minimum, chosen.minimum),
        maximum=_unless(options.maximum, chosen.maximum),
        cache=_unless(options.cache, chosen.cache),
        cycle=True if options.cycle else None,
    )


def _unless(value: int | None, chosen: int | None) -> int | None:
    return None if value == chosen else value


MARIADB = SequenceOptions(start=1, increment=1, minimum=1, maximum=2**63 - 2, cache=1000, cycle=False)
"""What CREATE SEQUENCE takes there by itself."""


def as_before(old: SequenceOptions, changed: SequenceOptions, *, type: str = "bigint", mariadb: bool = False) -> SequenceOptions:
    """What an ALTER SEQUENCE says to undo another: an option that was the server's own choice has to be said too, once something else was."""
    chosen = MARIADB if mariadb else own_choice(old, type=type)
    names = ("type", "start", "increment", "minimum", "maximum", "cache", "cycle")
    silent = [name for name in names if getattr(old, name) in (None, "") and getattr(changed, name) not in (None, "")]
    return replace(old, **{name: getattr(chosen, name) for name in silent})


def sequence_of(catalog: Catalog, table: Name, column: str) -> Sequence | None:
    """The sequence that the column owns."""
    owner = f"{table}.{column}"
    return next((one for one in catalog.sequences_of(table) if one.owned_by == owner), None)


def called_by(default: str | None, schema: str) -> Name | None:
    """The sequence in a default that is nothing but `nextval('schema.name'::regclass)`."""
    found = NEXTVAL.match(default.strip()) if default else None
    if found is None:
        return None
    parts = [part["quoted"].replace('""', '"') if part["quoted"] else part["plain"] for part in PART.finditer(found["name"])]
    return Name(schema=parts[-2] if len(parts) > 1 else schema, name=parts[-1])


def as_kept(catalog: Catalog, table: Name, column: Column) -> Column:
    """The column with its sequence named in full, as the server keeps it: the first of that name on the search path, else beside the table."""
    name = called_by(column.default, "")
    if name is None or name.schema or not identity_has_sequence(catalog):
        return column
    schemas = (one for one in (*catalog.search_path, table.schema) if Name(schema=one, name=name.name).text in catalog.sequences)
    schema = next(schemas, table.schema)
    return replace(column, default=f"nextval('{spelled(schema)}.{spelled(name.name)}'::regclass)")


def with_owned_sequences(catalog: Catalog, table: Name, column: Column) -> Catalog:
    """A default that calls a sequence nobody made was a serial: the sequence is made, and owned by the column. An identity brings its own."""
    if column.identity is not None:
        return add_identity_sequence(catalog, table, column)
    name = called_by(column.default, table.schema)
    if name is None or name.text in catalog.sequences or not identity_has_sequence(catalog):
        return catalog
    sequence = Sequence(name=name, options=SequenceOptions(type=_type(column.type)), owned_by=f"{table}.{column.name}")
    return catalog.with_sequence(sequence)


def add_identity_sequence(catalog: Catalog, table: Name, column: Column) -> Catalog:
    """The sequence behind an identity column, under the name that the server makes up. Partitions share their parent's."""
    owner = catalog.table(table)
    if column.identity is None or not identity_has_sequence(catalog) or (owner is not None and owner.partition_of is not None):
        return catalog
    name = Name(schema=table.schema, name=made_name(table.name, column.name, "seq", taken(catalog, table.schema)))
    options = replace(column.identity.options, type=_type(column.type))
    sequence = Sequence(name=name, options=options, owned_by=f"{table}.{column.name}", identity=True)
    return catalog.with_sequence(sequence)


def merged(before: SequenceOptions, change: SequenceOptions) -> SequenceOptions:
    """The options with those that the change names; what is the server's default is spelled as nothing."""
    after = replace(before, **to_builtins(change))
    return replace(
        after,
        type="" if after.type == "bigint" else after.type,
        increment=None if after.increment == 1 else after.increment,
        cache=None if after.cache == 1 else after.cache,
        cycle=True if after.cycle else None,
    )


def _type(type_: str) -> str:
    return "" if type_ == "bigint" else type_
