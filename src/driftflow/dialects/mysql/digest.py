"""Digests of performance_schema as statements that can be prepared: `(...)` stands for a list of constants whose length is lost.

Source: MySQL 8.4 manual, "Performance Schema Statement Digests and Sampling".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from driftflow.patterns import lazy_regex

LIST = "(...)"
GUESSES = (1, 2, 3)
"""How many constants a list may have had, where nothing tells."""
INSERTED = lazy_regex(
    r"(?:INSERT|REPLACE)\s+(?:\w+\s+)*?INTO\s+(?P<table>`(?:[^`]|``)+`|\w+)(?:\s*\.\s*(?P<inner>`(?:[^`]|``)+`|\w+))?\s*"
    r"(?P<columns>\([^()]*\))?\s*VALUES?\s*\(\.\.\.\)",
    re.IGNORECASE,
)
MORE_ROWS = lazy_regex(r"/\*\s*,\s*\.\.\.\s*\*/")
VARIABLE = lazy_regex(r"@\s*\?")
PATH = lazy_regex(r"(->>?)\s*\?")


def expanded(digest: str, columns_of: Callable[[str], int]) -> tuple[str, ...]:
    """The statements that the digest may stand for, the likeliest first. `columns_of` says how many columns a table has."""
    text = VARIABLE.sub("@driftflow", MORE_ROWS.sub("", digest).strip())
    text = PATH.sub(r"\1 '$'", text)  # the grammar wants a literal there
    inserted = INSERTED.match(text)
    if inserted is not None:
        named = inserted["columns"]
        table = (inserted["inner"] or inserted["table"]).strip("`").replace("``", "`")
        count = named.count(",") + 1 if named and named.strip("() ") else columns_of(table)
        text = text[: inserted.end() - len(LIST)] + _list(count) + text[inserted.end() :]
    text = re.sub(r"\bIN\s*\(\.\.\.\)", "IN (?)", text, flags=re.IGNORECASE)
    return tuple(dict.fromkeys(text.replace(LIST, _list(count)) for count in GUESSES))


def _list(count: int) -> str:
    return f"({', '.join('?' * max(count, 1))})"
