"""Whether every value converts, asked before anything is done: a function of ours tries each one, so that the rows are counted and keys of some listed."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.plan import Guard, Step, UndoNothing
from driftflow.model.record import replace
from driftflow.strategies.cleansing.archiving import our_name
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.row_guards import guard_rows
from driftflow.strategies.types.conversion import Conversion, columns_of

TEXTS = ("text", "character varying", "character")
MOMENTS = ("timestamp", "date")


def fallible(conversion: Conversion, table: Table) -> bool:
    """Whether a value may be one that the expression, or the new type, does not take, and nothing else counts such values."""
    column = conversion.column
    if not conversion.there:
        return (conversion.old_type, conversion.new_type) == ("json", "jsonb")
    if columns_of(conversion.there, table, column) != (column,):
        return False
    if conversion.old_type.startswith(MOMENTS) and " AT TIME ZONE " in conversion.there:
        return False
    to_text = conversion.new_type.partition("(")[0] in TEXTS
    return not to_text or "convert_from(" in conversion.there


def tried(recipe: Recipe, table: Table, conversion: Conversion, steps: Iterator[Step]) -> Iterator[Step]:
    """The steps, the first of them guarded by the count; the function stands before it and goes after it."""
    if not fallible(conversion, table):
        first = next(steps)
        yield replace(first, guards=(*first.guards, *conversion.documents))
        yield from steps
        return
    at = recipe.at
    function = at.dialect.quote_name(our_name(at, "converts", table.name, conversion.column))
    signature = f"{function}({conversion.old_type})"
    drop = f"DROP FUNCTION IF EXISTS {signature}"
    yield recipe.text(
        f"CREATE OR REPLACE {_definition(at, table, conversion, function)}",
        purpose=f"A function of ours that tries whether a {table.name.name}.{conversion.column} converts",
        phase="expand",
        undo=(drop,),
    )
    first = next(steps)
    # Before all others: they speak of values that convert, and the server would stop at the first that does not, and show it.
    yield replace(first, guards=(_guard(at, table, conversion, function), *first.guards, *conversion.documents))
    yield recipe.text(
        drop,
        purpose="Drop the function again: every value converts",
        phase=first.phase,
        undo=UndoNothing(reason="it was ours, and only asked once"),
    )
    yield from steps


def _definition(at: Situation, table: Table, conversion: Conversion, function: str) -> str:
    column = at.dialect.quote(conversion.column)
    path = dict.fromkeys(("pg_catalog", *(at.catalog.search_path or (table.name.schema,)), table.name.schema, "pg_temp"))
    schemas = ", ".join(at.dialect.quote(schema) for schema in path if schema and not schema.startswith("$"))
    zone = " SET timezone = 'UTC'" if conversion.utc else ""
    there = conversion.there or column
    return (
        f"FUNCTION {function}(given {conversion.old_type}) RETURNS boolean LANGUAGE plpgsql SET search_path = {schemas}{zone} AS $driftflow$\n"
        f"DECLARE made {conversion.new_type};\n"
        f"BEGIN\n"
        f"  made := (SELECT {there} FROM (SELECT given AS {column}) AS {at.dialect.quote(table.name.name)});\n"
        f"  RETURN true;\n"
        f"EXCEPTION WHEN data_exception THEN\n  RETURN false;\nEND\n$driftflow$"
    )


def _guard(at: Situation, table: Table, conversion: Conversion, function: str) -> Guard:
    column = at.dialect.quote(conversion.column)
    wrong = f"{column} IS NOT NULL AND NOT {function}({column})"
    said = f"hold a {conversion.column} that does not become {conversion.new_type}"
    return guard_rows(at, table.name, wrong, said, hint="correct these rows first", key=chunk_key(at, table))
