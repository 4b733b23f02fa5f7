"""MySQL and MariaDB: until the unique index is there, triggers refuse a row whose key another row has.

Each key that is written is noted in a table of ours that is unique by it: the note is the lock for which two writers of one key wait, whatever their
isolation level. Behind it a plain read finds rows that were there before, and only where there may be one does a locking read decide. So writers of
different keys do not meet, and a row that was deleted meanwhile refuses nobody.

The triggers fire after the row is written: INSERT ... ON DUPLICATE KEY UPDATE of a row with its own key is no duplicate, nor is REPLACE.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.model.catalog import Trigger
from driftflow.model.operations import CreateTrigger, DropTrigger
from driftflow.model.plan import Guard, RunSql, Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import our_tables
from driftflow.strategies.cleansing import archiving
from driftflow.strategies.cleansing.archiving import our_object
from driftflow.strategies.cleansing.matching import Matching
from driftflow.strategies.recipe import Recipe

EVENTS = ("UPDATE", "INSERT")


class KeyProtection:
    """The triggers on one table that stand in for one unique index, and the table of keys behind them."""

    def __init__(self, recipe: Recipe, matching: Matching) -> None:
        self.recipe, self.at, self.matching, self.table = recipe, recipe.at, matching, matching.table
        self.trigger = our_object(self.table.name, "unique", matching.index.name.name)
        self.keys = archiving.our_name(self.at, "keys", self.table.name, matching.index.name.name)

    def begin(self) -> Iterator[RunSql]:
        m, name = self.matching, self.table.name.name
        columns = tuple(
            (mark, archiving.type_of(self.table, part.column)) for mark, part in zip(m.elements, m.index.parts, strict=True)
        )
        key = f"UNIQUE KEY {self.at.dialect.quote(m.index.name.name)} ({', '.join(m.elements)})"
        yield our_tables.create(
            self.recipe,
            self.keys,
            (*columns, ("times", "bigint")),
            key,
            m.elements,
            purpose=f"Make {self.keys.name}: the keys of {name} that are written from now on",
            phase="migrate",
        )
        guards = tuple(
            Guard(query=query, summary=summary, hint="ask the database's administrators, or remove the duplicates by hand")
            for query, summary in self.at.dialect.trigger_obstacles(self.table.name, self.at.version)
        )
        for event in EVENTS:
            made = Trigger(
                name=self._name(event),
                table=self.table.name,
                timing="AFTER",
                events=(event,),
                definition=f"AFTER {event} {self._body(event)}",
            )
            purpose = f"Refuse rows of {name} that would be new duplicates (trigger on {event}), until the index does"
            step = self.recipe.alone(CreateTrigger(trigger=made), purpose=purpose, phase="migrate", guards=guards)
            # The undo of the removal has taken it away already.
            back = self.recipe.undo_step((self._drop(event),), self.recipe.catalog, phase="migrate")
            yield replace(step, undo=UndoSteps(steps=(back,)))
            guards = ()

    def end(self) -> Iterator[RunSql]:
        why = "the index that makes it needless goes after it, and the rows come back without it"
        for event in reversed(EVENTS):
            purpose = f"Take away the trigger on {event}: the index refuses duplicates in {self.table.name.name} now"
            yield self.recipe.alone(self._drop(event), purpose=purpose, phase="migrate", undo=UndoNothing(reason=why))
        yield our_tables.drop(self.recipe, self.keys, purpose=f"Remove {self.keys.name}", phase="migrate", reason=why)

    def lifted(self) -> tuple[Step, ...]:
        """In an undo, before rows come back that the triggers would refuse."""
        return tuple(self.recipe.undo_step((self._drop(event),), self.recipe.catalog, phase="migrate") for event in EVENTS)

    def _drop(self, event: str) -> DropTrigger:
        return DropTrigger(name=self._name(event), table=self.table.name, schema=self.table.name.schema, if_exists=True)

    def _name(self, event: str) -> str:
        return f"{self.trigger}_{event[0].lower()}"

    def _body(self, event: str) -> str:
        m, quote = self.matching, self.at.dialect.quote
        columns = [quote(part.column) for part in m.index.parts]
        keys, literal = self.at.dialect.quote_name(self.keys), self.at.dialect.literal
        wanted = " AND ".join(f"NEW.{column} IS NOT NULL" for column in columns)
        if event == "UPDATE":
            wanted += f" AND ({' OR '.join(self.at.dialect.differs(f'NEW.{column}', f'OLD.{column}') for column in columns)})"
        mine = " AND ".join(f"w.{mark} = NEW.{column}" for mark, column in zip(m.elements, columns, strict=True))
        same = " AND ".join(f"k.{column} = NEW.{column}" for column in columns)
        row = " AND ".join(f"k.{quote(name)} = NEW.{quote(name)}" for name in m.key)
        others = f"SELECT COUNT(*) INTO driftflow_found FROM {m.target} AS k WHERE {same} AND NOT ({row})"
        values = ", ".join(f"NEW.{column}" for column in columns)
        message = literal(f"Duplicate entry for key '{self.table.name.name}.{m.index.name.name}'")
        return (
            f"BEGIN\n  DECLARE driftflow_found BIGINT DEFAULT 0;\n  IF {wanted} THEN\n"
            f"    INSERT INTO {keys} ({', '.join(m.elements)}, times) VALUES ({values}, 1) ON DUPLICATE KEY UPDATE times = times + 1;\n"
            f"    SELECT w.times INTO driftflow_found FROM {keys} AS w WHERE {mine};\n"
            f"    IF driftflow_found = 1 THEN\n      {others};\n    END IF;\n"
            f"    IF driftflow_found > 0 THEN\n      {others} LOCK IN SHARE MODE;\n"
            f"      IF driftflow_found > 0 THEN\n        SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1062, MESSAGE_TEXT = {message};\n"
            f"      END IF;\n    END IF;\n  END IF;\nEND"
        )
