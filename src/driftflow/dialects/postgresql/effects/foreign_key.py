"""Foreign keys: two tables are locked, and often their partitions and indexes too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.postgresql.effects import probes
from driftflow.dialects.postgresql.effects.casts import comparable
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ACCESS_SHARE, ROW_SHARE, SHARE_ROW_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import descendants, existing, index_names
from driftflow.dialects.postgresql.effects.types import read_type
from driftflow.model.catalog import Catalog, Column, ForeignKey, PrimaryKey, Table, Unique
from driftflow.model.effects import LOOKED_UP, LOOKS_UP
from driftflow.model.names import Name
from driftflow.model.record import replace

SOME_BUILDS = "on some builds of 15"
TYPES_DIFFER = "types_differ"
"""The kind of failure that later clauses of the same statement may mend: the server makes its foreign keys again when all of them are done."""


def add_foreign_key(
    p: Prediction,
    table: Name,
    key: ForeignKey,
    tables: Sequence[Table],
    *,
    scans: bool,
    only: bool = False,
    attached: bool = False,
) -> None:
    """SHARE ROW EXCLUSIVE on both tables. A validated one reads both of them under those locks. `attached`: it comes with ATTACH PARTITION."""
    holder = tables[0] if tables else None
    if holder is not None and holder.partitioning is not None and not key.validated:
        p.needs_version(18, f'a NOT VALID foreign key on the partitioned table "{holder.name.text}"')
    if not key.enforced:
        p.needs_version(18, "NOT ENFORCED")
    referenced = holder if holder is not None and key.referenced == table else existing(p, key.referenced)
    _fits(p, holder, referenced, key)
    reason = f"referenced by {key.name or 'the foreign key'}"
    p.lock(table, SHARE_ROW_EXCLUSIVE)
    p.lock(key.referenced, SHARE_ROW_EXCLUSIVE, why=reason)
    if key.enforced:  # by triggers on both
        if not (attached and holder is not None and holder.partitioning is not None):
            p.lock(table, ACCESS_SHARE)
        p.lock(key.referenced, ACCESS_SHARE, why=reason)
    for part in tables[1:]:
        p.lock(part.name, SHARE_ROW_EXCLUSIVE, why=f"partition of {table.name}")
    parts = descendants(p.catalog, key.referenced) if referenced is not None and referenced.partitioning is not None else ()
    for part in parts:
        p.lock(part.name, SHARE_ROW_EXCLUSIVE, why=f"partition of {key.referenced.name}")
    if referenced is not None and p.version == 15:
        _lock_referenced_key(p, referenced, parts, key)
    # What a partition has for itself becomes a part of its parent's, and nothing of it is read.
    inherited = holder is not None and bool(holder.keys_like(key))
    proved = [part for part in tables[1:] if part.partitioning is None and part.keys_like(key) and not inherited]
    if proved:
        p.lock(key.referenced, ACCESS_EXCLUSIVE, why="triggers of the partitions' own keys go")
    unread = [part for part in tables if part not in proved]
    if scans and (not proved or any(part.partitioning is None for part in unread)):
        _read_both(p, table, key, unread, referenced, parts)


def _lock_referenced_key(p: Prediction, referenced: Table, parts: Sequence[Table], key: ForeignKey) -> None:
    """Measured on one build of 15 alone, and not on another: the index behind the referenced key is locked too, in the mode of a reader."""
    p.asked = True
    for part in (referenced, *parts):
        for index in part.indexes:
            if index.unique and index.columns == (key.referenced_columns or index.columns) and index.constraint:
                p.lock(index.name, ACCESS_SHARE, why=SOME_BUILDS)


def _read_both(
    p: Prediction,
    table: Name,
    key: ForeignKey,
    tables: Sequence[Table],
    referenced: Table | None,
    parts: Sequence[Table],
    *,
    may_fail: bool = True,
) -> None:
    """The server's own anti-join: it opens both relations and every index of theirs that the planner looks at."""
    p.lock(key.referenced, ROW_SHARE, why=f"referenced by {key.name or 'the foreign key'}")
    holders = [part for part in tables if part.partitioning is None]
    for part in holders:
        p.lock(part.name, ACCESS_SHARE)
        p.does("scan", part.name, LOOKS_UP)
        p.lock_all(index_names(part), ACCESS_SHARE)
    if not holders:
        p.does("scan", table, LOOKS_UP)
    if referenced is None:
        p.does("scan", key.referenced, LOOKED_UP)
    else:
        _read_referenced(p, referenced, parts)
    if may_fail and not (tables and all(part.new for part in tables)):
        p.fails(
            "orphans",
            f"{table.name} holds rows whose ({', '.join(key.columns)}) points at nothing in {key.referenced.name}",
            relation=table,
            probe=probes.orphans(table, key),
        )


