"""MySQL and MariaDB: what a foreign key would keep between tables that can have none, by triggers on both sides that lock the other row.

The child's triggers lock the row that is pointed at before they let a row in; the parent's fire when their row is locked, and look for rows that point at
it by a locking read. So of an INSERT and a DELETE at the same time one waits for the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.errors import RefusedError
from driftflow.model.catalog import ForeignKey, Index, IndexPart, Table
from driftflow.model.names import Name
from driftflow.model.operations import CreateIndex
from driftflow.model.plan import Guard, RunSql
from driftflow.strategies.cleansing.by_join import index_by
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.references import apart_triggers
from driftflow.strategies.references.apart_triggers import FOUND, HAS_CHILDREN, NO_PARENT


class KeptReference:
    """The triggers in the place of one foreign key."""

    def __init__(self, recipe: Recipe, table: Table, key: ForeignKey) -> None:
        """Raises RefusedError (DF-E712) where triggers cannot keep it."""
        self.recipe, self.at, self.table, self.key = recipe, recipe.at, table, key
        parent = self.at.table(key.referenced)
        why = self._why_not(parent)
        if parent is None or why:
            raise RefusedError(
                "DF-E712",
                f"triggers cannot keep {key.name or 'the foreign key'} of {table.name.name}",
                where=str(self.at.statement.span),
                why=why,
                hint="leave the foreign key out, and let the application and a scheduled count look after it",
            )
        self.parent = parent

    def _why_not(self, parent: Table | None) -> str:
        key = self.key
        if parent is None:
            return f"{key.referenced.name} is not in this database"
        if not index_by(parent, key.referenced_columns):
            return (
                f"{parent.name.name} ({', '.join(key.referenced_columns)}) has no index, so every row would be locked to find one"
            )
        if parent.name == self.table.name and apart_triggers.moves(key.on_delete, key.on_update):
            return "a trigger cannot change the table whose change it answers to (error 1442)"
        through = [one.name for one in parent.foreign_keys if one.on_delete == "CASCADE"]
        through += [
            one.name
            for one in parent.foreign_keys
            if set(one.columns) & set(key.referenced_columns) and apart_triggers.moves(one.on_update, one.on_delete)
        ]
        return (
            f"rows of {parent.name.name} go or change by the foreign key {through[0]}, which fires no trigger" if through else ""
        )

    def index(self) -> Iterator[RunSql]:
        """What the parent's side finds rows by."""
        if index_by(self.table, self.key.columns):
            return
        parts = tuple(IndexPart(column=column) for column in self.key.columns)
        name = Name(schema=self.table.name.schema, name=fit(f"{self.key.name}_idx"))
        purpose = f"Build an index by which rows of {self.table.name.name} are found that point at a row"
        yield self.recipe.change(
            CreateIndex(index=Index(name=name, table=self.table.name, parts=parts)), purpose=purpose, phase="migrate"
        )

    def child(self, guards: tuple[Guard, ...]) -> Iterator[RunSql]:
        at, quote, columns = self.at, self.at.dialect.quote, self.key.columns
        pairs = zip(columns, self.key.referenced_columns, strict=True)
        same = " AND ".join(f"p.{quote(there)} = NEW.{quote(here)}" for here, there in pairs)
        present = " AND ".join(f"NEW.{quote(column)} IS NOT NULL" for column in columns)
        changed = " OR ".join(at.dialect.differs(f"NEW.{quote(column)}", f"OLD.{quote(column)}") for column in columns)
        look = (
            f"SELECT COUNT(*) INTO {FOUND} FROM {at.dialect.quote_name(self.parent.name)} AS p WHERE {same} LOCK IN SHARE MODE;"
        )
        refuse = self._signal(NO_PARENT, "Cannot add or update a child row")
        own = apart_triggers.elsewhere(at, self.table, self.key)
        for event, when in (("INSERT", ""), ("UPDATE", f" AND ({changed})")):
            body = f"  IF {present}{own}{when} THEN\n    {look}\n    IF {FOUND} = 0 THEN\n      {refuse}\n    END IF;\n  END IF;"
            purpose = f"Let {self.table.name.name} point at rows of {self.parent.name.name} that are there"
            yield apart_triggers.step(
                self.recipe, self.table, f"{self.key.name}_child", f"BEFORE {event}", body, purpose=purpose, guards=guards
            )
            guards = ()

    def parents(self) -> Iterator[RunSql]:
        at, quote, key = self.at, self.at.dialect.quote, self.key
        pairs = list(zip(key.columns, key.referenced_columns, strict=True))
        child, name = at.dialect.quote_name(self.table.name), f"{key.name}_parent"
        points = " AND ".join(f"{quote(here)} = OLD.{quote(there)}" for here, there in pairs)
        look = f"SELECT COUNT(*) INTO {FOUND} FROM {child} WHERE {points} LOCK IN SHARE MODE;"
        refuse = (
            f"{look}\n  IF {FOUND} > 0 THEN\n    {self._signal(HAS_CHILDREN, 'Cannot delete or update a parent row')}\n  END IF;"
        )
        nothing = f"UPDATE {child} SET {', '.join(f'{quote(here)} = NULL' for here, _ in pairs)} WHERE {points};"
        follow = f"UPDATE {child} SET {', '.join(f'{quote(here)} = NEW.{quote(there)}' for here, there in pairs)} WHERE {points};"
        gone = {"CASCADE": f"DELETE FROM {child} WHERE {points};", "SET NULL": nothing}.get(key.on_delete, refuse)
        moved = {"CASCADE": follow, "SET NULL": nothing}.get(key.on_update, refuse)
        changed = " OR ".join(at.dialect.differs(f"NEW.{quote(there)}", f"OLD.{quote(there)}") for _, there in pairs)
        purpose = f"Look after rows of {self.table.name.name} when a row of {self.parent.name.name}"
        yield apart_triggers.step(self.recipe, self.parent, name, "AFTER DELETE", f"  {gone}", purpose=f"{purpose} goes")
        body = f"  IF {changed} THEN\n  {moved}\n  END IF;"
        yield apart_triggers.step(self.recipe, self.parent, name, "AFTER UPDATE", body, purpose=f"{purpose} gets another key")

    def _signal(self, number: int, what: str) -> str:
        said = f"{what}: {self.key.name} of {self.table.name.name} fails (foreign key kept by triggers)"
        return apart_triggers.signal(number, self.at.dialect.literal(said))
