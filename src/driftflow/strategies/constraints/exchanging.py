"""MySQL and MariaDB: one foreign key in the place of another by one statement, so that at no moment there is none.

Both at once is no way there: while two keys of the same columns are in place, and the first of them follows with ON UPDATE CASCADE, an UPDATE of the
parent's key fails (error 1452; measured on 9.7, 10.11 and 11.8). DROP FOREIGN KEY and ADD CONSTRAINT in one ALTER TABLE are one change for everybody
else. The servers refuse it where both have the same name (errors 1826 and 121), so the key bears another one in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, DropConstraint, RenameIndex
from driftflow.model.plan import Guard, RunSql, Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.constraints import binding
from driftflow.strategies.constraints.constraining import guard_orphans
from driftflow.strategies.recipe import Recipe, as_undo
from driftflow.strategies.size import is_large


def can_exchange(operation: AddConstraint, at: Situation) -> bool:
    """Whether one statement can do it without a copy that writers of a large table wait for."""
    key = operation.constraint
    if not (at.dialect.one_pass and isinstance(key, ForeignKey)):
        return False
    return not is_large(at, operation.table) or binding.is_trusted(at, operation)


@dataclass(frozen=True)
class Exchange:
    """On one table, whose old key the recipe's catalog still has. `trusted`: the server looks at no row that is there, which a read makes up for."""

    recipe: Recipe
    table: Name
    trusted: bool

    def steps(self, old: ForeignKey, new: ForeignKey, aside: str) -> Iterator[Step]:
        """`aside` is a name for as long as the old one has its own."""
        beside = replace(new, name=aside) if old.name == new.name else new
        index = binding.index_for(self.recipe.catalog, self.table, new)
        table = self.recipe.catalog.table(self.table)
        taken = index is not None and table is not None and table.index(index.name.name) is not None
        if index is not None:
            made = replace(index, name=replace(index.name, name=aside)) if taken else index
            purpose = f"Build the index for {binding.said(self.table, new)}"
            yield self.recipe.change(CreateIndex(index=made), purpose=purpose, phase="migrate")
        yield self._exchanged(old, beside)
        if self.trusted:
            yield binding.prove(self.recipe, self.table, new, phase="migrate")
        if beside is not new:
            yield self._exchanged(beside, new, proved=True)
        if index is not None and taken:
            rename = RenameIndex(name=replace(index.name, name=aside), table=self.table, to=index.name.name)
            yield self.recipe.change(rename, purpose=f"Give the index {aside} the name of the key", phase="migrate")

    def _exchanged(self, old: ForeignKey, new: ForeignKey, *, proved: bool = False) -> Step:
        """Where both ask for the same, rows that kept to one keep to the other."""
        asks = _asks(old) != _asks(new)
        step = self._statement(old, new, guards=() if proved else self._guards(new))
        after = self.recipe.catalog
        back: list[Step] = [self._statement(new, old, guards=self._guards(old) if asks else ())]
        if asks and self.trusted:
            back.append(binding.prove(self.recipe, self.table, old, phase="migrate"))
        self.recipe.catalog = after
        return replace(step, undo=UndoSteps(steps=tuple(as_undo(one) for one in back)))

    def _guards(self, key: ForeignKey) -> tuple[Guard, ...]:
        return (*binding.guard_elsewhere(self.recipe.at, self.table, key), guard_orphans(self.recipe.at, self.table, key))

    def _statement(self, old: ForeignKey, new: ForeignKey, *, guards: tuple[Guard, ...]) -> RunSql:
        table = self.table
        both = (DropConstraint(table=table, name=old.name, foreign_key=True), AddConstraint(table=table, constraint=new))
        purpose = f"Put {new.name} in the place of {old.name}: {binding.said(table, new)}"
        undo = UndoNothing(reason="what takes it back is said beside it")
        if not self.trusted:
            return self.recipe.change(*both, purpose=purpose, phase="migrate", guards=guards, undo=undo)
        said = f"{purpose}, old rows on trust ({binding.TRUSTING}=0)"
        return binding.changed_on_trust(self.recipe, *both, purpose=said, phase="migrate", guards=guards, undo=undo)


def _asks(key: ForeignKey) -> tuple[object, ...]:
    return key.columns, key.referenced, key.referenced_columns
