"""Inverses of changes inside a table: column attributes, constraints, indexes, options, partitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, assert_never

from driftflow.dialects.base import Dialect
from driftflow.dialects.numbers import whole
from driftflow.dialects.sqlite.types import affinity
from driftflow.model.catalog import (
    Catalog,
    Check,
    Column,
    Constraint,
    ForeignKey,
    Identity,
    Index,
    IndexPart,
    NotNull,
    PrimaryKey,
    Table,
    Unique,
)
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddConstraint,
    AlterColumnType,
    AlterConstraint,
    AlterIdentity,
    AlterIndex,
    AlterTableOption,
    AttachPartition,
    ChangeColumn,
    CreateIndex,
    DetachPartition,
    DropConstraint,
    DropDefault,
    DropExpression,
    DropIndex,
    DropNotNull,
    Operation,
    Reindex,
    RenameConstraint,
    RenameIndex,
    RewriteTable,
    Select,
    SetColumnOption,
    SetDefault,
    SetExpression,
    SetInherit,
    SetNotNull,
    ValidateConstraint,
    keys,
)
from driftflow.model.operations.rules import columns_are_said_whole, foreign_key_makes_index
from driftflow.model.operations.sequences import as_before
from driftflow.model.plan import Irreversible, UndoNothing
from driftflow.model.record import replace
from driftflow.strategies import said_again
from driftflow.strategies.inverses.inverse_stored import option_back, period_back, stored_back

Inverse = tuple[Operation, ...] | UndoNothing | Irreversible
Attribute = SetDefault | DropDefault | SetNotNull | DropNotNull | AlterIdentity | SetExpression | DropExpression | SetColumnOption


def column_type(operation: AlterColumnType, before: Catalog) -> Inverse:
    """Back to the old type where the way there lost nothing: the server refuses the way back itself when a value no longer fits."""
    column = _column(before, operation.table, operation.column)
    name = f"alter_column_type {operation.table}.{operation.column}"
    if column is None:
        return Irreversible(reason="the type before is not known", name=name)
    if not _is_kept(operation.using, column, operation.type, before):
        return Irreversible(reason=f"values changed from {column.type} to {operation.type} may not come back the same", name=name)
    return (
        AlterColumnType(
            table=operation.table, column=operation.column, type=column.type, collation=column.collation, only=operation.only
        ),
    )


def _is_kept(using: str, column: Column, new: str, before: Catalog) -> bool:
    """Whether the column holds its old values afterwards: what USING computes from them is not known backwards, unless it is the value itself,
    cast to wider types."""
    name, *casts = using.split("::") if using else [column.name]
    if name.strip('"( )') != column.name:
        return False
    bare = [cast.strip() if cast.count("(") == cast.count(")") else cast.strip().rstrip(")") for cast in casts]
    types = [column.type, *bare, new]
    return all(_same_values(one, other, before) for one, other in pairwise(types))


def _same_values(old: str, new: str, catalog: Catalog) -> bool:
    """SQLite looks at no more of a type than its affinity."""
    return widens(old, new) or (catalog.vendor == "sqlite" and affinity(old) == affinity(new))


WIDER = {
    "smallint": ("integer", "bigint", "numeric"),
    "integer": ("bigint", "numeric"),
    "bigint": ("numeric",),
    "real": ("double precision",),
    "character varying": ("text",),
    "text": ("character varying",),
}


def widens(old: str, new: str) -> bool:
    """Whether every value of the old type is the same value of the new one."""
    old_base, old_size = split_type(old)
    new_base, new_size = split_type(new)
    if old_base == new_base and new_size is not None:
        if old_size is None or (new.endswith("[]") and len(new_size) + len(old_size) > 2):
            return False  # whether the numbers of a list are the same again is not asked of the rows
        return _holds(new_size, old_size)
    if old_base == new_base:
        return True
    return new_size is None and new_base in WIDER.get(old_base, ())


def _holds(new: tuple[int, ...], old: tuple[int, ...]) -> bool:
    """A length, or as many digits before the point and as many behind it."""
    digits, scale = new[0], new[1] if len(new) > 1 else 0
    old_digits, old_scale = old[0], old[1] if len(old) > 1 else 0
    return digits - scale >= old_digits - old_scale and scale >= old_scale


def split_type(type: str) -> tuple[str, tuple[int, ...] | None]:
    """`timestamp(3) with time zone`: its name, and the numbers in parentheses, where there are some."""
    base, _, rest = type.lower().partition("(")
    numbers, _, more = rest.partition(")")
    sizes = tuple(value for number in numbers.split(",") if (value := whole(number.strip())) is not None)
    return f"{base.strip()}{more}", sizes or None


def _counts_on(table: Name, column: Column, identity: Identity, dialect: Dialect) -> Select:
    """The sequence went with the identity, and a new one begins at its first number: it goes on behind what the rows hold."""
    start, down = identity.options.start or 1, (identity.options.increment or 1) < 0
    last = f"{'min' if down else 'max'}({dialect.quote(column.name)})"
    sequence = f"pg_get_serial_sequence({dialect.literal(dialect.quote_name(table))}, {dialect.literal(column.name)})"
    sql = f"SELECT setval({sequence}, {last}) FROM {dialect.quote_name(table)} HAVING {last} {'<=' if down else '>='} {start}"
    return Select(sql=sql, reads=(table,), calls=("setval",))


def attribute(operation: Attribute, before: Catalog, dialect: Dialect) -> Inverse:
    table, column = operation.table, _column(before, operation.table, operation.column)
    name, only = operation.column, operation.only
    if column is None:
        return UndoNothing(reason=f"{table}.{name} as it was is not known")
    match operation:
        case SetDefault() | DropDefault():
            if column.default is not None or (columns_are_said_whole(before) and column.on_update):
                return (default_again(table, column, before, only=only),)
            return (DropDefault(table=table, column=name, only=only),)
        case SetNotNull():
            if not column.nullable:
                return UndoNothing(reason=f"{table}.{name} was NOT NULL before")
            return (DropNotNull(table=table, column=name, only=only),)
        case DropNotNull():
            if column.nullable:
                return UndoNothing(reason=f"{table}.{name} was nullable before")
            named = next((c.name for c in _constraints(before, table) if isinstance(c, NotNull) and c.column == name), "")
            return (SetNotNull(table=table, column=name, only=only, constraint_name=named),)
        case AlterIdentity(action="add"):
            return (AlterIdentity(table=table, column=name, action="drop", only=only),)
        case AlterIdentity():
            if column.identity is None:
                return UndoNothing(reason=f"{table}.{name} had no identity before")
            gone = operation.action == "drop"
            back = AlterIdentity(
                table=table,
                column=name,
                action="add" if gone else "set",
                identity=column.identity,
                options=as_before(column.identity.options, operation.options, type=column.type),
                only=only,
            )
            return (back, _counts_on(table, column, column.identity, dialect)) if gone else (back,)
        case SetExpression():
            if column.generated is None:
                return UndoNothing(reason=f"{table}.{name} was not generated before")
            return (SetExpression(table=table, column=name, generated=column.generated, only=only),)
        case DropExpression():
            return Irreversible(
                reason=f"{table}.{name} cannot become a generated column again without being made anew",
                name=f"drop_expression {table}.{name}",
            )
        case SetColumnOption():
            return _column_option(operation, column)
        case _:
            assert_never(operation)


def default_again(table: Name, column: Column, before: Catalog, *, only: bool = False) -> SetDefault | ChangeColumn:
    """SET DEFAULT takes ON UPDATE away on MariaDB, and MySQL takes no moment there: such a column is said whole."""
    if columns_are_said_whole(before) and (column.on_update or _is_moment(column.default)):
        return ChangeColumn(table=table, column=column.name, definition=column)
    return SetDefault(table=table, column=column.name, default=column.default or "NULL", only=only)


def _is_moment(default: str | None) -> bool:
    return default is not None and default.lower().startswith(("current_timestamp", "now("))


def _column_option(operation: SetColumnOption, column: Column) -> Inverse:
    match operation.option:
        case "statistics":
            return (replace(operation, value=str(-1 if column.statistics is None else column.statistics)),)
        case "set" | "reset":
            return tuple(
                replace(operation, option=one, value=value) for one, value in options_back(operation.value, column.options)
            )
        case "storage" if column.storage:
            return (replace(operation, value=column.storage),)
        case "visible":
            return (replace(operation, value="VISIBLE" if column.visible else "INVISIBLE"),)
        case "compression":
            return (replace(operation, value=column.compression or "default"),)
        case _:
            return UndoNothing(reason="an option for the planner or for storage; results do not depend on it")


Constraining = AddConstraint | DropConstraint | ValidateConstraint | AlterConstraint | RenameConstraint


def constraint(operation: Constraining, before: Catalog, dialect: Dialect, *, not_valid: bool, online: bool) -> Inverse:
    """`not_valid` and `online` say how the server can add a constraint again without stopping anybody."""
    table = operation.table
    match operation:
        case AddConstraint(constraint=NotNull() as added) if not added.name:
            return (DropNotNull(table=table, column=added.column, only=operation.only),)
        case AddConstraint(constraint=added):
            dropped = DropConstraint(table=table, name=added.name, only=operation.only)
            return (*_replaced_by(added, before, table), dropped, *_beside(added, before, table))
        case ValidateConstraint():
            return UndoNothing(reason="a validated constraint forbids nothing that it did not forbid before")
        case RenameConstraint():
            return (RenameConstraint(table=table, name=operation.to, to=operation.name, only=operation.only),)
        case DropConstraint() | AlterConstraint():
            found = next((known for known in _constraints(before, table) if known.name == operation.name), None)
            if found is None:
                return UndoNothing(reason=f"{operation.name} was not there")
            if isinstance(operation, DropConstraint):
                again = _added_again(operation, found, not_valid=not_valid, online=online)
                said = said_again.of_constraint(found, before.table(table), table, dialect)
                return (*again, *said, *(_with_it(before, table, found, dialect) if operation.cascade else ()))
            return (
                replace(
                    operation,
                    deferrable=getattr(found, "deferrable", None) if operation.deferrable is not None else None,
                    initially_deferred=getattr(found, "initially_deferred", None)
                    if operation.initially_deferred is not None
                    else None,
                    enforced=getattr(found, "enforced", None) if operation.enforced is not None else None,
                    no_inherit=getattr(found, "no_inherit", None) if operation.no_inherit is not None else None,
                ),
            )
        case _:
            assert_never(operation)


def _beside(added: Constraint, before: Catalog, table: Name) -> Iterator[Operation]:
    """What goes with the constraint and was not so before: NOT NULL under a primary key stays, an index that it took over goes."""
    known = before.table(table)
    if known is not None and isinstance(added, ForeignKey):
        made = keys.with_referencing_index(before, known, added).indexes[len(known.indexes) :]
        yield from (DropIndex(name=one.name, table=table) for one in made)
    if known is None or not isinstance(added, PrimaryKey | Unique):
        return
    if isinstance(added, PrimaryKey):
        columns = [column for name in added.columns if (column := known.column(name)) is not None]
        for column in columns:
            if column.nullable and columns_are_said_whole(before):
                yield ChangeColumn(table=table, column=column.name, definition=column)
            elif column.nullable:
                yield DropNotNull(table=table, column=column.name)
    index = next((one for one in known.indexes if added.using_index and one.name.name == added.using_index), None)
    if index is not None:
        yield CreateIndex(index=replace(index, bytes=None))


def _replaced_by(added: Constraint, before: Catalog, table: Name) -> Iterator[Operation]:
    if isinstance(added, PrimaryKey | Unique) and not added.using_index:
        yield from _replaced(keys.parts_of(added), before, table)
    known = before.table(table) if isinstance(added, ForeignKey) else None
    if known is not None and isinstance(added, ForeignKey):
        # The index that the server makes for it takes the place of one that it has made for another key.
        others = {key.columns for key in known.foreign_keys if key.columns == added.columns[: len(key.columns)]}
        parts = tuple(IndexPart(column=column) for column in added.columns)
        yield from (one for one in _replaced(parts, before, table) if one.index.columns in others)


def _replaced(parts: Sequence[IndexPart], before: Catalog, table: Name) -> Iterator[CreateIndex]:
    """What the server may have taken away when an index of these parts was made is there again before that one goes: a foreign key needs one of them."""
    known = before.table(table) if foreign_key_makes_index(before) else None
    if known is not None and not known.new:
        yield from (CreateIndex(index=replace(one, bytes=None), if_not_exists=True) for one in keys.replaceable(known, parts))


def _with_it(before: Catalog, table: Name, key: Constraint, dialect: Dialect) -> Iterator[Operation]:
    """The foreign keys that CASCADE took away with the key that they referenced."""
    if not isinstance(key, PrimaryKey | Unique):
        return
    for other in before.tables.values():
        for one in other.constraints:
            if isinstance(one, ForeignKey) and one.referenced == table and set(one.referenced_columns) == set(key.columns):
                yield AddConstraint(table=other.name, constraint=one)
                yield from said_again.of_constraint(one, other, other.name, dialect)


def _added_again(operation: DropConstraint, found: Constraint, *, not_valid: bool, online: bool) -> tuple[Operation, ...]:
    """The constraint as it was: bound first and proved after, or taken over from an index that is built online."""
    table, only = operation.table, operation.only
    match found:
        case Check() | ForeignKey() if not_valid and found.validated and found.enforced:
            bound = AddConstraint(table=table, constraint=replace(found, validated=False), only=only)
            return bound, ValidateConstraint(table=table, name=found.name, only=only)
        case Unique() if online:
            index = Index(
                name=Name(schema=table.schema, name=found.name),
                table=table,
                parts=found.parts or tuple(IndexPart(column=column) for column in found.columns),
                include=found.include,
                unique=True,
                nulls_not_distinct=found.nulls_not_distinct,
            )
            taken = AddConstraint(table=table, constraint=replace(found, using_index=found.name), only=only)
            return CreateIndex(index=index, concurrently=True), taken
        case _:
            return (AddConstraint(table=table, constraint=found, only=only),)


Indexing = CreateIndex | DropIndex | RenameIndex | AlterIndex | Reindex


def index(operation: Indexing, before: Catalog, dialect: Dialect, *, online: bool) -> Inverse:
    match operation:
        case CreateIndex(index=made):
            if operation.if_not_exists and _index(before, made.name) is not None:
                return UndoNothing(reason=f"{made.name} was already there")
            partitioned = _is_partitioned(before, made.table)
            dropped = DropIndex(name=made.name, table=made.table, concurrently=online and not partitioned, if_exists=False)
            return (*_replaced(made.parts, before, made.table), dropped)
        case DropIndex(name=name):
            found = _index(before, name)
            if found is None:
                return UndoNothing(reason=f"{name} was not there")
            partitioned = _is_partitioned(before, found.table)
            again = CreateIndex(index=replace(found, bytes=None), concurrently=online and not partitioned)
            return (again, *said_again.of_index(found, dialect))
        case RenameIndex(name=name):
            back = Name(schema=name.schema, name=operation.to)
            return (RenameIndex(name=back, to=name.name, table=operation.table),)
        case AlterIndex(action="attach"):
            return UndoNothing(reason="an attached index goes with the index of the parent")
        case AlterIndex(action="visible"):
            found = _index(before, operation.name)
            return (replace(operation, value="visible" if found is None or found.visible else "invisible"),)
        case AlterIndex(action="set" | "reset") if (found := _index(before, operation.name)) is not None:
            return tuple(
                replace(operation, action=one, value=value) for one, value in options_back(operation.value, found.options)
            )
        case AlterIndex() | Reindex():
            return UndoNothing(reason="results do not depend on it")
        case _:
            assert_never(operation)


Optional = AlterTableOption | RewriteTable | AttachPartition | DetachPartition | SetInherit


def table_option(operation: Optional, before: Catalog, dialect: Dialect, *, can_detach: bool) -> Inverse:
    match operation:
        case AttachPartition():
            return (DetachPartition(table=operation.table, partition=operation.partition, concurrently=can_detach),)
        case DetachPartition(partition=partition):
            child = before.table(partition)
            if child is None or not child.partition_bound:
                return UndoNothing(reason=f"{partition} was not a partition")
            return (AttachPartition(table=operation.table, partition=partition, bound=child.partition_bound),)
        case SetInherit():
            return (replace(operation, inherit=not operation.inherit),)
        case RewriteTable(action="logged"):
            return (replace(operation, action="unlogged"),)
        case RewriteTable(action="unlogged"):
            return (replace(operation, action="logged"),)
        case RewriteTable(action="tablespace" | "access_method") if before.vendor == "postgresql":
            return _storage(operation, before)
        case RewriteTable(action="engine" | "row_format" | "key_block_size" | "encryption" | "system_versioning"):
            return stored_back(operation, before)
        case AlterTableOption(option="mysql"):
            return option_back(operation, before)
        case AlterTableOption(option="add_period" | "drop_period"):
            return period_back(operation, before)
        case RewriteTable():
            return UndoNothing(reason="it changes how rows are stored, not what they are")
        case AlterTableOption():
            return _option(operation, before, dialect)
        case _:
            assert_never(operation)


def _storage(operation: RewriteTable, before: Catalog) -> Inverse:
    table = before.table(operation.table) if operation.table is not None else None
    if table is None:
        return UndoNothing(reason="it changes how rows are stored, not what they are")
    old = table.tablespace or "pg_default" if operation.action == "tablespace" else table.access_method or "heap"
    return (replace(operation, value=old),)


def options_back(named: str, options: Sequence[str]) -> Iterator[tuple[Literal["set", "reset"], str]]:
    """What gives the options that SET or RESET names back as they were."""
    names = [part.partition("=")[0].strip() for part in named.strip("() ").split(",")]
    before = dict(option.partition("=")[::2] for option in options)
    kept = [f"{name}={before[name]}" for name in names if name in before]
    gone = [name for name in names if name not in before]
    if kept:
        yield "set", ", ".join(kept)
    if gone:
        yield "reset", ", ".join(gone)


def _option(operation: AlterTableOption, before: Catalog, dialect: Dialect) -> Inverse:
    table = before.table(operation.table)
    if table is None:
        return UndoNothing(reason=f"{operation.table} as it was is not known")
    match operation.option:
        case "owner" if table.owner:
            return (replace(operation, value=table.owner),)
        case "replica_identity":
            old = {"": "DEFAULT", "d": "DEFAULT", "n": "NOTHING", "f": "FULL"}.get(table.replica_identity)
            marked = next((f"USING INDEX {dialect.quote(one.name.name)}" for one in table.indexes if one.identifies), None)
            if (back := old or marked) is None:
                return UndoNothing(reason="which index identified the rows before is not kept")
            return (replace(operation, value=back),)
        case "cluster_on" | "without_cluster":
            name = next((dialect.quote(one.name.name) for one in table.indexes if one.clustered), "")
            return (replace(operation, option="cluster_on" if name else "without_cluster", value=name),)
        case "set" | "reset":
            return tuple(
                replace(operation, option=one, value=value) for one, value in options_back(operation.value, table.options)
            )
        case _:
            return UndoNothing(reason="results do not depend on it")


def _column(catalog: Catalog, table: Name, column: str) -> Column | None:
    found = catalog.table(table)
    return found.column(column) if found is not None else None


def _constraints(catalog: Catalog, table: Name) -> tuple[Constraint, ...]:
    found = catalog.table(table)
    return found.constraints if found is not None else ()


def _index(catalog: Catalog, name: Name) -> Index | None:
    """Of a table, or of a materialized view."""
    return next((index for _, index in catalog.indexes_named(name)), None)


def _is_partitioned(catalog: Catalog, table: Name) -> bool:
    found: Table | None = catalog.table(table)
    return found is not None and found.partitioning is not None
