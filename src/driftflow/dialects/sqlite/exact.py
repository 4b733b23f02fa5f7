"""SQLite: a column may hold what its type does not say, and integers beyond 64 bits silently become approximate; both are looked for."""

from __future__ import annotations

from driftflow.dialects.exact import Exact, Kind
from driftflow.model.catalog import Column

TYPES: dict[Kind, str] = {"integer": "integer", "text": "text"}


class SQLiteExact(Exact):
    def kind(self, column: Column) -> Kind:
        """By affinity (SQLite documentation, "Datatypes In SQLite"): only integers and texts are compared exactly."""
        declared = column.type.upper()
        if "INT" in declared:
            return "integer"
        return "text" if any(word in declared for word in ("CHAR", "CLOB", "TEXT")) else ""

    def sound(self, value: str, kind: Kind) -> str:
        """length() stops at a NUL character, so a text that has one is not sound either."""
        held = f"typeof({value}) = '{TYPES[kind]}'"
        return f"{held} AND instr({value}, char(0)) = 0" if kind == "text" else held

    def text(self, value: str) -> str:
        return f"{value} COLLATE BINARY"

    def length(self, value: str) -> str:
        return f"length({value})"

    def octets(self, value: str) -> str:
        return f"length(CAST({value} AS BLOB))"

    def left(self, value: str, count: int) -> str:
        return f"substr({value}, 1, {count})"

    def right(self, value: str, count: int) -> str:
        return f"substr({value}, -{count})"

    def contains(self, value: str, part: str) -> str:
        return f"instr({value}, {part}) > 0"

    def other_than(self, value: str, letters: str) -> str:
        return f"{value} GLOB '*[^{letters}]*'"

    def has_room(self, number: str) -> str:
        return f"typeof({number}) <> 'real'"

    def whole_quotient(self, value: str, divisor: int) -> str:
        return f"{value} / {divisor}"
