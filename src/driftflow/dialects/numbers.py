"""Whole numbers in SQL text. Python's own int() also takes `１`, and refuses more than 4,300 digits with an error."""

from __future__ import annotations

from driftflow.patterns import lazy_regex

_WHOLE = lazy_regex(r"-?[0-9](?:_?[0-9]){0,99}")


def whole(text: str) -> int | None:
    """The number that the digits spell; None for anything else, and for more digits than any server reads as a whole number."""
    return int(text) if _WHOLE.fullmatch(text) else None
