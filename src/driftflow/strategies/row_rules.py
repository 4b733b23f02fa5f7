"""A rule about single rows that no CHECK can hold: a trigger refuses the rows that break it, with the error that a CHECK would give.

It looks at the written row alone, so it needs no lock and no rights beyond those of the writer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.plan import Guard, RunSql
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.filling import ROWID, chunk_key
from driftflow.strategies.recipe import Recipe, bounded_count


class RowRule:
    """`broken` is a condition over the table's own columns; `columns` are those that it reads: an UPDATE that changes none of them is not judged."""

    def __init__(self, recipe: Recipe, table: Table, name: str, broken: str, columns: tuple[str, ...]) -> None:
        self.recipe, self.at, self.table, self.name = recipe, recipe.at, table, name
        self.broken, self.columns = broken, columns
        self.function = Name(schema=table.name.schema, name=name)

    def begin(self, *, guards: tuple[Guard, ...] = ()) -> RunSql:
        functions = trigger_text.has_functions(self.at)
        creates = self._with_function() if functions else tuple(self._by_itself())
        step = self.recipe.text(
            *creates,
            purpose=f"Refuse rows of {self.table.name.name} that break {self.name} (trigger)",
            phase="expand",
            claims=trigger_text.claims(self.at, self.table, create=True),
            undo_claims=trigger_text.claims(self.at, self.table, create=False),
            undo=self._with_function_gone() if functions else tuple(self._gone()),
            undo_purpose=f"Take away the trigger {self.name}",
        )
        return replace(step, guards=guards)

    def guard(self) -> Guard:
        """Rows that break it already."""
        target = self.at.dialect.quote_name(self.table.name)
        key = chunk_key(self.at, self.table)
        own = ", ".join(one if one == ROWID else self.at.dialect.quote(one) for one in key)
        return Guard(
            query=bounded_count(f"SELECT 1 FROM {target} WHERE {self.broken}"),
            summary=f"{{count}} rows of {self.table.name.name} break {self.name}",
            hint="correct them, or let the rule hold for new rows only: `-- driftflow: rule existing=keep`",
            keys=f"SELECT {own} FROM {target} WHERE {self.broken} ORDER BY {own} LIMIT 10" if own else "",
        )

    def _message(self) -> str:
        own = self.table.name.name
        return self.at.dialect.literal(f'new row for relation "{own}" violates check constraint "{self.name}"')

    def _changed(self, word: str) -> str:
        quote = self.at.dialect.quote
        return " OR ".join(f"NEW.{quote(one)} {word} OLD.{quote(one)}" for one in self.columns) or "1 = 1"

    def _with_function(self) -> tuple[str, ...]:
        at, quote = self.at, self.at.dialect.quote
        target = f"{at.dialect.quote_name(self.function)}()"
        row = trigger_text.written_row(at, self.table, "NEW")
        body = (
            f"  IF TG_OP = 'UPDATE' AND NOT ({self._changed('IS DISTINCT FROM')}) THEN\n    RETURN NEW;\n  END IF;\n"
            f"  IF (SELECT {self.broken} FROM {row}) THEN\n"
            f"    RAISE check_violation USING MESSAGE = {self._message()}, CONSTRAINT = {at.dialect.literal(self.name)},\n"
            f"      SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;\n"
            f"  END IF;\n  RETURN NEW;"
        )
        made = (
            f"CREATE FUNCTION {target} RETURNS trigger LANGUAGE plpgsql SET search_path = {trigger_text.path(at, self.function)} "
            f"AS {trigger_text.TAG}\nBEGIN\n{body}\nEND\n{trigger_text.TAG}"
        )
        owned = (f"ALTER FUNCTION {target} OWNER TO {quote(self.table.owner)}",) if self.table.owner else ()
        on = at.dialect.quote_name(self.table.name)
        trigger = f"CREATE TRIGGER {quote(self.name)} BEFORE INSERT OR UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION {target}"
        return (made, *owned, trigger)

    def _with_function_gone(self) -> tuple[str, ...]:
        on, quote = self.at.dialect.quote_name(self.table.name), self.at.dialect.quote
        return (f"DROP TRIGGER {quote(self.name)} ON {on}", f"DROP FUNCTION {self.at.dialect.quote_name(self.function)}()")

    def _by_itself(self) -> Iterator[str]:
        quote, own = self.at.dialect.quote, self.at.dialect.quote(self.table.name.name)
        schema = quote(self.table.name.schema or "main")
        row = trigger_text.written_row(self.at, self.table, "NEW")
        refuse = f"SELECT RAISE(ABORT, {self._message()}) FROM {row} WHERE {self.broken}"
        yield f"CREATE TRIGGER {schema}.{quote(f'{self.name}_insert')} BEFORE INSERT ON {own} FOR EACH ROW\nBEGIN\n  {refuse};\nEND"
        yield (
            f"CREATE TRIGGER {schema}.{quote(f'{self.name}_update')} BEFORE UPDATE ON {own} FOR EACH ROW "
            f"WHEN {self._changed('IS NOT')}\nBEGIN\n  {refuse};\nEND"
        )

    def _gone(self) -> Iterator[str]:
        schema = self.at.dialect.quote(self.table.name.schema or "main")
        for word in ("insert", "update"):
            yield f"DROP TRIGGER {schema}.{self.at.dialect.quote(f'{self.name}_{word}')}"


def columns_read(at: Situation, table: Table, expression: str) -> tuple[str, ...]:
    """The table's columns that the expression names."""

    words = set(re.findall(r"\w+", re.sub(r"'(?:[^']|'')*'", "", expression)))
    return tuple(column.name for column in table.columns if column.name in words)
