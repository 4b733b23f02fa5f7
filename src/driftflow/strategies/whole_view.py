"""A view with everything that hangs on it: DROP VIEW takes its owner, rights, comment, triggers and indexes along, so what makes it again gives
them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog, View
from driftflow.model.operations import AlterView, Comment, CreateIndex, CreateTrigger, CreateView, Operation
from driftflow.strategies.grants import grants_again


def made_again(view: View, dialect: Dialect) -> tuple[Operation, ...]:
    """The operations that make the view as it is in the catalog, in order."""
    return tuple(_made_again(view, dialect))


def _made_again(view: View, dialect: Dialect) -> Iterator[Operation]:
    yield CreateView(view=view)
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


def in_order(views: Iterable[View], catalog: Catalog) -> tuple[View, ...]:
    """The views and all that read them, directly or through others, each behind what it reads: as they can be made. Dropped, the other way round."""
    found: dict[str, View] = {}
    for view in views:
        for one in (view, *catalog.dependents(view.name)):
            found[one.name.text] = one
    ordered: dict[str, View] = {}
    while len(ordered) < len(found):
        ready = [
            view
            for key, view in found.items()
            if key not in ordered and not any(name.text in found and name.text not in ordered for name in view.depends_on)
        ]
        ordered |= {view.name.text: view for view in ready or [view for key, view in found.items() if key not in ordered]}
    return tuple(ordered.values())
