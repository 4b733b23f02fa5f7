"""Dialects by name. A dialect is imported only when it is asked for: its parser is not needed to print help."""

from __future__ import annotations

from functools import cache

from driftflow.dialects.base import Dialect
from driftflow.errors import ConfigError

NAMES: dict[str, str] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "pg": "postgresql",
    "mysql": "mysql",
    "mariadb": "mariadb",
    "maria": "mariadb",
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
}
"""Accepted spellings, and the dialect's own name."""


def dialect_named(name: str) -> Dialect:
    """The dialect of that name or one of its spellings. Raises ConfigError (DF-E110) naming the known ones."""
    canonical = NAMES.get(name.strip().lower())
    if canonical is None:
        known = ", ".join(sorted(set(NAMES.values())))
        raise ConfigError(
            "DF-E117",
            f"there is no dialect called {name!r}",
            why=f"known dialects: {known}",
            hint='set dialect = "postgresql", "mysql", "mariadb" or "sqlite" in driftflow.toml, or pass --dialect',
        )
    return _load(canonical)


@cache
def _load(name: str) -> Dialect:
    match name:
        case "postgresql":
            from driftflow.dialects.postgresql import PostgreSQL

            return PostgreSQL()
        case "mysql":
            from driftflow.dialects.mysql import MySQL

            return MySQL()
        case "mariadb":
            from driftflow.dialects.mariadb import MariaDB

            return MariaDB()
        case "sqlite":
            from driftflow.dialects.sqlite import SQLite

            return SQLite()
        case _:
            raise AssertionError(name)
