"""CREATE TABLE and ADD COLUMN: serial columns, LIKE, names of keys, what a primary key implies."""

from __future__ import annotations

from driftflow.dialects.postgresql.names import quote_name
from driftflow.dialects.postgresql.resolve import place
from driftflow.dialects.postgresql.resolve.expression import resolved_expression, resolved_type
from driftflow.dialects.postgresql.resolve.keys import Chooser, named
from driftflow.model.catalog import (
    Catalog,
    Check,
    Column,
    Constraint,
    Exclusion,
    ForeignKey,
    Identity,
    Index,
    NotNull,
    PrimaryKey,
    Table,
    Unique,
)
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, CreateTable
from driftflow.model.operations.naming import fitted, index_columns
from driftflow.model.operations.sequences import LARGEST, usual
from driftflow.model.record import replace


def create_table(operation: CreateTable, catalog: Catalog) -> CreateTable:
    table = operation.table
    name = place.new(table.name, catalog, temporary=table.kind == "temporary")
    table = replace(
        table,
        name=name,
        partition_of=place.relation(table.partition_of, catalog) if table.partition_of is not None else None,
        inherits=tuple(place.relation(parent, catalog) for parent in table.inherits),
    )
    chooser = Chooser(catalog, name.schema)
    chooser.given(name.name)
    like = tuple((place.relation(source, catalog), options) for source, options in operation.like)
    left = like
    if all(catalog.table(source) is not None for source, _ in like):
        table, left = _with_like(table, like, operation.like_positions, catalog, chooser), ()
    columns = (_serial(resolved_column(column, table.name, catalog), table.name, catalog, chooser) for column in table.columns)
    table = replace(table, columns=tuple(columns))
    table = replace(table, constraints=named(_valid(table.constraints), table, catalog, chooser))
    return replace(
        operation,
        table=_with_key(table),
        like=left,
        like_positions=operation.like_positions if left else (),
        copied_from=operation.copied_from if left else tuple(source for source, _ in like) or operation.copied_from,
    )


