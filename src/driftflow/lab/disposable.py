"""The mark of a server that may be thrown away: nothing is observed on a server without it, unless the lab started it."""

from __future__ import annotations

import os
from urllib.parse import unquote

from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import RefusedError
from driftflow.lab import mysql_settings, settings

HOW = {
    "postgresql": f"{settings.DISPOSABLE} = on in its postgresql.conf",
    "mysql": f"--report-host={mysql_settings.DISPOSABLE} at its start",
    "mariadb": f"--report-host={mysql_settings.DISPOSABLE} at its start",
}


def require_mark(connection: Connection, *, url: str, display: str, option: str = "--on") -> None:
    """Raises RefusedError where the server does not say of itself that it may be thrown away. A mark that the URL or PGOPTIONS brings along
    is none: it says what the session wants, not what the server is."""
    brought = f"{unquote(url)} {os.environ.get('PGOPTIONS', '')}"
    if settings.DISPOSABLE in brought or not _marked(connection):
        raise RefusedError(
            "DF-E370",
            "statements are observed on throw-away servers only, and this one does not carry the mark of one",
            where=display,
            why=f"a server that may be thrown away says so itself: {HOW.get(connection.dialect, 'a file never does')}",
            hint=f"leave out {option}: driftflow starts a server of its own",
        )


def _marked(connection: Connection) -> bool:
    if connection.dialect == "postgresql":
        (found,) = connection.query("SELECT pg_catalog.current_setting(%s, true)", (settings.DISPOSABLE,))[0]
        return bool(found == "on")
    if connection.dialect in {"mysql", "mariadb"}:
        try:
            return bool(connection.query("SELECT @@GLOBAL.report_host")[0][0] == mysql_settings.DISPOSABLE)
        except DatabaseFault:
            return False
    return False
