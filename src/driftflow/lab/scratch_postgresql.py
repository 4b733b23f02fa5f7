"""One empty database of PostgreSQL for the lab: on a server that is started for it, or on a marked one at a URL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field

from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.errors import ConnectError
from driftflow.lab import postgresql, template
from driftflow.lab.binaries import installed
from driftflow.lab.disposable import require_mark
from driftflow.lab.scratch import Scratch, other_version
from driftflow.lab.servers import at_database
from driftflow.model.names import Version

NEWEST = 18
PARAMETER_PRIVILEGE = 15
ROLE = "driftflow"
ADMINISTRATOR = "driftflow_administrator"
SETTINGS = {"autovacuum": "off"}
SETTINGS_OF = """
SELECT s.setconfig FROM pg_catalog.pg_db_role_setting AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
WHERE d.datname = %s AND s.setrole = 0
"""


@contextmanager
def own(version: Version | None) -> Iterator[Scratch]:
    """On a new server, the nearest to the version that is here. Raises ConfigError where there is none."""
    here = sorted(installed())
    newest = here[-1] if here else NEWEST
    major = newest if version is None else next((one for one in here if one >= version.major), newest)
    with postgresql.start(major, settings=SETTINGS) as server:
        with closing(connector_for(server.url(), pooler_check=False).connect("lab")) as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER")
            connection.execute(f"CREATE ROLE {ADMINISTRATOR} LOGIN SUPERUSER")
            if major >= PARAMETER_PRIVILEGE:  # whoever applies a plan that keeps triggers from firing has it, or the plan refuses
                connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {ROLE}")
        url = server.url(user=ADMINISTRATOR)
        with closing(connector_for(url, pooler_check=False).connect("lab")) as connection:
            # The owner of most people's tables bears that name: it is made as any other that a statement names, and whoever acts as it is no superuser.
            connection.execute(f"ALTER ROLE {template.SUPERUSER} RENAME TO driftflow_bootstrap")
        note = other_version(f"PostgreSQL {major}", version, same=version is None or version.major == major)
        yield _Place(url=url, user=ROLE, server=f"PostgreSQL {major}", note=note).empty(ROLE)


@contextmanager
def given(url: str, version: Version | None) -> Iterator[Scratch]:
    """On the server at the URL, as its user, in databases that are dropped again, with the roles that had to be made. Raises RefusedError: it is
    not marked as disposable (DF-E370), or is another kind of server (DF-E680)."""
    connector = connector_for(url)
    if connector.dialect != "postgresql":
        from driftflow.lab.scratch_mysql import other_kind

        raise other_kind(connector.display, connector.dialect, "PostgreSQL")
    with closing(connector.connect("lab")) as connection:
        require_mark(connection, url=url, display=connector.display, option="--lab-url")
        here = connection.version
    note = other_version(f"PostgreSQL {here.major}", version, same=version is None or version.major == here.major)
    with ExitStack() as stack:
        place = _Place(url=url, user="", server=f"PostgreSQL {here.major} at {connector.display}", note=note)
        stack.callback(place.remove)
        yield place.empty(f"driftflow_lab_{secrets.token_hex(4)}")


@dataclass(kw_only=True)
class _Place:
    """The databases and roles on one server that the lab made. `user` owns them; empty: whoever the URL names."""

    url: str
    user: str
    server: str
    note: str
    _databases: list[str] = field(default_factory=list)
    _roles: list[str] = field(default_factory=list)

    def empty(self, name: str) -> Scratch:
        return self._made(name, template="")

    def _made(self, name: str, *, template: str) -> Scratch:
        owner = f" OWNER {self.user}" if self.user else ""
        like = f" TEMPLATE {_quoted(template)}" if template else ""
        with self._session() as connection:
            connection.execute(f"CREATE DATABASE {_quoted(name)}{like}{owner}")
            self._databases.append(name)
            for (settings,) in connection.query(SETTINGS_OF, (template,)):
                for setting in settings:
                    key, _, value = setting.partition("=")
                    connection.execute(f"ALTER DATABASE {_quoted(name)} SET {key} TO {value}")
        url = at_database(self.url, name, user=self.user or None)
        first = self._databases[0]
        return Scratch(
            connector=connector_for(url, pooler_check=False),
            database=name,
            url=url,
            server=self.server,
            note=self.note,
            administration=connector_for(at_database(self.url, name), pooler_check=False),
            role_maker=self._make_role,
            copied=lambda other: self._made(f"{first}_{other}", template=name),
            emptied=lambda other: self.empty(f"{first}_{other}"),
        )

    def _make_role(self, name: str) -> bool:
        with self._session() as connection:
            try:
                connection.execute(f"CREATE ROLE {_quoted(name)} NOLOGIN")
                self._roles.append(name)
                connection.execute(f"GRANT {_quoted(name)} TO {self.user or 'CURRENT_USER'}")
            except DatabaseFault:
                return False
        return True

    def remove(self) -> None:
        """Everything that was made; what a lost server still holds cannot be."""
        with suppress(ConnectError, DatabaseFault):
            for name in self._databases:
                postgresql.drop_database(self.url, name)
            with self._session() as connection:
                for name in self._roles:
                    connection.execute(f"DROP ROLE {_quoted(name)}")

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        administration: Connector = connector_for(self.url, pooler_check=False)
        with closing(administration.connect("lab")) as connection:
            yield connection


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
