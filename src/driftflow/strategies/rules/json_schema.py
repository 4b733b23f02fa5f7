"""JSON Schema as SQL: what a document must not be. For servers that cannot ask JSON_SCHEMA_VALID themselves.

Compiled are the keywords below. A keyword that is not among them is refused and never passed over: a schema that is half checked would look whole.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.patterns import lazy_regex

CALL = lazy_regex(
    r"^\s*json_schema_valid\s*\(\s*(E?)'((?:\\.|[^'\\]|'')*)'(?:::\w+)?\s*,\s*(.+?)\s*\)\s*$", re.IGNORECASE | re.DOTALL
)
ESCAPE = lazy_regex(r"\\(.)", re.DOTALL)
ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "0": "\0"}
SAYS_NOTHING = {"$schema", "$id", "$comment", "title", "description", "default", "examples"}
KNOWN = {
    "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern",
    "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
}  # fmt: skip
SERVERS_OWN = SAYS_NOTHING | {
    "type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "properties",
    "patternProperties", "required", "additionalProperties", "minProperties", "maxProperties", "dependencies", "items", "additionalItems", "minItems",
    "maxItems", "uniqueItems", "allOf", "anyOf", "oneOf", "not", "$ref", "definitions", "id",
}  # fmt: skip
"""What JSON_SCHEMA_VALID of MySQL looks at: draft 4. Every other word it passes over."""
NO_ECMASCRIPT = lazy_regex(r"\\[^\W\d_bBdDwWsSfnrtv0xu]|\\_|\(\?(?![:=!])|\[:|\{(?!\d{1,3}(,(\d{1,3})?)?\})|[*+?}][*+]")
"""In a pattern, what std::regex of C++ does not read, or reads as something else."""
TYPES = {"string", "number", "integer", "boolean", "null", "object", "array"}
LENGTH_MOST = 255
"""What a repetition in a regular expression of PostgreSQL may count to."""
Schema = Mapping[str, Any]


def called(expression: str, at: Situation) -> tuple[str, str] | None:
    """(schema, document) where the expression is `JSON_SCHEMA_VALID('schema', document)` and nothing else."""
    found = CALL.match(expression)
    if found is None:
        return None
    text = found[2].replace("''", "'")
    if found[1] or at.can(Capability.JOINED_UPDATE):  # E'...', and every text of MySQL and MariaDB
        text = ESCAPE.sub(lambda one: ESCAPED.get(one[1], one[1]), text)
    return text, found[3]


def read(text: str, at: Situation) -> Schema:
    """The schema. Raises RefusedError (DF-E659) for what is no JSON, or says what is not compiled."""
    schema = parsed(text, at)
    if wrong := sorted(set(_misshapen(schema))):
        raise refused(at, f"it is no schema: {', '.join(wrong)}")
    unknown = sorted(set(_unknown(schema)))
    if unknown:
        raise refused(at, f"these keywords are not compiled: {', '.join(unknown)}")
    return schema


def readable_by_server(text: str, at: Situation) -> None:
    """For MySQL, which reads it by itself. Raises RefusedError (DF-E659) for what is no JSON, and for words that MySQL passes over: nothing would keep them."""
    if passed_over := sorted(set(_passed_over(parsed(text, at)))):
        raise RefusedError(
            "DF-E659",
            "the JSON Schema says more than this server would keep",
            where=str(at.statement.span),
            why=f"its JSON_SCHEMA_VALID reads draft 4 and passes over {', '.join(passed_over)}",
            hint='in draft 4 "enum": [x] says "const": x, and "minimum": x, "exclusiveMinimum": true says "exclusiveMinimum": x; leave out what is only a remark; '
            "a pattern is one of ECMAScript, without Unicode classes, named groups, flags and a look behind",
        )


def says_more(text: str) -> bool:
    """Whether MySQL would refuse the schema, or keep only a part of it."""
    try:
        return any(_passed_over(json.loads(text)))
    except ValueError:
        return True


def _passed_over(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    for word, value in schema.items():
        if word in ("exclusiveMinimum", "exclusiveMaximum") and not isinstance(value, bool):
            yield f"{word} as a number"
        elif word not in SERVERS_OWN:
            yield word
        elif word == "pattern" and isinstance(value, str) and _unread(value):
            yield f"the pattern {value}"
        elif word == "patternProperties" and isinstance(value, dict):
            yield from (f"the pattern {one}" for one in value if _unread(one))
    for inner in _inner(schema):
        yield from _passed_over(inner)


def _unread(pattern: str) -> bool:
    """Whether MySQL makes nothing of the pattern: then every text keeps to it, without a word (measured on 9.7)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sets that a later Python will read in another way
        try:
            re.compile(pattern)
        except re.error:
            return True
    return NO_ECMASCRIPT.search(pattern.replace("\\\\", "")) is not None


