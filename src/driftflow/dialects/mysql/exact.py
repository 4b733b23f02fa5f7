"""MySQL and MariaDB: text as the bytes of utf8mb4, so that neither case nor blanks at the end are passed over; decimals have room for what bigint has not."""

from __future__ import annotations

from driftflow.dialects.exact import Exact, Kind
from driftflow.model.catalog import Column

INTEGERS = {"tinyint", "smallint", "mediumint", "int", "integer", "bigint"}
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}


class MySQLExact(Exact):
    def kind(self, column: Column) -> Kind:
        """Not TIMESTAMP: what is read of it depends on the session's time zone."""
        word = column.type.lower().partition("(")[0].split()[0] if column.type else ""
        if word in INTEGERS:
            return "integer"
        if word in TEXTS:
            return "text" if "binary" not in column.type.lower() else ""
        kinds: dict[str, Kind] = {"decimal": "decimal", "numeric": "decimal", "date": "date", "datetime": "timestamp"}
        return kinds.get(word, "")

    def text(self, value: str) -> str:
        return f"CAST(CONVERT({value} USING utf8mb4) AS BINARY)"

    def length(self, value: str) -> str:
        return f"CHAR_LENGTH({value})"

    def octets(self, value: str) -> str:
        return f"LENGTH(CONVERT({value} USING utf8mb4))"

    def left(self, value: str, count: int) -> str:
        return f"LEFT({value}, {count})"

    def right(self, value: str, count: int) -> str:
        return f"RIGHT({value}, {count})"

    def contains(self, value: str, part: str) -> str:
        return f"LOCATE({self.text(part)}, {self.text(value)}) > 0"

    def other_than(self, value: str, letters: str) -> str:
        return f"(CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin) REGEXP '[^{letters}]'"

    def lowered(self, value: str) -> str:
        """Not by the column's collation: the Turkish one makes another letter of `I`."""
        return f"LOWER(CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin)"

    def raised(self, value: str) -> str:
        return f"UPPER(CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin)"

    def number(self, value: str) -> str:
        return f"CAST({value} AS DECIMAL(65, 0))"

    def whole_quotient(self, value: str, divisor: int) -> str:
        return f"TRUNCATE({value} / {divisor}, 0)"
