"""A rule about single rows that no CHECK can hold: a trigger refuses the rows that break it, with the error that a CHECK would give.

It looks at the row as it was written, after every other trigger has set what it sets and with its generated columns, and at nothing else: so it
needs no lock and no rights beyond those of the writer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import ForeignKey, Generated, Table, Trigger
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger
from driftflow.model.plan import Expectation, Guard, Step, UndoNothing, Verify
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe, bounded_count
from driftflow.strategies.row_guards import guard_rows

WORDS = ("update", "insert")
"""One trigger each, where a trigger has one event and its own name."""


class RowRule:
    """`broken` is a condition over the table's own columns; `columns` are those that it reads: an UPDATE that changes none of them is not judged.

    Raises RefusedError (DF-E740, DF-E741) where a row could break the rule and no trigger would see it.
    """

    def __init__(self, recipe: Recipe, table: Table, name: str, broken: str, columns: tuple[str, ...]) -> None:
        self.recipe, self.at, self.table, self.name = recipe, recipe.at, table, name
        self.broken, self.columns = broken, columns
        self.function = Name(schema=table.name.schema, name=name)
        refuse_unseen(self.at, table, name, columns)

    def steps(self, *, counted: bool, proved: bool = True) -> Iterator[Step]:
        """The trigger. With `counted` rows that break the rule already stop the plan; with `proved` they are looked for once more when it is there: a
        row may have come in between."""
        guards = (self.guard(),) if counted else ()
        yield from self._apart(guards) if self.at.dialect.one_pass else self._together(guards)
        if counted and proved:
            yield self._proof()

    def guard(self) -> Guard:
        """Rows that break it already."""
        key, hint = (
            chunk_key(self.at, self.table),
            "correct them, or let the rule hold for new rows only: `-- driftflow: rule existing=keep`",
        )
        return guard_rows(self.at, self.table.name, self.broken, f"break {self.name}", hint=hint, key=key)

    def _proof(self) -> Verify:
        broken = f"SELECT 1 FROM {self.at.dialect.quote_name(self.table.name)} WHERE {self.broken}"
        expected = Expectation(
            summary=f"No row of {self.table.name.name} breaks {self.name}", query=bounded_count(broken), expect="0"
        )
        return Verify(
            **self.recipe.common(f"Prove old rows: {self.name}", "migrate"),
            statement_timeout_ms=0,
            expectations=(expected,),
            undo=UndoNothing(reason="it changes nothing"),
        )

    @property
    def _purpose(self) -> str:
        return f"Refuse rows of {self.table.name.name} that break {self.name} (trigger)"

    def _together(self, guards: tuple[Guard, ...]) -> Iterator[Step]:
        functions = trigger_text.has_functions(self.at)
        creates = self._with_function() if functions else tuple(self._by_itself())
        step = self.recipe.text(
            *creates,
            purpose=self._purpose,
            phase="expand",
            claims=trigger_text.claims(self.at, self.table, create=True),
            undo_claims=trigger_text.claims(self.at, self.table, create=False),
            undo=self._with_function_gone() if functions else tuple(self._gone()),
            undo_purpose=f"Take away the trigger {self.name}",
        )
        yield replace(step, guards=guards)

    def _apart(self, guards: tuple[Guard, ...]) -> Iterator[Step]:
        """Each event in a statement of its own, the UPDATEs first: an INSERT that comes in between is found by the proof."""
        guards = (*trigger_text.obstacles(self.at, self.table), *guards)
        refuse = self.at.dialect.check_refusal(self.table.name, self.name)
        row = trigger_text.written_row(self.at, self.table, "NEW", self.columns)
        for word in WORDS:
            event = word.upper()
            changed = f"({self._changed()}) AND " if word == "update" else ""
            body = f"IF {changed}(SELECT {self.broken} FROM {row}) THEN {refuse}; END IF"
            trigger = Trigger(
                name=self._name(word),
                table=self.table.name,
                timing="AFTER",
                events=(event,),
                definition=f"AFTER {event} BEGIN {body}; END",
            )
            yield self.recipe.alone(
                CreateTrigger(trigger=trigger), purpose=f"{self._purpose[:-1]} on {event})", phase="expand", guards=guards
            )
            guards = ()

    def _name(self, word: str) -> str:
        return fit(f"{self.name}_{word}")

    def _message(self) -> str:
        own = self.table.name.name
        return self.at.dialect.literal(f'new row for relation "{own}" violates check constraint "{self.name}"')

    def _changed(self) -> str:
        """True for an UPDATE that changes what the rule reads, to the letter: under a collation that knows no case, `a` becomes `A` too."""
        at, types = self.at, {column.name: column for column in self.table.columns}
        pairs = ((f"NEW.{at.dialect.quote(one)}", f"OLD.{at.dialect.quote(one)}", types[one]) for one in self.columns)
        return " OR ".join(at.dialect.differs_exactly(new, old, column) for new, old, column in pairs) or "1 = 1"

    def _with_function(self) -> tuple[str, ...]:
        at, quote = self.at, self.at.dialect.quote
        target = f"{at.dialect.quote_name(self.function)}()"
        row = trigger_text.written_row(at, self.table, "NEW", self.columns)
        body = (
            f"  IF TG_OP = 'UPDATE' AND NOT ({self._changed()}) THEN\n    RETURN NULL;\n  END IF;\n"
            f"  IF (SELECT {self.broken} FROM {row}) THEN\n"
            f"    RAISE check_violation USING MESSAGE = {self._message()}, CONSTRAINT = {at.dialect.literal(self.name)},\n"
            f"      SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;\n"
            f"  END IF;\n  RETURN NULL;"
        )
        made = trigger_text.function(at, self.function, body, owner=self.table.owner, definer=False)
        on = at.dialect.quote_name(self.table.name)
        trigger = f"CREATE TRIGGER {quote(self.name)} AFTER INSERT OR UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION {target}"
        return (*made, trigger)

    def _with_function_gone(self) -> tuple[str, ...]:
        on, quote = self.at.dialect.quote_name(self.table.name), self.at.dialect.quote
        return (f"DROP TRIGGER {quote(self.name)} ON {on}", f"DROP FUNCTION {self.at.dialect.quote_name(self.function)}()")

    def _by_itself(self) -> Iterator[str]:
        quote, own = self.at.dialect.quote, self.at.dialect.quote(self.table.name.name)
        schema = quote(self.table.name.schema or "main")
        row = trigger_text.written_row(self.at, self.table, "NEW", self.columns)
        refuse = f"SELECT RAISE(ABORT, {self._message()}) FROM {row} WHERE {self.broken}"
        for word in WORDS:
            when = f"WHEN {self._changed()}\n" if word == "update" else "\n"
            name = f"{schema}.{quote(self._name(word))}"
            yield f"CREATE TRIGGER {name} AFTER {word.upper()} ON {own} FOR EACH ROW {when}BEGIN\n  {refuse};\nEND"

    def _gone(self) -> Iterator[str]:
        schema = self.at.dialect.quote(self.table.name.schema or "main")
        for word in reversed(WORDS):
            yield f"DROP TRIGGER {schema}.{self.at.dialect.quote(self._name(word))}"


def columns_read(at: Situation, table: Table, expression: str) -> tuple[str, ...]:
    """The table's columns that the expression names."""

    words = {word.lower() for word in re.findall(r"\w+", re.sub(r"'(?:[^']|'')*'", "", expression))}
    return tuple(column.name for column in table.columns if column.name.lower() in words)


