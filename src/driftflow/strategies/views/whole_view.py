"""A view with everything that hangs on it: DROP VIEW takes its owner, rights, comment, triggers and indexes along, so what makes it again gives
them back."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Rule, Table, View, ViewColumn
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterObject,
    AlterTableOption,
    AlterView,
    Comment,
    CreateIndex,
    CreateTrigger,
    Grant,
    Operation,
)
from driftflow.strategies.definers import view_again
from driftflow.strategies.grants import grants_again


def made_again(view: View, dialect: Dialect) -> tuple[Operation, ...]:
    """The operations that make the view as it is in the catalog, in order."""
    return tuple(_made_again(view, dialect))


def _made_again(view: View, dialect: Dialect) -> Iterator[Operation]:
    yield view_again(view)
    if view.given:
        # What is made anew is given the rights of now, and some of them may be of later than the view.
        roles = ", ".join(dialect.quote(role) if role else "PUBLIC" for role in view.given)
        sql = f"REVOKE ALL ON {dialect.quote_name(view.name)} FROM {roles}"
        yield Grant(sql=sql, revoke=True, relations=(view.name,), roles=tuple(role or "public" for role in view.given))
    yield from hung_on(view, dialect)


def hung_on(view: View, dialect: Dialect) -> Iterator[Operation]:
    """What the catalog says of the view beside its query."""
    for index in view.indexes:
        yield CreateIndex(index=index)
        if index.comment:
            yield Comment(kind="INDEX", target=dialect.quote_name(index.name), text=index.comment)
        if index.clustered:
            yield AlterView(name=view.name, action=f"CLUSTER ON {dialect.quote(index.name.name)}", materialized=True)
    for trigger in view.triggers:
        yield CreateTrigger(trigger=trigger)
        if trigger.comment:
            target = f"{dialect.quote(trigger.name)} ON {dialect.quote_name(view.name)}"
            yield Comment(kind="TRIGGER", target=target, text=trigger.comment)
    for rule in view.rules:
        yield from rule_again(rule, view, dialect)
    for column in view.said:
        yield from _said(column, view, dialect)
    if view.comment:
        kind = "MATERIALIZED VIEW" if view.materialized else "VIEW"
        yield Comment(kind=kind, target=dialect.quote_name(view.name), text=view.comment, relation=view.name)
    yield from grants_again(view.name, view.grants, owner=view.owner, dialect=dialect)
    if view.owner:
        # Last: who has given the view away may no longer grant rights on it.
        yield AlterView(name=view.name, action=f"OWNER TO {dialect.quote(view.owner)}", materialized=view.materialized)


def rule_again(rule: Rule, holder: Table | View, dialect: Dialect) -> Iterator[Operation]:
    """With what DROP RULE takes along."""
    name = Name(name=rule.name)
    yield AlterObject(kind="rule", action="create", name=name, sql=rule.definition, relations=(holder.name,))
    said = {"D": "DISABLE RULE", "R": "ENABLE REPLICA RULE", "A": "ENABLE ALWAYS RULE"}.get(rule.enabled)
    if said:
        yield AlterTableOption(table=holder.name, option="rule", value=f"{said} {dialect.quote(rule.name)}")
    if rule.comment:
        yield Comment(kind="RULE", target=rule.target, text=rule.comment)


def _said(column: ViewColumn, view: View, dialect: Dialect) -> Iterator[Operation]:
    """What is said of one of its columns."""
    name = dialect.quote(column.name)

    def altered(action: str) -> AlterView:
        return AlterView(name=view.name, action=f"ALTER COLUMN {name} SET {action}", materialized=view.materialized)

    if column.default is not None:
        yield altered(f"DEFAULT {column.default}")
    if column.statistics is not None:
        yield altered(f"STATISTICS {column.statistics}")
    if column.options:
        yield altered(f"({', '.join(column.options)})")
    if column.comment:
        target = f"{dialect.quote_name(view.name)}.{name}"
        yield Comment(kind="COLUMN", target=target, text=column.comment, relation=view.name, column=column.name)
    yield from grants_again(view.name, column.grants, owner=view.owner, dialect=dialect, column=column.name)
