"""Made-up values as MySQL and MariaDB write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftflow.lab.rows.spelling import Spelling, limit_of, scale_of
from driftflow.model.catalog import Catalog, Column
from driftflow.patterns import lazy_regex

WHOLE = {
    "tinyint": 100,
    "smallint": 30_000,
    "mediumint": 8_000_000,
    "int": 2_000_000_000,
    "integer": 2_000_000_000,
    "bigint": 2_000_000_000,
}
TEXTS = ("tinytext", "text", "mediumtext", "longtext")
BLOBS = ("tinyblob", "blob", "mediumblob", "longblob")
PLAIN = {
    "float": "(({k}) / 4)",
    "double": "(({k}) / 4)",
    "real": "(({k}) / 4)",
    "date": "DATE_ADD(DATE'2021-01-04', INTERVAL (({k}) % 1500) DAY)",
    "datetime": "DATE_ADD(TIMESTAMP'2021-01-04 08:00:00', INTERVAL (({k}) % 500000) * 97 SECOND)",
    "timestamp": "DATE_ADD(TIMESTAMP'2021-01-04 08:00:00', INTERVAL (({k}) % 500000) * 97 SECOND)",
    "time": "SEC_TO_TIME(28800 + (({k}) % 40000))",
    "year": "(2000 + (({k}) % 100))",
    "json": "JSON_OBJECT('n', ({k}))",
    "uuid": "CAST(CONCAT('00000000-0000-4000-8000-', LPAD(HEX({k}), 12, '0')) AS UUID)",
    "inet4": "CAST(INET_NTOA(167772160 + ({k}) % 16000000) AS INET4)",
    "inet6": "CAST(CONCAT('fd00::', HEX(({k}) % 65536)) AS INET6)",
    "point": "POINT(({k}) % 180, ({k}) % 90)",
    "geometry": "POINT(({k}) % 180, ({k}) % 90)",
}
MEMBERS = lazy_regex(r"'(?:[^']|'')*'")
DIGITS = " UNION ALL ".join(f"SELECT {digit}{' AS d' if not digit else ''}" for digit in range(10))


class MysqlSpelling(Spelling):
    def series(self, count: int) -> str:
        """Digits side by side: both servers bound how deep a recursive query goes."""
        places = len(str(count))
        number = " + ".join(f"t{place}.d * {10**place}" for place in range(places))
        tables = " CROSS JOIN ".join(f"({DIGITS}) AS t{place}" for place in range(places))
        return f"(SELECT 1 + {number} AS n FROM {tables} WHERE 1 + {number} <= {count}) AS s"

    def divided(self, number: str, by: int) -> str:
        return f"({number} DIV {by})"

    def as_text(self, number: str) -> str:
        return f"CAST(({number}) AS CHAR)"

    def padded(self, text: str, length: int) -> str:
        return f"RPAD({text}, {length}, 'x')"

    def last(self, text: str, length: int) -> str:
        return f"RIGHT({text}, {length})"

    def joined(self, parts: Sequence[str]) -> str:
        return f"CONCAT({', '.join(parts)})"

    def value(self, column: Column, k: str, catalog: Catalog) -> str | None:
        type = column.type.lower()
        base = re.split(r"[ (]", type, maxsplit=1)[0]
        if type.startswith("tinyint(1)") or base in ("bool", "boolean"):
            return f"(({k}) % 2)"
        if base in WHOLE:
            return f"(1 + ({k}) % {WHOLE[base]})"
        if base in ("decimal", "numeric"):
            return self._decimal(type, k)
        if base in PLAIN:
            return PLAIN[base].format(k=k)
        if base in ("varchar", "char"):
            return self.text(column, k, limit=limit_of(type) or 1)
        if base in TEXTS:
            return self.text(column, k, limit=None)
        if base in ("varbinary", "binary"):
            return f"UNHEX({self.last(_hash(k), 2 * min(limit_of(type) or 1, 32))})"
        if base in BLOBS:
            return f"UNHEX({_hash(k)})"
        if base == "bit":
            return f"(({k}) % {2 ** min(limit_of(type) or 1, 30)})"
        if base == "enum":
            members = MEMBERS.findall(column.type)
            return f"ELT(1 + ({k}) % {len(members)}, {', '.join(members)})" if members else None
        return MEMBERS.findall(column.type)[0] if base == "set" and MEMBERS.search(column.type) else None

    def _decimal(self, type: str, k: str) -> str:
        whole = (limit_of(type) or 10) - scale_of(type)
        biggest = 10 ** max(0, min(whole, 9)) - 1
        fraction = f" + (({k}) % 100) / 100" if scale_of(type) >= 2 else ""
        return f"((1 + ({k})) % {biggest + 1}{fraction})" if biggest else f"((({k}) % 10) / 100)"


def _hash(k: str) -> str:
    """Hexadecimal digits. MySQL 9.6 and later have no MD5 without a component."""
    return f"SHA2({k}, 256)"
