"""PostgreSQL: `COLLATE "C"` compares the bytes of UTF-8, which is the order of code points; numeric has room for what bigint has not."""

from __future__ import annotations

from driftflow.dialects.exact import Exact, Kind
from driftflow.model.catalog import Column

KINDS: dict[str, Kind] = {
    "smallint": "integer", "integer": "integer", "bigint": "integer", "numeric": "decimal", "text": "text", "character varying": "text", "varchar": "text",
    "boolean": "boolean", "date": "date", "timestamp": "timestamp", "timestamp without time zone": "timestamp", "timestamptz": "timestamptz",
    "timestamp with time zone": "timestamptz",
}  # fmt: skip


class PostgreSQLExact(Exact):
    def kind(self, column: Column) -> Kind:
        """Not `character(n)`: its blanks come and go."""
        return KINDS.get(column.type.partition("(")[0].strip(), "")

    def sound(self, value: str, kind: Kind) -> str:
        if kind == "decimal":
            return f"{value} <> 'NaN'"
        return f"isfinite({value})" if kind in ("date", "timestamp", "timestamptz") else ""

    def text(self, value: str) -> str:
        return f'{value} COLLATE "C"'

    def length(self, value: str) -> str:
        return f"char_length({value})"

    def octets(self, value: str) -> str:
        return f"octet_length({value})"

    def left(self, value: str, count: int) -> str:
        return f"left({value}, {count})"

    def right(self, value: str, count: int) -> str:
        return f"right({value}, {count})"

    def contains(self, value: str, part: str) -> str:
        return f"strpos({self.text(value)}, {part}) > 0"

    def other_than(self, value: str, letters: str) -> str:
        return f"{self.text(value)} ~ '[^{letters}]'"

    def lowered(self, value: str) -> str:
        return f"lower({self.text(value)})"

    def raised(self, value: str) -> str:
        return f"upper({self.text(value)})"

    def number(self, value: str) -> str:
        return f"({value})::numeric"

    def whole_quotient(self, value: str, divisor: int) -> str:
        return f"div({value}, {divisor})"