def _read_referenced(p: Prediction, referenced: Table, parts: Sequence[Table]) -> None:
    for part in (referenced, *parts):
        if part.partitioning is None:
            p.lock(part.name, ACCESS_SHARE)
            p.does("scan", part.name, LOOKED_UP)
            p.lock_all(index_names(part), ACCESS_SHARE)
        elif p.at_least(16):  # since 16 the planner looks at the indexes of a partitioned table too
            p.lock_all(index_names(part), ACCESS_SHARE)


def _fits(p: Prediction, holder: Table | None, referenced: Table | None, key: ForeignKey) -> None:
    """Columns that exist, a unique key behind the referenced ones, and types that can be compared."""
    if key.referenced.text in p.catalog.views:
        p.fails(
            "unsupported", f"{key.referenced.text} is a view: nothing can reference it", relation=key.referenced, certain=True
        )
    if referenced is None:
        return
    columns = key.referenced_columns
    unique = any(
        (isinstance(item, PrimaryKey | Unique) and set(item.columns) == set(columns) and not item.deferrable)
        for item in referenced.constraints
    ) or any(
        index.unique
        and index.valid
        and not index.predicate
        and set(index.columns) == set(columns)
        and len(index.parts) == len(columns)
        for index in referenced.indexes
    )
    if columns and not unique:
        p.fails(
            "missing",
            f'there is no unique constraint matching ({", ".join(columns)}) of "{referenced.name.text}"',
            relation=referenced.name,
            certain=True,
        )
    for mine, theirs, fits in _ends(holder, referenced, key, p.catalog):
        if not fits:
            p.fails(
                TYPES_DIFFER,
                f"{mine.name} is {mine.type} and {theirs.name} is {theirs.type}: the foreign key cannot be implemented",
                relation=referenced.name,
                certain=fits is False,
            )


def _ends(
    holder: Table | None, referenced: Table | None, key: ForeignKey, catalog: Catalog
) -> Iterator[tuple[Column, Column, bool | None]]:
    """Its columns with those that they point at, and whether their types can be compared (None: not known)."""
    for here, there in zip(key.columns, key.referenced_columns, strict=False):
        mine = holder.column(here) if holder is not None else None
        theirs = referenced.column(there) if referenced is not None else None
        if mine is not None and theirs is not None:
            yield mine, theirs, comparable(read_type(mine.type, catalog), read_type(theirs.type, catalog))


def validate_foreign_key(p: Prediction, table: Name, key: ForeignKey, tables: Sequence[Table]) -> None:
    """The scan of both tables under locks that let readers and writers pass."""
    p.lock(table, ACCESS_SHARE)
    p.lock(key.referenced, ROW_SHARE, ACCESS_SHARE, why=f"referenced by {key.name}")
    referenced = p.catalog.table(key.referenced)
    parts = descendants(p.catalog, key.referenced) if referenced is not None and referenced.partitioning is not None else ()
    _read_both(p, table, key, tables, referenced, parts)


def revalidate(p: Prediction, table: Table, column: str, type: str, *, anew: bool) -> None:
    """A type change of a column in a foreign key makes the key again: the other table is locked, and read when the key was valid."""
    pairs = [(holder, key) for holder, key in p.catalog.referencing(table.name) if column in key.referenced_columns]
    pairs += [(table, key) for key in table.foreign_keys if column in key.columns and (table, key) not in pairs]
    for holder, key in pairs:
        other = key.referenced if holder.name == table.name else holder.name
        p.lock(other, ACCESS_EXCLUSIVE, why=f"the foreign key {key.name} is made again")
        _fits(p, _retyped(holder, table, column, type), _retyped(p.catalog.table(key.referenced), table, column, type), key)
        p.lock(holder.name, SHARE_ROW_EXCLUSIVE, ACCESS_SHARE)
        p.lock(key.referenced, SHARE_ROW_EXCLUSIVE, ACCESS_SHARE)
        before = read_type(column_before.type, p.catalog) if (column_before := table.column(column)) is not None else None
        same = before is not None and before.name == read_type(type, p.catalog).name
        if key.validated and (anew or not same):
            _read_both(p, holder.name, key, (holder,), p.catalog.table(key.referenced), (), may_fail=False)


def types_fit(catalog: Catalog, table: Name) -> bool:
    """Whether no foreign key of the table, or that points at it, is between types that cannot be compared."""
    known = catalog.table(table)
    pairs = [*catalog.referencing(table), *((known, key) for key in known.foreign_keys)] if known is not None else []
    return all(
        fits is not False for holder, key in pairs for _, _, fits in _ends(holder, catalog.table(key.referenced), key, catalog)
    )


def _retyped(here: Table | None, table: Table, column: str, type: str) -> Table | None:
    """`here` as it will be, where it is the table whose column changes its type."""
    if here is None or here.name != table.name:
        return here
    return replace(here, columns=tuple(replace(one, type=type) if one.name == column else one for one in here.columns))