def _inner(schema: Schema) -> Iterator[Any]:
    """The schemas within it."""
    for word in ("properties", "patternProperties", "definitions", "dependencies"):
        if isinstance(named := schema.get(word), dict):
            yield from named.values()
    for word in ("items", "additionalItems", "additionalProperties", "not", "allOf", "anyOf", "oneOf"):
        found = schema.get(word)
        yield from found if isinstance(found, list) else [found]


def parsed(text: str, at: Situation) -> Schema:
    """The schema as it is written. Raises RefusedError (DF-E659) for what is no JSON."""
    try:
        schema: Schema = json.loads(text)
    except ValueError as error:
        raise refused(at, f"it is no JSON: {error}") from error
    return schema


def refused(at: Situation, why: str) -> RefusedError:
    return RefusedError(
        "DF-E659",
        "the JSON Schema cannot become a constraint of this server",
        where=str(at.statement.span),
        why=why,
        hint=f"compiled are {', '.join(sorted(KNOWN))}",
    )


def _misshapen(schema: Any) -> Iterator[str]:
    """What a reader of it would take for something else: `"required": "id"` is no list, and would be two properties, i and d."""
    if not isinstance(schema, dict):
        return
    numbers = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    counts = ("minLength", "maxLength", "minItems", "maxItems")
    for word, value in schema.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        match word:
            case "type" if not types_of(schema) or not set(map(str, types_of(schema))) <= TYPES:
                yield f"type is none of {', '.join(sorted(TYPES))}"
            case "required" if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                yield "required is no list of names"
            case "enum" if not isinstance(value, list) or not value:
                yield "enum is no list of values"
            case "properties" if not isinstance(value, dict):
                yield "properties is no object"
            case "pattern" if not isinstance(value, str):
                yield "pattern is no text"
            case _ if word in numbers and not number:
                yield f"{word} is no number"
            case _ if word in counts and not (number and isinstance(value, int) and value >= 0):
                yield f"{word} is no count"
    for inner in _inner(schema):
        yield from _misshapen(inner)


