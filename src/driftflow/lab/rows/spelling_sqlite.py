"""Made-up values as SQLite writes them: a declared type is a hint, and STRICT tables hold to it."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.lab.rows.spelling import Spelling, limit_of
from driftflow.model.catalog import Catalog, Column


class SqliteSpelling(Spelling):
    def series(self, count: int) -> str:
        return f"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c) AS s"

    def divided(self, number: str, by: int) -> str:
        return f"({number} / {by})"

    def as_text(self, number: str) -> str:
        return f"CAST(({number}) AS TEXT)"

    def padded(self, text: str, length: int) -> str:
        return f"substr({text} || '{'x' * min(length, 1000)}', 1, {length})"

    def last(self, text: str, length: int) -> str:
        return f"substr({text}, -{length})"

    def joined(self, parts: Sequence[str]) -> str:
        return f"({' || '.join(parts)})"

    def value(self, column: Column, k: str, catalog: Catalog) -> str | None:
        """By the words of the declared type, as SQLite's own rules of affinity read them, dates and truth values apart."""
        type = column.type.upper()
        if "BOOL" in type:
            return f"({k} % 2)"
        if "INT" in type:
            return f"(1 + {k})"
        if "DATETIME" in type or "TIMESTAMP" in type:
            return f"datetime('2021-01-04 08:00:00', (({k}) % 500000) || ' minutes')"
        if "DATE" in type:
            return f"date('2021-01-04', (({k}) % 1500) || ' days')"
        if "TIME" in type:
            return f"time('08:00:00', (({k}) % 40000) || ' seconds')"
        if "UUID" in type:
            return f"('00000000-0000-4000-8000-' || printf('%012x', {k}))"
        if "JSON" in type:
            return f"('{{\"n\": ' || ({k}) || '}}')"
        if any(word in type for word in ("CHAR", "CLOB", "TEXT", "STRING")):
            return self.text(column, k, limit=limit_of(type))
        if "BLOB" in type:
            return f"CAST(printf('%016x', {k}) AS BLOB)"
        if any(word in type for word in ("REAL", "FLOA", "DOUB")):
            return f"(({k}) / 4.0)"
        if any(word in type for word in ("NUM", "DEC")):
            return f"((1 + {k}) + (({k}) % 100) / 100.0)"
        return self.text(column, k, limit=None)
