"""What a table's CHECKs compare its columns with: constants from which values that satisfy them are likely to come. Nothing is solved; rows are
tried against the CHECKs themselves, in the server."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from driftflow.dialects.query_text import lex
from driftflow.dialects.tokens import TokenFault
from driftflow.lab.rows.spelling_postgresql import defined_type
from driftflow.model.catalog import Catalog, Check, Table

LENGTHS = frozenset({"length", "char_length", "character_length", "octet_length"})
T = TypeVar("T")
CONSTANTS_MAX = 40


@dataclass
class Constants:
    """What stands in the CHECKs that name a column."""

    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """As SQL literals."""
    lengths: list[int] = field(default_factory=list)
    document: bool = False
    """Whether it is read as JSON: no text that is compared with a part of it is a value of the column."""


def conditions_of(table: Table, catalog: Catalog, *, without: Collection[str]) -> tuple[str, ...]:
    """The CHECKs of the table that a row without these columns can be held against; the others are left to the server."""
    absent = {name.lower() for name in without}
    found = [check.expression for check in table.constraints if isinstance(check, Check) and check.enforced]
    return tuple(text for text in found if not (names_in(text, catalog.vendor) & absent))


def constants_of(table: Table, catalog: Catalog) -> dict[str, Constants]:
    """By column."""
    found: dict[str, Constants] = {}
    columns = {column.name.lower(): column.name for column in table.columns}
    for check in table.constraints:
        if isinstance(check, Check):
            named = [columns[name] for name in names_in(check.expression, catalog.vendor) if name in columns]
            _add(found, named, check.expression, catalog.vendor, apart=columns)
    for column in table.columns:
        domain = defined_type(column.type, catalog) if catalog.types else None
        for check in domain.checks if domain is not None else ():
            _add(found, [column.name], check.expression, catalog.vendor)
    return found


def _add(
    found: dict[str, Constants], columns: Iterable[str], expression: str, vendor: str, *, apart: Collection[str] = ()
) -> None:
    """`apart` are words that name columns."""
    try:
        tokens = lex(expression, vendor)
    except TokenFault:
        return
    measured = any(token.text.lower() in LENGTHS for token in tokens)
    document = any(
        token.kind == "word" and token.text.lower().startswith("json") and token.text.lower() not in apart for token in tokens
    )
    for name in columns:
        constants = found.setdefault(name, Constants())
        constants.document |= document
        for token in tokens:
            if token.kind == "string":
                _once(constants.texts, token.text)
            elif token.kind == "number" and token.text.isdigit():
                value = int(token.text)
                for one in (value, value + 1, value - 1):
                    _once(constants.lengths if measured else constants.numbers, one)


def _once(constants: list[T], value: T) -> None:
    if value not in constants and len(constants) < CONSTANTS_MAX:
        constants.append(value)


def names_in(expression: str, vendor: str) -> set[str]:
    try:
        tokens = lex(expression, vendor)
    except TokenFault:
        return set()
    return {token.text.strip('"`[]').lower() for token in tokens if token.kind in ("word", "quoted")}
