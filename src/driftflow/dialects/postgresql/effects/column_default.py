"""What the rows that are there get in a new column, and what that may break."""

from __future__ import annotations

import re

from driftflow.dialects.postgresql.effects import probes
from driftflow.dialects.postgresql.effects.casts import castable
from driftflow.dialects.postgresql.effects.expressions import is_volatile, mentions
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ACCESS_SHARE, ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import made_sequence
from driftflow.dialects.postgresql.effects.types import Type, read_type
from driftflow.dialects.proof import conjuncts
from driftflow.model.catalog import Check, Column, Table
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn
from driftflow.patterns import lazy_regex

_NEXTVAL = lazy_regex(r"nextval\('(?P<name>[^']+)'")
_STRING = lazy_regex(r"'(?P<value>(?:[^']|'')*)'(?:::[a-z ]+(?:\(\d+\))?)?")
NUMBERS = "numbers for "
"""How the claim on a column's sequence begins to say why."""
_NOTICES_NULL = lazy_regex(r"\b(NULL|COALESCE|CASE|DISTINCT|IS|num_nulls|num_nonnulls)\b", re.IGNORECASE)
"""A check without any of these is not false for NULL."""
_COMPARED = lazy_regex(r"\(*[\w\"]+\)?\s*(?P<sign><=|>=|<>|<|>|=)\s*\(?(?P<number>-?\d+(?:\.\d+)?)\)*")


def new_sequence(p: Prediction, table: Name, column: Column) -> None:
    sequence = made_sequence(p.catalog, table, column)
    if sequence is not None:
        p.lock(table, ACCESS_SHARE)
        p.created.add(sequence)
        p.lock(sequence, ACCESS_EXCLUSIVE, ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, why=f"{NUMBERS}{column.name}")


def draw_numbers(p: Prediction, column: Column) -> None:
    """A default that draws from a sequence which is there already locks it, as every nextval() does."""
    for match in _NEXTVAL.finditer(column.default or ""):
        schema, _, bare = match["name"].replace('"', "").rpartition(".")
        for place in (schema,) if schema else p.catalog.search_path or ("public",):
            if f"{place}.{bare}" in p.catalog.sequences:
                p.lock(Name(schema=place, name=bare), ROW_EXCLUSIVE, why=f"{NUMBERS}{column.name}")
                break


_NUMBER = lazy_regex(r"-?\d+(\.\d+)?")
_NUMERIC = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})


_UUID = lazy_regex(r"\{?(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\}?")
_GIVES = {
    "now": "timestamp with time zone",
    "current_timestamp": "timestamp with time zone",
    "clock_timestamp": "timestamp with time zone",
    "localtimestamp": "timestamp without time zone",
    "current_date": "date",
    "gen_random_uuid": "uuid",
}
"""What calls without arguments give that defaults like to say."""


def fits_type(p: Prediction, table: Name, default: str, spelling: str) -> None:
    """A bare number needs a cast for an assignment; a word in quotes must be one of the type."""
    type = read_type(spelling, p.catalog)
    number, text = _NUMBER.fullmatch(default.strip("()")), _STRING.fullmatch(default)
    own = Type(name="integer" if number is not None and not number[1] else "numeric")
    if number is not None and castable(own, type) is False:
        p.fails("bad_cast", f"the default is a number, the column {spelling}", relation=table, certain=True)
    gives = _GIVES.get(default.strip().lower().removesuffix("()"))
    if gives is not None and castable(Type(name=gives), type) is False:
        p.fails("bad_cast", f"the default is a {gives}, the column {spelling}", relation=table, certain=True)
    if text is None or type.array:
        return
    value = text["value"].strip()
    if type.name == "uuid" and not _UUID.fullmatch(value):
        p.fails("bad_cast", f"'{value}' is no {spelling}", relation=table, certain=True)
    if type.name in _NUMERIC and not re.fullmatch(
        r"[-+]?[\d.]+([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)|0[xXbBoO]\w+", value, re.IGNORECASE
    ):
        p.fails("bad_cast", f"'{value}' is no {spelling}", relation=table, certain=True)
    elif type.defined is not None and type.defined.kind == "enum" and value not in type.defined.labels:
        p.fails("bad_cast", f"'{value}' is no label of {type.defined.name.name}", relation=table, certain=True)
    elif (
        type.family not in ("string", "number")
        and type.name not in ("bytea", "xml")
        and type.defined is None
        and re.fullmatch("[b-z]", value)
    ):
        p.fails("bad_cast", f"'{value}' may be no {spelling}", relation=table)


def refuse_default(p: Prediction, table: Name, column: Column) -> None:
    """A constant default is computed at once, also for an empty table."""
    if column.default is not None:
        fits_type(p, table, column.default, column.type)
    type = read_type(column.type, p.catalog)
    text = _STRING.fullmatch(column.default or "")
    if text is not None and type.family == "string" and type.arguments and not type.array:
        value = text["value"].replace("''", "'")
        if len(value.rstrip(" ")) > type.arguments[0]:
            p.fails("too_long", f"the default is longer than {type.arguments[0]} characters", relation=table, certain=True)
    checks = " AND ".join(f"({check.expression})" for check in type.domain.checks) if type.domain is not None else ""
    plain = re.sub(r"\bVALUE\b", "value", checks, flags=re.IGNORECASE)
    doubtful = any(_holds(part, "value", column.default or "") is not True for part in conjuncts(plain)) if checks else False
    if doubtful and column.default is not None and not is_volatile(column.default, p.catalog):
        asked = re.sub(r"\bVALUE\b", lambda _: f"({column.default})", checks, flags=re.IGNORECASE)
        p.fails(
            "check_violations",
            f"{table.name} has rows, and the domain {column.type} may refuse the default",
            relation=table,
            probe=probes.violations_if_any(table, asked),
        )


def may_violate(p: Prediction, operation: AddColumn, item: Check, tables: tuple[Table, ...]) -> None:
    """Every row that is there gets the same value, so the check is asked with that in the column's place."""
    column = operation.column
    if (tables and all(table.new for table in tables)) or column.generated is not None:
        return
    own = column.identity is not None or column.serial or (column.default is not None and is_volatile(column.default, p.catalog))
    value = column.default or "NULL"
    doubtful = own or any(_holds(part, column.name, value) is not True for part in conjuncts(item.expression))
    if not doubtful:
        return
    name = re.compile(rf"""(?<![\w$."'])"?{re.escape(column.name)}"?(?![\w$("'])""")
    asked = name.sub(lambda _: f"(({value})::{column.type})", item.expression)
    p.fails(
        "check_violations",
        f"{operation.table.name} has rows, and what {column.name} gets there may break {item.name or 'the check'}",
        relation=operation.table,
        probe="" if own else probes.violations(operation.table, asked),
    )


def _holds(part: str, column: str, value: str) -> bool | None:
    """Whether one condition is not false for the constant; None where only the server can tell."""
    if not mentions(part, column):
        return None
    if value.upper() == "NULL":
        return None if _NOTICES_NULL.search(part) else True
    compared = _COMPARED.fullmatch(part.strip())
    try:
        number = float(value.strip("'"))
    except ValueError:
        return None
    if compared is None:
        return None
    limit = float(compared["number"])
    match compared["sign"]:
        case "<":
            return number < limit
        case "<=":
            return number <= limit
        case ">":
            return number > limit
        case ">=":
            return number >= limit
        case "=":
            return number == limit
        case _:
            return number != limit