def _valid(constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    """A new table is empty: NOT VALID means nothing on it."""
    return tuple(
        replace(one, validated=one.enforced)
        if isinstance(one, (Check, ForeignKey))
        else replace(one, validated=True)
        if isinstance(one, NotNull)
        else one
        for one in constraints
    )


def _with_key(table: Table) -> Table:
    """Columns of a primary key, and those with a sequence of their own, are NOT NULL."""
    key = table.primary_key
    wanted = set(key.columns) if key is not None else set()
    return replace(
        table,
        columns=tuple(
            replace(column, nullable=False) if column.name in wanted or column.identity is not None else column
            for column in table.columns
        ),
    )


def _usual_identity(column: Column, table: Name, catalog: Catalog) -> Column:
    """Identity options as introspection gives them: without those that the server would have chosen anyway."""
    if column.identity is None:
        return column
    return replace(column, identity=usual_identity(column.identity, column.type, table, column.name, catalog))


def usual_identity(identity: Identity, type: str, table: Name, column: str, catalog: Catalog) -> Identity:
    """The identity without the options and the sequence's name that the server would have chosen anyway."""
    sequence = place.new(identity.sequence, catalog) if identity.sequence is not None else None
    chosen = Name(schema=table.schema, name=fitted(table.name, column, "seq"))
    return replace(
        identity,
        options=usual(identity.options, type=type if type in LARGEST else "bigint"),
        sequence=None if sequence == chosen else sequence,
    )


def _serial(column: Column, table: Name, catalog: Catalog, chooser: Chooser) -> Column:
    """serial: a sequence in the table's schema, named after table and column, as the default; the sequence is implied by it."""
    if not column.serial:
        return column
    sequence = Name(schema=table.schema, name=chooser.relation(table.name, column.name, "seq"))
    named = quote_name(sequence).replace("'", "''")
    return replace(column, serial=False, default=f"nextval('{named}'::regclass)", nullable=False)


def add_column(operation: AddColumn, catalog: Catalog) -> AddColumn:
    name = place.relation(operation.table, catalog)
    table = catalog.table(name) or Table(name=name)
    chooser = Chooser(catalog, name.schema)
    column = _serial(resolved_column(operation.column, name, catalog), name, catalog, chooser)
    key = any(isinstance(one, PrimaryKey) for one in operation.constraints)
    if (key or column.identity is not None) and column.nullable:
        column = replace(column, nullable=False)
    with_column = replace(table, columns=(*table.columns, column))
    constraints = named(operation.constraints, with_column, catalog, chooser)
    return replace(operation, table=name, column=column, constraints=constraints)


def resolved_column(column: Column, table: Name, catalog: Catalog) -> Column:
    """The column with user types, functions and sequences spelled with their schema."""
    changed = replace(column, type=resolved_type(column.type, catalog))
    if column.default is not None:
        changed = replace(changed, default=resolved_expression(column.default, catalog))
    changed = _usual_identity(changed, table, catalog)
    if column.generated is not None:
        expression = resolved_expression(column.generated.expression, catalog)
        changed = replace(changed, generated=replace(column.generated, expression=expression))
    return changed


# LIKE


def _with_like(
    table: Table, like: tuple[tuple[Name, tuple[str, ...]], ...], positions: tuple[int, ...], catalog: Catalog, chooser: Chooser
) -> Table:
    columns: list[Column] = []
    constraints, indexes = list(table.constraints), list(table.indexes)
    statistics = list(table.extended_statistics)
    at = 0
    for (name, options), position in zip(like, positions or (0,) * len(like), strict=True):
        columns += table.columns[at:position]
        at = position
        source = catalog.tables[name.text]
        columns += [_copied(column, options) for column in source.columns]
        constraints += _copied_constraints(source, options)
        indexes += _copied_indexes(source, table.name, options, chooser)
        statistics += source.extended_statistics if _wants(options, "STATISTICS") else ()
    columns += table.columns[at:]
    return replace(
        table,
        columns=tuple(columns),
        constraints=tuple(constraints),
        indexes=tuple(indexes),
        extended_statistics=tuple(statistics),
    )


def _wants(options: tuple[str, ...], option: str) -> bool:
    return "ALL" in options or option in options


def _copied(column: Column, options: tuple[str, ...]) -> Column:
    """Names, types, collations and NOT NULL always; the rest as INCLUDING says."""
    return Column(
        name=column.name,
        type=column.type,
        nullable=column.nullable,
        collation=column.collation,
        default=column.default if _wants(options, "DEFAULTS") else None,
        generated=column.generated if _wants(options, "GENERATED") else None,
        identity=column.identity if _wants(options, "IDENTITY") else None,
        storage=column.storage if _wants(options, "STORAGE") else "",
        compression=column.compression if _wants(options, "COMPRESSION") else "",
        comment=column.comment if _wants(options, "COMMENTS") else "",
    )


def _copied_constraints(source: Table, options: tuple[str, ...]) -> list[Constraint]:
    """Checks keep their names, keys get new ones; foreign keys are never copied. NOT NULL constraints come always (18)."""
    comments = _wants(options, "COMMENTS")
    found: list[Constraint] = []
    for constraint in source.constraints:
        kept = constraint if comments else replace(constraint, comment="")
        match kept:
            case NotNull():
                found.append(kept)
            case Check() if _wants(options, "CONSTRAINTS"):
                found.append(kept)
            case PrimaryKey() | Unique() | Exclusion() if _wants(options, "INDEXES"):
                found.append(replace(kept, name=""))
            case _:
                pass
    return found


def _copied_indexes(source: Table, table: Name, options: tuple[str, ...], chooser: Chooser) -> list[Index]:
    if not _wants(options, "INDEXES"):
        return []
    return [
        replace(
            index,
            name=Name(schema=table.schema, name=chooser.relation(table.name, index_columns(index), "idx")),
            table=table,
            valid=True,
            parent=None,
            bytes=None,
            comment=index.comment if _wants(options, "COMMENTS") else "",
        )
        for index in source.indexes
        if not index.constraint
    ]
