"""What an operation depends on or changes, finely enough to tell whether two operations may change places.

A touch is a path: `public.orders` is the whole table, `public.orders/status` one column, `public.orders/$rows` its rows taken as a set.
Two touches meet when one is a prefix of the other. `*` meets everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from driftflow.model.catalog import Catalog, Check, Constraint, ForeignKey, Index, Table, View
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AddEnumValue,
    AlterColumnType,
    AlterDomain,
    AlterIndex,
    AlterObject,
    AlterPolicy,
    AlterSequence,
    ChangeColumn,
    Comment,
    Copy,
    CreateExtension,
    CreateFunction,
    CreateIndex,
    CreatePolicy,
    CreateSchema,
    CreateSequence,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateType,
    CreateView,
    Delete,
    DropConstraint,
    DropFunction,
    DropIndex,
    DropObject,
    DropPolicy,
    DropSchema,
    DropSequence,
    DropTrigger,
    DropType,
    Grant,
    Insert,
    MoveTable,
    Operation,
    RawSql,
    Reindex,
    RenameColumn,
    RenameConstraint,
    RenameEnumValue,
    RenameIndex,
    Select,
    SetExpression,
    SetNotNull,
    SetRowSecurity,
    Truncate,
    Update,
    ValidateConstraint,
)

ROWS = "$rows"
EVERYTHING = ("*",)


def touches(operation: Operation, catalog: Catalog) -> tuple[str, ...]:
    """The paths that the operation touches on this catalog."""
    return tuple(dict.fromkeys(_touches(operation, catalog)))


def meet(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether two sets of touches have something in common."""
    rights = tuple(right)
    return any(_prefix(a, b) or _prefix(b, a) for a in left for b in rights)


def _prefix(a: str, b: str) -> bool:
    return a == "*" or a == b or b.startswith(f"{a}/")


def _touches(operation: Operation, catalog: Catalog) -> Iterator[str]:
    match operation:
        case RawSql() | AlterObject() | DropObject():
            yield "*"
        case Select():
            yield from EVERYTHING if operation.opaque or operation.calls or operation.writes else _rows(operation.reads)
        case AddColumn(table=table, column=column):
            yield f"{table}/{column.name}"
            if column.generated is not None:
                yield from mentioned(catalog.table(table), table, column.generated.expression, whole=False)
            for constraint in operation.constraints:
                yield from _referenced(constraint)
                if isinstance(constraint, Check):
                    yield from mentioned(catalog.table(table), table, constraint.expression, whole=False)
        case SetExpression(table=table, column=changed, generated=generated):
            yield f"{table}/{changed}"
            yield from mentioned(catalog.table(table), table, generated.expression, whole=False)
        case RenameColumn(table=table):
            yield f"{table}/{operation.column}"
            yield f"{table}/{operation.to}"
        case SetNotNull(table=table, column=changed) | AlterColumnType(table=table, column=changed):
            yield f"{table}/{changed}"
            yield f"{table}/{ROWS}"
        case ChangeColumn(table=table):
            yield f"{table}/{operation.column}"
            yield f"{table}/{operation.definition.name}"
            yield f"{table}/{ROWS}"
        case AddConstraint(table=table, constraint=constraint):
            yield f"{table}/#{constraint.name}"
            yield f"{table}/{ROWS}"
            yield from (f"{table}/{column}" for column in getattr(constraint, "columns", ()))
            if isinstance(constraint, Check):
                yield from mentioned(catalog.table(table), table, constraint.expression)
            yield from _referenced(constraint)
        case ValidateConstraint(table=table, name=name):
            yield f"{table}/#{name}"
        case DropConstraint(table=table, name=name):
            yield f"{table}/#{name}"
            found = catalog.table(table)
            yield from _restored(found.constraint(name) if found is not None else None, table)
        case RenameConstraint(table=table):
            yield f"{table}/#{operation.name}"
            yield f"{table}/#{operation.to}"
        case CreateIndex() | DropIndex() | RenameIndex() | AlterIndex() | Reindex():
            yield from _index(operation, catalog)
        case CreateTable(table=made):
            yield made.name.text
            yield from (part for constraint in made.constraints for part in _referenced(constraint))
        case CreateTableAs(name=name):
            yield name.text
            yield from _rows(operation.reads)
        case CreateView(view=view):
            yield view.name.text
            for relation in view.depends_on:
                yield from mentioned(catalog.table(relation), relation, view.definition)
        case Insert() | Update() | Delete() | Copy() | Truncate():
            yield from _changes(operation, catalog)
        case CreateTrigger(trigger=trigger):
            yield f"{trigger.table}/!{trigger.name}"
            yield f"{trigger.table}/{ROWS}"
            if trigger.function is not None:
                yield f"routine {trigger.function}"
            for relation in dict.fromkeys((trigger.table, *operation.touches)):
                yield from mentioned(catalog.table(relation), relation, trigger.definition, whole=False)
        case DropTrigger():
            yield f"{operation.table}/!{operation.name}"
            yield f"{operation.table}/{ROWS}"
        case CreatePolicy(policy=policy):
            yield f"{policy.table}/!{policy.name}"
            yield from mentioned(catalog.table(policy.table), policy.table, f"{policy.using} {policy.check}", whole=False)
        case AlterPolicy(table=table) | DropPolicy(table=table):
            yield f"{table}/!{operation.name}"
        case SetRowSecurity(table=table):
            yield f"{table}/!row security"
        case CreateFunction(routine=routine):
            yield f"routine {routine.name}"
            yield from (relation.text for relation in routine.depends_on)
            for fired in catalog.tables.values() if routine.returns == "trigger" else ():
                if any(one.function == routine.name for one in fired.triggers):
                    yield from mentioned(fired, fired.name, routine.definition, whole=False)
        case DropFunction(name=name):
            yield f"routine {name}"
        case CreateType() | DropType() | AddEnumValue() | RenameEnumValue() | AlterDomain():
            yield f"type {operation.type.name if isinstance(operation, CreateType) else operation.name}"
        case CreateSequence() | AlterSequence() | DropSequence():
            yield f"sequence {operation.sequence.name if isinstance(operation, CreateSequence) else operation.name}"
        case MoveTable(name=moved, schema=schema):
            yield moved.text
            yield Name(schema=schema, name=moved.name).text
        case CreateSchema(name=schema) | DropSchema(name=schema):
            yield f"schema {schema}"
        case CreateExtension(name=extension):
            yield f"extension {extension}"
        case Comment(relation=None, name=Name() as said_of):
            yield _object(operation.kind, said_of)
        case Comment(relation=Name() as relation):
            yield f"{relation}/{operation.column}" if operation.column else f"{relation}/!comment"
        case Comment():
            pass
        case Grant():
            yield from _granted(operation, catalog)
        case _:
            yield from _plain(operation)


