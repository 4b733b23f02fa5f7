"""MySQL and MariaDB: an archive that is exact up to the drop of its columns, where triggers and columns cannot go in one statement.

The triggers copy the written row from the table itself, and a handler of theirs takes no offence at a column that is not there any more (error 1054).
So the columns go first, in one statement of their own, behind every transaction that wrote them; the triggers go afterwards and meanwhile keep nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Table, Trigger
from driftflow.model.operations import CreateTrigger, DropTrigger
from driftflow.model.plan import Guard, Phase, RunSql, Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import our_tables
from driftflow.strategies.cleansing import archiving
from driftflow.strategies.drops.column_archive import Archive
from driftflow.strategies.recipe import Recipe

EVENTS = ("DELETE", "UPDATE", "INSERT")
MOVES = ("CASCADE", "SET NULL", "SET DEFAULT")


class ArchiveBesideDrop(Archive):
    def __init__(self, at: Situation, table: Table, columns: tuple[Column, ...]) -> None:
        """Raises RefusedError as Archive does, and DF-E710 where a foreign key changes the values by itself: that fires no trigger."""
        super().__init__(at, table, columns)
        watched = {*self.key, *(column.name for column in columns)}
        for key in table.foreign_keys:
            if set(key.columns) & watched and (key.on_update in MOVES or key.on_delete in MOVES[1:]):
                raise RefusedError(
                    "DF-E710",
                    f"{table.name.name} ({', '.join(sorted(set(key.columns) & watched))}) cannot be archived while {key.name} changes it",
                    where=str(at.statement.span),
                    why="what a foreign key does by itself (ON UPDATE CASCADE, SET NULL) fires no trigger on this server, so the archive would not hear of it",
                    hint=f"drop the foreign key {key.name} in a statement before this one",
                )

    def begin(self, recipe: Recipe, phase: Phase) -> Iterator[RunSql]:
        """The table, then a trigger per event; the one on DELETE first, so that no row stays that is gone."""
        columns = tuple((name, archiving.type_of(self.table, name)) for name in self.kept)
        key = f"PRIMARY KEY ({', '.join(map(self.at.dialect.quote, self.key))})"
        purpose = f"Make the archive {self.name.name} for {self._listed()}"
        yield our_tables.create(recipe, self.name, columns, key, self.key, purpose=purpose, phase=phase)
        guards = tuple(
            Guard(query=query, summary=summary, hint="ask the database's administrators, or leave out `-- driftflow: archive`")
            for query, summary in self.at.dialect.trigger_obstacles(self.table.name, self.at.version)
        )
        for event in EVENTS:
            definition = f"AFTER {event} {self._body(event)}"
            made = Trigger(name=self._name(event), table=self.table.name, timing="AFTER", events=(event,), definition=definition)
            purpose = f"Keep the archive {self.name.name} true (trigger on {event})"
            step = recipe.alone(CreateTrigger(trigger=made), purpose=purpose, phase=phase, guards=guards)
            # The undo of the drop has taken it away already: it must not note the column as it comes back, empty.
            yield replace(step, undo=UndoSteps(steps=(recipe.undo_step((self._drop(event),), recipe.catalog, phase=phase),)))
            guards = ()

    def end(self, recipe: Recipe, phase: Phase) -> Iterator[RunSql]:
        for event in EVENTS:
            purpose = f"Take away the trigger on {event}, which finds nothing to keep any more"
            why = "it has no work without the columns, and must not see them come back"
            yield recipe.alone(self._drop(event), purpose=purpose, phase=phase, undo=UndoNothing(reason=why))

    def lifted(self, recipe: Recipe, phase: Phase) -> tuple[Step, ...]:
        return tuple(recipe.undo_step((self._drop(event),), recipe.catalog, phase=phase) for event in EVENTS)

    def _drop(self, event: str) -> DropTrigger:
        return DropTrigger(name=self._name(event), table=self.table.name, schema=self.table.name.schema, if_exists=True)

    def _name(self, event: str) -> str:
        return self._trigger(f"_{event[0].lower()}")

    def _body(self, event: str) -> str:
        quote, target = self.at.dialect.quote, self.at.dialect.quote_name(self.table.name)
        gone = f"DELETE FROM {self.target} WHERE {self.join('OLD', self.target)}"
        if event == "DELETE":
            return gone
        listed = ", ".join(map(quote, self.kept))
        values = ", ".join(f"t.{quote(name)}" for name in self.kept)
        keep = f"REPLACE INTO {self.target} ({listed}) SELECT {values} FROM {target} AS t WHERE {self.join('t', 'NEW')}"
        moved = " OR ".join(self.at.dialect.differs(f"NEW.{quote(name)}", f"OLD.{quote(name)}") for name in self.key)
        after = f"\n  IF {moved} THEN\n    {gone};\n  END IF;" if event == "UPDATE" else ""
        return f"BEGIN\n  DECLARE EXIT HANDLER FOR 1054 BEGIN END;\n  {keep};{after}\nEND"
