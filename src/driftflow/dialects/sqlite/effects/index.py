"""Operations on indexes: SQLite has no CREATE INDEX CONCURRENTLY, so a build keeps all writers out."""

from __future__ import annotations

from driftflow.dialects.sqlite import probes
from driftflow.dialects.sqlite.effects.prediction import Prediction
from driftflow.dialects.sqlite.effects.table import DATABASE
from driftflow.dialects.sqlite.functions import is_volatile
from driftflow.dialects.sqlite.keys import column_named
from driftflow.model.catalog import PrimaryKey, Unique
from driftflow.model.names import Name
from driftflow.model.operations import CreateIndex, DropIndex, Reindex


def create_index(p: Prediction, operation: CreateIndex) -> None:
    index, name = operation.index, operation.index.table
    table = p.table(name)
    if operation.concurrently:
        p.fails("unsupported", "SQLite has no CREATE INDEX CONCURRENTLY", certain=True)
    if table is not None and table.kind == "virtual":
        p.fails("unsupported", f"{name.name} is a virtual table: it cannot be indexed", relation=name, certain=True)
    if _exists(p, index.name):
        if operation.if_not_exists:
            return
        p.fails("exists", f"index {index.name.name} already exists", relation=name, certain=True)
    for part in index.parts:
        if table is not None and part.column and column_named(table, part.column) is None:
            p.fails("missing", f"{name.name} has no column {part.column}", relation=name, certain=True)
        if part.expression and is_volatile(part.expression):
            p.fails("unsupported", f"{part.expression} is not deterministic: it cannot be indexed", relation=name, certain=True)
    if index.predicate and is_volatile(index.predicate):
        p.fails(
            "unsupported",
            f"{index.predicate} is not deterministic: it cannot choose rows of an index",
            relation=name,
            certain=True,
        )
    p.writes(name)
    p.does("index_build", name, "the table is read and the keys are sorted")
    if index.unique and not p.is_empty(table):
        keys = probes.key_of(index.parts)
        p.fails(
            "duplicates",
            f"rows of {name.name} that share {', '.join(part.column or part.expression for part in index.parts)}",
            relation=name,
            probe=probes.duplicates(name, keys, predicate=index.predicate),
        )
        p.breaks(f"an INSERT or UPDATE of {name.name} that repeats the key fails", name)


def _exists(p: Prediction, name: Name) -> bool:
    wanted = name.name.lower()
    return any(index.name.name.lower() == wanted for table in p.catalog.tables.values() for index in table.indexes)


def drop_index(p: Prediction, operation: DropIndex) -> None:
    if operation.cascade or operation.concurrently:
        p.fails("unsupported", "SQLite's DROP INDEX has neither CASCADE nor CONCURRENTLY", certain=True)
    table = p.catalog.table(operation.table) if operation.table else None
    index = table.index(operation.name.name) if table else None
    if operation.name.name.lower().startswith("sqlite_autoindex_"):
        p.fails("dependency", f"index {operation.name.name} belongs to a UNIQUE or PRIMARY KEY constraint", certain=True)
    elif index is None and p.catalog.complete and not operation.if_exists:
        p.fails("missing", f"index {operation.name.name} does not exist", relation=operation.name, certain=True)
    if index is None:
        if not (operation.if_exists and p.catalog.complete):  # then there is nothing to do
            p.writes(operation.table or DATABASE)
        return
    p.writes(index.table)
    p.loses(f"index {index.name.name}: queries that use it become slow", index.table, reversible=True)
    p.breaks(f"a query that says INDEXED BY {index.name.name} fails", index.table)
    if index.unique:
        p.breaks(f"INSERT ... ON CONFLICT over the key of {index.name.name} fails", index.table)


def reindex(p: Prediction, operation: Reindex) -> None:
    tables = [table for table in p.catalog.tables.values() if operation.name is None or _concerned(operation, table.name, p)]
    if not tables:
        if operation.name is not None and p.catalog.complete:
            p.fails(
                "missing",
                f"there is neither a table nor an index {operation.name.name}, unless a collation",
                relation=operation.name,
            )
        p.writes(operation.name or DATABASE)
        p.does("index_build", operation.name or DATABASE)
    for table in tables:
        if table.indexes or any(isinstance(constraint, (PrimaryKey, Unique)) for constraint in table.constraints):
            p.writes(table.name)
            p.does("index_build", table.name, "its indexes are made anew")


def _concerned(operation: Reindex, table: Name, p: Prediction) -> bool:
    held = p.catalog.table(table)
    indexes = held.indexes if held else ()
    return operation.name in {table, *(index.name for index in indexes)}
