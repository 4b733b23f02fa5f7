"""DF673: a migration switches strict mode off, and what does not fit is changed without an error."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import SetSetting


@check(
    "DF673",
    on=SetSetting,
    page="mysql/not-strict",
    title="Without strict mode values are changed silently",
    dialects=("mysql", "mariadb"),
)
def not_strict(operation: SetSetting, at: Situation) -> Iterator[Finding]:
    """SET sql_mode without STRICT_TRANS_TABLES, in a migration: what follows is cut, clamped or zeroed."""
    name = operation.name.removeprefix("global.")
    if name != "sql_mode" or operation.value is None:
        return
    value = operation.value.upper()
    if "STRICT_" in value or "TRADITIONAL" in value or "@@" in value or value.startswith(("CONCAT", "@")):
        return
    yield finding(
        at,
        "values that do not fit are cut, clamped or zeroed from here on, without an error",
        axis="loses",
        severity="warning",
        why="sql_mode has no STRICT_TRANS_TABLES: a string too long is cut, NULL becomes 0 in a NOT NULL column, an unknown ENUM member becomes ''",
        remedy=Remedy(
            summary="keep strict mode, and repair the values that do not fit",
            sql="SET sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES');",
        ),
        near="sql_mode",
    )