def _unknown(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield "a schema that is no object"
        return
    for word, value in schema.items():
        if word == "properties":
            for inner in value.values():
                yield from _unknown(inner)
        elif word == "items":
            yield from _unknown(value)
        elif word == "additionalProperties" and value is not False:
            yield "additionalProperties other than false"
        elif word in ("enum", "const") and any(isinstance(one, dict | list) for one in (value if word == "enum" else [value])):
            yield f"{word} with objects or arrays"
        elif word in ("minLength", "maxLength") and value > LENGTH_MOST:
            yield f"{word} above {LENGTH_MOST}"
        elif word not in KNOWN | SAYS_NOTHING:
            yield word


def uses(schema: Schema, word: str) -> bool:
    """Whether the keyword stands anywhere in it."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return word in schema or any(uses(one, word) for one in inner)


def types_of(schema: Schema) -> tuple[str, ...]:
    said = schema.get("type", ())
    return tuple(said) if isinstance(said, list | tuple) else (said,)


# PostgreSQL: one jsonpath per promise that may be broken; immutable, so a CHECK may ask it.


def broken_paths(schema: Schema, path: str = "$") -> Iterator[str]:
    """jsonpaths that find something in a document exactly when it breaks the schema. Comparisons of unlike things are unknown, which counts as broken."""
    for condition in _conditions(schema):
        yield f"{path} ? ({condition})"
    known = schema.get("properties", {})
    if schema.get("additionalProperties") is False:
        others = " && ".join(f"@.key != {json.dumps(name)}" for name in known) or "@.key == @.key"
        yield f'{path} ? (@.type() == "object").keyvalue() ? ({others})'
    for name, inner in known.items():
        key = json.dumps(name)
        yield from broken_paths(inner, f'{path} ? (@.type() == "object" && exists (@.{key})).{key}')
    if "items" in schema:
        yield from broken_paths(schema["items"], f'{path} ? (@.type() == "array")[*]')


def _conditions(schema: Schema) -> Iterator[str]:
    if types := types_of(schema):
        yield f"!({' || '.join(_is_type(one) for one in types)})"
    for word in ("enum", "const"):
        if word in schema:
            values = schema[word] if word == "enum" else [schema[word]]
            yield " && ".join(_unlike(f"@ == {json.dumps(value)}") for value in values)
    for word, sign in (("minimum", ">="), ("maximum", "<="), ("exclusiveMinimum", ">"), ("exclusiveMaximum", "<")):
        if word in schema:
            yield f'@.type() == "number" && !(@ {sign} {json.dumps(schema[word])})'
    for bounds in (f"{schema.get('minLength', '')},", f"0,{schema.get('maxLength', '')}"):
        if bounds not in (",", "0,"):
            yield f'@.type() == "string" && !(@ like_regex "^.{{{bounds}}}$" flag "s")'
    if "pattern" in schema:
        yield f'@.type() == "string" && !(@ like_regex {json.dumps(schema["pattern"])})'
    for name in schema.get("required", ()):
        yield f'@.type() == "object" && {_unlike(f"exists (@.{json.dumps(name)})")}'
    for word, sign in (("minItems", ">="), ("maxItems", "<=")):
        if word in schema:
            yield f'@.type() == "array" && !(@.size() {sign} {schema[word]})'


def _is_type(name: str) -> str:
    if name == "integer":
        return '(@.type() == "number" && @.floor() == @)'
    return f'@.type() == "{name}"'


def _unlike(equal: str) -> str:
    return f"(!({equal}) || ({equal}) is unknown)"


# SQLite: one condition over json_each and json_type; a trigger asks it, since a CHECK may hold no subquery.

SQLITE_TYPES = {
    "string": "= 'text'", "number": "IN ('integer', 'real')", "integer": "= 'integer'", "boolean": "IN ('true', 'false')",
    "null": "= 'null'", "object": "= 'object'", "array": "= 'array'",
}  # fmt: skip


def broken_by_functions(schema: Schema, kind: str, value: str, literal: Callable[[str], str], depth: int = 0) -> Iterator[str]:
    """Conditions, one of which is true when the document breaks the schema. `kind` is its json_type, `value` its SQL value (JSON for containers)."""
    each = f"j{depth}"
    if types := types_of(schema):
        named = [_sqlite_type(one, kind, value) for one in types]
        yield f"NOT ({' OR '.join(named)})"
    for word in ("enum", "const"):
        if word in schema:
            values = schema[word] if word == "enum" else [schema[word]]
            yield " AND ".join(f"NOT ({_sqlite_equal(one, kind, value, literal)})" for one in values)
    for word, sign in (("minimum", "<"), ("maximum", ">"), ("exclusiveMinimum", "<="), ("exclusiveMaximum", ">=")):
        if word in schema:
            yield f"{kind} IN ('integer', 'real') AND {value} {sign} {json.dumps(schema[word])}"
    for word, sign in (("minLength", "<"), ("maxLength", ">")):
        if word in schema:
            yield f"{kind} = 'text' AND length({value}) {sign} {schema[word]}"
    for name in schema.get("required", ()):
        # Not by a path: SQLite compares its label with the bytes of the document, where `\u00e4` and `ä` are the same name.
        yield _only(kind, "object", f"NOT EXISTS (SELECT 1 FROM json_each({value}) AS {each} WHERE {each}.key = {literal(name)})")
    for word, sign in (("minItems", "<"), ("maxItems", ">")):
        if word in schema:
            yield _only(kind, "array", f"json_array_length({value}) {sign} {schema[word]}")
    yield from _sqlite_inside(schema, kind, value, literal, depth)


def _sqlite_inside(schema: Schema, kind: str, value: str, literal: Callable[[str], str], depth: int) -> Iterator[str]:
    each = f"j{depth}"
    known = schema.get("properties", {})
    if schema.get("additionalProperties") is False:
        names = ", ".join(map(literal, known))
        others = f"{each}.key NOT IN ({names})" if known else "1 = 1"
        yield _only(kind, "object", f"EXISTS (SELECT 1 FROM json_each({value}) AS {each} WHERE {others})")
    members = [(f"{each}.key = {literal(name)}", inner, "object") for name, inner in known.items()]
    members += [("1 = 1", schema["items"], "array")] if "items" in schema else []
    for which, inner, of in members:
        broken = list(broken_by_functions(inner, f"{each}.type", f"{each}.value", literal, depth + 1))
        if broken:
            any_of = " OR ".join(f"({one})" for one in broken)
            yield _only(kind, of, f"EXISTS (SELECT 1 FROM json_each({value}) AS {each} WHERE {which} AND ({any_of}))")


def _only(kind: str, of: str, condition: str) -> str:
    """CASE, and not AND: a text that is no JSON must not reach a function that reads JSON."""
    return f"CASE WHEN {kind} = '{of}' THEN {condition} ELSE 0 END"


def _sqlite_type(name: str, kind: str, value: str) -> str:
    if name == "integer":
        return f"({kind} = 'integer' OR {kind} = 'real' AND {value} = round({value}))"
    return f"{kind} {SQLITE_TYPES[name]}"


def _sqlite_equal(one: Any, kind: str, value: str, literal: Callable[[str], str]) -> str:
    match one:
        case bool():
            return f"{kind} = '{json.dumps(one)}'"
        case None:
            return f"{kind} = 'null'"
        case str():
            return f"{kind} = 'text' AND {value} = {literal(one)}"
        case _:
            return f"{kind} IN ('integer', 'real') AND {value} = {json.dumps(one)}"
