"""What ALTER COLUMN TYPE makes of the values: casts that the server has or has not, and values that do not survive."""

from __future__ import annotations

import re
from itertools import pairwise

from driftflow.dialects.postgresql.effects import probes
from driftflow.dialects.postgresql.effects.casts import cast_context, castable
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.types import INTEGER_RANGES, Type, constrained, read_type
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.proof import strip_parentheses
from driftflow.model.catalog import Column, Table
from driftflow.model.operations import AlterColumnType
from driftflow.patterns import lazy_regex

_ZONED = lazy_regex(r"\s*[\w\"]+\s+AT\s+TIME\s+ZONE\s+'[^']+'\s*", re.IGNORECASE)
"""A moment read in a zone that is named: every value comes back by the same words."""
_TYPE = lazy_regex(r"[\w. ]+(?:\(\d+(?:, *\d+)?\)[\w ]*)?(?:\[\d*\])*")


def changes_values(operation: AlterColumnType) -> bool:
    """USING with anything but the column itself, or a plain cast of it to the new type."""
    using = strip_parentheses(operation.using).replace('"', "")
    if not using or using == operation.column:
        return False
    cast = re.fullmatch(rf"{re.escape(operation.column)}::(.+)", using)
    return cast is None or cast[1].replace(" ", "") != operation.type.replace('"', "").replace(" ", "")


def refuse_casts(p: Prediction, operation: AlterColumnType, table: Table, column: Column) -> None:
    """The server must have each cast that is written in USING, and one for an assignment from there (or from the column) to the new type."""
    old, new = read_type(column.type, p.catalog), read_type(operation.type, p.catalog)
    if operation.using and column.generated is not None:
        p.fails("unsupported", f"{column.name} is generated: its type changes without USING", relation=table.name, certain=True)
    if column.identity is not None and (new.name not in INTEGER_RANGES or new.domain is not None):
        p.fails(
            "unsupported", f"{column.name} is an identity column: smallint, integer or bigint", relation=table.name, certain=True
        )
    chain = _cast_chain(p, operation, old)
    for before, after in pairwise(chain):
        if cast_context(before, after, version=p.version) == "none":
            p.fails("bad_cast", f"{before.name} cannot be cast to {after.name}", relation=table.name, certain=True)
    if chain and castable(chain[-1], new, version=p.version) is False:
        p.fails(
            "bad_cast",
            f"{chain[-1].name} cannot be cast to {operation.type} automatically: USING with a cast is needed",
            relation=table.name,
            certain=True,
        )
    if column.default is not None and column.generated is None and castable(old, new, version=p.version) is False:
        p.fails(
            "bad_cast",
            f"the default of {column.name} cannot be cast to {operation.type} automatically: drop it first",
            relation=table.name,
            certain=True,
        )


def _cast_chain(p: Prediction, operation: AlterColumnType, old: Type) -> list[Type]:
    """The types that the column itself, or `column::a::b` in USING, goes through; nothing for any other expression."""
    using = strip_parentheses(operation.using).replace('"', "")
    first, *casts = using.split("::") if using else [operation.column]
    if strip_parentheses(first) != operation.column or not all(_TYPE.fullmatch(cast.strip()) for cast in casts):
        return []
    return [old, *(read_type(cast.strip(), p.catalog) for cast in casts)]


def refuse_values(p: Prediction, operation: AlterColumnType, column: Column, old: Type, new: Type) -> None:
    """What the stored values may not survive: an error, or a silent change."""
    if operation.using and changes_values(operation) and not _ZONED.fullmatch(operation.using):
        p.loses(f"whatever the USING expression does not keep of {operation.column}", operation.table)
    name, table = quote(operation.column), operation.table
    if new.defined is not None and new.defined.kind == "enum" and (old.defined is None or old.defined.name != new.defined.name):
        labels = ", ".join("'" + label.replace("'", "''") + "'" for label in new.defined.labels)
        p.fails(
            "bad_cast",
            f"{operation.column} holds values that {new.defined.name.name} has no label for",
            relation=table,
            probe=probes.matching(table, f"{name}::text NOT IN ({labels})"),
        )
    elif operation.using.strip().upper() == "NULL" and not column.nullable:
        p.fails("nulls", f"{operation.column} is NOT NULL", relation=table, probe=probes.rows(table))
    elif operation.using and not old.family and not old.array and new.family not in ("", "string"):
        p.fails("bad_cast", f"{operation.column} holds values that are no {operation.type}", relation=table)
    elif operation.using and any(
        before.family == "string" and after.family != "string" for before, after in pairwise(_cast_chain(p, operation, old))
    ):
        p.fails("bad_cast", f"{operation.column} holds text that is no {operation.type}", relation=table)
    if constrained(new) and new.domain is not None and new.domain != old.domain:
        checks = " AND ".join(re.sub(r"\bVALUE\b", name, item.expression, flags=re.IGNORECASE) for item in new.domain.checks)
        p.fails(
            "check_violations",
            f"{operation.column} holds values that the domain refuses",
            relation=table,
            probe=probes.violations(table, checks) if checks else probes.nulls(table, operation.column),
        )
    _narrowing(p, operation, old, new)
    _may_collide(p, operation, column, old, new)


