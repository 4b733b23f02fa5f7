"""A column definition: name, type, and the attributes behind it, in any order as the servers take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from driftflow.dialects.mysql.normal import spell
from driftflow.dialects.mysql.parse.constraint import enforced, references
from driftflow.dialects.mysql.parse.cursor import Cursor, Unread, expression_of
from driftflow.dialects.mysql.types import TEXTS, base_word, type_text
from driftflow.dialects.tokens import Token, TokenFault
from driftflow.model.catalog import Check, Column, Constraint, Generated

_TWO_WORDS = {
    "DOUBLE": ("PRECISION",),
    "LONG": ("VARCHAR", "VARBINARY", "CHAR"),
    "NATIONAL": ("CHAR", "CHARACTER", "VARCHAR"),
    "CHAR": ("VARYING", "BYTE"),
    "CHARACTER": ("VARYING",),
}
_ALONE = frozenset({"UNSIGNED", "SIGNED", "ZEROFILL"})
_NATIONAL = frozenset({"NCHAR", "NVARCHAR", "NATIONAL"})


_CHARSET = frozenset({"COLLATE", "CHARACTER", "CHARSET", "CHAR", "ASCII", "UNICODE", "BINARY"})
_GENERATED = frozenset({"GENERATED", "AS"})


@dataclass
class Draft:
    """A column while its attributes are being read. `unique` and `primary` make keys of their own."""

    name: str
    type: str = ""
    nullable: bool | None = None
    default: str | None = None
    generated: Generated | None = None
    charset: str = ""
    collation: str = ""
    comment: str = ""
    on_update: str = ""
    autoincrement: bool = False
    visible: bool = True
    unversioned: bool = False
    unique: bool = False
    primary: bool = False
    constraints: list[Constraint] = field(default_factory=list)

    def column(self) -> Column:
        return Column(
            name=self.name,
            type=self.type,
            nullable=not self.primary if self.nullable is None else self.nullable,
            default=self.default,
            generated=self.generated,
            charset=self.charset,
            collation=self.collation,
            comment=self.comment,
            on_update=self.on_update,
            autoincrement=self.autoincrement,
            visible=self.visible,
            unversioned=self.unversioned,
        )


def column_definition(cursor: Cursor) -> Draft:
    """name type [attribute ...]"""
    if cursor.at("VECTOR", "INDEX") or cursor.at("VECTOR", "KEY"):
        raise Unread("a vector index")  # MariaDB from 11.7; no type is called so, hence never a column named vector
    draft = Draft(name=cursor.name())
    _type(cursor, draft)
    said: list[Token] = []
    begins = cursor.peek()
    while _attribute(cursor, draft):
        said.append(begins)
        begins = cursor.peek()
    if draft.generated is not None:
        _fits_generated(said, mariadb=cursor.mariadb)
    return draft


def _fits_generated(said: Sequence[Token], *, mariadb: bool) -> None:
    """A generated column takes a collation before AS, and not everything behind it. That is said where it is read: the server would (1064, 1221), but in the
    middle of a recipe, which leaves things behind then. Measured on MySQL 9.7, MariaDB 10.11 and 11.8."""
    at = next(place for place, token in enumerate(said) if token.key in _GENERATED)
    wrong = [(token, "before AS") for token in said[:at] if token.key not in _CHARSET]
    wrong += [(token, "behind AS") for token in said[at + 1 :] if _not_behind(token, mariadb=mariadb)]
    for token, where in wrong[:1]:
        raise TokenFault(f"a generated column takes no `{token.text}` {where}", token.start, "DF-E201")


def _not_behind(token: Token, *, mariadb: bool) -> bool:
    return (
        token.key not in {"UNIQUE", "COMMENT", "INVISIBLE", "CONSTRAINT", "CHECK"}
        if mariadb
        else token.key in {"DEFAULT", "ON", "AUTO_INCREMENT"}
    )


def _type(cursor: Cursor, draft: Draft) -> None:
    start = cursor.index
    word = cursor.take()
    if word.kind != "word":
        raise Unread(f"a column type was expected where `{word.text}` stands")
    if word.key == "SERIAL":
        draft.type, draft.nullable, draft.autoincrement, draft.unique = "bigint unsigned", False, True, True
        return
    while cursor.peek().key in _TWO_WORDS.get(cursor.peek(-1).key, ()):
        cursor.take()
    if cursor.at("("):
        cursor.parenthesised()
    while cursor.peek().key in _ALONE:
        cursor.take()
    draft.type = type_text(cursor.tokens[start : cursor.index])
    if word.key in _NATIONAL:
        draft.charset = "utf8mb3"
    if cursor.mariadb and draft.type == "json":
        # MariaDB: JSON is LONGTEXT with a check (10.4.3 and later).
        draft.type, draft.charset, draft.collation = "longtext", "utf8mb4", "utf8mb4_bin"
        draft.constraints.append(Check(expression=f"json_valid({draft.name})", column=draft.name))


def _attribute(cursor: Cursor, draft: Draft) -> bool:
    """Read one attribute into the draft; False when none stands here."""
    match cursor.peek().key:
        case "NOT" if cursor.accept("NOT", "NULL"):
            draft.nullable = False
        case "NULL":
            cursor.take()
            draft.nullable = True
        case "DEFAULT":
            cursor.take()
            draft.default = default_value(cursor)
        case "ON" if cursor.accept("ON", "UPDATE"):
            draft.on_update = _moment(cursor)
        case "AUTO_INCREMENT":
            cursor.take()
            draft.autoincrement = True
        case "UNIQUE":
            cursor.take()
            cursor.accept("KEY")
            draft.unique = True
        case "PRIMARY" | "KEY":
            cursor.accept("PRIMARY")
            cursor.expect("KEY")
            draft.primary = True
        case "COMMENT":
            cursor.take()
            draft.comment = cursor.string()
        case word if word in _CHARSET:
            return _charset(cursor, draft)
        case "GENERATED" | "AS":
            _generated(cursor, draft)
        case "REFERENCES":
            draft.constraints.append(references(cursor, name="", columns=(draft.name,)))
        case "CONSTRAINT" | "CHECK":
            _check(cursor, draft)
        case "VISIBLE" | "INVISIBLE":
            draft.visible = cursor.take().key == "VISIBLE"
        case "COLUMN_FORMAT" | "STORAGE" | "SRID" | "REF_SYSTEM_ID" | "ENGINE_ATTRIBUTE" | "SECONDARY_ENGINE_ATTRIBUTE":
            cursor.take()
            cursor.accept("=")
            cursor.take()
        case "WITH" | "WITHOUT" as word if cursor.mariadb and cursor.accept(word, "SYSTEM", "VERSIONING"):
            draft.unversioned = word == "WITHOUT"
        case _:
            return False
    return True


def _charset(cursor: Cursor, draft: Draft) -> bool:
    if cursor.accept("COLLATE"):
        cursor.accept("=")
        draft.collation = cursor.word().lower()
    elif cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET") or cursor.accept("CHAR", "SET"):
        cursor.accept("=")
        draft.charset = cursor.word().lower()
        if draft.charset == "binary":
            draft.type = _binary(draft.type)
            draft.charset = ""
    elif cursor.accept("ASCII"):
        draft.charset = "latin1"
    elif cursor.accept("UNICODE"):
        draft.charset = "ucs2"
    elif cursor.accept("BINARY"):
        draft.collation = draft.collation or f"{draft.charset}_bin" if draft.charset else "binary"
    else:
        return False
    if draft.charset == "utf8":
        draft.charset = "utf8mb3"
    if draft.collation.startswith("utf8_"):
        draft.collation = f"utf8mb3_{draft.collation[5:]}"
    return True


def _binary(type_: str) -> str:
    """CHARACTER SET binary makes a text type a binary one."""
    word = base_word(type_)
    binary = {"char": "binary", "varchar": "varbinary", "tinytext": "tinyblob", "text": "blob"}
    binary |= {"mediumtext": "mediumblob", "longtext": "longblob"}
    return binary.get(word, word) + type_[len(word) :] if word in TEXTS else type_


def _generated(cursor: Cursor, draft: Draft) -> None:
    if cursor.accept("GENERATED"):
        cursor.expect("ALWAYS")
    cursor.expect("AS")
    if cursor.at("ROW"):
        raise Unread("columns that keep the time of a row's version")
    expression = expression_of(cursor.parenthesised())
    if not cursor.mariadb and cursor.at("PERSISTENT"):
        raise TokenFault("PERSISTENT is a word of MariaDB: here it is STORED", cursor.peek().start, "DF-E201")
    stored = bool(cursor.accept_any(("STORED", "PERSISTENT")))
    if not stored:
        cursor.accept("VIRTUAL")
    draft.generated = Generated(expression=expression, stored=stored)


def _check(cursor: Cursor, draft: Draft) -> None:
    name = ""
    if cursor.accept("CONSTRAINT") and not cursor.at("CHECK"):
        name = cursor.name()
    if cursor.at("REFERENCES"):
        draft.constraints.append(references(cursor, name=name, columns=(draft.name,)))
        return
    cursor.expect("CHECK")
    expression = expression_of(cursor.parenthesised())
    draft.constraints.append(Check(name=name, expression=expression, column=draft.name, enforced=enforced(cursor)))


def default_value(cursor: Cursor) -> str:
    """What stands behind DEFAULT, in normal form: a literal, CURRENT_TIMESTAMP, or an expression (MariaDB takes one without parentheses)."""
    if cursor.at("("):
        inside = cursor.parenthesised()
        # A literal in parentheses is an expression to MySQL: only so may a TEXT have a default.
        return f"({expression_of(inside)})" if len(inside) == 1 and inside[0].kind == "string" else expression_of(inside)
    if cursor.peek().key in {"-", "+"}:
        return expression_of((cursor.take(), cursor.take()))
    token = cursor.peek()
    if token.kind == "word" and cursor.peek(1).key == "(":
        start = cursor.index
        cursor.take()
        cursor.parenthesised()
        return expression_of(cursor.tokens[start : cursor.index])
    if token.kind == "word" and token.key == "NEXT" and cursor.accept("NEXT", "VALUE", "FOR"):
        return f"nextval({cursor.qualified().text})"
    cursor.take()
    match token.kind:
        case "string" | "number" | "blob" | "word":
            return expression_of((token,))
        case _:
            raise Unread(f"a default cannot begin with `{token.text}`")


def _moment(cursor: Cursor) -> str:
    """CURRENT_TIMESTAMP or one of its other names, perhaps with digits of a second."""
    token = cursor.take()
    if token.key not in {"CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"}:
        raise Unread(f"ON UPDATE takes no `{spell(token)}`")
    digits = "".join(one.text for one in cursor.parenthesised()) if cursor.at("(") else ""
    return f"current_timestamp({'' if digits == '0' else digits})"
