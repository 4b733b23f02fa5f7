"""Table constraints other than the locking of foreign keys, which is in foreign_key.py."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.postgresql.effects import probes
from driftflow.dialects.postgresql.effects.expressions import is_volatile
from driftflow.dialects.postgresql.effects.foreign_key import add_foreign_key as add_foreign_key
from driftflow.dialects.postgresql.effects.foreign_key import validate_foreign_key
from driftflow.dialects.postgresql.effects.index_method import needs_partition_key, refuse_key
from driftflow.dialects.postgresql.effects.locks import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
)
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.reads import refuse_query, refuse_unknown
from driftflow.dialects.postgresql.effects.relations import (
    descendants,
    existing,
    index_names,
    lock_tree,
    new_name,
    scan_tree,
    tree,
    with_storage,
)
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.proof import proves_not_null
from driftflow.model.catalog import Check, Column, Exclusion, ForeignKey, NotNull, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, AlterConstraint, DropConstraint, RenameConstraint, ValidateConstraint
from driftflow.model.operations.keys import key_to_adopt

_SUFFIX = {"PrimaryKey": "pkey", "Unique": "key", "Exclusion": "excl"}


def add_constraint(p: Prediction, operation: AddConstraint) -> None:
    """What is validated at once is validated under the lock; NOT VALID defers the scan to VALIDATE CONSTRAINT."""
    table = existing(p, operation.table)
    item = operation.constraint
    known = table.constraint(item.name) if table is not None and item.name else None
    again = isinstance(known, NotNull) and isinstance(item, NotNull) and known.column == item.column
    if table is not None and known is not None and not again:
        p.fails("exists", f'constraint "{item.name}" of "{table.name.text}" exists already', relation=table.name, certain=True)
    match item:
        case ForeignKey():
            add_foreign_key(
                p, operation.table, item, tree(p, operation.table, only=operation.only), scans=item.validated and item.enforced
            )
        case Check():
            _add_check(p, operation, item)
        case NotNull():
            _add_not_null(p, operation, item)
        case PrimaryKey() | Unique() | Exclusion():
            p.lock(operation.table, ACCESS_EXCLUSIVE)
            add_key(p, operation.table, item, tree(p, operation.table, only=operation.only))


def _add_check(p: Prediction, operation: AddConstraint, item: Check) -> None:
    alone = operation.only or item.no_inherit
    tables = lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only or (item.no_inherit and not p.at_least(18)))
    tables = tables[:1] if alone else tables
    refuse_unknown(p, tables[0] if tables else None, item.expression)
    refuse_query(p, tables[0] if tables else None, item.expression, "a check")
    if item.no_inherit and tables and tables[0].partitioning is not None:
        p.fails("unsupported", "a check of a partitioned table cannot be NO INHERIT", relation=operation.table, certain=True)
    if operation.only and not item.no_inherit and len(tree(p, operation.table)) > 1:
        p.fails(
            "dependency",
            "the constraint must be added to the child tables too: ONLY is refused",
            relation=operation.table,
            certain=True,
        )
    if not item.enforced:
        p.needs_version(18, "NOT ENFORCED")
        return
    if item.validated:
        scan_tree(p, tables or (), "every row is checked")
        if not tables:
            p.does("scan", operation.table, "every row is checked")
        _may_violate(p, operation.table, item, tables)


def _may_violate(p: Prediction, table: Name, item: Check, tables: Sequence[Table]) -> None:
    if not (tables and all(part.new for part in tables)):
        p.fails(
            "check_violations",
            f"{table.name} holds rows that break {item.name or 'the check'}",
            relation=table,
            probe=probes.violations(table, item.expression),
        )


def _add_not_null(p: Prediction, operation: AddConstraint, item: NotNull) -> None:
    """A named NOT NULL constraint: syntax of 18."""
    tables = lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only)
    if not p.needs_version(18, "ADD CONSTRAINT … NOT NULL"):
        return
    column = tables[0].column(item.column) if tables else None
    known = (
        next((one for one in tables[0].constraints if isinstance(one, NotNull) and one.column == item.column), None)
        if tables
        else None
    )
    if (
        column is not None
        and (not column.nullable or known is not None)
        and item.name
        and item.name != (known.name if known else "")
    ):
        p.fails(
            "exists", f"{item.column} has a NOT NULL constraint already, by another name", relation=operation.table, certain=True
        )
    if item.validated:
        unproved = [table for table in (tables[:1] if item.no_inherit else tables) if not proves_not_null(table, item.column)]
        scan_tree(p, unproved, "looks for NULLs")
        if unproved or not tables:
            p.fails(
                "nulls",
                f"{operation.table.name}.{item.column} holds NULLs",
                relation=operation.table,
                probe=probes.nulls(operation.table, item.column),
            )


def add_key(p: Prediction, table: Name, item: object, tables: Sequence[Table], *, new_column: Column | None = None) -> None:
    """A constraint that is an index: built under ACCESS EXCLUSIVE, unless it takes one that exists."""
    assert isinstance(item, PrimaryKey | Unique | Exclusion | NotNull)
    if isinstance(item, NotNull):
        return
    if not isinstance(item, Exclusion) and item.using_index:
        _take_index(p, table, item, tables)
        return
    refuse_key(p, item, tables[0] if tables and new_column is None else None)
    if tables and not isinstance(item, Exclusion):
        needs_partition_key(p, tables[0], item.columns)
    p.lock(table, SHARE)
    label = _SUFFIX[type(item).__name__]
    columns = item.columns if label != "pkey" else ()
    name = Name(schema=table.schema, name=item.name) if item.name else new_name(table.schema, table.name, columns, label)
    p.created.add(name)
    p.lock(name, ACCESS_EXCLUSIVE, why="the constraint's index")
    if item.deferrable:
        p.lock(table, SHARE_ROW_EXCLUSIVE, why="a deferrable constraint is checked by a trigger")
    parent = bool(tables) and tables[0].partitioning is not None
    if parent and len(tables) > 1:
        p.lock(name, SHARE_UPDATE_EXCLUSIVE)
    adopted = _adopted(p, tables[0], item) if parent and not isinstance(item, Exclusion) else frozenset()
    own = tables if parent else tables[:1]
    if not parent and len(tables) > 1 and p.at_least(18):
        p.lock_all((one.name for one in tables[1:]), ACCESS_EXCLUSIVE, why=f"inherits from {table.name}")
    built = [part for part in with_storage(own) if part.name not in adopted]
    for part in built:
        p.does("scan", part.name, "the index is built from it")
        p.does("index_build", part.name, name.name)
    for part in tables[1:] if parent else ():
        if part.name not in adopted:
            _part(p, part, new_name(part.name.schema, part.name.name, columns, label))
    if not tables:
        p.does("scan", table, "the index is built from it")
        p.does("index_build", table, name.name)
    if not adopted or built:
        _may_repeat(p, table, item, tables, new_column)
    if isinstance(item, PrimaryKey) and new_column is None and not (tables and all(part.new for part in tables)):
        _primary_key_columns(p, table, item, tables)


def _adopted(p: Prediction, table: Table, item: PrimaryKey | Unique) -> frozenset[Name]:
    """The partitions of which a key of their own, or of a partitioned one above them, becomes a part of this one: nothing of them is read."""
    found: list[Name] = []
    for part in p.catalog.partitions(table.name):
        own = key_to_adopt(p.catalog, part, item)
        if own is not None:
            below = [one.name for one in descendants(p.catalog, part.name)]
            p.lock(part.name, SHARE, why="its key becomes a part of the constraint")
            p.lock(own.name, SHARE)
            if p.at_least(18):
                p.lock_all((part.name, *(below if isinstance(item, PrimaryKey) else ())), ACCESS_EXCLUSIVE)
            found += [part.name, *below]
        else:
            found += _adopted(p, part, item)
    return frozenset(found)


def _part(p: Prediction, part: Table, name: Name) -> None:
    p.lock(part.name, SHARE, why="its part of the index is built")
    if p.at_least(18):
        p.lock(part.name, ACCESS_EXCLUSIVE, why="its part of the constraint is added")
    p.created.add(name)
    p.lock(name, ACCESS_EXCLUSIVE)
    if part.partitioning is not None and any(p.catalog.partitions(part.name)):
        p.lock(name, SHARE_UPDATE_EXCLUSIVE)


def _may_repeat(
    p: Prediction, table: Name, item: PrimaryKey | Unique | Exclusion, tables: Sequence[Table], new_column: Column | None
) -> None:
    if tables and all(part.new for part in tables):
        return
    if isinstance(item, Exclusion):
        p.fails("duplicates", f"{table.name} holds rows that {item.name or 'the exclusion constraint'} excludes", relation=table)
        return
    if new_column is not None:
        if new_column.default is not None and not is_volatile(new_column.default, p.catalog):
            p.fails(
                "duplicates",
                f"every row gets the same {new_column.name}: the default repeats",
                relation=table,
                probe=probes.rows(table),
            )
        return
    keys = tuple(quote(column) for column in item.columns)
    repeats = isinstance(item, Unique) and item.nulls_not_distinct
    p.fails(
        "duplicates",
        f"{table.name} holds rows with the same ({', '.join(item.columns)})",
        relation=table,
        probe=probes.duplicates(table, keys, nulls_equal=repeats),
    )
    if isinstance(item, Unique) and item.nulls_not_distinct:
        p.needs_version(15, "NULLS NOT DISTINCT")


def _primary_key_columns(p: Prediction, table: Name, item: PrimaryKey, tables: Sequence[Table]) -> None:
    """A primary key sets its columns NOT NULL, and reads the table for it where that is not proved."""
    for column in item.columns:
        unproved = [part for part in tables if not proves_not_null(part, column)]
        if unproved or not tables:
            scan_tree(p, unproved, "looks for NULLs in the key")
            p.fails("nulls", f"{table.name}.{column} holds NULLs", relation=table, probe=probes.nulls(table, column))
    if tables and tables[0].primary_key is not None:
        p.fails("exists", f'"{table.text}" has a primary key already', relation=table, certain=True)


def _take_index(p: Prediction, table: Name, item: PrimaryKey | Unique, tables: Sequence[Table]) -> None:
    """USING INDEX: instant, and the index is renamed to the constraint. Nullable columns of a primary key are read under the lock."""
    index = Name(schema=table.schema, name=item.using_index)
    p.lock(index, ACCESS_SHARE)
    if item.name and item.name != item.using_index:
        p.lock(index, SHARE_UPDATE_EXCLUSIVE, why=f"renamed to {item.name}")
    known = tables[0].index(item.using_index) if tables else None
    if tables and known is None and p.catalog.complete:
        p.fails("missing", f'index "{item.using_index}" does not exist', relation=table, certain=True)
    if known is None:
        return
    if known.constraint:
        p.fails(
            "exists", f"{item.using_index} belongs to the constraint {known.constraint} already", relation=index, certain=True
        )
    if not known.unique or not known.valid or known.predicate or any(part.expression or part.descending for part in known.parts):
        p.fails("dependency", f'index "{item.using_index}" is not a plain, valid, unique index', relation=index, certain=True)
    if isinstance(item, PrimaryKey):
        for column in known.columns:
            if not all(proves_not_null(part, column) for part in tables):
                scan_tree(p, tables, "looks for NULLs in the key")
                p.fails("nulls", f"{table.name}.{column} holds NULLs", relation=table, probe=probes.nulls(table, column))


def validate_constraint(p: Prediction, operation: ValidateConstraint) -> None:
    """The scan that NOT VALID left out, under a lock that readers and writers pass. Nothing to do when it is valid already."""
    table = existing(p, operation.table)
    tables = lock_tree(p, operation.table, SHARE_UPDATE_EXCLUSIVE, only=operation.only)
    item = table.constraint(operation.name) if table is not None else None
    if table is not None and item is None:
        p.fails(
            "missing", f'constraint "{operation.name}" of "{table.name.text}" does not exist', relation=table.name, certain=True
        )
    match item:
        case Check(validated=False):
            scan_tree(p, tables, "every row is checked")
            _may_violate(p, operation.table, item, tables)
        case ForeignKey(validated=False):
            validate_foreign_key(p, operation.table, item, tables)
        case NotNull(validated=False):
            scan_tree(p, tables, "looks for NULLs")
            p.fails(
                "nulls",
                f"{operation.table.name}.{item.column} holds NULLs",
                relation=operation.table,
                probe=probes.nulls(operation.table, item.column),
            )
        case None if table is None:
            p.does("scan", operation.table, "every row is checked")
        case _:
            pass


def alter_constraint(p: Prediction, operation: AlterConstraint) -> None:
    """Catalog-only: when a foreign key is checked, not whether. ENFORCED and INHERIT are syntax of 18."""
    lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only)
    table = existing(p, operation.table)
    item = table.constraint(operation.name) if table is not None else None
    if table is not None and item is None:
        p.fails(
            "missing", f'constraint "{operation.name}" of "{table.name.text}" does not exist', relation=table.name, certain=True
        )
    if item is not None and not isinstance(item, ForeignKey) and operation.no_inherit is None:
        p.fails(
            "unsupported", f"{operation.name} is no foreign key: it cannot be altered", relation=operation.table, certain=True
        )
    if operation.enforced is not None or operation.no_inherit is not None:
        p.needs_version(18, "ALTER CONSTRAINT … ENFORCED or INHERIT")
    if operation.enforced is not None and isinstance(item, ForeignKey):
        p.lock(item.referenced, SHARE_ROW_EXCLUSIVE, why=f"referenced by {item.name}")
        if operation.enforced and table is not None:
            validate_foreign_key(p, operation.table, item, (table,))


def drop_constraint(p: Prediction, operation: DropConstraint) -> None:
    """Instant. A foreign key takes ACCESS EXCLUSIVE on the referenced table as well."""
    table = existing(p, operation.table)
    lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only)
    item = table.constraint(operation.name) if table is not None else None
    if table is not None and item is None and not operation.if_exists:
        p.fails(
            "missing", f'constraint "{operation.name}" of "{table.name.text}" does not exist', relation=table.name, certain=True
        )
    if isinstance(item, ForeignKey):
        p.lock(item.referenced, ACCESS_EXCLUSIVE, why=f"referenced by {item.name}")
    if item is not None or table is None:
        p.loses(f"constraint {operation.name}: the database no longer guarantees it", operation.table, reversible=True)
    if table is not None and isinstance(item, PrimaryKey | Unique):
        _keys_that_lean_on(p, table, item, cascade=operation.cascade)


def _keys_that_lean_on(p: Prediction, table: Table, item: PrimaryKey | Unique, *, cascade: bool) -> None:
    for holder, key in p.catalog.referencing(table.name):
        if set(key.referenced_columns or item.columns) != set(item.columns):
            continue
        if cascade:
            p.lock(holder.name, ACCESS_EXCLUSIVE, why=f"its foreign key {key.name} goes with CASCADE")
            p.loses(f"foreign key {key.name} of {holder.name.name}", holder.name)
        else:
            p.fails(
                "dependency",
                f"foreign key {key.name} of {holder.name.name} depends on {item.name}",
                relation=holder.name,
                certain=True,
            )


def rename_constraint(p: Prediction, operation: RenameConstraint) -> None:
    """Instant; ON CONFLICT ON CONSTRAINT and error handling by name break."""
    table = existing(p, operation.table)
    item = table.constraint(operation.name) if table is not None else None
    alone = isinstance(item, PrimaryKey | Unique | Exclusion | ForeignKey)  # the names of checks are inherited
    lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only or alone)
    if table is not None and item is None:
        p.fails(
            "missing", f'constraint "{operation.name}" of "{table.name.text}" does not exist', relation=table.name, certain=True
        )
    if table is not None and isinstance(item, PrimaryKey | Unique | Exclusion):
        name = Name(schema=table.name.schema, name=operation.name)
        if name in index_names(table):
            p.lock(name, SHARE_UPDATE_EXCLUSIVE, why="the constraint's index is renamed too")
    p.breaks(f"code that names the constraint {operation.name}", operation.table)