def _may_collide(p: Prediction, operation: AlterColumnType, column: Column, old: Type, new: Type) -> None:
    """Different values may become the same one, where a unique index is over the column."""
    table = p.catalog.table(operation.table)
    if table is None or not (changes_values(operation) or cast_context(old, new, version=p.version) == "explicit"):
        return
    if any(index.unique and column.name in index.columns for index in table.indexes):
        p.fails("duplicates", f"different values of {column.name} may become the same {operation.type}", relation=table.name)


def _narrowing(p: Prediction, operation: AlterColumnType, old: Type, new: Type) -> None:
    column, table = quote(operation.column), operation.table
    if operation.using and changes_values(operation):
        return
    if (
        new.family == "string"
        and new.arguments
        and (old.family != "string" or not old.arguments or old.arguments[0] > new.arguments[0])
    ):
        limit = new.arguments[0]
        p.fails(
            "too_long",
            f"{operation.column} holds values longer than {limit} characters",
            relation=table,
            probe=probes.matching(table, f"char_length({column}::text) > {limit}"),
        )
    if new.name == "bit" and old.name in ("bit", "bit varying") and (new.arguments or (1,)) != old.arguments:
        width = (new.arguments or (1,))[0]
        p.fails(
            "too_long",
            f"{operation.column} holds values that are not of {width} bits",
            relation=table,
            probe=probes.matching(table, f"length({column}) <> {width}"),
        )
    if new.name in INTEGER_RANGES and old.family == "number" and not _fits_integer(old, new):
        low, high = INTEGER_RANGES[new.name]
        p.fails(
            "out_of_range",
            f"{operation.column} holds values outside {new.name}",
            relation=table,
            probe=probes.matching(table, f"{column} NOT BETWEEN {low} AND {high}"),
        )
        if old.name not in INTEGER_RANGES:
            p.loses(f"the fraction of {operation.column}: values are rounded", table)
    if new.name == "numeric" and new.arguments:
        scale = new.arguments[1] if len(new.arguments) > 1 else 0
        scale_old = old.arguments[1] if len(old.arguments) > 1 else (0 if old.arguments else 99)
        if old.name == "numeric" and scale < scale_old:
            p.loses(f"digits of {operation.column} behind the point beyond {scale}: values are rounded", table)
        whole = new.arguments[0] - scale
        whole_old = old.arguments[0] - scale_old if old.name == "numeric" and old.arguments else 99
        if whole < whole_old:
            p.fails(
                "out_of_range",
                f"{operation.column} holds values with more than {whole} digits before the point",
                relation=table,
                probe=probes.matching(table, f"abs({column}) >= 10::numeric ^ {whole}"),
            )
    if (
        old.family == "datetime"
        and new.family == "datetime"
        and new.arguments
        and new.arguments[0] < (old.arguments[0] if old.arguments else 6)
    ):
        p.loses(f"fractions of a second of {operation.column}: values are rounded", table)
    if old.name.startswith("timestamp") and new.name == "date":
        p.loses(f"the time of day of {operation.column}", table)
    if (old.name, new.name) == ("json", "jsonb"):
        p.fails(
            "bad_cast", f"{operation.column} holds documents that jsonb refuses (\\u0000, numbers beyond numeric)", relation=table
        )
        p.loses(f"key order, duplicate keys and white space of the documents in {operation.column}", table)
    if {old.name, new.name} == {"timestamp without time zone", "timestamp with time zone"}:
        p.breaks(
            f"values of {operation.column} are read in the migration session's time zone: a wrong one shifts them",
            table,
            operation.column,
        )


def _fits_integer(old: Type, new: Type) -> bool:
    order = list(INTEGER_RANGES)
    return old.name in order and order.index(old.name) <= order.index(new.name)
