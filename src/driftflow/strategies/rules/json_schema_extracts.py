"""JSON Schema as one condition over JSON_EXTRACT and JSON_TABLE: MariaDB before 11.1, whose documents are text. A trigger asks it.

Elements of an array are counted by JSON_TABLE and looked up by their number, since its columns would give a text without its quotes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from driftflow.model.record import Record
from driftflow.strategies.rules.json_schema import Schema, types_of

TYPES = {
    "string": "= 'STRING'", "boolean": "= 'BOOLEAN'", "null": "= 'NULL'", "object": "= 'OBJECT'", "array": "= 'ARRAY'",
    "number": "IN ('INTEGER', 'DOUBLE')",
}  # fmt: skip


class Spot(Record, frozen=True, kw_only=True):
    """One place in the document: `path` is a JSON path as SQL, `depth` how many arrays it lies in."""

    document: str
    path: str
    depth: int = 0

    @property
    def value(self) -> str:
        return f"JSON_EXTRACT({self.document}, {self.path})"

    @property
    def kind(self) -> str:
        return f"JSON_TYPE({self.value})"

    @property
    def number(self) -> str:
        return f"({self.value} + 0e0)"

    @property
    def text(self) -> str:
        return f"CONVERT(JSON_UNQUOTE({self.value}) USING utf8mb4)"

    def below(self, more: str, *, deeper: bool = False) -> Spot:
        return Spot(document=self.document, path=f"CONCAT({self.path}, {more})", depth=self.depth + deeper)


Literal = Callable[[str], str]


def broken(schema: Schema, document: str, literal: Literal) -> Iterator[str]:
    """Conditions, one of which is true when the document (a valid one) breaks the schema."""
    return _broken(schema, Spot(document=document, path="'$'"), literal)


def _broken(schema: Schema, spot: Spot, literal: Literal) -> Iterator[str]:
    if types := types_of(schema):
        yield f"NOT ({' OR '.join(_is_type(one, spot) for one in types)})"
    for word in ("enum", "const"):
        if word in schema:
            values = schema[word] if word == "enum" else [schema[word]]
            yield " AND ".join(f"NOT ({_equal(one, spot, literal)})" for one in values)
    for word, sign in (("minimum", "<"), ("maximum", ">"), ("exclusiveMinimum", "<="), ("exclusiveMaximum", ">=")):
        if word in schema:
            yield _only(spot, TYPES["number"], f"{spot.number} {sign} {json.dumps(schema[word])}")
    for word, sign in (("minLength", "<"), ("maxLength", ">")):
        if word in schema:
            yield _only(spot, TYPES["string"], f"CHAR_LENGTH({spot.text}) {sign} {schema[word]}")
    if "pattern" in schema:
        yield _only(spot, TYPES["string"], f"NOT (({spot.text} COLLATE utf8mb4_bin) REGEXP {literal(schema['pattern'])})")
    for word, sign in (("minItems", "<"), ("maxItems", ">")):
        if word in schema:
            yield _only(spot, TYPES["array"], f"JSON_LENGTH({spot.value}) {sign} {schema[word]}")
    yield from _inside(schema, spot, literal)


def _inside(schema: Schema, spot: Spot, literal: Literal) -> Iterator[str]:
    known = schema.get("properties", {})
    members = {
        name: spot.below(literal(f".{json.dumps(name, ensure_ascii=False)}")) for name in (*known, *schema.get("required", ()))
    }
    for name in schema.get("required", ()):
        yield _only(spot, TYPES["object"], f"{members[name].value} IS NULL")
    if schema.get("additionalProperties") is False:
        there = "".join(f" - ({members[name].value} IS NOT NULL)" for name in known)
        yield _only(spot, TYPES["object"], f"JSON_LENGTH({spot.value}){there} > 0")
    for name, inner in known.items():
        if any_of := _any_of(inner, members[name], literal):
            there = f"{spot.kind} = 'OBJECT' AND {members[name].value} IS NOT NULL"
            yield f"CASE WHEN {there} THEN ({any_of}) ELSE 0 END"
    if "items" in schema:
        each = f"j{spot.depth}"
        element = spot.below(f"'[', {each}.n - 1, ']'", deeper=True)
        array = f"CASE WHEN {spot.kind} = 'ARRAY' THEN {spot.value} ELSE '[]' END"
        rows = f"JSON_TABLE({array}, '$[*]' COLUMNS (n FOR ORDINALITY)) AS {each}"
        if any_of := _any_of(schema["items"], element, literal):
            yield f"EXISTS (SELECT 1 FROM {rows} WHERE {any_of})"


def _any_of(schema: Schema, spot: Spot, literal: Literal) -> str:
    return " OR ".join(f"({one})" for one in _broken(schema, spot, literal))


def _only(spot: Spot, of: str, condition: str) -> str:
    """CASE, and not AND: a value of another kind must not reach what cannot read it."""
    return f"CASE WHEN {spot.kind} {of} THEN {condition} ELSE 0 END"


def _is_type(name: str, spot: Spot) -> str:
    if name == "integer":
        return _only(spot, TYPES["number"], f"{spot.number} = FLOOR({spot.number})")
    return f"{spot.kind} {TYPES[name]}"


def _equal(one: Any, spot: Spot, literal: Literal) -> str:
    match one:
        case bool():
            return f"{spot.kind} = 'BOOLEAN' AND {spot.value} = '{json.dumps(one)}'"
        case None:
            return f"{spot.kind} = 'NULL'"
        case str():
            return f"{spot.kind} = 'STRING' AND BINARY {spot.text} = BINARY CONVERT({literal(one)} USING utf8mb4)"
        case _:
            return _only(spot, TYPES["number"], f"{spot.number} = {json.dumps(one)}")
