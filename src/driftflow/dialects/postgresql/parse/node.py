"""The small things that every family of statements reads alike: names, roles, options, numbers."""

from __future__ import annotations

from driftflow.dialects.numbers import whole
from driftflow.dialects.postgresql.deparse import NotUnderstood
from driftflow.dialects.postgresql.deparse.expression import names_of, operator_name
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.types import type_text
from driftflow.model.names import Name
from driftflow.patterns import lazy_regex

__all__ = [
    "NotUnderstood",
    "cascades",
    "name_of",
    "names_of",
    "number",
    "option_text",
    "options",
    "relation",
    "role_text",
    "roles",
]

_SIMPLE_VALUE = lazy_regex(r"[A-Za-z_][A-Za-z0-9_]*|-?[0-9]+(?:\.[0-9]+)?")


def relation(body: Node) -> Name:
    """The name in a RangeVar."""
    if "catalogname" in body:
        raise NotUnderstood("a name with a database in front")
    return Name(schema=body.get("schemaname", ""), name=body["relname"])


def name_of(nodes: list[Node]) -> Name:
    """The name in a list of String nodes: `schema.name` or `name`."""
    names = names_of(nodes)
    if len(names) > 2:
        raise NotUnderstood("a name of more than two parts")
    return Name(schema=names[0] if len(names) == 2 else "", name=names[-1])


def cascades(body: Node) -> bool:
    return bool(body.get("behavior") == "DROP_CASCADE")


def role_text(body: Node) -> str:
    """A role as SQL: a name, or CURRENT_USER and its like."""
    body = body.get("RoleSpec", body)
    if body.get("roletype") == "ROLESPEC_CSTRING":
        return quote(body["rolename"])
    word: str = body["roletype"].removeprefix("ROLESPEC_")
    return "public" if word == "PUBLIC" else word


def roles(nodes: list[Node]) -> tuple[str, ...]:
    """Roles by their stored names (`public` and CURRENT_USER as words)."""
    bodies = [node["RoleSpec"] for node in nodes]
    return tuple(body["rolename"] if body.get("roletype") == "ROLESPEC_CSTRING" else role_text(body) for body in bodies)


def number(node: Node) -> int:
    """An Integer, Float or constant node as a whole number."""
    match node:
        case {"Integer": body}:
            return int(body.get("ival", 0))
        case {"Float": {"fval": text}}:
            if (value := whole(text)) is None:
                raise NotUnderstood(f"{text[:40]} where a whole number was expected")
            return value
        case {"A_Const": {"ival": body}}:
            return int(body.get("ival", 0))
        case _:
            raise NotUnderstood("a number of an unexpected kind")


def value_text(node: Node) -> str:
    """The value of an option as the server stores it: `70`, `false`, `some text`."""
    match node:
        case {"String": body}:
            return str(body.get("sval", ""))
        case {"Integer": body}:
            return str(body.get("ival", 0))
        case {"Float": {"fval": text}}:
            return str(text)
        case {"Boolean": body}:
            return "true" if body.get("boolval") else "false"
        case {"TypeName": body}:
            names = names_of(body["names"])
            return names[0] if len(names) == 1 else type_text(body)
        case {"List": {"items": [{"String": _}, *_] as items}}:
            return operator_name(items)
        case _:
            raise NotUnderstood("an option of an unexpected kind")


def option_text(body: Node) -> str:
    """`namespace.name=value` of a DefElem, as in pg_class.reloptions; a bare name where no value is given."""
    namespace = f"{body['defnamespace']}." if "defnamespace" in body else ""
    return f"{namespace}{body['defname']}" + (f"={value_text(body['arg'])}" if "arg" in body else "")


def options(nodes: list[Node]) -> tuple[str, ...]:
    return tuple(option_text(node["DefElem"]) for node in nodes)


def option_sql(option: str) -> str:
    """An option as SQL again: the value is quoted unless it is a plain word or number."""
    key, equals, value = option.partition("=")
    key = ".".join(quote(part) for part in key.split("."))
    if not equals:
        return key
    return f"{key}={value}" if _SIMPLE_VALUE.fullmatch(value) else f"{key}='{value.replace(chr(39), chr(39) * 2)}'"
