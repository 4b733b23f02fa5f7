"""DF007: the system catalog is written by hand."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import Delete, Insert, Pragma, Update

_SYSTEM = {
    "postgresql": ("pg_catalog", "pg_"),
    "mysql": ("mysql", ""),
    "mariadb": ("mysql", ""),
    "sqlite": ("", "sqlite_"),
}
_OFF = ("0", "off", "no", "false")
_STATISTICS = ("sqlite_sequence", "sqlite_stat1", "sqlite_stat4")
"""SQLite documents these as writable."""


@check(
    "DF007", on=(Insert, Update, Delete, Pragma), page="statement/catalog-surgery", title="The system catalog is changed by hand"
)
def catalog_surgery(operation: Insert | Update | Delete | Pragma, at: Situation) -> Iterator[Finding]:
    if isinstance(operation, Pragma):
        opened = operation.name.lower() == "writable_schema" and (operation.value or "").lower() not in _OFF
        where = "sqlite_schema" if opened else ""
    else:
        where = operation.table.name if _is_system(operation.table, at.dialect.name) else ""
    if not where:
        return
    yield finding(
        at,
        f"{where} is changed by hand",
        axis="loses",
        severity="error",
        why="the server checks nothing there: caches, dependencies and the rows themselves are not told, and a slip makes the table unreadable",
        remedy=Remedy(
            summary="use the ALTER that does it; where there is none, rehearse it on a copy and keep a backup that was read back"
        ),
        known_by="rule",
    )


def _is_system(name: Name, dialect: str) -> bool:
    schema, prefix = _SYSTEM[dialect]
    if name.name in _STATISTICS:
        return False
    return (bool(schema) and name.schema == schema) or (
        bool(prefix) and name.name.startswith(prefix) and name.schema in ("", schema, "main")
    )
