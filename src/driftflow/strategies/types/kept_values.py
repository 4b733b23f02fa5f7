"""MySQL and MariaDB: values that a new form cuts, kept whole with the keys of their rows when the old form goes; a way back takes them from there."""

from __future__ import annotations

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations.identifiers import rename_column
from driftflow.model.plan import Probe, RunSql, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.columns.dual_write import RETIRE_TABLE
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe, as_undo
from driftflow.strategies.types.column_conversion import ColumnConversion

NAME = "convert_column"
KEY, WHOLE = "driftflow_k", "driftflow_whole"
NAME_BYTES = 60


class Kept:
    """The archive of one column: beside its table, the key and the value as it was."""

    def __init__(self, at: Situation, table: Table, conversion: ColumnConversion) -> None:
        self.at, self.table, self.conversion = at, table, conversion
        self.column = conversion.old.name
        self.recipe = Recipe(at, NAME)
        self.name = Name(
            schema=table.name.schema, name=fit(f"_driftflow_archive_{table.name.name}_{self.column}", bytes_max=NAME_BYTES)
        )
        self.key = chunk_key(at, table)

    def made(self) -> RunSql:
        """Empty: the way back asks it whether it holds anything."""
        keys = [f"{KEY}{number} {self._type(column)} NOT NULL" for number, column in enumerate(self.key, 1)]
        primary = ", ".join(f"{KEY}{number}" for number in range(1, len(self.key) + 1))
        whole = f"{WHOLE} {self._type(self.column)}"
        create = f"CREATE TABLE {self._quoted()} ({', '.join([*keys, whole])}, PRIMARY KEY ({primary})) ENGINE=InnoDB"
        drop = self._step(
            f"DROP TABLE IF EXISTS {self._quoted()}",
            purpose=f"Remove {self.name.name}: the values are back",
            done=f"NOT {self._there()}",
        )
        step = self._step(
            create, purpose=f"Make a table for the whole values of {self.table.name.name}.{self.column}", done=self._there()
        )
        return replace(step, undo=UndoSteps(steps=(as_undo(drop),)))

    def filled(self, old: Name) -> RunSql:
        """From the old form, which nobody writes any more."""
        source = self.at.dialect.quote_name(old)
        columns = ", ".join([*(f"{KEY}{number}" for number in range(1, len(self.key) + 1)), WHOLE])
        values = ", ".join(self.at.dialect.quote(column) for column in (*self.key, self.column))
        statement = (
            f"INSERT IGNORE INTO {self._quoted()} ({columns}) SELECT {values} FROM {source} WHERE {self.conversion.archived}"
        )
        step = self._step(
            statement,
            purpose=f"Keep with their keys the values of {self.table.name.name}.{self.column} that were cut: {self.name.name}",
            done="1 = 0",
        )
        again = Probe(query="SELECT 'again'")
        claims = (LockClaim(relation=old, mode="SHARED_READ", held="scan"), *step.claims)
        return replace(
            step,
            probe=again,
            phase="contract",
            strategy=RETIRE_TABLE,
            claims=claims,
            undo=UndoNothing(reason="the way back takes them from there"),
        )

    def restored(self) -> str:
        """The whole value, where the row still holds what became of it; else the value as it is now."""
        quote = self.at.dialect.quote
        same = [f"kept.{KEY}{number} = {quote(column)}" for number, column in enumerate(self.key, 1)]
        became = rename_column(self.conversion.there, self.column, WHOLE)
        held = self.at.dialect.differs(became, quote(self.column))
        found = f"SELECT kept.{WHOLE} FROM {self._quoted()} AS kept WHERE {' AND '.join(same)} AND NOT ({held})"
        return f"COALESCE(({found}), {quote(self.column)})"

    def _quoted(self) -> str:
        return self.at.dialect.quote_name(self.name)

    def _type(self, column: str) -> str:
        found = self.table.column(column)
        assert found is not None
        charset = f" CHARACTER SET {found.charset} COLLATE {found.collation}" if found.charset and found.collation else ""
        return f"{found.type}{charset}"

    def _there(self) -> str:
        schema = quote_string(self.name.schema) if self.name.schema else "DATABASE()"
        return f"EXISTS (SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {quote_string(self.name.name)})"

    def _step(self, statement: str, *, purpose: str, done: str) -> RunSql:
        return RunSql(
            **self.recipe.common(purpose, "migrate"),
            statements=(statement,),
            transaction="none",
            probe=Probe(query=f"SELECT CASE WHEN {done} THEN 'done' ELSE 'not_done' END"),
            claims=(LockClaim(relation=self.name, mode="EXCLUSIVE", why="our own table"),),
            statement_timeout_ms=0,
        )
