"""MySQL and MariaDB: a trigger that keeps what a foreign key would, as a statement of its own; its errors are those of a foreign key."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey, Table, Trigger
from driftflow.model.operations import CreateTrigger
from driftflow.model.plan import Guard, RunSql
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe

NO_PARENT, HAS_CHILDREN = 1452, 1451
"""The server's own errors of a foreign key."""
FOUND = "driftflow_found"
"""The variable that each of these triggers counts into."""


def signal(number: int, message: str) -> str:
    """`message` is a literal."""
    return f"SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = {message};"


def step(recipe: Recipe, on: Table, name: str, when: str, body: str, *, purpose: str, guards: tuple[Guard, ...] = ()) -> RunSql:
    """`when` is BEFORE or AFTER and the event; the body's statements end in semicolons."""
    at, (timing, _, event) = recipe.at, when.partition(" ")
    made = Trigger(
        name=fit(f"{name}_{event.lower()}"),
        table=on.name,
        timing="BEFORE" if timing == "BEFORE" else "AFTER",
        events=(event,),
        definition=f"{when} BEGIN\n  DECLARE {FOUND} BIGINT DEFAULT 0;\n{body}\nEND",
    )
    obstacles = tuple(
        Guard(query=query, summary=summary, hint="ask the database's administrators for the right to make triggers")
        for query, summary in at.dialect.trigger_obstacles(on.name, at.version)
    )
    return recipe.alone(
        CreateTrigger(trigger=made), purpose=f"{purpose} (trigger on {event})", phase="migrate", guards=(*obstacles, *guards)
    )


def moves(*actions: str) -> bool:
    """Whether a foreign key with such an action changes rows by itself, which fires no trigger."""
    return any(action in ("CASCADE", "SET NULL", "SET DEFAULT") for action in actions)


def elsewhere(at: Situation, holder: Table, key: ForeignKey) -> str:
    """A condition more for the child's triggers of a table that points at itself: a row may point at itself, and as it is written it is not there
    yet. A number that the server will count up is 0 until then, and nobody's."""
    if holder.name != key.referenced:
        return ""
    quote, pairs = at.dialect.quote, list(zip(key.columns, key.referenced_columns, strict=True))
    counted = {column.name for column in holder.columns if column.autoincrement}
    itself = [f"NEW.{quote(there)} = NEW.{quote(here)}" for here, there in pairs]
    itself += [f"NEW.{quote(there)} <> 0" for _, there in pairs if there in counted]
    return f" AND NOT ({' AND '.join(itself)})"
