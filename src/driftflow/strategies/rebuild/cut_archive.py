"""SQLite: values that a rebuild cuts, kept whole with their keys: those that are there, and by triggers those that are written until the new table stands."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.effects import LockClaim
from driftflow.model.operations.identifiers import rename_column
from driftflow.model.plan import RunSql
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.cleansing.archiving import no_key, our_name, our_object
from driftflow.strategies.columns.filling import lasting_key
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.row_guards import guard_null_keys
from driftflow.strategies.types.conversion import Conversion

KEY, WHOLE = "driftflow_k", "driftflow_whole"


class CutArchive:
    """Of one column. The triggers go with the old table, whose place the new one takes."""

    def __init__(self, at: Situation, table: Table, conversion: Conversion) -> None:
        """Raises RefusedError (DF-E650) where no column tells the rows apart: a rowid changes with VACUUM."""
        self.at, self.table, self.conversion = at, table, conversion
        self.name = our_name(at, "archive", table.name, conversion.column)
        self.key = lasting_key(at, table)
        if not self.key:
            raise no_key(at, table, why="the whole values go into an archive with the keys of their rows")

    def begun(self, recipe: Recipe) -> RunSql:
        archive, source = self.at.dialect.quote_name(self.name), self.at.dialect.quote_name(self.table.name)
        marks = [f"{KEY}{number}" for number in range(1, len(self.key) + 1)]
        triggers = {
            event: our_object(self.table.name, f"cut_{event.lower()}", self.conversion.column) for event in ("INSERT", "UPDATE")
        }
        statements = [
            f"CREATE TABLE {archive} ({', '.join(marks)}, {WHOLE}, PRIMARY KEY ({', '.join(marks)}))",
            f"INSERT INTO {archive} SELECT {self._values('')} FROM {source} WHERE {self.conversion.archive}",
        ]
        for event, name in triggers.items():
            cut = rename_column(self.conversion.archive, self.conversion.column, "written", any_case=True)
            written = f"SELECT 1 FROM (SELECT NEW.{self._quote(self.conversion.column)} AS written) WHERE {cut}"
            statements.append(
                f"CREATE TRIGGER {self._trigger(name)} AFTER {event} ON {self._quote(self.table.name.name)} WHEN EXISTS ({written})"
                f" BEGIN INSERT OR REPLACE INTO {self._quote(self.name.name)} VALUES ({self._values('NEW.')}); END"
            )
        step = recipe.text(
            *statements,
            purpose=f"Archive with their keys the values of {self.table.name.name}.{self.conversion.column} that are cut, and keep those that are written: {self.name.name}",
            phase="migrate",
            claims=(
                LockClaim(relation=self.table.name, mode="RESERVED", blocks=("writes", "ddl"), held="scan", queues=False),
                *trigger_text.claims(self.at, self.table, create=True),
            ),
            undo_claims=trigger_text.claims(self.at, self.table, create=False),
            undo=(
                *(f"DROP TRIGGER IF EXISTS {self._trigger(name)}" for name in triggers.values()),
                f"DROP TABLE IF EXISTS {archive}",
            ),
            undo_purpose=f"Remove {self.name.name}: the values are back",
        )
        return replace(step, guards=guard_null_keys(self.at, self.table, self.key))

    def restored(self) -> str:
        """The whole value, where the row still holds what became of it; else the value as it is now."""
        value = self._quote(self.conversion.column)
        same = [f"kept.{KEY}{number} = {self._quote(column)}" for number, column in enumerate(self.key, 1)]
        became = rename_column(self.conversion.there, self.conversion.column, WHOLE, any_case=True)
        archive = self.at.dialect.quote_name(self.name)
        return (
            f"COALESCE((SELECT kept.{WHOLE} FROM {archive} AS kept WHERE {' AND '.join(same)} AND {became} IS {value}), {value})"
        )

    def _values(self, row: str) -> str:
        return ", ".join(f"{row}{self._quote(column)}" for column in (*self.key, self.conversion.column))

    def _trigger(self, name: str) -> str:
        schema = self.table.name.schema
        return f"{self._quote(schema)}.{self._quote(name)}" if schema else self._quote(name)

    def _quote(self, name: str) -> str:
        return self.at.dialect.quote(name)
