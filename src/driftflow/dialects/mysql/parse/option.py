"""Table options, which CREATE TABLE and ALTER TABLE share, in the spelling that the catalog keeps (`ENGINE=InnoDB`)."""

from __future__ import annotations

from typing import NamedTuple

from driftflow.dialects.mysql.parse.cursor import Cursor, Unread

_ENGINES = {
    name.lower(): name for name in ("InnoDB", "MyISAM", "MEMORY", "Aria", "ARCHIVE", "CSV", "BLACKHOLE", "FEDERATED", "ROCKSDB")
}
_NUMBERS = frozenset(
    [
        "AUTO_INCREMENT",
        "AVG_ROW_LENGTH",
        "KEY_BLOCK_SIZE",
        "MAX_ROWS",
        "MIN_ROWS",
        "STATS_SAMPLE_PAGES",
        "CHECKSUM",
        "TABLE_CHECKSUM",
        "PAGE_CHECKSUM",
        "DELAY_KEY_WRITE",
        "STATS_AUTO_RECALC",
        "STATS_PERSISTENT",
        "PACK_KEYS",
        "TRANSACTIONAL",
        "PAGE_COMPRESSED",
        "PAGE_COMPRESSION_LEVEL",
        "ENCRYPTION_KEY_ID",
        "AUTOEXTEND_SIZE",
    ]
)
_WORDS = frozenset(
    [
        "ENGINE",
        "ROW_FORMAT",
        "COMPRESSION",
        "ENCRYPTION",
        "ENCRYPTED",
        "INSERT_METHOD",
        "TABLESPACE",
        "STORAGE",
        "CONNECTION",
        "PASSWORD",
    ]
)
_PATHS = frozenset({"ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "SECONDARY_ENGINE"})


class Option(NamedTuple):
    """`name` is upper case: ENGINE, ROW_FORMAT, CHARSET, COLLATE, COMMENT, AUTO_INCREMENT, ..."""

    name: str
    value: str

    @property
    def text(self) -> str:
        return f"{self.name}={self.value}" if self.value or self.name == "COMMENT" else self.name


def table_option(cursor: Cursor) -> Option | None:
    """One option, or None when none stands here."""
    start = cursor.index
    cursor.accept("DEFAULT")
    if cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET") or cursor.accept("CHAR", "SET"):
        cursor.accept("=")
        charset = cursor.word().lower()
        return Option("CHARSET", "utf8mb3" if charset == "utf8" else charset)
    if cursor.accept("COLLATE"):
        cursor.accept("=")
        return Option("COLLATE", cursor.word().lower())
    if cursor.index != start:
        raise Unread(f"a character set was expected {cursor.here()}")
    if cursor.accept_any(("DATA", "INDEX")) and cursor.accept("DIRECTORY"):
        cursor.accept("=")
        return Option(f"{cursor.tokens[start].key} DIRECTORY", cursor.string())
    cursor.index = start
    key = cursor.peek().key
    if key == "COMMENT":
        cursor.take()
        cursor.accept("=")
        return Option("COMMENT", cursor.string())
    if key == "UNION" or key in _PATHS:
        raise Unread(f"the table option {key}")
    if key == "TYPE" and cursor.peek(1).key == "=":
        key = "ENGINE"
    if key not in _NUMBERS and key not in _WORDS:
        return None
    cursor.take()
    cursor.accept("=")
    if key in _NUMBERS:
        token = cursor.take()
        return Option(key, token.text.strip("'\"").upper())
    value = cursor.word()
    if key == "ENGINE":
        return Option(key, _ENGINES.get(value.lower(), value))
    return Option(key, value.upper() if key in {"ROW_FORMAT", "ENCRYPTION", "ENCRYPTED", "COMPRESSION"} else value)
