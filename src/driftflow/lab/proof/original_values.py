"""What the original migration makes of values where a directive says more than the statement: `too-long` cuts them, `convert` makes others of them.

Cutting, and the zone on MySQL and MariaDB, are said here in the server's own words for it. What else `convert` makes of a value is one expression that both
sides take, so it is told: whether it is the right one is not shown by comparing the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from driftflow.dialects.base import Dialect
from driftflow.drivers.catalogs import catalog_of
from driftflow.engine.ports import Connection
from driftflow.lab.proof.original_dependents import table_named
from driftflow.lab.rows.spelling import limit_of
from driftflow.model.catalog import Catalog, Column, Table
from driftflow.model.migration import Statement
from driftflow.model.operations import (
    AddColumn,
    AlterColumnType,
    ChangeColumn,
    ConvertCharset,
    CreateIndex,
    DropColumn,
    Operation,
    SetNotNull,
)
from driftflow.model.record import replace
from driftflow.strategies.types.said_conversion import ConvertRequest, convert_in, too_long_in
from driftflow.strategies.types.spelled_conversion import spelled

ASIDE = "original_said"
Changed = tuple[Table, Column, Column]
"""(table, the column as it is, as it will be)."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a statement is carried out whose directive says what becomes of the values."""

    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(table, column) → expression over the old form."""
    settings: tuple[tuple[str, str], ...] = ()
    """Of the session, while it runs: name and value."""
    told: tuple[str, ...] = ()
    """Sentences about what both sides take from one expression."""


def said_of(statement: Statement, connection: Connection, dialect: Dialect) -> Said | None:
    """None where no directive speaks of its values, or where none of its columns can be meant."""
    request, too_long = convert_in(statement), too_long_in(statement)
    cut = too_long is not None and too_long.policy != "reject"
    if request is None and not cut:
        return None
    changed = [one for operation in statement.operations for one in _changed(operation, catalog_of(connection))]
    if not changed:
        return None
    if dialect.one_pass and cut:
        return Said(settings=(("sql_mode", ""),))  # the server itself cuts then, and takes the nearest number
    if dialect.one_pass and request is not None and request.zone and not request.format:
        return Said(settings=(("time_zone", request.zone),))
    values = {
        (table.name.text, old.name): text
        for table, old, new in changed
        if (text := _cut(old, new, dialect) if cut else _converted(request, old, new, dialect))
    }
    if not values:
        return None
    settings = (("TimeZone", "UTC"),) if dialect.name == "postgresql" and request is not None and request.format else ()
    told = () if cut else tuple(_told(values))
    return Said(values=values, settings=settings, told=told)


def _told(values: Mapping[tuple[str, str], str]) -> Iterator[str]:
    for (table, column), text in values.items():
        yield f"what `convert` makes of {table}.{column} is the same expression for the original migration and the plan, so whether it is the right one was not compared with anything: {text}"


def _changed(operation: Operation, catalog: Catalog) -> Iterator[Changed]:
    named = getattr(operation, "table", None)
    table = table_named(named, catalog) if named is not None else None
    if table is None:
        return
    match operation:
        case AlterColumnType(column=name, type=type) if (old := table.column(name)) is not None and not operation.using:
            yield table, old, replace(old, type=type)
        case ChangeColumn(column=name, definition=new) if (old := table.column(name)) is not None:
            yield table, old, new
        case ConvertCharset(columns=True, charset=charset, collation=collation):
            for one in table.columns:
                if one.charset:
                    yield table, one, replace(one, charset=charset, collation=collation)
        case _:
            pass


def _cut(old: Column, new: Column, dialect: Dialect) -> str:
    size = limit_of(new.type)
    if size is None:
        return ""
    value = dialect.quote(old.name)
    return f"substr({value}, 1, {size})" if dialect.name == "sqlite" else f"left({value}, {size})"


def _converted(request: ConvertRequest | None, old: Column, new: Column, dialect: Dialect) -> str:
    if request is None:
        return ""
    value = dialect.quote(old.name)
    if request.map:
        return dialect.mapped(request.map, value)
    if request.mojibake == "repair":
        return dialect.decoded(old, value)
    if not (request.zone or request.format or request.encoding):
        return ""
    if dialect.name == "postgresql":
        return spelled(request, old.type, new.type, value, literal=dialect.literal)[0]
    return dialect.conversion(old, new, value, zone=request.zone, format=request.format, encoding=request.encoding)[0]


# carrying it out


def with_values(statement: Statement, said: Said, dialect: Dialect) -> Statement:
    """The statement as somebody would write it by hand: USING, where there is such a thing."""
    operations = tuple(_using(one, said) for one in statement.operations)
    if operations == statement.operations or dialect.one_pass:
        return statement
    sql = dialect.render(operations[0]) if len(operations) == 1 else statement.sql
    return replace(statement, operations=operations, sql=sql)


def filled_between(statement: Statement, columns: Collection[str], dialect: Dialect) -> tuple[Statement, Statement | None]:
    """A column that must not be NULL and has its values from a `backfill`: added without that, and bound to it when it is filled, as somebody would by hand. No
    server takes it at once, or it has another value than NULL by then."""
    operation = statement.operations[0] if len(statement.operations) == 1 else None
    if not isinstance(operation, AddColumn) or operation.column.name not in columns:
        return statement, None
    column = operation.column
    if column.nullable or column.default is not None or column.generated is not None:
        return statement, None
    first = replace(operation, column=replace(column, nullable=True))
    bound: Operation = SetNotNull(table=operation.table, column=column.name)
    if dialect.one_pass:
        bound = ChangeColumn(table=operation.table, column=column.name, definition=column)
    table = dialect.quote_name(operation.table)
    sql = (
        dialect.render(bound)
        if dialect.one_pass
        else f"ALTER TABLE {table} ALTER COLUMN {dialect.quote(column.name)} SET NOT NULL"
    )
    return (
        replace(statement, operations=(first,), sql=dialect.render(first)),
        replace(statement, operations=(bound,), sql=sql, directives=()),
    )


def with_cascade(statement: Statement, dialect: Dialect) -> Statement:
    """PostgreSQL has a word for what the directive `cascade` says."""
    said = any(one.verb == "cascade" for one in statement.directives)
    if not said or dialect.name != "postgresql" or len(statement.operations) != 1:
        return statement
    (operation,) = statement.operations
    if not isinstance(operation, DropColumn) or operation.cascade:
        return statement
    whole = replace(operation, cascade=True)
    return replace(statement, operations=(whole,), sql=dialect.render(whole))


def with_equal_nulls(statement: Statement, connection: Connection, dialect: Dialect) -> Statement:
    """PostgreSQL 15 has words for what the directive `nulls-not-distinct` says; elsewhere what the plan has in their place is named in the report."""
    said = any(one.verb == "nulls-not-distinct" for one in statement.directives)
    if not said or dialect.name != "postgresql" or connection.version.major < 15 or len(statement.operations) != 1:
        return statement
    (operation,) = statement.operations
    if not isinstance(operation, CreateIndex):
        return statement
    whole = replace(operation, index=replace(operation.index, nulls_not_distinct=True))
    return replace(statement, operations=(whole,), sql=dialect.render(whole))


def _using(operation: Operation, said: Said) -> Operation:
    if not isinstance(operation, AlterColumnType):
        return operation
    text = next(
        (
            text
            for (table, column), text in said.values.items()
            if column == operation.column and table.rpartition(".")[2] == operation.table.name
        ),
        "",
    )
    return replace(operation, using=text) if text else operation


def put_aside(statement: Statement, said: Said, connection: Connection, dialect: Dialect) -> list[str]:
    """MySQL and MariaDB, whose ALTER TABLE has no USING: the new values wait in a column of their own while the statement runs. What puts them back."""
    catalog, after = catalog_of(connection), []
    for operation in statement.operations:
        for number, (table, old, new) in enumerate(_changed(operation, catalog)):
            text = said.values.get((table.name.text, old.name))
            if text is None:
                continue
            aside, name = f"{ASIDE}_{number}", dialect.quote_name(table.name)
            bare = replace(
                old, name=aside, type=new.type, charset=new.charset, collation=new.collation, nullable=True, default=None,
                on_update=None, comment="",
            )  # fmt: skip
            connection.execute(dialect.render(AddColumn(table=table.name, column=bare)))
            connection.execute(f"UPDATE {name} SET {_kept(table, dialect, f'{dialect.quote(aside)} = {text}')}")
            after.append(f"UPDATE {name} SET {_kept(table, dialect, f'{dialect.quote(new.name)} = {dialect.quote(aside)}')}")
            after.append(dialect.render(DropColumn(table=table.name, column=aside)))
    return after


def _kept(table: Table, dialect: Dialect, assigned: str) -> str:
    """What would take the time of every UPDATE is kept, for nobody has changed the row."""
    kept = [dialect.quote(column.name) for column in table.columns if column.on_update]
    return ", ".join([assigned, *(f"{one} = {one}" for one in kept)])
