"""The triggers that keep two columns of one table equal, whichever of the two is written: by BEFORE triggers where they may assign to the row, else
(SQLite) by AFTER triggers with an UPDATE of the same row.

Values are compared to the byte: where a collation calls two texts equal, an application that changes one into the other means it.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table, Trigger
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger, DropTrigger
from driftflow.model.plan import Guard, Phase, RunSql, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.fitted import fit, trigger_name
from driftflow.strategies.recipe import Recipe


class Pair:
    """Two columns of one table. The first one's value counts where both are given; only the second may have a default."""

    def __init__(self, at: Situation, table: Table, first: str, second: str) -> None:
        self.at, self.table = at, table
        self.first, self.second = at.dialect.quote(first), at.dialect.quote(second)
        self.name = "_".join(sorted((first, second)))

    def begin(self, recipe: Recipe, *, phase: Phase, purpose: str) -> Iterator[RunSql]:
        """Keep them equal from now on."""
        if self.at.dialect.one_pass:
            yield from self._begin_apart(recipe, phase=phase, purpose=purpose)
            return
        create, drop = self._texts()
        yield recipe.text(
            *create,
            purpose=purpose,
            phase=phase,
            claims=trigger_text.claims(self.at, self.table, create=True),
            undo=drop,
            undo_claims=trigger_text.claims(self.at, self.table, create=False),
        )

    def end(self, recipe: Recipe, *, phase: Phase, purpose: str) -> Iterator[RunSql]:
        """Take the triggers away again. What stands in their undo is the caller's to say."""
        if self.at.dialect.one_pass:
            for event in ("INSERT", "UPDATE"):
                drop = DropTrigger(name=self.named(event), table=self.table.name, schema=self.table.name.schema)
                before = recipe.catalog
                step = recipe.alone(drop, purpose=f"{purpose} (trigger on {event})", phase=phase, undo=UndoNothing(reason=""))
                # Said anew: no rename of a column changes the text of a trigger there.
                again = recipe.undo_step((CreateTrigger(trigger=self._trigger(event)),), before, phase=phase)
                yield replace(step, undo=UndoSteps(steps=(again,)))
            return
        create, drop_texts = self._texts()
        yield recipe.text(
            *drop_texts,
            purpose=purpose,
            phase=phase,
            claims=trigger_text.claims(self.at, self.table, create=False),
            undo=create,
            undo_claims=trigger_text.claims(self.at, self.table, create=True),
        )

    def differ(self, left: str, right: str) -> str:
        """A condition: the two are not the same to the byte, where two NULLs are."""
        if self.at.dialect.one_pass:
            return f"NOT (CAST({left} AS BINARY) <=> CAST({right} AS BINARY))"
        if self.at.can(Capability.SINGLE_WRITER):
            return f"{left} IS NOT {right} COLLATE BINARY"
        return f'{left}::text IS DISTINCT FROM {right}::text COLLATE "C"'

    def named(self, suffix: str) -> str:
        return trigger_name(self.table.name, self.name, f"_{suffix.lower()}" if suffix else "")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.named(suffix) for suffix in ("", "insert", "update"))

    def _changed(self, column: str) -> str:
        return self.differ(f"NEW.{column}", f"OLD.{column}")

    # one event each, which commit by themselves

    def _begin_apart(self, recipe: Recipe, *, phase: Phase, purpose: str) -> Iterator[RunSql]:
        guards = tuple(
            Guard(query=query, summary=summary, hint="ask the database's administrators, or put a gate before the rename")
            for query, summary in self.at.dialect.trigger_obstacles(self.table.name, self.at.version)
        )
        for event in ("UPDATE", "INSERT"):
            made = CreateTrigger(trigger=self._trigger(event))
            yield recipe.alone(made, purpose=f"{purpose} (trigger on {event})", phase=phase, guards=guards)

    def _trigger(self, event: str) -> Trigger:
        first, second = self.first, self.second
        bodies = {
            "UPDATE": (
                f"IF {self._changed(first)} THEN SET NEW.{second} = NEW.{first}; "
                f"ELSEIF {self._changed(second)} THEN SET NEW.{first} = NEW.{second}; END IF"
            ),
            "INSERT": f"IF NEW.{first} IS NOT NULL THEN SET NEW.{second} = NEW.{first}; ELSE SET NEW.{first} = NEW.{second}; END IF",
        }
        return Trigger(
            name=self.named(event),
            table=self.table.name,
            timing="BEFORE",
            events=(event,),
            definition=f"BEFORE {event} {bodies[event]}",
        )

    # all in one transaction

    def _texts(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(create, drop)"""
        return self._after_row() if self.at.can(Capability.SINGLE_WRITER) else self._before_row()

    def _before_row(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        at, name, first, second = self.at, self.table.name, self.first, self.second
        target, trigger = at.dialect.quote_name(name), at.dialect.quote(self.named(""))
        function = at.dialect.quote_name(Name(schema=name.schema, name=fit(f"driftflow_both_{name.name}_{self.name}")))
        body = (
            f"  IF TG_OP = 'INSERT' THEN\n"
            f"    IF NEW.{first} IS NOT NULL THEN NEW.{second} := NEW.{first}; ELSE NEW.{first} := NEW.{second}; END IF;\n"
            f"  ELSIF {self._changed(first)} THEN\n    NEW.{second} := NEW.{first};\n"
            f"  ELSIF {self._changed(second)} THEN\n    NEW.{first} := NEW.{second};\n"
            f"  END IF;\n"
        )
        path = trigger_text.path(at, name)
        text = f"$driftflow$\nBEGIN\n{body}  RETURN NEW;\nEND\n$driftflow$"
        return (
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS {text}",
            f"CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {target} FOR EACH ROW EXECUTE FUNCTION {function}()",
        ), (f"DROP TRIGGER {trigger} ON {target}", f"DROP FUNCTION {function}()")

    def _after_row(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """An UPDATE by a trigger fires the other one, which finds nothing left to do."""
        quote, first, second = self.at.dialect.quote, self.first, self.second
        schema, target = quote(self.table.name.schema or "main"), quote(self.table.name.name)
        row = " AND ".join(f"{quote(name)} = NEW.{quote(name)}" for name in chunk_key(self.at, self.table))
        apart = self.differ(f"NEW.{first}", f"NEW.{second}")
        given = f"coalesce(NEW.{first}, NEW.{second})"
        rules = {
            "insert": ("INSERT", apart, f"{first} = {given}, {second} = {given}"),
            "first": (f"UPDATE OF {first}", f"{self._changed(first)} AND {apart}", f"{second} = NEW.{first}"),
            "second": (
                f"UPDATE OF {second}",
                f"NOT ({self._changed(first)}) AND {self._changed(second)} AND {apart}",
                f"{first} = NEW.{second}",
            ),
        }
        create = tuple(
            f"CREATE TRIGGER {schema}.{quote(self.named(name))} AFTER {event} ON {target} FOR EACH ROW WHEN {condition}\n"
            f"BEGIN\n  UPDATE {target} SET {assigned} WHERE {row};\nEND"
            for name, (event, condition, assigned) in rules.items()
        )
        return create, tuple(f"DROP TRIGGER {schema}.{quote(self.named(name))}" for name in reversed(rules))
