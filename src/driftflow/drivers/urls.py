"""Database URLs: read, shown without their secret, and turned into a connector.

Accepted: `postgresql://`, `postgres://`, `mysql://`, `mariadb://`, `sqlite:///relative`, `sqlite:////absolute`, SQLAlchemy's `dialect+driver://`
forms, and `file:` URIs. A password may stand in the URL, or come from PGPASSWORD, `.pgpass`, a service file (libpq reads those itself),
MYSQL_PWD, `~/.my.cnf` or a password command.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from driftflow.drivers.mysql_place import completed, place_of
from driftflow.engine.ports import Connector
from driftflow.errors import ConfigError, ConnectError, UsageError
from driftflow.model.record import Record

SCHEMES: Mapping[str, str] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mariadb",
    "sqlite": "sqlite",
    "file": "sqlite",
}
SECRET_OPTIONS = frozenset({"password", "sslpassword", "passfile", "sslkey"})


class DatabaseUrl(Record, frozen=True, kw_only=True):
    """A URL taken apart. `text` holds the secret and is never shown: `repr` and `display` leave it out."""

    dialect: str
    text: str
    """What the driver takes: a libpq URL, or for SQLite the path or `file:` URI."""
    display: str
    database: str = ""

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.display!r})"

    __str__ = __repr__


def parse_url(url: str) -> DatabaseUrl:
    """Raises ConfigError for a scheme that is not known, without ever repeating the URL's secret."""
    scheme, separator, _ = url.partition(":")
    vendor = SCHEMES.get(scheme.partition("+")[0].lower())
    if not separator or vendor is None:
        raise _unknown(scheme if separator else "")
    match vendor:
        case "sqlite":
            return _sqlite(url)
        case "mysql" | "mariadb":
            place = place_of(url)
            return DatabaseUrl(dialect=place.scheme, text=url, display=place.display, database=place.database)
        case _:
            return _postgresql(url)


def _unknown(scheme: str) -> ConfigError:
    name = scheme.partition("+")[0].lower()
    return ConfigError(
        "DF-E110",
        f"not a database URL: its scheme is {name!r}" if name.isidentifier() else "not a database URL: it has no scheme",
        hint="postgresql://user@host:5432/database, mysql://user@host:3306/database or sqlite:///path/to/file.db",
    )


def _postgresql(url: str) -> DatabaseUrl:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise ConfigError(
            "DF-E112", "the database URL cannot be read", why=_harmless(str(fault)), hint="postgresql://user@host:5432/database"
        ) from None
    options = parse_qsl(parts.query, keep_blank_values=True)
    shown = [(name, value) for name, value in options if name not in SECRET_OPTIONS]
    host = parts.hostname or ""
    place = (
        (f"{parts.username}@" if parts.username else "") + (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    )
    socket = dict(options).get("host", "")
    return DatabaseUrl(
        dialect="postgresql",
        text=urlunsplit(("postgresql", parts.netloc, parts.path, parts.query, "")),
        display=f"postgresql://{place}{parts.path}" + (f"?{urlencode(shown, quote_via=quote, safe='/')}" if shown else ""),
        database=unquote(parts.path.lstrip("/")) or dict(options).get("dbname", "") or parts.username or socket,
    )


def _harmless(message: str) -> str:
    """urllib quotes the offending part, which may be half a password."""
    return (
        "the port is not a number"
        if "port" in message.lower()
        else "host or user name is malformed (is '@', '/' or '[' percent-encoded?)"
    )


def _sqlite(url: str) -> DatabaseUrl:
    if url.startswith("file:"):
        return DatabaseUrl(dialect="sqlite", text=url, display=url, database="main")
    _, _, rest = url.partition("://")
    path, _, query = rest.partition("?")
    if not path.startswith("/"):
        raise ConfigError(
            "DF-E113",
            "a SQLite URL takes no host",
            hint="sqlite:///relative/file.db (three slashes) or sqlite:////absolute/file.db (four)",
        )
    path = unquote(path[1:])
    if path in {"", ":memory:"}:
        raise ConfigError(
            "DF-E114", "an in-memory database cannot be migrated: nobody else can reach it", hint="sqlite:///file.db"
        )
    return DatabaseUrl(dialect="sqlite", text=path, display=f"sqlite:///{path}" + (f"?{query}" if query else ""), database="main")


def connector_for(
    url: str,
    *,
    password_command: str = "",
    read_only: bool = False,
    statement_timeout_ms: int = 0,
    pooler_check: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Connector:
    """What opens sessions to the database at `url`. Nothing is contacted yet, no driver is imported for another vendor.

    `read_only` opens sessions that cannot write (SQLite by the file's mode, the servers by their transactions' default).
    """
    parsed = parse_url(url)
    known = os.environ if environment is None else environment
    if parsed.dialect in {"mysql", "mariadb"}:
        try:
            from driftflow.drivers.mysql import MysqlConnector
        except ImportError as fault:
            raise ConnectError(
                "DF-E400",
                "the driver of MySQL and MariaDB is not installed",
                why=str(fault),
                hint="pip install 'driftflow[mysql]'",
            ) from fault
        asked = _command_output(password_command) if password_command else ""
        place = completed(place_of(url), secret=asked, environment=known, home=Path.home())
        return MysqlConnector(place, read_only=read_only, statement_timeout_ms=statement_timeout_ms)
    if parsed.dialect == "sqlite":
        from driftflow.drivers.sqlite import SqliteConnector

        return SqliteConnector(parsed.text, display=parsed.display, read_only=read_only)
    try:
        from driftflow.drivers.postgresql import PostgresqlConnector
    except ImportError as fault:
        raise ConnectError(
            "DF-E400", "the PostgreSQL driver is not installed", why=str(fault), hint="pip install 'driftflow[postgresql]'"
        ) from fault
    secret = _command_output(password_command) if password_command else known.get("PGPASSWORD", "")
    return PostgresqlConnector(
        parsed.text,
        display=parsed.display,
        password="" if urlsplit(parsed.text).password else secret,
        read_only=read_only,
        statement_timeout_ms=statement_timeout_ms,
        pooler_check=pooler_check,
    )


def source_connector(variable: str, *, environment: Mapping[str, str] | None = None) -> Connector:
    """The database that a plan's QuerySource reads from: `variable` names the environment variable that holds its URL."""
    url = (os.environ if environment is None else environment).get(variable, "")
    if not url:
        raise UsageError(
            "DF-E115", f"the environment variable {variable} is not set", why="the plan reads its source rows from that database",
            hint=f"export {variable}=postgresql://user@host/database",
        )  # fmt: skip
    return connector_for(url, read_only=True)


def _command_output(command: str) -> str:
    """The first line that the command prints. Its output is never part of a message."""
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=60, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, ValueError, subprocess.SubprocessError) as fault:
        reason = f"exit code {fault.returncode}" if isinstance(fault, subprocess.CalledProcessError) else type(fault).__name__
        raise ConfigError(
            "DF-E116",
            "the password command failed",
            why=reason,
            hint="run it by hand; it must print the password on its first line",
        ) from None
    return done.stdout.splitlines()[0] if done.stdout else ""
