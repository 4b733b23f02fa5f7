"""What the server's own functions print, in our normal forms: trigger and exclusion definitions."""

from __future__ import annotations

from driftflow.dialects.postgresql import grammar
from driftflow.dialects.postgresql.deparse import NotUnderstood
from driftflow.dialects.postgresql.parse.column import constraint
from driftflow.dialects.postgresql.resolve.trigger import normal_trigger
from driftflow.model.catalog import Catalog, Constraint, Exclusion, Table, View
from driftflow.model.record import replace


def in_normal_form(catalog: Catalog) -> Catalog:
    """The catalog with every definition spelled as `parse` and `resolve` spell it, so that what a migration makes compares equal."""
    tables = {key: _table(table, catalog) for key, table in catalog.tables.items()}
    views = {key: _view(view, catalog) for key, view in catalog.views.items()}
    return replace(catalog, tables=tables, views=views)


def _table(table: Table, catalog: Catalog) -> Table:
    if table.triggers:
        table = replace(table, triggers=tuple(normal_trigger(trigger, catalog) for trigger in table.triggers))
    if any(isinstance(one, Exclusion) for one in table.constraints):
        table = replace(table, constraints=tuple(map(normal_exclusion, table.constraints)))
    return table


def _view(view: View, catalog: Catalog) -> View:
    if not view.triggers:
        return view
    return replace(view, triggers=tuple(normal_trigger(trigger, catalog) for trigger in view.triggers))


def normal_exclusion(one: Constraint) -> Constraint:
    """An exclusion constraint with its definition in normal form; any other constraint as it is."""
    if not isinstance(one, Exclusion):
        return one
    try:
        (node,) = grammar.parse(f"ALTER TABLE x ADD EXCLUDE {one.definition}")
        read = constraint(node["stmt"]["AlterTableStmt"]["cmds"][0]["AlterTableCmd"]["def"]["Constraint"])
    except (grammar.SyntaxFault, grammar.TooDeep, NotUnderstood, KeyError, ValueError):
        return one
    return replace(one, definition=read.definition) if isinstance(read, Exclusion) else one
