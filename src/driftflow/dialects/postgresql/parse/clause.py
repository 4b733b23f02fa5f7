"""Stretches of the statement's own text, where the text is what is kept."""

from __future__ import annotations

from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.scan import normal_text
from driftflow.patterns import lazy_regex

_NAME = lazy_regex(r'(?:[Uu]&)?"(?:[^"]|"")*"|[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f][\w$]*')
_DOT = lazy_regex(r"\s*\.\s*")


def behind_relation(sql: str, body: Node) -> str:
    """All that stands behind a RangeVar in the text, with one space between tokens. Locations in the tree are in bytes."""
    at = len(sql.encode()[: body.get("location", 0)].decode())
    while (name := _NAME.match(sql, at)) is not None:
        at = name.end()
        dot = _DOT.match(sql, at)
        if dot is None:
            break
        at = dot.end()
    return normal_text(sql[at:]).removeprefix("*").lstrip()
