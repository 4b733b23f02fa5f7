"""MySQL and MariaDB: a pair of type and id kept by triggers, each a statement of its own that needs no function.

The child's triggers fire before the row is written and lock the row that it points at; the parent's fire after their row is locked and look for rows
that point at it, by a locking read: a snapshot would not show what another transaction has committed meanwhile. So either waits for the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.errors import RefusedError
from driftflow.model.catalog import Table
from driftflow.model.plan import Guard, RunSql
from driftflow.strategies.cleansing.by_join import index_by
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.references import apart_triggers
from driftflow.strategies.references.apart_triggers import FOUND, HAS_CHILDREN, NO_PARENT, moves
from driftflow.strategies.references.polymorphic import Polymorphic
from driftflow.strategies.references.said_polymorphic import PolymorphicRequest, Target


class PolymorphicApart(Polymorphic):
    def __init__(self, recipe: Recipe, table: Table, name: str, request: PolymorphicRequest) -> None:
        """Raises RefusedError (DF-E711) where a row could not be locked by itself, or a foreign key changes rows without a trigger."""
        super().__init__(recipe, table, name, request)
        for target, parent in self.parents:
            if not index_by(parent, (target.column,)):
                self._refuse(
                    f"{parent.name.name}.{target.column} has no index, so every row would be locked to find one",
                    f"CREATE UNIQUE INDEX ... ON {parent.name.name} ({target.column})",
                )
            for key in parent.foreign_keys:
                if key.on_delete == "CASCADE" or (target.column in key.columns and moves(key.on_update, key.on_delete)):
                    self._refuse(
                        f"rows of {parent.name.name} go or change by the foreign key {key.name}, which fires no trigger",
                        f"let {key.name} restrict, or split the pair into one column per table",
                    )
        for key in table.foreign_keys:
            if {request.type, request.id} & set(key.columns) and moves(key.on_update, key.on_delete):
                self._refuse(f"the foreign key {key.name} changes the pair, which fires no trigger", f"let {key.name} restrict")

    def _refuse(self, why: str, hint: str) -> None:
        pair = f"({self.request.type}, {self.request.id})"
        where = str(self.request.span)
        raise RefusedError("DF-E711", f"{pair} cannot be kept by triggers on this server", where=where, why=why, hint=hint)

    def child(self, guards: tuple[Guard, ...]) -> Iterator[RunSql]:
        purpose = f"Let {self.table.name.name} point at rows that are there"
        pair = [f"{word}.{column}" for word in ("NEW", "OLD") for column in (self.type, self.id)]
        changed = " OR ".join(self.at.dialect.differs(new, old) for new, old in zip(pair[:2], pair[2:], strict=True))
        for event, when in (("INSERT", ""), ("UPDATE", f" AND ({changed})")):
            looks = "".join(
                f"    IF NEW.{self.type} = {self.at.dialect.literal(target.value)} THEN\n"
                f"      SELECT COUNT(*) INTO {FOUND} FROM {self.at.dialect.quote_name(parent.name)} AS p "
                f"WHERE p.{self.at.dialect.quote(target.column)} = NEW.{self.id} LOCK IN SHARE MODE;\n"
                f"      IF {FOUND} = 0 THEN\n        {self._signal(NO_PARENT, 'insert or update', self.table)}\n      END IF;\n    END IF;\n"
                for target, parent in self.parents
            )
            body = f"  IF NEW.{self.id} IS NOT NULL{when} THEN\n{looks}  END IF;"
            yield self._trigger(self.table, f"{self.name}_child", f"BEFORE {event}", body, purpose, guards)
            guards = ()

    def parent_steps(self) -> Iterator[RunSql]:
        for number, (target, parent) in enumerate(self.parents, 1):
            column, name = self.at.dialect.quote(target.column), f"{self.name}_parent_{number}"
            points = self._points(target, "c.")
            look = f"  SELECT COUNT(*) INTO {FOUND} FROM {self.own} AS c WHERE {points} LOCK IN SHARE MODE;\n"
            refuse = f"  IF {FOUND} > 0 THEN\n    {self._signal(HAS_CHILDREN, 'update or delete', parent)}\n  END IF;"
            changed = self.at.dialect.differs(f"NEW.{column}", f"OLD.{column}")
            what = f"Let rows of {parent.name.name}"
            go = f"  DELETE FROM {self.own} WHERE {self._points(target)};" if self.request.cascade else look + refuse
            said = "take rows that point at them along" if self.request.cascade else "stay while rows point at them"
            yield self._trigger(parent, name, "AFTER DELETE", go, f"{what} {said}", ())
            moved = f"  IF {changed} THEN\n{look}{refuse}\n  END IF;"
            yield self._trigger(parent, name, "AFTER UPDATE", moved, f"{what} keep their key while rows point at them", ())

    def _points(self, target: Target, of: str = "") -> str:
        column = self.at.dialect.quote(target.column)
        return f"{of}{self.type} = {self.at.dialect.literal(target.value)} AND {of}{self.id} = OLD.{column}"

    def _signal(self, number: int, doing: str, on: Table) -> str:
        return apart_triggers.signal(number, self._message(doing, on))

    def _trigger(self, on: Table, name: str, when: str, body: str, purpose: str, guards: tuple[Guard, ...]) -> RunSql:
        return apart_triggers.step(self.recipe, on, name, when, body, purpose=purpose, guards=guards)
