"""A view with everything that hangs on it: DROP VIEW takes its owner, rights, comment, triggers and indexes along, so what makes it again gives
them back."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import View
from driftflow.model.operations import AlterView, Comment, CreateIndex, CreateTrigger, Operation
from driftflow.strategies.definers import view_again
from driftflow.strategies.grants import grants_again


def made_again(view: View, dialect: Dialect) -> tuple[Operation, ...]:
    """The operations that make the view as it is in the catalog, in order."""
    return tuple(_made_again(view, dialect))


def _made_again(view: View, dialect: Dialect) -> Iterator[Operation]:
    yield view_again(view)
    yield from hung_on(view, dialect)


def hung_on(view: View, dialect: Dialect) -> Iterator[Operation]:
    """What the catalog says of the view beside its query."""
    for index in view.indexes:
        yield CreateIndex(index=index)
    for trigger in view.triggers:
        yield CreateTrigger(trigger=trigger)
    if view.comment:
        kind = "MATERIALIZED VIEW" if view.materialized else "VIEW"
        yield Comment(kind=kind, target=dialect.quote_name(view.name), text=view.comment, relation=view.name)
    yield from grants_again(view.name, view.grants, owner=view.owner, dialect=dialect)
    if view.owner:
        # Last: who has given the view away may no longer grant rights on it.
        yield AlterView(name=view.name, action=f"OWNER TO {dialect.quote(view.owner)}", materialized=view.materialized)
