"""Character sets: bytes of a character at most, the default collation, and which of them holds another unchanged.

Source: MySQL 8.4 manual, "Supported Character Sets and Collations"; MariaDB documentation of the same name.
"""

from __future__ import annotations

from driftflow.model.names import Version

_BYTES = {
    "utf8mb4": 4,
    "utf8mb3": 3,
    "utf8": 3,
    "ucs2": 2,
    "utf16": 4,
    "utf16le": 4,
    "utf32": 4,
    "big5": 2,
    "gbk": 2,
    "sjis": 2,
    "cp932": 2,
    "euckr": 2,
    "gb2312": 2,
    "gb18030": 4,
    "ujis": 3,
    "eucjpms": 3,
}
_COLLATIONS = {
    "latin1": "latin1_swedish_ci",
    "ascii": "ascii_general_ci",
    "utf8mb3": "utf8mb3_general_ci",
    "ucs2": "ucs2_general_ci",
    "utf16": "utf16_general_ci",
    "utf32": "utf32_general_ci",
    "latin2": "latin2_general_ci",
    "cp1251": "cp1251_general_ci",
    "greek": "greek_general_ci",
    "gbk": "gbk_chinese_ci",
    "big5": "big5_chinese_ci",
    "binary": "binary",
}
_UCA = Version(major=11, minor=6)
"""MariaDB: the collations of Unicode 14 are the default from here on."""
_EIGHT = Version(major=8)


def bytes_per_character(charset: str) -> int:
    """At most; an unknown set counts as the widest, since the servers' default is."""
    return 4 if not charset else _BYTES.get(charset, 1)


def default_collation(charset: str, *, mariadb: bool, version: Version | None) -> str:
    """Empty where it is not known."""
    if charset == "utf8mb4":
        if mariadb:
            return "utf8mb4_uca1400_ai_ci" if version is not None and version >= _UCA else "utf8mb4_general_ci"
        return "utf8mb4_general_ci" if version is not None and version < _EIGHT else "utf8mb4_0900_ai_ci"
    if mariadb and charset in {"utf8mb3", "ucs2", "utf16", "utf32"} and version is not None and version >= _UCA:
        return f"{charset}_uca1400_ai_ci"
    return _COLLATIONS.get(charset, "")


def collation_of(charset: str, collation: str, *, mariadb: bool, version: Version | None) -> str:
    """The collation, or the default one of the character set."""
    return collation or default_collation(charset, mariadb=mariadb, version=version)


def charset_of(collation: str) -> str:
    """The character set that a collation belongs to."""
    return "binary" if collation == "binary" else collation.partition("_")[0]


def is_superset(new: str, old: str) -> bool:
    """Whether every string of `old` has the same bytes in `new`."""
    return (old, new) in {
        ("utf8mb3", "utf8mb4"),
        ("utf8", "utf8mb4"),
        ("ascii", "utf8mb4"),
        ("ascii", "utf8mb3"),
        ("ascii", "latin1"),
    }
