"""What comes back of a dropped column or sequence when its values are gone and that was accepted: the column itself and its indexes, so that code which names it, and
what the plan did before the drop, can go on the way back."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from driftflow.dialects.base import Dialect
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Check, Column, Exclusion, ForeignKey, Sequence, Table, Unique
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterObject,
    AlterSequence,
    CreateIndex,
    CreateSequence,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropSequence,
    Operation,
)
from driftflow.model.operations.dependents import heirs_of
from driftflow.model.record import replace
from driftflow.strategies import said_again
from driftflow.strategies.inverses.inverse_alter import default_again


def without_values(operation: Operation, before: Catalog, after: Catalog, at: Situation) -> tuple[Operation, ...]:
    """In order; nothing where the operation is another, or the column is not known. NOT NULL comes back only together with a default that gives
    old rows a value in an instant. Of a dropped sequence, what counts again from its beginning: a default that the release took away names it."""
    if isinstance(operation, DropSequence):
        sequence = before.sequences.get(operation.name.text) if not operation.cascade else None
        return tuple(_with_owner(sequence, at.dialect)) if sequence is not None else ()
    table = before.table(operation.table) if isinstance(operation, DropColumn) else None
    column = table.column(operation.column) if table is not None and isinstance(operation, DropColumn) else None
    if table is None or column is None or column.identity is not None or column.generated is not None:
        return ()
    sequences = [one for one in before.sequences_of(table.name) if one.owned_by == f"{table.name}.{column.name}"]
    gone = [one for one in sequences if one.name.text not in after.sequences]
    return (
        *(made for one in gone for made in sequence_again(one, at.dialect)),
        *_column(at.table(table.name) or table, column, after, at),
        *(AlterSequence(name=one.name, owned_by=one.owned_by) for one in gone),
        *said_again.of_column(column, table, at.dialect),
        *(said for heir in heirs_of(before, table.name) for said in _said(heir, column.name, at.dialect)),
        *(
            said
            for one in table.extended_statistics
            if column.name in one.columns
            for said in said_again.statistics_again(one, table.name, at.dialect)
        ),
        *gone_with(table, column, after, at.dialect),
    )


def gone_with(table: Table, column: Column, after: Catalog, dialect: Dialect) -> tuple[Operation, ...]:
    """Makes again what went with the column of the table as it was."""
    return (*_indexes(table, column, after, dialect), *_constraints(table, column, after, dialect))


def _said(heir: Table, name: str, dialect: Dialect) -> Iterator[Operation]:
    column = heir.column(name)
    return said_again.of_column(column, heir, dialect) if column is not None else iter(())


def _with_owner(sequence: Sequence, dialect: Dialect) -> Iterator[Operation]:
    yield from sequence_again(sequence, dialect)
    if sequence.owned_by:
        yield AlterSequence(name=sequence.name, owned_by=sequence.owned_by)


def sequence_again(sequence: Sequence, dialect: Dialect) -> Iterator[Operation]:
    """It counts from its beginning: nothing holds what it counted any more. A column's sequence has the owner of the table."""
    yield CreateSequence(sequence=replace(sequence, owned_by=""))
    yield from said_again.of_sequence(sequence, dialect)
    if sequence.owner:
        sql = f"ALTER SEQUENCE {dialect.quote_name(sequence.name)} OWNER TO {dialect.quote(sequence.owner)}"
        yield AlterObject(kind="sequence", action="owner", name=sequence.name, sql=sql, relations=(sequence.name,))


def _column(table: Table, column: Column, after: Catalog, at: Situation) -> tuple[Operation, ...]:
    """Empty where something wants its values to differ, or to be somewhere else: one and the same default in every row would not do."""
    bare = replace(column, autoincrement=False)
    whole = AddColumn(table=table.name, column=bare)
    held = bare.default is not None and _held(table, column)
    if not held and (bare.default is not None or bare.nullable) and not at.dialect.effects(whole, after).work:
        return (whole,)
    empty = AddColumn(table=table.name, column=replace(bare, nullable=True, default=None))
    return (empty,) if bare.default is None else (empty, default_again(table.name, replace(bare, nullable=True), after))


def wants_values(operation: Operation, before: Catalog, names: Collection[str]) -> bool:
    """Whether what the operation takes away cannot come back over columns of these names that are empty."""
    match operation:
        case DropIndex(name=name):
            return any(one.nulls_not_distinct or one.identifies for _, one in before.indexes_named(name))
        case DropConstraint(table=table, name=name):
            held = before.table(table)
            match held.constraint(name) if held is not None else None:
                case Unique(nulls_not_distinct=whole):
                    return whole
                case ForeignKey(columns=columns):
                    return not set(columns) & set(names)
        case _:
            pass
    return False


def _held(table: Table, column: Column) -> bool:
    """By a unique index, a foreign key or an exclusion constraint."""
    keys = any(isinstance(one, ForeignKey | Exclusion) and column.name in one.columns for one in table.constraints)
    return keys or any(one.unique and column.name in one.columns for one in table.indexes)


def _constraints(table: Table, column: Column, after: Catalog, dialect: Dialect) -> Iterator[Operation]:
    """What an empty column fulfils."""
    now = after.table(table.name)
    for one in table.constraints:
        gone = now is None or now.constraint(one.name) is None
        match one:
            case Check() if gone:
                yield AddConstraint(table=table.name, constraint=one)
            case Unique(columns=columns, nulls_not_distinct=False) | ForeignKey(columns=columns) | Exclusion(columns=columns) if (
                gone and column.name in columns
            ):
                yield AddConstraint(table=table.name, constraint=one)
            case _:
                continue
        yield from said_again.of_constraint(one, table, table.name, dialect)


def _indexes(table: Table, column: Column, after: Catalog, dialect: Dialect) -> tuple[Operation, ...]:
    """PostgreSQL and SQLite drop them with the column; on MySQL and MariaDB they lose it, and are gone with the last one. What identifies rows is no index
    over an empty column."""
    now, found = after.table(table.name), list[Operation]()
    for index in table.indexes:
        if column.name in index.columns and not index.constraint and not index.nulls_not_distinct:
            left = now.index(index.name.name) if now is not None else None
            found += [DropIndex(name=index.name, table=index.table)] if left is not None and left != index else []
            found += (
                [CreateIndex(index=index), *said_again.of_index(replace(index, identifies=False), dialect)]
                if left != index
                else []
            )
    return tuple(found)
