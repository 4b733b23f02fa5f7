"""Constraints, the indexes that implement them, and NOT NULL as PostgreSQL 18 keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driftflow.model.catalog import (
    Catalog,
    Check,
    Constraint,
    Exclusion,
    ForeignKey,
    Index,
    IndexPart,
    NotNull,
    PrimaryKey,
    Table,
    Unique,
)
from driftflow.model.names import Name
from driftflow.model.operations.lookup import taken
from driftflow.model.operations.naming import made_name
from driftflow.model.operations.rules import (
    attached_keys_are_alike,
    foreign_key_makes_index,
    keys_have_indexes,
    not_null_is_named,
)
from driftflow.model.record import replace

Key = PrimaryKey | Unique


def as_kept(catalog: Catalog, constraint: Constraint) -> Constraint:
    """The constraint as the catalog holds it: without what only the statement says."""
    match constraint:
        case PrimaryKey() | Unique():
            return replace(constraint, using_index="")
        case Check(enforced=False) | ForeignKey(enforced=False):
            return replace(constraint, validated=False)
        case Check() if keys_have_indexes(catalog):
            return replace(constraint, column="")
        case ForeignKey(match="SIMPLE"):
            return replace(constraint, match="")
        case _:
            return constraint


def without(table: Table, name: str) -> Table:
    """The table without the constraint and the index that implements it."""
    return replace(
        table,
        constraints=tuple(constraint for constraint in table.constraints if constraint.name != name),
        indexes=tuple(index for index in table.indexes if index.constraint != name),
    )


def swap(table: Table, name: str, constraint: Constraint) -> Table:
    """The table with one constraint replaced in its place."""
    return replace(table, constraints=tuple(constraint if one.name == name else one for one in table.constraints))


def stand_in(catalog: Catalog, table: Table, key: PrimaryKey) -> Unique | None:
    """The unique constraint on which foreign keys can stand in the place of the primary key; None where there is one already."""
    for one in table.constraints:
        if isinstance(one, Unique) and not one.deferrable and set(one.columns) == set(key.columns):
            return None
    name = made_name(table.name.name, "_".join(key.columns), "key", taken(catalog, table.name.schema))
    return Unique(name=name, columns=key.columns)


def with_referencing_index(catalog: Catalog, table: Table, key: ForeignKey) -> Table:
    """The table with the index that the server makes for a foreign key, named as the key is (as its column, where nobody named the key), where none begins with its columns."""
    if not foreign_key_makes_index(catalog):
        return table
    wanted = key.columns
    if begins_a_key(table, wanted):
        return table
    unnamed = key.name.startswith(f"{table.name.name}_ibfk_")
    name = Name(schema=table.name.schema, name=wanted[0] if unnamed else key.name)
    made = Index(name=name, table=table.name, parts=tuple(IndexPart(column=column) for column in wanted), implied=True)
    return replace(table, indexes=(*table.indexes, made))


def begins_a_key(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether an index, or the primary key, begins with them."""
    heads = [index.columns for index in table.indexes]
    heads += [table.primary_key.columns] if table.primary_key is not None else []
    return any(head[: len(columns)] == columns for head in heads)


def replaceable(table: Table, parts: Sequence[IndexPart]) -> tuple[Index, ...]:
    """Plain indexes that begin another one of these parts. MySQL and MariaDB take each of them away with the making of that one where they made it
    themselves for a foreign key, which is known of the `implied` alone (MySQL 9.7, MariaDB 10.11 and 11.8, measured)."""
    heads = [part.column for part in parts if part.prefix is None]
    return tuple(
        index
        for index in table.indexes
        if list(index.columns) == heads[: len(index.columns)]
        and index.parts == tuple(IndexPart(column=column) for column in index.columns)
        and not (index.unique or index.constraint)
        and index.method in ("", "btree")
    )


def implied_in(table: Table, parts: Sequence[IndexPart]) -> tuple[Index, ...]:
    """Those of them that the release's foreign keys have brought."""
    return tuple(one for one in replaceable(table, parts) if one.implied)


def without_implied(catalog: Catalog, table: Table, parts: Sequence[IndexPart]) -> Table:
    """The table after an index of these parts was made: what stood for a foreign key alone is gone."""
    if not foreign_key_makes_index(catalog):
        return table
    gone = implied_in(table, parts)
    return replace(table, indexes=tuple(one for one in table.indexes if one not in gone)) if gone else table


