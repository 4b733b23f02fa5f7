"""Questions about SQL expressions that predictions need: is it volatile, does it mention a column, is its function older than the server."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from driftflow.dialects.postgresql.expressions import volatile as is_volatile
from driftflow.model.catalog import Catalog
from driftflow.patterns import lazy_regex

__all__ = ["is_volatile", "mentions", "missing_function"]

_SINCE: Final = {"gen_random_uuid": 13, "uuidv4": 18, "uuidv7": 18}
"""Functions that expand defaults like to use, and the first version whose core has them."""
_CALL = lazy_regex(r"(?<![\w.\"])([a-z_][a-z0-9_]*)\s*\(", re.IGNORECASE)


def mentions(expression: str, column: str) -> bool:
    """Whether the expression names the column. A word inside a string literal does not count."""
    text = re.sub(r"'(?:[^']|'')*'", "''", expression)
    return re.search(rf'(?<![\w$])"?{re.escape(column)}"?(?![\w$(])', text) is not None


def missing_function(expression: str, catalog: Catalog, at_least: Callable[[int], bool]) -> str:
    """A function of the expression that this version does not have in its core and no routine or extension brings."""
    for match in _CALL.finditer(expression):
        name = match[1].lower()
        since = _SINCE.get(name)
        if since is None or at_least(since):
            continue
        brought = any(routine.name.name == name for routine in catalog.routines.values())
        if not brought and not (
            name == "gen_random_uuid" and any(extension.name == "pgcrypto" for extension in catalog.extensions)
        ):
            return name
    return ""
