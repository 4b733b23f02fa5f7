"""Text that was encoded twice: the bytes of UTF-8, each stored as the character that latin1 has for it (`GrÃ¼ÃŸe`).

It arises where a client sends UTF-8 over a connection that says latin1. latin1 is cp1252 here, as the servers have it.
Source: MySQL 8.4 manual, "Supported Character Sets" (latin1) and "Converting Between Column Character Sets"; measured on MySQL 9.7 and
MariaDB 10.11.
"""

from __future__ import annotations

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.dialects.mysql.types import TEXTS, base_word
from driftflow.model.catalog import Column

CONVERTED = frozenset({"latin1", "utf8mb3", "utf8", "utf8mb4"})
"""Character sets in which such text is known to be stored."""
UTF_8 = (
    "^(?:[0-7].|(?:C[2-9A-F]|D.)[89AB].|E0[AB].[89AB].|E[1-9ABCEF](?:[89AB].){2}|ED[89].[89AB].|F0[9AB].(?:[89AB].){2}"
    "|F[1-3](?:[89AB].){3}|F48.(?:[89AB].){2})++$"
)
"""Well-formed UTF-8, over the hexadecimal digits of its bytes. Possessive: a long text would overflow MySQL's stack of alternatives (error 3698).
Source: The Unicode Standard 15, table 3-7."""
LATIN = (
    "^[\\x{1}-\\x{7F}\\x{81}\\x{8D}\\x{8F}\\x{90}\\x{9D}\\x{A0}-\\x{FF}\\x{152}\\x{153}\\x{160}\\x{161}\\x{178}\\x{17D}\\x{17E}\\x{192}\\x{2C6}\\x{2DC}"
    "\\x{2013}\\x{2014}\\x{2018}-\\x{201A}\\x{201C}-\\x{201E}\\x{2020}-\\x{2022}\\x{2026}\\x{2030}\\x{2039}\\x{203A}\\x{20AC}\\x{2122}]*$"
)
"""What latin1 (cp1252) has. Source: Unicode's mapping table CP1252.TXT, and the five bytes that it leaves open, as the servers have them."""


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


def decoded(column: Column, value: str) -> str:
    """What such a text was meant to be (its bytes, read as UTF-8); any other as it is. Nothing of it is an error in strict mode, as a conversion of
    what does not convert would be: so it is asked by patterns, and one after the other."""
    as_it_is = f"CONVERT({value} USING utf8mb4)"
    read = f"CASE WHEN HEX(CONVERT({value} USING latin1)) REGEXP {quote_string(UTF_8)} THEN CONVERT({_latin(value)} USING utf8mb4) ELSE {as_it_is} END"
    if column.charset == "latin1":
        return read
    return f"CASE WHEN {as_it_is} COLLATE utf8mb4_bin REGEXP {quote_string(LATIN)} THEN {read} ELSE {as_it_is} END"


def _latin(value: str) -> str:
    return f"CAST(CONVERT({value} USING latin1) AS BINARY)"
