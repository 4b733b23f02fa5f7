"""The triggers that keep a column equal to an expression over the others of its row, whoever writes it and whatever he writes into it.

They stay: the column is theirs, as a generated column is the server's. Where a trigger may assign to the row it does so before the row is stored;
on SQLite it changes the row once more.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Table, Trigger
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger
from driftflow.model.plan import Step
from driftflow.strategies import trigger_text
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.columns.said_maintained import MaintainedRequest, over_row
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe

WORDS = ("update", "insert")
"""One trigger each, where a trigger has one event; the UPDATEs first: a row that is inserted in between is filled by the backfill."""


class ColumnKeeper:
    """`inputs` are the columns that the expression reads. Raises RefusedError (DF-E741, DF-E746)."""

    def __init__(
        self, recipe: Recipe, table: Table, column: Column, *, request: MaintainedRequest, inputs: tuple[str, ...]
    ) -> None:
        self.recipe, self.at, self.table, self.request, self.inputs = recipe, recipe.at, table, request, inputs
        self.columns = {one.name: one for one in (*table.columns, column)}
        self.name = fit(f"zzz_{table.name.name}_{request.column}_kept")
        """`zzz`: PostgreSQL fires triggers in the order of their names, and this one must see the others' work."""
        self.function = Name(schema=table.name.schema, name=self.name)
        self.volatile = self.at.dialect.volatile(over_row(request.expression, table.name.name), self.at.catalog)
        self._check()

    def _check(self) -> None:
        generated = [one.name for one in self.table.columns if one.name in self.inputs and one.generated is not None]
        if generated and trigger_text.has_functions(self.at):
            raise RefusedError(
                "DF-E741",
                f"no trigger of this server sees {self.table.name.name}.{generated[0]}",
                where=str(self.request.span),
                why="a generated column has no value yet when a trigger may still assign to the row",
                hint=f"write its expression into that of {self.request.column}",
            )
        if self.at.can(Capability.SINGLE_WRITER) and not chunk_key(self.at, self.table):
            raise RefusedError(
                "DF-E746",
                f"no trigger could keep {self.request.column} true",
                where=str(self.request.span),
                why=f"the trigger changes the row once more, and finds it by its key: {self.table.name.name} has none",
                hint="give the table a primary key first",
            )

    def steps(self) -> Iterator[Step]:
        purpose = f"Keep {self.table.name.name}.{self.request.column} true to {', '.join(self.inputs)} (trigger)"
        if self.at.dialect.one_pass:
            yield from self._apart(purpose)
            return
        creates, drops = self._with_function() if trigger_text.has_functions(self.at) else self._by_itself()
        yield self.recipe.text(
            *creates,
            purpose=purpose,
            phase="expand",
            claims=trigger_text.claims(self.at, self.table, create=True),
            undo=drops,
            undo_purpose=f"Take away the trigger that keeps {self.table.name.name}.{self.request.column}",
            undo_claims=trigger_text.claims(self.at, self.table, create=False),
        )

    @property
    def own(self) -> str:
        return self.at.dialect.quote(self.request.column)

    def _changed(self, columns: tuple[str, ...]) -> str:
        at, types = self.at, self.columns
        found = []
        for name in columns:
            new, old = (f"{row}.{at.dialect.quote(name)}" for row in ("NEW", "OLD"))
            found.append(at.dialect.differs_exactly(new, old, types[name]))
        return " OR ".join(found)

    def _wanted(self) -> str:
        """An UPDATE that changes what the column is made of, or writes the column itself; a row that has no value yet."""
        return f"NEW.{self.own} IS NULL OR {self._changed((*self.inputs, self.request.column))}"

    def _apart(self, purpose: str) -> Iterator[Step]:
        guards = trigger_text.obstacles(self.at, self.table)
        for word in WORDS:
            event = word.upper()
            assign = f"SET NEW.{self.own} = {self.request.expression}"
            body = f"IF {self._wanted()} THEN {assign}; END IF" if word == "update" else assign
            trigger = Trigger(
                name=fit(f"{self.name}_{word}"),
                table=self.table.name,
                timing="BEFORE",
                events=(event,),
                definition=f"BEFORE {event} {body}",
            )
            yield self.recipe.alone(CreateTrigger(trigger=trigger), purpose=f"{purpose[:-1]} on {event})", guards=guards)
            guards = ()

    def _with_function(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """With the owner's rights only where it reads other tables: the writer may lack theirs."""
        at, quote = self.at, self.at.dialect.quote
        call, on = f"{at.dialect.quote_name(self.function)}()", at.dialect.quote_name(self.table.name)
        body = f"  IF TG_OP = 'INSERT' OR {self._wanted()} THEN\n    NEW.{self.own} := {self.request.expression};\n  END IF;\n  RETURN NEW;"
        made = trigger_text.function(at, self.function, body, owner=self.table.owner, definer=self.request.lookups)
        trigger = f"CREATE TRIGGER {quote(self.name)} BEFORE INSERT OR UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION {call}"
        return (*made, trigger), (f"DROP TRIGGER {quote(self.name)} ON {on}", f"DROP FUNCTION {call}")

    def _by_itself(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is written into the column itself is corrected too, but for a volatile expression, which would never come to rest."""
        quote, own = self.at.dialect.quote, self.at.dialect.quote(self.table.name.name)
        schema = quote(self.table.name.schema or "main")
        row = " AND ".join(f"{quote(name)} = NEW.{quote(name)}" for name in chunk_key(self.at, self.table))
        update = f"UPDATE {own} SET {self.own} = {self.request.expression} WHERE {row};"
        watched = self.inputs if self.volatile else (*self.inputs, self.request.column)
        names = {word: quote(fit(f"{self.name}_{word}")) for word in WORDS}
        listed = ", ".join(map(quote, watched))
        head = f"CREATE TRIGGER {schema}"
        follows = f"{head}.{names['update']} AFTER UPDATE OF {listed} ON {own} FOR EACH ROW\nWHEN {self._changed(watched)}\nBEGIN\n  {update}\nEND"
        begins = f"{head}.{names['insert']} AFTER INSERT ON {own} FOR EACH ROW\nBEGIN\n  {update}\nEND"
        return (follows, begins), tuple(f"DROP TRIGGER {schema}.{names[word]}" for word in reversed(WORDS))
