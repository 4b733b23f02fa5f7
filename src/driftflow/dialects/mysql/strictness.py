"""sql_mode: whether a value that does not fit is an error.

Source: MySQL 8.4 manual, "Server SQL Modes", "Strict SQL Mode".
"""

from __future__ import annotations

from collections.abc import Mapping

STRICT = frozenset({"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "TRADITIONAL"})


def is_strict(sql_mode: str) -> bool:
    return bool(STRICT & set(sql_mode.upper().split(",")))


def strict(sql_mode: str) -> Mapping[str, str]:
    """These modes, and strict beside them where they are not: zero dates and the like mean what they meant."""
    if is_strict(sql_mode):
        return {}
    return {"sql_mode": ",".join([*(one for one in sql_mode.split(",") if one), "STRICT_ALL_TABLES"])}
