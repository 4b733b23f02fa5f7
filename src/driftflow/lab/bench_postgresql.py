"""A scratch database of PostgreSQL to observe in: on a server that is started for it, or on one that carries the mark.

On a server of our own everything runs as a role that is no superuser: what is observed cannot reach the machine through COPY … PROGRAM.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing

from driftflow.dialects.postgresql.effects.locks import strength
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection, Connector
from driftflow.lab import postgresql
from driftflow.lab.binaries import installed
from driftflow.lab.disposable import require_mark
from driftflow.lab.observe_postgresql import HOLDERS, alone, in_transaction
from driftflow.lab.servers import at_database
from driftflow.model.migration import Statement
from driftflow.model.observation import Seen
from driftflow.model.operations import SetSetting

ROLE = "driftflow"
SETTINGS = {"autovacuum": "off"}
"""It would take locks of its own, and change statistics between two runs of the same statement."""


def started(major: int | None = None) -> PostgresqlBench:
    """On a new server of this major version, or the newest that is here. Raises ConfigError when there is none."""
    here = installed()
    wanted = major if major is not None else max(here, default=18)
    server = postgresql.start(wanted, settings=SETTINGS)
    try:
        administration = connector_for(server.url(), pooler_check=False)
        with closing(administration.connect("lab")) as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEROLE")
        bench = PostgresqlBench(
            administration,
            lambda name: connector_for(server.url(name, user=ROLE), pooler_check=False),
            owner=ROLE,
            origin=f"started here, {here[wanted].origin}",
        )
    except BaseException:
        server.remove()
        raise
    bench.stack.callback(server.remove)
    return bench


def given(url: str) -> PostgresqlBench:
    """On the server at the URL, in databases of its own that are dropped again. Raises RefusedError where it is not marked as disposable."""
    administration = connector_for(url)
    with closing(administration.connect("observe")) as connection:
        require_mark(connection, url=url, display=administration.display)
    return PostgresqlBench(
        administration,
        lambda name: connector_for(at_database(url, name), pooler_check=False),
        owner="",
        origin=f"given, {administration.display}",
    )


class PostgresqlBench:
    """Keeps one session open. For a statement that wants no transaction it is closed for a moment: a database is copied only while nobody uses it."""

    def __init__(self, administration: Connector, at: Callable[[str], Connector], *, owner: str, origin: str) -> None:
        self.origin = origin
        self.stack = ExitStack()
        self._administration = administration
        self._at = at
        self._owner = owner
        self._database = self._create()
        self._connection: Connection | None = None
        self._settings: list[str] = []

    @property
    def schema(self) -> str:
        return ""

    @property
    def connector(self) -> Connector:
        return self._at(self._database)

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self.connector.connect("observe")
            for sql in self._settings:
                self._connection.query(sql)
        return self._connection

    def strength(self, mode: str) -> int:
        return strength(mode)

    def was_set_up(self, statements: Sequence[Statement]) -> None:
        """Copies are made by the server: nothing has to be run again."""

    def observe(self, statement: Statement) -> Seen:
        seen = in_transaction(self.connection, statement.sql, keep=True)
        if seen is None:
            seen = self._alone(statement.sql)
        if not seen.error and any(isinstance(operation, SetSetting) for operation in statement.operations):
            self._settings.append(statement.sql)
        return seen

    def _alone(self, sql: str) -> Seen:
        self._leave()
        copies: list[str] = []
        try:
            copies.extend(self._create(template=self._database) for _ in HOLDERS)
            return alone(self.connection, sql, copies=[_WithSettings(self._at(name), self._settings) for name in copies])
        finally:
            for name in copies:
                self._drop(name)

    def close(self) -> None:
        """Drop the database, and end the server that was started for it. Safe to call twice."""
        with self.stack:
            self._leave()
            self._drop(self._database)

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _create(self, *, template: str = "") -> str:
        name = f"driftflow_observe_{secrets.token_hex(6)}"
        owner = f" OWNER {self._owner}" if self._owner else ""
        with closing(self._administration.connect("observe")) as connection:
            quick = " STRATEGY FILE_COPY" if connection.version.major >= 15 else ""  # by itself 15 writes the copy to the log
            connection.execute(f"CREATE DATABASE {name}{owner}" + (f" TEMPLATE {template}{quick}" if template else ""))
        return name

    def _drop(self, name: str) -> None:
        with closing(self._administration.connect("observe")) as connection:
            connection.query("SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            connection.execute(f"DROP DATABASE IF EXISTS {name}")


class _WithSettings:
    """A connector whose sessions begin with what earlier statements SET."""

    dialect = "postgresql"

    def __init__(self, connector: Connector, settings: Sequence[str]) -> None:
        self._connector = connector
        self._settings = tuple(settings)
        self.display = connector.display

    def connect(self, purpose: str = "apply") -> Connection:
        connection = self._connector.connect(purpose)
        for sql in self._settings if purpose == "observed" else ():
            connection.query(sql)
        return connection
