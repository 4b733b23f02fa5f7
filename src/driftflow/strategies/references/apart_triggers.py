"""MySQL and MariaDB: a trigger that keeps what a foreign key would, as a statement of its own; its errors are those of a foreign key."""

from __future__ import annotations

from driftflow.model.catalog import Table, Trigger
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
