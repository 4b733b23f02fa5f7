"""Triggers on both tables that stand in for a foreign key while it is away (MySQL, MariaDB): a child's row locks the parent's that it points at, and
a parent's row that goes is looked for among the children, or takes them along as the key says.

Whoever writes a child holds a shared lock on the parent's row until its transaction ends, and whoever deletes a parent holds that row alone: so
one of the two sees the other's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from driftflow.model.catalog import ForeignKey, Table, Trigger
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger, DropTrigger
from driftflow.model.plan import Guard, RunSql, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.cleansing.archiving import our_object
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.references.apart_triggers import elsewhere, moves

NO_PARENT, HAS_CHILDREN = 1452, 1451
"""The server's own error numbers for what a foreign key refuses."""


class StandIn:
    """For one foreign key. Rows of a table that points at itself may point at themselves, as they may under the key."""

    def __init__(self, recipe: Recipe, holder: Table, key: ForeignKey) -> None:
        """Raises ValueError where no trigger can (`why_not`)."""
        self.recipe, self.at, self.holder, self.key = recipe, recipe.at, holder, key
        quote = self.at.dialect.quote
        self.child, self.parent = holder.name, key.referenced
        self.pairs = [(quote(here), quote(there)) for here, there in zip(key.columns, key.referenced_columns, strict=True)]
        if why := why_not(holder, key):
            raise ValueError(why)

    def begin(self) -> Iterator[RunSql]:
        """What refuses comes before what carries out nothing any more: the key is still there."""
        for trigger in self._triggers():
            guards = tuple(
                Guard(query=query, summary=summary, hint="ask the database's administrators")
                for query, summary in self.at.dialect.trigger_obstacles(trigger.table, self.at.version)
            )
            step = self.recipe.alone(
                CreateTrigger(trigger=trigger),
                purpose=f"Stand in for {self.key.name} (trigger on {trigger.events[0]} of {trigger.table.name})",
                phase="migrate",
                guards=guards,
            )
            back = self.recipe.undo_step((self._drop(trigger),), self.recipe.catalog, phase="migrate")
            yield replace(step, undo=UndoSteps(steps=(back,)))

    def end(self) -> Iterator[RunSql]:
        for trigger in self._triggers():
            before = self.recipe.catalog
            step = self.recipe.alone(
                self._drop(trigger),
                purpose=f"Take away the trigger on {trigger.events[0]} of {trigger.table.name}: {self.key.name} is there again",
                phase="migrate",
            )
            again = self.recipe.undo_step((CreateTrigger(trigger=trigger),), before, phase="migrate")
            yield replace(step, undo=UndoSteps(steps=(again,)))

    def _drop(self, trigger: Trigger) -> DropTrigger:
        return DropTrigger(name=trigger.name, table=trigger.table, schema=trigger.table.schema)

    def _triggers(self) -> tuple[Trigger, ...]:
        same = " AND ".join(f"{there} = NEW.{here}" for here, there in self.pairs)
        points = self._look(
            f"SELECT COUNT(*) INTO driftflow_found FROM {self._name(self.parent)} WHERE {same} LOCK IN SHARE MODE",
            "driftflow_found = 0",
            NO_PARENT,
        )
        given = self._given("NEW", [here for here, _ in self.pairs]) + elsewhere(self.at, self.holder, self.key)
        old = self._given("OLD", [there for _, there in self.pairs])
        changed, moved = (self._changed([pair[end] for pair in self.pairs]) for end in (0, 1))
        return (
            self._trigger("child", "BEFORE", "INSERT", given, points),
            self._trigger("child", "BEFORE", "UPDATE", f"{given} AND {changed}", points),
            self._trigger("parent", "AFTER", "DELETE", old, self._gone(self.key.on_delete)),
            self._trigger("parent", "AFTER", "UPDATE", moved, self._gone(self.key.on_update, update=True)),
        )

    def _given(self, row: str, columns: list[str]) -> str:
        return " AND ".join(f"{row}.{column} IS NOT NULL" for column in columns)

    def _changed(self, columns: list[str]) -> str:
        return f"NOT ({' AND '.join(f'NEW.{column} <=> OLD.{column}' for column in columns)})"

    def _gone(self, action: str, *, update: bool = False) -> str:
        child, mine = self._name(self.child), " AND ".join(f"{here} = OLD.{there}" for here, there in self.pairs)
        match action:
            case "CASCADE" if update:
                follow = ", ".join(f"{here} = NEW.{there}" for here, there in self.pairs)
                return f"UPDATE {child} SET {follow} WHERE {mine};"
            case "CASCADE":
                return f"DELETE FROM {child} WHERE {mine};"
            case "SET NULL":
                nothing = ", ".join(f"{here} = NULL" for here, _ in self.pairs)
                return f"UPDATE {child} SET {nothing} WHERE {mine};"
            case _:
                look = f"SELECT COUNT(*) INTO driftflow_found FROM {child} WHERE {mine} LOCK IN SHARE MODE"
                return self._look(look, "driftflow_found > 0", HAS_CHILDREN)

    def _look(self, query: str, wrong: str, number: int) -> str:
        said = "add or update a child row" if number == NO_PARENT else "delete or update a parent row"
        message = self.at.dialect.literal(f"Cannot {said}: a foreign key constraint fails ({self.key.name})"[:128])
        return f"{query};\n    IF {wrong} THEN\n      SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = {message};\n    END IF;"

    def _trigger(
        self, side: Literal["child", "parent"], timing: Literal["BEFORE", "AFTER"], event: str, wanted: str, body: str
    ) -> Trigger:
        table = self.child if side == "child" else self.parent
        text = f"BEGIN\n  DECLARE driftflow_found BIGINT DEFAULT 0;\n  IF {wanted} THEN\n    {body}\n  END IF;\nEND"
        return Trigger(
            name=f"{our_object(table, 'key', f'{self.key.name} {side}')}_{event[0].lower()}",
            table=table,
            timing=timing,
            events=(event,),
            definition=f"{timing} {event} {text}",
        )

    def _name(self, name: Name) -> str:
        return self.at.dialect.quote_name(name)


def why_not(holder: Table, key: ForeignKey) -> str:
    """Why triggers cannot stand in for the key; empty where they can."""
    if holder.name == key.referenced and moves(key.on_delete, key.on_update):
        return f"{key.name} changes rows of its own table by itself, and no trigger may change the table that it answers for (error 1442)"
    return ""
