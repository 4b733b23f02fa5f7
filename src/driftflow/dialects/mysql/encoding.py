"""Text that was encoded twice: the bytes of UTF-8, each stored as the character that latin1 has for it (`GrÃ¼ÃŸe`).

It arises where a client sends UTF-8 over a connection that says latin1. latin1 is cp1252 here, as the servers have it.
Source: MySQL 8.4 manual, "Supported Character Sets" (latin1) and "Converting Between Column Character Sets"; measured on MySQL 9.7 and
MariaDB 10.11.
"""

from __future__ import annotations

from driftflow.dialects.mysql.types import TEXTS, base_word
from driftflow.model.catalog import Column

CONVERTED = frozenset({"latin1", "utf8mb3", "utf8", "utf8mb4"})
"""Character sets in which such text is known to be stored."""


def mojibake(column: Column, value: str) -> str:
    """True for a text beyond ASCII whose characters all are in latin1, and whose latin1 bytes are UTF-8: hardly a word of any language is."""
    if column.charset not in CONVERTED or base_word(column.type) not in TEXTS - {"enum", "set"}:
        return ""
    latin = _latin(value)
    conditions = [
        f"{value} IS NOT NULL",
        f"length(CONVERT({value} USING utf8mb4)) <> char_length({value})",
        f"CAST(CONVERT({latin} USING utf8mb4) AS BINARY) <=> {latin}",
    ]
    if column.charset != "latin1":
        back = f"CONVERT(CONVERT({value} USING latin1) USING {column.charset})"
        conditions.insert(2, f"CAST({back} AS BINARY) <=> CAST({value} AS BINARY)")
    return " AND ".join(conditions)


def decoded(value: str) -> str:
    """What such a text was meant to be: its bytes, read as UTF-8."""
    return f"CONVERT({_latin(value)} USING utf8mb4)"


def encoded_again(value: str) -> str:
    """The way back: the bytes of UTF-8, each taken for a character of latin1."""
    return f"CONVERT(CAST(CONVERT({value} USING utf8mb4) AS BINARY) USING latin1)"


def _latin(value: str) -> str:
    return f"CAST(CONVERT({value} USING latin1) AS BINARY)"
