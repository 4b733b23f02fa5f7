"""The clauses that several statements share: columns, constraints, index keys, sequence options, names with dots."""

from __future__ import annotations

from typing import assert_never

from driftflow.dialects.postgresql.names import literal, quote, quote_name
from driftflow.dialects.postgresql.parse.node import option_sql
from driftflow.dialects.postgresql.types import SERIAL
from driftflow.model.catalog import (
    Check,
    Column,
    Constraint,
    Exclusion,
    ForeignKey,
    Identity,
    IndexPart,
    NotNull,
    PrimaryKey,
    SequenceOptions,
    Unique,
)
from driftflow.patterns import lazy_regex

SERIAL_WORDS = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}
assert set(SERIAL.values()) == set(SERIAL_WORDS)


def names(columns: tuple[str, ...]) -> str:
    """`(a, b)`"""
    return f"({', '.join(map(quote, columns))})"


def dotted(text: str) -> str:
    """A name that the catalog keeps as `schema.name`, quoted part by part."""
    return ".".join(map(quote, text.split(".")))


def with_options(options: tuple[str, ...]) -> str:
    """` WITH (fillfactor=70)`"""
    return f" WITH ({', '.join(map(option_sql, options))})" if options else ""


_CALL = lazy_regex(r'(?:"(?:[^"]|"")*"|[A-Za-z_][\w$]*)(?:\.(?:"(?:[^"]|"")*"|[A-Za-z_][\w$]*))*\(')
_SIMPLE = lazy_regex(
    r"""(?:'(?:[^'\\]|'')*'(?:::(?:"?[A-Za-z_][\w$]*"?\.?)+(?:\(\d+(?:,\d+)?\))?(?:\[\])?)?|-?\d+(?:\.\d+)?|true|false|NULL|CURRENT_\w+|LOCALTIME\w*)\Z"""
)


def is_call(text: str) -> bool:
    """Whether the text is one function call and nothing behind it."""
    match = _CALL.match(text)
    return match is not None and _closes_at(text, match.end() - 1) == len(text)


def _closes_at(text: str, at: int) -> int:
    """The offset behind the bracket that closes the one at `at`; quotes are skipped."""
    depth, quoted = 0, ""
    for offset in range(at, len(text)):
        character = text[offset]
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "'\"":
            quoted = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
            if not depth:
                return offset + 1
    return -1


def default_text(expression: str) -> str:
    """A default: DEFAULT takes less than a whole expression (no AND, IN, AT TIME ZONE, ...), so all but the plain forms get brackets."""
    return expression if _SIMPLE.match(expression) or is_call(expression) else f"({expression})"


def column_text(column: Column, constraints: tuple[Constraint, ...] = ()) -> str:
    """A column as CREATE TABLE and ADD COLUMN take it, with constraints behind it."""
    text = quote(column.name)
    if column.type:
        text += f" {SERIAL_WORDS[column.type] if column.serial else column.type}"
    text += f" STORAGE {column.storage}" if column.storage else ""
    text += f" COMPRESSION {column.compression}" if column.compression else ""
    text += f" COLLATE {dotted(column.collation)}" if column.collation else ""
    text += f" DEFAULT {default_text(column.default)}" if column.default is not None else ""
    if column.generated is not None:
        text += f" GENERATED ALWAYS AS ({column.generated.expression}) {'STORED' if column.generated.stored else 'VIRTUAL'}"
    if column.identity is not None:
        text += identity_text(column.identity)
    named = any(isinstance(constraint, NotNull) and constraint.column == column.name for constraint in constraints)
    text += " NOT NULL" if not column.nullable and not named else ""
    return text + "".join(f" {inline_constraint(constraint)}" for constraint in constraints)


def identity_text(identity: Identity) -> str:
    name = f"SEQUENCE NAME {quote_name(identity.sequence)} " if identity.sequence is not None else ""
    options = (name + sequence_options(identity.options)).rstrip()
    return f" GENERATED {'ALWAYS' if identity.always else 'BY DEFAULT'} AS IDENTITY" + (f" ({options})" if options else "")


def sequence_options(options: SequenceOptions, *, prefix: str = "") -> str:
    """The options that are given, as CREATE SEQUENCE takes them; `prefix` is SET for an identity column."""
    pieces = [f"AS {options.type}"] if options.type else []
    pieces += [f"INCREMENT BY {options.increment}"] if options.increment is not None else []
    pieces += [f"MINVALUE {options.minimum}"] if options.minimum is not None else []
    pieces += [f"MAXVALUE {options.maximum}"] if options.maximum is not None else []
    pieces += [f"START WITH {options.start}"] if options.start is not None else []
    pieces += [f"CACHE {options.cache}"] if options.cache is not None else []
    pieces += ["CYCLE" if options.cycle else "NO CYCLE"] if options.cycle is not None else []
    return " ".join(prefix + piece for piece in pieces)


