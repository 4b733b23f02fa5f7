"""A connection as any application opens one: the plain driver, without retry, with a limit to how long it waits for a lock. Nothing of driftflow's."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def plain_connection(url: str, *, application: str, lock_timeout_ms: int) -> Any:
    """The driver's own connection, in autocommit: sqlite3's, psycopg's or PyMySQL's. May be handed to another thread.

    MySQL and MariaDB count the lock timeout in whole seconds, one at the least.
    """
    match url.partition(":")[0]:
        case "sqlite":
            import sqlite3

            path, seconds = url.removeprefix("sqlite:///"), lock_timeout_ms / 1000
            connection: Any = sqlite3.connect(path, isolation_level=None, timeout=seconds, check_same_thread=False)
            connection.execute("PRAGMA foreign_keys=ON")
        case "mysql" | "mariadb":
            connection = _mysql(url, max(1, lock_timeout_ms // 1000))
        case _:
            import psycopg

            options = f"-c lock_timeout={lock_timeout_ms}"
            connection = psycopg.connect(url, autocommit=True, application_name=application, options=options)
            # What a statement was prepared for, a change of types may end: whether an application prepares its statements is its own affair.
            connection.prepare_threshold = None
    return connection


def _mysql(url: str, lock_timeout_seconds: int) -> Any:
    import pymysql

    parts = urlsplit(url)
    socket = parse_qs(parts.query).get("unix_socket", [None])[0]
    connection = pymysql.connect(
        host=parts.hostname or "localhost",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or os.environ.get("MYSQL_PWD", "")),
        unix_socket=socket,
        # Nobody listens in on a socket, and certificates to check nobody with take longer to load than all else.
        ssl_disabled=socket is not None,
        database=parts.path.lstrip("/"),
        autocommit=True,
        charset="utf8mb4",
    )
    with connection.cursor() as cursor:
        for setting in ("lock_wait_timeout", "innodb_lock_wait_timeout"):
            cursor.execute(f"SET SESSION {setting} = {lock_timeout_seconds}")
    return connection
