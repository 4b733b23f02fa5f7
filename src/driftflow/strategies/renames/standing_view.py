"""A view that stands under a relation's old name until no running code says it any more.

PostgreSQL writes through it by itself. SQLite needs INSTEAD OF triggers, and there a key that the server would choose cannot be given back to the
writer (last_insert_rowid, RETURNING): such an INSERT is refused aloud rather than answered with another row's key.
"""

from __future__ import annotations

from collections.abc import Mapping

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column, Table, Trigger, View, ViewColumn
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger, CreateView, Operation
from driftflow.model.operations.table import VERSIONED
from driftflow.strategies.columns.filling import ROWID, chunk_key
from driftflow.strategies.fitted import fit
from driftflow.strategies.views.whole_view import hung_on

INVOKER = "security_invoker=true"


def standing_view(
    at: Situation, table: Table, *, named: Name, over: Name, also: Mapping[str, str] | None = None
) -> tuple[Operation, ...]:
    """The operations that make the view `named` over the relation `over`, which holds the columns of `table`; with owner and rights of `table`.

    `also` are further names, each of a column of the table; they stand last, so that nothing else changes its place.
    """
    quote, more = at.dialect.quote, also or {}
    listed = ", ".join([*(quote(column.name) for column in table.columns), *(quote(column) for column in more.values())])
    # Who may read single columns alone is refused by the table under a view that asks with the reader's eyes: it names them all.
    invoker = at.can(Capability.SECURITY_INVOKER_VIEW) and not _rights(table, more)
    view = View(
        name=named,
        definition=f"SELECT {listed} FROM {at.dialect.quote_name(over)}",
        columns=(*(column.name for column in table.columns), *more),
        depends_on=(over,),
        options=(INVOKER,) if invoker else (),
        owner=table.owner,
        grants=table.grants,
        said=_rights(table, more),
    )
    made = CreateView(view=view)
    if at.can(Capability.UPDATABLE_VIEW):
        return (made, *hung_on(view, at.dialect))
    return (made, *_instead_of(at, table, named=named, over=over))


def why_not(at: Situation, table: Table) -> str:
    """Why no view may stand in for the table; empty when one may."""
    if at.can(Capability.ROW_SECURITY) and table.row_security and not at.can(Capability.SECURITY_INVOKER_VIEW):
        return "the table has row-level security, and before PostgreSQL 15 a view reads it with its owner's eyes"
    if table.row_security and any(column.grants for column in table.columns):
        return "the table has row-level security, which a view keeps to that asks with the reader's eyes, and rights on single columns, which such a view asks for on all of them"
    if hidden := [column.name for column in table.columns if not column.visible]:
        return f"a view would show the columns that the table hides ({', '.join(hidden)}) to `*`, and ask INSERTs without a list for them"
    if VERSIONED in table.options:
        return "the server keeps the history of its rows (SYSTEM VERSIONING), which cannot be asked for through a view"
    return ""


def _rights(table: Table, also: Mapping[str, str]) -> tuple[ViewColumn, ...]:
    """Those on single columns."""
    named = [(column.name, column.name) for column in table.columns] + list(also.items())
    grants = {column.name: column.grants for column in table.columns}
    return tuple(ViewColumn(name=name, grants=grants[column]) for name, column in named if grants[column])


def _instead_of(at: Situation, table: Table, *, named: Name, over: Name) -> tuple[Operation, ...]:
    quote, target = at.dialect.quote, at.dialect.quote_name(over)
    key = chunk_key(at, table)
    written = [column for column in table.columns if column.generated is None]
    columns = ", ".join(quote(column.name) for column in written)
    values = ", ".join(_value(column, quote(column.name)) for column in written)
    refused = _refuse_unknown_key(at, table, key)
    assigned = ", ".join(f"{quote(column.name)} = NEW.{quote(column.name)}" for column in written)
    row = _this_row(at, table, key, target)
    bodies = {
        "INSERT": f"{refused}INSERT INTO {target} ({columns}) VALUES ({values});",
        "UPDATE": f"UPDATE {target} SET {assigned} WHERE {row};",
        "DELETE": f"DELETE FROM {target} WHERE {row};",
    }
    return tuple(_trigger(at, named, event, body) for event, body in bodies.items())


def _trigger(at: Situation, view: Name, event: str, body: str) -> CreateTrigger:
    name = fit(f"driftflow_{view.name}_{event.lower()}")
    quote = at.dialect.quote
    definition = f"CREATE TRIGGER {quote(name)} INSTEAD OF {event} ON {quote(view.name)} FOR EACH ROW\nBEGIN\n  {body}\nEND"
    return CreateTrigger(trigger=Trigger(name=name, table=view, definition=definition, timing="INSTEAD OF", events=(event,)))


def _value(column: Column, quoted: str) -> str:
    """A view knows no defaults: what the INSERT leaves out is NULL, and NULL is what the default is for."""
    default = column.default
    return f"NEW.{quoted}" if default is None else f"coalesce(NEW.{quoted}, {default})"


def _refuse_unknown_key(at: Situation, table: Table, key: tuple[str, ...]) -> str:
    """INTEGER PRIMARY KEY is chosen by the server, which cannot tell it to a writer that goes through a view."""
    first = table.column(key[0]) if len(key) == 1 and key != (ROWID,) else None
    if first is None or first.type.upper() != "INTEGER" or "WITHOUT ROWID" in table.options:
        return ""
    said = at.dialect.literal(f"{table.name.name} is being renamed: an INSERT through the old name must give {first.name}")
    return f"SELECT RAISE(ABORT, {said}) WHERE NEW.{at.dialect.quote(first.name)} IS NULL;\n  "


def _this_row(at: Situation, table: Table, key: tuple[str, ...], target: str) -> str:
    """The row of the table that the view's row is; one of the equal ones where nothing tells them apart."""
    quote = at.dialect.quote
    if key and key != (ROWID,):
        return " AND ".join(f"{quote(column)} = OLD.{quote(column)}" for column in key)
    same = " AND ".join(f"{quote(column.name)} IS OLD.{quote(column.name)}" for column in table.columns)
    return f"rowid = (SELECT rowid FROM {target} WHERE {same} LIMIT 1)"
