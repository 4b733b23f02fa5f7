"""Old values that the new type does not hold, kept with their keys when the old column goes; a rollback takes them from there."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.effects import LockClaim
from driftflow.model.operations.identifiers import rename_column
from driftflow.model.plan import Step
from driftflow.model.record import replace
from driftflow.strategies.cleansing.archiving import our_name
from driftflow.strategies.columns.dual_write import RETIRE_COLUMN
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.types.conversion import Conversion


def archived(recipe: Recipe, table: Table, conversion: Conversion, aside: str) -> Step:
    """The archive: the table's key and the old value under the column's name."""
    at, quote = recipe.at, recipe.at.dialect.quote
    name = our_name(at, "archive", table.name, conversion.column)
    key = ", ".join(map(quote, chunk_key(at, table)))
    target, source = at.dialect.quote_name(name), at.dialect.quote_name(table.name)
    where = rename_column(conversion.archive, conversion.column, aside)
    step = recipe.text(
        f"CREATE TABLE {target} AS SELECT {key}, {quote(aside)} AS {quote(conversion.column)} FROM {source} WHERE {where}",
        f"ALTER TABLE {target} ADD PRIMARY KEY ({key})",
        purpose=f"Archive with their keys the old values of {table.name.name}.{conversion.column} that are cut: {name}",
        phase="contract",
        claims=(LockClaim(relation=name, mode="EXCLUSIVE", why="our own table"),),
        undo=(f"DROP TABLE IF EXISTS {target}",),
        undo_purpose=f"Remove {name.name}: the values are back",
    )
    return replace(step, strategy=RETIRE_COLUMN, statement_timeout_ms=0)


def from_archive(at: Situation, table: Table, conversion: Conversion, otherwise: str) -> str:
    """The archived value, where the row still holds what became of it; else what `back` says."""
    quote = at.dialect.quote
    name, target = our_name(at, "archive", table.name, conversion.column), quote(table.name.name)
    same = " AND ".join(f"a.{quote(column)} = {target}.{quote(column)}" for column in chunk_key(at, table))
    became = rename_column(conversion.there, conversion.column, "given")
    value = f"SELECT a.{quote(conversion.column)} FROM (SELECT *, {quote(conversion.column)} AS given FROM {at.dialect.quote_name(name)}) AS a"
    return f"COALESCE(({value} WHERE {same} AND {became} = {target}.{quote(conversion.column)}), {otherwise})"