def columns_of(constraint: Constraint) -> tuple[str, ...]:
    """The columns that the constraint holds by name; a CHECK's are in its expression."""
    match constraint:
        case PrimaryKey() | Unique():
            return (*constraint.columns, *constraint.include)
        case ForeignKey() | Exclusion():
            return constraint.columns
        case NotNull():
            return (constraint.column,)
        case Check():
            return (constraint.column,) if constraint.column else ()


def parts_of(key: Key) -> tuple[IndexPart, ...]:
    return key.parts or tuple(IndexPart(column=column) for column in key.columns)


def key_index(table: Table, constraint: Key | Exclusion, *, parent: Name | None = None) -> Index:
    """The index that implements a key."""
    name = Name(schema=table.name.schema, name=constraint.name)
    if isinstance(constraint, Exclusion):
        method = (
            constraint.definition.removeprefix("USING ").split(" ", 1)[0] if constraint.definition.startswith("USING ") else ""
        )
        parts = tuple(IndexPart(column=column) for column in constraint.columns)
        return Index(
            name=name, table=table.name, parts=parts, method="" if method == "btree" else method, constraint=constraint.name
        )
    return Index(
        name=name,
        table=table.name,
        parts=parts_of(constraint),
        include=constraint.include,
        unique=True,
        nulls_not_distinct=isinstance(constraint, Unique) and constraint.nulls_not_distinct,
        constraint=constraint.name,
        parent=parent,
    )


def with_key_indexes(catalog: Catalog, table: Table) -> Table:
    """The table with an index for each key that has none yet, where the vendor keeps keys as indexes."""
    if not keys_have_indexes(catalog):
        return table
    have = {index.constraint for index in table.indexes}
    made = [
        key_index(table, constraint)
        for constraint in table.constraints
        if isinstance(constraint, PrimaryKey | Unique | Exclusion) and constraint.name not in have
    ]
    return replace(table, indexes=(*table.indexes, *made)) if made else table


def adopt_index(table: Table, constraint: Key) -> Table:
    """ADD CONSTRAINT ... USING INDEX: the index takes the constraint's name and belongs to it."""
    indexes = tuple(
        replace(index, name=replace(index.name, name=constraint.name), constraint=constraint.name)
        if index.name.name == constraint.using_index
        else index
        for index in table.indexes
    )
    return replace(table, indexes=indexes)


def with_not_null(catalog: Catalog, table: Table, columns: Iterable[str], *, name: str = "", validated: bool = True) -> Table:
    """The columns made NOT NULL, with a constraint each where the vendor names them. One that is there already counts, and is validated."""
    wanted = set(columns)
    there = {constraint.column: constraint for constraint in table.constraints if isinstance(constraint, NotNull)}
    kept = tuple(
        replace(constraint, validated=True)
        if isinstance(constraint, NotNull) and constraint.column in wanted and validated
        else constraint
        for constraint in table.constraints
    )
    made: list[Constraint] = []
    if not_null_is_named(catalog):
        names = {constraint.name for constraint in table.constraints}
        for column in (one.name for one in table.columns if one.name in wanted and one.name not in there):
            chosen = name or made_name(table.name.name, column, "not_null", names.__contains__)
            names.add(chosen)
            made.append(NotNull(name=chosen, column=column, validated=validated))
    return replace(
        table,
        columns=tuple(replace(one, nullable=False) if one.name in wanted and validated else one for one in table.columns),
        constraints=(*kept, *made),
    )


def key_to_adopt(catalog: Catalog, child: Table, constraint: Key) -> Index | None:
    """The index of a partition's own key that becomes a part of the parent's."""
    columns = {*constraint.columns, *constraint.include}
    for index in child.indexes:
        own = child.constraint(index.constraint) if index.constraint and index.parent is None else None
        fits = type(own) is type(constraint) or not attached_keys_are_alike(catalog)
        if isinstance(own, PrimaryKey | Unique) and fits and set(columns_of(own)) == columns:
            return index
    return None


def copy_of_key(catalog: Catalog, child: Table, constraint: Key, parent: Name) -> Table:
    """A partition's own key under the parent's: one that it has already is attached, else one with a made-up name is created."""
    own = key_to_adopt(catalog, child, constraint)
    if own is not None:
        attached = replace(own, parent=parent)
        return replace(child, indexes=tuple(attached if one is own else one for one in child.indexes))
    label, middle = ("pkey", "") if isinstance(constraint, PrimaryKey) else ("key", "_".join(columns_of(constraint)))
    name = made_name(child.name.name, middle, label, taken(catalog, child.name.schema))
    own_key = replace(constraint, name=name, using_index="")
    return replace(
        child,
        constraints=(*child.constraints, own_key),
        indexes=(*child.indexes, key_index(child, own_key, parent=parent)),
    )
