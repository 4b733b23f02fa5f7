"""One empty database on a throw-away server of a dialect: started for it, and gone with it."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connector, DatabaseFault
from driftflow.lab import mysql, postgresql, sqlite
from driftflow.lab.binaries import installed
from driftflow.lab.mysql_programs import Flavour, Programs, find
from driftflow.lab.mysql_programs import installed as installed_mysql
from driftflow.lab.servers import AnyServer
from driftflow.model.names import Version

NEWEST_POSTGRESQL = 18
ROLE = "driftflow"
SETTINGS = {"autovacuum": "off"}
UNKNOWN_ROLE = re.compile(r'role "(?P<name>[^"]+)" does not exist')


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """`connector` opens sessions of the database's owner, who on PostgreSQL is no superuser: what runs here cannot reach the machine."""

    connector: Connector
    server: str
    """`PostgreSQL 16`, for people."""
    url: str = ""
    """The same database, for whoever connects without us. May hold a password: it is not shown."""
    note: str = ""
    """Where it is not the version that was asked for."""
    administration: Connector | None = None
    copied: Callable[[str], Scratch] | None = None
    """Another database of that name on the same server, with all that is in this one now; gone with it. Nobody may be connected to this one."""

    def make_role(self, name: str) -> bool:
        """A role of that name, which the owner may act as. False where the server has no roles to make, or does not make this one."""
        if self.administration is None:
            return False
        quoted = '"' + name.replace('"', '""') + '"'
        with closing(self.administration.connect("lab")) as connection:
            try:
                connection.execute(f"CREATE ROLE {quoted} NOLOGIN")
                connection.execute(f"GRANT {quoted} TO {ROLE}")
            except DatabaseFault:
                return False
        return True


@contextmanager
def scratch(dialect: str, version: Version | None = None, *, database: str = "") -> Iterator[Scratch]:
    """An empty database of the dialect, on the server nearest to `version` that can be started here; on MySQL and MariaDB, whose views name
    their database, it can be called `database`. Raises ConfigError where there is no server."""
    match dialect:
        case "sqlite":
            with tempfile.TemporaryDirectory(prefix="driftflow-lab-") as folder:
                file = sqlite.create(Path(folder) / "scratch.db")
                yield _sqlite(file)
        case "mysql" | "mariadb":
            with _mysql("mysql" if dialect == "mysql" else "mariadb", version, database) as found:
                yield found
        case _:
            with _postgresql(version) as found:
                yield found


def _sqlite(file: Path) -> Scratch:
    url = f"sqlite:///{file}"
    return Scratch(
        connector=connector_for(url),
        url=url,
        server=f"SQLite {sqlite3.sqlite_version}",
        copied=lambda name: _sqlite(sqlite.copy(file, file.with_name(f"{name}.db"))),
    )


@contextmanager
def _postgresql(version: Version | None) -> Iterator[Scratch]:
    here = sorted(installed())
    newest = here[-1] if here else NEWEST_POSTGRESQL
    major = newest if version is None else next((one for one in here if one >= version.major), newest)
    with postgresql.start(major, settings=SETTINGS) as server:
        administration = connector_for(server.url(), pooler_check=False)
        with closing(administration.connect("lab")) as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER")
            connection.execute(f"CREATE DATABASE {ROLE} OWNER {ROLE}")
        note = _other(f"PostgreSQL {major}", version, same=version is None or version.major == major)
        yield postgresql_database(server, ROLE, user=ROLE, note=note)


SETTINGS_OF = """
SELECT s.setconfig FROM pg_catalog.pg_db_role_setting AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
WHERE d.datname = %s AND s.setrole = 0
"""


def postgresql_database(server: AnyServer, name: str, *, user: str | None, note: str = "") -> Scratch:
    """A database of the server that is there already, used as `user` (None: as the URL says)."""

    def copied(other: str) -> Scratch:
        with closing(connector_for(server.url(), pooler_check=False).connect("lab")) as connection:
            owner = f" OWNER {user}" if user else ""
            connection.execute(f'CREATE DATABASE "{other}" TEMPLATE "{name}"{owner}')
            for (settings,) in connection.query(SETTINGS_OF, (name,)):
                for setting in settings:
                    key, _, value = setting.partition("=")
                    connection.execute(f'ALTER DATABASE "{other}" SET {key} TO {value}')
        return postgresql_database(server, other, user=user, note=note)

    return Scratch(
        connector=connector_for(server.url(name, user=user), pooler_check=False),
        url=server.url(name, user=user),
        server=f"PostgreSQL {server.version}",
        note=note,
        administration=connector_for(server.url(name), pooler_check=False),
        copied=copied,
    )


@contextmanager
def _mysql(flavour: Flavour, version: Version | None, database: str) -> Iterator[Scratch]:
    programs = _nearest(flavour, version)
    with mysql.begun(programs, folder=None, settings=None, durable=False) as server:
        name = f"{'MariaDB' if flavour == 'mariadb' else 'MySQL'} {programs.version}"
        same = version is None or (version.major, version.minor) == (programs.version.major, programs.version.minor)
        yield Scratch(
            connector=connector_for(server.create_database(database or None)), server=name, note=_other(name, version, same=same)
        )


def _nearest(flavour: Flavour, version: Version | None) -> Programs:
    here = sorted((one for one in installed_mysql() if one.flavour == flavour), key=lambda one: one.version)
    if version is None or not here:
        return here[-1] if here else find(flavour)
    return next((one for one in here if (one.version.major, one.version.minor) >= (version.major, version.minor)), here[-1])


def _other(name: str, version: Version | None, *, same: bool) -> str:
    return (
        ""
        if same
        else f"the lab has {name}; the database is version {version}: what only one of them accepts is judged by the lab's"
    )