def _granted(operation: Grant, catalog: Catalog) -> Iterator[str]:
    yield from (f"{relation}/!grant" for relation in operation.relations)
    said = operation.said
    if said is None or said.by_default:
        return
    yield from (_object(said.kind, name) for name in said.objects)
    if said.in_schemas:
        whole: list[Table | View] = [*catalog.tables.values(), *catalog.views.values()]
        yield from (f"{one.name}/!grant" for one in whole if one.name.schema in said.in_schemas)
        yield from (f"sequence {one.name}" for one in catalog.sequences.values() if one.name.schema in said.in_schemas)
        yield from (f"routine {one.name}" for one in catalog.routines.values() if one.name.schema in said.in_schemas)


def _object(kind: str, name: Name) -> str:
    """An object that has no table, as those say it that make and drop it."""
    words = {"domain": "type", "function": "routine", "procedure": "routine", "aggregate": "routine"}
    return f"{words.get(kind.lower(), kind.lower())} {name}"


def _plain(operation: Operation) -> Iterator[str]:
    """Column changes touch their column, everything else its whole relation."""
    table, column, name = (getattr(operation, key, None) for key in ("table", "column", "name"))
    if isinstance(table, Name):
        yield f"{table}/{column}" if isinstance(column, str) else table.text
        for key in ("partition", "parent"):
            other = getattr(operation, key, None)
            if isinstance(other, Name):
                yield other.text
    elif isinstance(name, Name):
        yield name.text
        to = getattr(operation, "to", "")
        if to:
            yield Name(schema=name.schema, name=to).text


def _changes(operation: Insert | Update | Delete | Copy | Truncate, catalog: Catalog) -> Iterator[str]:
    tables = operation.tables if isinstance(operation, Truncate) else (operation.table,)
    for table in tables:
        if table is not None:
            yield f"{table}/{ROWS}"
            yield from mentioned(catalog.table(table), table, getattr(operation, "sql", ""), whole=False)
    yield from _rows(getattr(operation, "reads", ()))


def _rows(relations: Iterable[Name]) -> Iterator[str]:
    return (f"{relation}/{ROWS}" for relation in relations)


def _referenced(constraint: object) -> Iterator[str]:
    if isinstance(constraint, ForeignKey):
        columns = constraint.referenced_columns
        yield from (f"{constraint.referenced}/{column}" for column in columns) if columns else (constraint.referenced.text,)


def _index(operation: CreateIndex | DropIndex | RenameIndex | AlterIndex | Reindex, catalog: Catalog) -> Iterator[str]:
    if isinstance(operation, CreateIndex):
        index: Index = operation.index
        yield f"index {index.name}"
        yield from (f"{index.table}/{column}" for column in (*index.columns, *index.include))
        if texts := _texts(index):
            yield from mentioned(catalog.table(index.table), index.table, texts)
        if index.unique:
            yield f"{index.table}/{ROWS}"
    elif operation.name is not None:
        yield f"index {operation.name}"
        if isinstance(operation, DropIndex):
            for holder, found in catalog.indexes_named(operation.name):
                if operation.table in (None, holder.name):
                    yield from (f"{holder.name}/{column}" for column in found.columns)
                    if texts := _texts(found):
                        yield from mentioned(catalog.table(holder.name), holder.name, texts)
        if isinstance(operation, RenameIndex):
            yield f"index {Name(schema=operation.name.schema, name=operation.to)}"
        if isinstance(operation, Reindex) and operation.kind != "index":
            yield operation.name.text


def _texts(index: Index) -> str:
    return " ".join((*(part.expression for part in index.parts), index.predicate)).strip()


def _restored(constraint: Constraint | None, table: Name) -> Iterator[str]:
    """What the way back says by its name."""
    if constraint is not None:
        yield from (f"{table}/{column}" for column in getattr(constraint, "columns", ()))
        yield from _referenced(constraint)


def mentioned(table: Table | None, name: Name, text: str, *, whole: bool = True) -> Iterator[str]:
    """The columns of the table whose names stand in the text; the whole table when none does (and `whole`)."""
    words = set(re.findall(r"\w+", text.lower()))
    found = [column.name for column in table.columns if column.name.lower() in words] if table is not None else []
    if found:
        yield from (f"{name}/{column}" for column in found)
    elif whole:
        yield name.text
