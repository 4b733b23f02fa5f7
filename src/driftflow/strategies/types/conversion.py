"""How the values of a column become those of another type, and back: what a type change says, or what its author says beside it."""

from __future__ import annotations

import re

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column, Table
from driftflow.model.operations import AlterColumnType
from driftflow.model.operations.identifiers import mentions
from driftflow.model.plan import Guard
from driftflow.model.record import Record
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.inverses.inverse_alter import split_type, widens
from driftflow.strategies.row_guards import guard_rows

WITHOUT_EQUALITY = ("json", "xml", "point", "polygon", "line", "path", "lseg", "box", "circle")


class Conversion(Record, frozen=True, kw_only=True):
    """Expressions over the row, in which the column goes by its own name: of the old type on the way there, of the new type on the way back."""

    column: str
    old_type: str
    new_type: str
    collation: str = ""
    there: str = ""
    """Empty: assignment, as the server converts a value that is stored into the new type."""
    back: str = ""
    """Empty: assignment, unless `one_way`."""
    one_way: bool = False
    """Nothing is known that makes an old value of a new one: the way back ends with the first new value."""
    loses: bool = False
    """Something of an old value is not in the new one: the way back from the end is not known, whatever `back` says of new values."""
    archive: str = ""
    """What of the old value does not come through, as a condition over it under the column's name: such values are archived with their keys."""
    utc: bool = False
    """The expressions must not see the session's time zone."""
    guards: tuple[Guard, ...] = ()
    """What is counted before anything is done."""
    documents: tuple[Guard, ...] = ()
    """What is counted once every value is known to convert: whether documents keep to their schema."""

    @property
    def lossless(self) -> bool:
        """Whether every old value comes back from its new one."""
        if self.one_way or (self.loses and not self.archive):
            return False
        return bool(self.back) or (not self.there and widens(self.old_type, self.new_type))


def conversion_of(operation: AlterColumnType, column: Column, table: Table, at: Situation) -> Conversion:
    """What the statement says, without a directive."""
    cast_chain = _is_cast_chain(operation.using, column.name)
    return Conversion(
        column=column.name,
        old_type=column.type,
        new_type=operation.type,
        collation=operation.collation,
        there=operation.using,
        back=_text_again(operation, column, at) if cast_chain else "",
        one_way=bool(operation.using) and not cast_chain,
        guards=tuple(guards_of(operation, column, table, at)),
    )


def _text_again(operation: AlterColumnType, column: Column, at: Situation) -> str:
    """A text that became a member of an enum is that member's label."""
    enum = next(
        (one for one in at.catalog.types.values() if operation.type.replace('"', "") in (one.name.text, one.name.name)), None
    )
    if enum is None or enum.kind != "enum" or column.type.partition("(")[0] not in ("text", "character varying"):
        return ""
    return f"{at.dialect.quote(column.name)}::text::{column.type}"


def _is_cast_chain(using: str, column: str) -> bool:
    """`c::text::mood`: nothing but the value itself in another type."""
    first, *types = [part.strip().strip('"()') for part in using.split("::")]
    return (
        first == column
        and bool(types)
        and all(part.replace(" ", "").replace(".", "").replace("_", "").isalnum() for part in types)
    )


def guards_of(operation: AlterColumnType, column: Column, table: Table, at: Situation) -> list[Guard]:
    """Values that do not fit, counted, with the keys of some."""
    wrong = "" if operation.using else unfit(at.dialect.quote(column.name), column.type, operation.type)
    if not wrong:
        return []
    said = f"hold a {column.name} that is no {operation.type}"
    return [
        guard_rows(
            at,
            table.name,
            wrong,
            said,
            hint="correct these rows first, or see docs/directives.md (too-long)",
            key=chunk_key(at, table),
        )
    ]


LIMITS = {"smallint": (-(2**15), 2**15 - 1), "integer": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}
NUMBERS = ("smallint", "integer", "bigint", "numeric")
REALS = ("real", "double precision")


def unfit(value: str, old: str, new: str) -> str:
    """A condition that is true for values which the new type does not take; empty where none is needed, or none is known."""
    (old_base, _), (new_base, sizes) = split_type(old), split_type(new)
    if old.endswith("[]") or new.endswith("[]"):
        return ""
    if new_base in ("character varying", "character") and sizes and old_base in ("text", "character varying", "character"):
        # What is cut off a longer text by an assignment is white space at its end, and nothing else.
        return (
            ""
            if widens(old, new)
            else f"char_length({'rtrim(' + value + ')' if new_base == 'character' else value}) > {sizes[0]}"
        )
    if old_base in NUMBERS and new_base in LIMITS and not widens(old, new):
        low, high = LIMITS[new_base]
        return (
            f"({value} < {low} OR {value} > {high})"
            if old_base != "numeric"
            else f"(round({value}) NOT BETWEEN {low} AND {high})"
        )
    if old_base in REALS and new_base in LIMITS:
        low, high = LIMITS[new_base]
        return f"NOT (round({value}::float8) >= {low} AND round({value}::float8) < {high + 1})"  # no float is the last bigint
    if old_base in REALS and new_base == "numeric" and sizes:
        scale = sizes[1] if len(sizes) > 1 else 0
        return f"({value} <> 'NaN' AND abs(round({value}::numeric, {scale})) >= 1e{sizes[0] - scale})"
    if old_base in NUMBERS and new_base == "numeric" and sizes and not widens(old, new):
        scale = sizes[1] if len(sizes) > 1 else 0
        return f"(abs(round({value}::numeric, {scale})) >= 1e{sizes[0] - scale})"
    return ""


def comparable(expression: str, type: str) -> str:
    """The expression as something that can be compared: json has no equality."""
    return f"({expression})::text" if type.removesuffix("[]") in WITHOUT_EQUALITY else f"({expression})"


def columns_of(expression: str, table: Table, column: str) -> tuple[str, ...]:
    """The columns that the expression reads, the converted one first."""
    spoken = re.sub(r"\bAT TIME ZONE\b", " ", expression, flags=re.IGNORECASE)  # a column may be called `at`, `time` or `zone`
    others = (one.name for one in table.columns if one.name != column and mentions(spoken, one.name))
    return (column, *others)
