"""The trigger that keeps a column and its shadow equal, whichever of the two is written."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.record import Record
from driftflow.strategies.fitted import fit, trigger_name
from driftflow.strategies.types.conversion import Conversion, columns_of, comparable, unfit


class Trigger(Record, frozen=True, kw_only=True):
    """Statements that create the trigger with its function, and that drop both."""

    create: tuple[str, ...]
    drop: tuple[str, ...]


def forward(at: Situation, table: Table, conversion: Conversion, shadow: str) -> Trigger:
    """Before the swap the application writes the old column, and the shadow follows. A value that the new type does not take is refused at once."""
    assign = _converted(at, table, conversion, source=conversion.column)
    return _trigger(at, table, conversion, body=f"  NEW.{at.dialect.quote(shadow)} := {assign};\n", name="there")


def both_ways(at: Situation, table: Table, conversion: Conversion, aside: str) -> Trigger:
    """After the swap the application writes the new column, and the old one follows where its type takes the value (else it is NULL).

    Who inserts without naming columns still writes the old one, which stands in its old place: then the new one follows.
    """
    quote = at.dialect.quote
    new, old = f"NEW.{quote(conversion.column)}", f"NEW.{quote(aside)}"
    before = old.replace("NEW.", "OLD.", 1)
    old_differs = f"{comparable(old, conversion.old_type)} IS DISTINCT FROM {comparable(before, conversion.old_type)}"
    before = new.replace("NEW.", "OLD.", 1)
    new_differs = f"{comparable(new, conversion.new_type)} IS DISTINCT FROM {comparable(before, conversion.new_type)}"
    there = f"    {new} := {_converted(at, table, conversion, source=aside)};\n"
    # Where the new value gives the old one that is written, nobody has changed it: the new one stays, which the old one may not hold whole. So it is
    # where the old values are filled anew, and where a row that moves to another partition is inserted there with both.
    given = f"DECLARE given {at.dialect.quote_name(table.name)}.{quote(aside)}%TYPE := {old};\n"
    differs = f"{comparable(old, conversion.old_type)} IS DISTINCT FROM {comparable('given', conversion.old_type)}"
    back = _back(at, table, conversion, new=new, old=old)
    written = f"{back}    IF {differs} THEN\n    {old} := given;\n{there}    END IF;\n"
    inserted = written if table.partitioning is not None else there
    body = (
        f"  IF (TG_OP = 'INSERT' AND {old} IS NOT NULL) THEN\n{inserted}"
        f"  ELSIF TG_OP = 'INSERT' THEN\n{back}"
        f"  ELSIF {new_differs} THEN\n{back}"
        f"  ELSIF {old_differs} THEN\n{written}"
        f"  END IF;\n"
    )
    return _trigger(at, table, conversion, body=body, name="back", declare=given)


def _back(at: Situation, table: Table, conversion: Conversion, *, new: str, old: str) -> str:
    """An old value of the new one. The application must not fail for what only a way back would need: what does not fit becomes NULL."""
    if conversion.one_way:
        return f"    {old} := NULL;\n"
    if conversion.back:
        assign = f"    {old} := {_in_row(at, table, conversion.back, conversion.column, source=conversion.column)};\n"
    else:
        assign = f"    {old} := {new};\n"
        if not conversion.there and widens_back(conversion):
            return assign
        wrong = "" if conversion.there else unfit(new, conversion.new_type, conversion.old_type)
        if wrong:
            return f"    {old} := CASE WHEN {wrong} THEN NULL ELSE {new} END;\n"
    return f"    BEGIN\n  {assign}    EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN\n      {old} := NULL;\n    END;\n"


def widens_back(conversion: Conversion) -> bool:
    from driftflow.strategies.inverses.inverse_alter import widens

    return widens(conversion.new_type, conversion.old_type)


def _converted(at: Situation, table: Table, conversion: Conversion, *, source: str) -> str:
    if not conversion.there:
        return f"NEW.{at.dialect.quote(source)}"
    return _in_row(at, table, conversion.there, conversion.column, source=source)


def _in_row(at: Situation, table: Table, expression: str, column: str, *, source: str) -> str:
    """The expression over the written row, in which `source` goes by the column's name."""
    quote = at.dialect.quote
    values = ", ".join(
        f"NEW.{quote(source if name == column else name)} AS {quote(name)}" for name in columns_of(expression, table, column)
    )
    return f"(SELECT {expression} FROM (SELECT {values}) AS {quote(table.name.name)})"


def _trigger(at: Situation, table: Table, conversion: Conversion, *, body: str, name: str, declare: str = "") -> Trigger:
    quote, target = at.dialect.quote, at.dialect.quote_name(table.name)
    trigger = quote(trigger_name(table.name, conversion.column, f"_{name}"))
    function = at.dialect.quote_name(
        Name(schema=table.name.schema, name=fit(f"driftflow_type_{table.name.name}_{conversion.column}_{name}"))
    )
    path = dict.fromkeys(("pg_catalog", *(at.catalog.search_path or (table.name.schema,)), table.name.schema, "pg_temp"))
    schemas = ", ".join(quote(schema) for schema in path if schema and not schema.startswith("$"))
    zone = " SET timezone = 'UTC'" if conversion.utc else ""
    text = f"$driftflow$\n{declare}BEGIN\n{body}  RETURN NEW;\nEND\n$driftflow$"
    return Trigger(
        create=(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schemas}{zone} AS {text}",
            f"CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {target} FOR EACH ROW EXECUTE FUNCTION {function}()",
        ),
        drop=(f"DROP TRIGGER IF EXISTS {trigger} ON {target}", f"DROP FUNCTION IF EXISTS {function}()"),
    )
