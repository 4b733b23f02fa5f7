"""CREATE INDEX, DROP INDEX and REINDEX."""

from __future__ import annotations

from driftflow.dialects.sqlite.parse.constraint import index_part
from driftflow.dialects.sqlite.parse.cursor import Cursor, expression_of
from driftflow.model.catalog import Index
from driftflow.model.names import Name
from driftflow.model.operations import CreateIndex, Reindex


def create_index(cursor: Cursor, *, unique: bool) -> CreateIndex:
    """Behind CREATE [UNIQUE] INDEX."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    cursor.expect("ON")
    table = Name(schema=name.schema, name=cursor.name())
    cursor.expect("(")
    parts = [index_part(cursor, None)]
    while cursor.accept(","):
        parts.append(index_part(cursor, None))
    cursor.expect(")")
    predicate = expression_of(cursor.rest()) if cursor.accept("WHERE") else ""
    index = Index(name=name, table=table, parts=tuple(parts), unique=unique, predicate=predicate)
    return CreateIndex(index=index, if_not_exists=if_not_exists)


def reindex(cursor: Cursor) -> Reindex:
    """Behind REINDEX. The name may be a table's, an index's or a collation's; resolve tells."""
    if cursor.done:
        return Reindex(kind="all")
    return Reindex(kind="index", name=cursor.qualified())