def index_part_text(part: IndexPart) -> str:
    """A key of an index."""
    text = quote(part.column) if part.column else part.expression if is_call(part.expression) else f"({part.expression})"
    text += f" COLLATE {dotted(part.collation)}" if part.collation else ""
    text += f" {opclass_text(part.opclass)}" if part.opclass else ""
    text += " DESC" if part.descending else ""
    return text + ("" if part.nulls_first is None else " NULLS FIRST" if part.nulls_first else " NULLS LAST")


def opclass_text(opclass: str) -> str:
    """`gin_trgm_ops(siglen=32)`"""
    name, bracket, parameters = opclass.partition("(")
    if not bracket:
        return dotted(name)
    return f"{dotted(name)} ({', '.join(option_sql(option) for option in parameters.removesuffix(')').split(', '))})"


def _timing(deferrable: bool, initially_deferred: bool) -> str:
    return (" DEFERRABLE" if deferrable else "") + (" INITIALLY DEFERRED" if initially_deferred else "")


def constraint_text(constraint: Constraint) -> str:
    """A table constraint, with its name where it has one."""
    name = f"CONSTRAINT {quote(constraint.name)} " if constraint.name else ""
    match constraint:
        case PrimaryKey() | Unique():
            return name + _key(constraint, names(constraint.columns))
        case ForeignKey():
            return f"{name}FOREIGN KEY {names(constraint.columns)} {_references(constraint)}{_not_valid(constraint)}"
        case Check():
            return f"{name}CHECK ({constraint.expression}){_no_inherit(constraint)}{_not_valid(constraint)}"
        case NotNull():
            return f"{name}NOT NULL {quote(constraint.column)}{_no_inherit(constraint)}" + (
                "" if constraint.validated else " NOT VALID"
            )
        case Exclusion():
            return f"{name}EXCLUDE {constraint.definition}{_timing(constraint.deferrable, constraint.initially_deferred)}"
        case _:
            assert_never(constraint)


def inline_constraint(constraint: Constraint) -> str:
    """A constraint behind its column. NOT VALID cannot be said there."""
    name = f"CONSTRAINT {quote(constraint.name)} " if constraint.name else ""
    match constraint:
        case PrimaryKey() | Unique():
            return name + _key(constraint, "")
        case ForeignKey():
            return f"{name}{_references(constraint)}{'' if constraint.enforced else ' NOT ENFORCED'}"
        case Check():
            return (
                f"{name}CHECK ({constraint.expression}){_no_inherit(constraint)}{'' if constraint.enforced else ' NOT ENFORCED'}"
            )
        case NotNull():
            return f"{name}NOT NULL{_no_inherit(constraint)}"
        case Exclusion():
            raise ValueError("an exclusion constraint cannot stand behind a column")
        case _:
            assert_never(constraint)


def _key(constraint: PrimaryKey | Unique, columns: str) -> str:
    text = "PRIMARY KEY" if isinstance(constraint, PrimaryKey) else "UNIQUE"
    timing = _timing(constraint.deferrable, constraint.initially_deferred)
    if constraint.using_index:
        # The index says the rest, and the grammar has no place for it here.
        return f"{text} USING INDEX {quote(constraint.using_index)}{timing}"
    if isinstance(constraint, Unique) and constraint.nulls_not_distinct:
        text += " NULLS NOT DISTINCT"
    if columns:
        text += f" {columns}"
    text += f" INCLUDE {names(constraint.include)}" if constraint.include else ""
    return text + timing


def _references(key: ForeignKey) -> str:
    text = f"REFERENCES {quote_name(key.referenced)}"
    text += f" {names(key.referenced_columns)}" if key.referenced_columns else ""
    text += f" MATCH {key.match}" if key.match else ""
    text += f" ON DELETE {key.on_delete}" if key.on_delete != "NO ACTION" else ""
    text += f" {names(key.set_columns)}" if key.set_columns else ""
    text += f" ON UPDATE {key.on_update}" if key.on_update != "NO ACTION" else ""
    return text + _timing(key.deferrable, key.initially_deferred)


def _not_valid(constraint: Check | ForeignKey) -> str:
    if not constraint.enforced:
        return " NOT ENFORCED"
    return "" if constraint.validated else " NOT VALID"


def _no_inherit(constraint: Check | NotNull) -> str:
    return " NO INHERIT" if constraint.no_inherit else ""


def text_or_null(text: str | None) -> str:
    return literal(text)
