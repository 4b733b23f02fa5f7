"""Names that PostgreSQL makes up where an operation reaches relations that the statement does not name (partitions, identity sequences)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from driftflow.model.catalog import Index
from driftflow.patterns import lazy_regex

NAME_BYTES_MAX = 63
CALL = lazy_regex(r"(?:[a-z_]\w*\.)?(?P<name>[a-z_]\w*)\(.*\)\Z", re.DOTALL)
CAST = lazy_regex(r"\(*(?P<name>[a-z_]\w*)\)?::[\w .\"\[\]]+(?:\(\d+\))?\)*\Z")


def made_name(first: str, second: str, label: str, is_taken: Callable[[str], bool] = lambda name: False) -> str:
    """`first_second_label` in 63 bytes, with a number behind the label while it is taken (ChooseRelationName)."""
    attempt, candidate = 0, fitted(first, second, label)
    while is_taken(candidate):
        attempt += 1
        candidate = fitted(first, second, f"{label}{attempt}")
    return candidate


def fitted(first: str, second: str, label: str) -> str:
    """Joined by `_`; the longer of the first two is cut first (makeObjectName)."""
    room = NAME_BYTES_MAX - len(label.encode()) - (1 if label else 0) - (1 if second else 0)
    first_bytes, second_bytes = len(first.encode()), len(second.encode())
    while first_bytes + second_bytes > room:
        if first_bytes > second_bytes:
            first_bytes -= 1
        else:
            second_bytes -= 1
    parts = (_cut(first, first_bytes), _cut(second, second_bytes), label)
    return "_".join(part for part in parts if part)


def index_columns(index: Index) -> str:
    """The middle of a made-up index name: its columns, INCLUDE among them, with what an expression is called."""
    joined = ""
    for name in apart([*(part.column or expression_name(part.expression) for part in index.parts), *index.include]):
        joined += ("_" if joined else "") + name
        if len(joined.encode()) > NAME_BYTES_MAX:
            break
    return joined


def apart(names: Sequence[str]) -> tuple[str, ...]:
    """Each name once: `a`, `a1`, `a2` where it comes again (ChooseIndexColumnNames)."""
    found: list[str] = []
    for name in names:
        found.append(_unlike(name, found))
    return tuple(found)


def expression_name(expression: str) -> str:
    """The function that is called, the column that is cast, else `expr` (FigureIndexColname, for the usual forms)."""
    found = CALL.match(expression) or CAST.match(expression)
    return found["name"] if found else "expr"


def _unlike(name: str, others: list[str]) -> str:
    """`expr`, `expr1`, `expr2` (ChooseIndexColumnNames)."""
    candidate, attempt = name, 0
    while candidate in others:
        attempt += 1
        candidate = f"{name}{attempt}"
    return candidate


def _cut(text: str, limit: int) -> str:
    data = text.encode()
    return text if len(data) <= limit else data[:limit].decode(errors="ignore")
