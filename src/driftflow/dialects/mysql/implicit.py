"""The value that an old row gets in a NOT NULL column without a default.

Source: MySQL 8.4 manual, "Data Type Default Values", "Handling of Implicit Defaults".
"""

from __future__ import annotations

import re

from driftflow.dialects.mysql.types import base_word
from driftflow.model.catalog import Column

NUMBERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double"})
TEXTS = frozenset({"char", "varchar", "binary", "varbinary", "set"})


def implicit_default(column: Column) -> str:
    """As a literal; empty for what strict mode refuses (dates), and for what takes no literal default on every version (TEXT, BLOB, JSON)."""
    word = base_word(column.type)
    if word in NUMBERS:
        return "0"
    if word in TEXTS:
        return "''"
    first = re.match(r"enum\(('(?:[^']|'')*')", column.type, re.IGNORECASE) if word == "enum" else None
    return first[1] if first is not None else ""
