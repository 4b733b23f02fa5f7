"""A column definition: name, declared type, and the constraints written behind it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from driftflow.dialects.sqlite.keywords import quote_string
from driftflow.dialects.sqlite.normal import normal
from driftflow.dialects.sqlite.parse.constraint import deferral, on_conflict, references
from driftflow.dialects.sqlite.parse.cursor import Cursor, Unread, expression_of
from driftflow.dialects.sqlite.tokens import name_of
from driftflow.dialects.sqlite.types import normal_type
from driftflow.model.catalog import Check, Column, Constraint, ForeignKey, Generated, IndexPart, NotNull, PrimaryKey, Unique
from driftflow.model.record import replace

_ENDS_TYPE = frozenset(
    [
        "CONSTRAINT",
        "NOT",
        "NULL",
        "PRIMARY",
        "UNIQUE",
        "CHECK",
        "DEFAULT",
        "COLLATE",
        "REFERENCES",
        "AS",
        "DEFERRABLE",
        "AUTOINCREMENT",
        "ON",
        "USING",
    ]
)


@dataclass
class Draft:
    """A column while its constraints are being read."""

    name: str
    type: str = ""
    nullable: bool = True
    default: str | None = None
    generated: Generated | None = None
    collation: str = ""
    autoincrement: bool = False
    constraints: list[Constraint] = field(default_factory=list)

    def column(self) -> Column:
        return Column(
            name=self.name,
            type=self.type,
            nullable=self.nullable,
            default=self.default,
            generated=self.generated,
            collation=self.collation,
            autoincrement=self.autoincrement,
        )


def column_definition(cursor: Cursor, columns: Collection[str] | None) -> Draft:
    draft = Draft(name=cursor.name(), type=type_name(cursor))
    while True:
        name = cursor.name() if cursor.accept("CONSTRAINT") else ""
        if not _constraint(cursor, draft, name, columns) and not name:
            return draft


def type_name(cursor: Cursor) -> str:
    """The declared type: any words, then perhaps (n) or (n, m). Empty when there is none."""
    start = cursor.index
    while (cursor.is_name() or cursor.peek().key == "SET") and cursor.peek().key not in _ENDS_TYPE:
        if cursor.at("GENERATED", "ALWAYS"):
            break
        cursor.take()
    words = cursor.index - start
    if words and cursor.at("("):
        cursor.parenthesised()
    return normal_type(" ".join(token.text for token in cursor.tokens[start : cursor.index]))


def _constraint(cursor: Cursor, draft: Draft, name: str, columns: Collection[str] | None) -> bool:
    """Read one constraint into the draft; False when none stands here."""
    match cursor.peek().key:
        case "NOT" if cursor.accept("NOT", "NULL"):
            _not_null(cursor, draft, name)
        case "NULL":
            cursor.take()
            on_conflict(cursor)
        case "PRIMARY":
            _primary_key(cursor, draft, name)
        case "UNIQUE":
            cursor.take()
            draft.constraints.append(Unique(name=name, columns=(draft.name,), on_conflict=on_conflict(cursor)))
        case "CHECK":
            cursor.take()
            expression = expression_of(cursor.parenthesised(), columns)
            draft.constraints.append(Check(name=name, expression=expression, column=draft.name, on_conflict=on_conflict(cursor)))
        case "DEFAULT":
            cursor.take()
            draft.default = default_value(cursor)
        case "COLLATE":
            cursor.take()
            draft.collation = cursor.name()
        case "REFERENCES":
            draft.constraints.append(references(cursor, name=name, columns=(draft.name,)))
        case "NOT" | "DEFERRABLE":
            return _deferral(cursor, draft)
        case "GENERATED" | "AS":
            _generated(cursor, draft, columns)
        case _:
            return False
    return True


def _not_null(cursor: Cursor, draft: Draft, name: str) -> None:
    conflict = on_conflict(cursor)
    draft.nullable = False
    if name or conflict:
        draft.constraints.append(NotNull(name=name, column=draft.name, on_conflict=conflict))


def _primary_key(cursor: Cursor, draft: Draft, name: str) -> None:
    cursor.expect("PRIMARY", "KEY")
    descending = cursor.accept("DESC")
    cursor.accept("ASC")
    parts = (IndexPart(column=draft.name, descending=True),) if descending else ()
    draft.constraints.append(PrimaryKey(name=name, columns=(draft.name,), parts=parts, on_conflict=on_conflict(cursor)))
    draft.autoincrement = cursor.accept("AUTOINCREMENT")


def _deferral(cursor: Cursor, draft: Draft) -> bool:
    """DEFERRABLE may stand apart from its REFERENCES; it speaks of the last one."""
    said = deferral(cursor)
    if said is None:
        return False
    last = draft.constraints[-1] if draft.constraints else None
    if not isinstance(last, ForeignKey):
        raise Unread("DEFERRABLE without a foreign key")
    draft.constraints[-1] = replace(last, deferrable=said[0], initially_deferred=said[1])
    return True


def _generated(cursor: Cursor, draft: Draft, columns: Collection[str] | None) -> None:
    if cursor.accept("GENERATED"):
        cursor.expect("ALWAYS")
    cursor.expect("AS")
    expression = expression_of(cursor.parenthesised(), columns)
    stored = cursor.accept("STORED")
    if not stored:
        cursor.accept("VIRTUAL")
    draft.generated = Generated(expression=expression, stored=stored)


def default_value(cursor: Cursor) -> str:
    """What stands behind DEFAULT, in normal form: a literal, a signed number, a keyword, or the inside of parentheses.

    A bare name is a string to SQLite (`DEFAULT pending`), and so is one in double quotes.
    """
    if cursor.at("("):
        return expression_of(cursor.parenthesised(), frozenset())
    if cursor.peek().key in {"-", "+"}:
        sign, number = cursor.take(), cursor.take()
        return normal((sign, number))
    token = cursor.take()
    match token.kind:
        case "string" | "number" | "blob":
            return normal((token,))
        case "word" if token.key in {"NULL", "TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"}:
            return token.key
        case "word" | "quoted":
            return quote_string(name_of(token))
        case _:
            raise Unread(f"a default cannot begin with `{token.text}`")