def refuse_unseen(at: Situation, table: Table, name: str, columns: tuple[str, ...]) -> None:
    """Raises RefusedError: DF-E740 where a foreign key changes what the rule reads and fires no trigger, DF-E741 for a value that no trigger sees."""
    read = set(columns)
    for key in table.constraints:
        touched = sorted(read & set(key.columns)) if isinstance(key, ForeignKey) and _changes_its_columns(key) else ()
        if isinstance(key, ForeignKey) and touched and not at.can(Capability.CASCADE_FIRES_TRIGGERS):
            raise RefusedError(
                "DF-E740",
                f"no trigger of this server could hold {name} on {table.name.name}",
                where=str(at.statement.span),
                why=f"{key.name} changes {', '.join(touched)} when the row that it points at changes, and that fires no trigger here",
                hint="give the foreign key ON UPDATE RESTRICT and ON DELETE RESTRICT or CASCADE, or leave these columns out of the rule",
            )
    for column in table.columns:
        virtual = isinstance(column.generated, Generated) and not column.generated.stored
        if virtual and column.name in read and trigger_text.has_functions(at):
            raise RefusedError(
                "DF-E741",
                f"no trigger of this server sees {table.name.name}.{column.name}",
                where=str(at.statement.span),
                why="a virtual generated column has no value while a row is written",
                hint=f"write its expression into the rule {name} in its place",
            )


def _changes_its_columns(key: ForeignKey) -> bool:
    return key.on_update in ("CASCADE", "SET NULL", "SET DEFAULT") or key.on_delete in ("SET NULL", "SET DEFAULT")
