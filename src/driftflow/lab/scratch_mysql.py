"""One empty database of MySQL or MariaDB for the lab: on a server that is started for it, or on a marked one at a URL."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress

from pymysql.err import MySQLError

from driftflow.dialects.mysql.keywords import quote
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import RefusedError
from driftflow.journal.install import install_beside
from driftflow.lab import mysql, mysql_accounts
from driftflow.lab.disposable import require_mark
from driftflow.lab.mysql_copy import Kept, create_database, keep, put_back
from driftflow.lab.mysql_programs import Flavour, Programs, find, installed
from driftflow.lab.mysql_settings import UNSYNCED
from driftflow.lab.scratch import Scratch, other_version
from driftflow.lab.servers import at_database
from driftflow.model.names import Version

TITLES = {"mysql": "MySQL", "mariadb": "MariaDB"}
HERE = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s"


def charset_of(settings: Mapping[str, str]) -> str:
    """What CREATE DATABASE says so that tables without a character set get the one that they have in the database of these settings; utf8mb4 where
    they do not say it, for a MariaDB that nobody configured would take latin1."""
    charset, collation = settings.get("character_set_database", ""), settings.get("collation_database", "")
    return f" CHARACTER SET {charset} COLLATE {collation}" if charset and collation else " CHARACTER SET utf8mb4"


@contextmanager
def own(flavour: Flavour, version: Version | None, database: str, settings: Mapping[str, str]) -> Iterator[Scratch]:
    """On a new server, the nearest to the version that is here, with the sql_mode of these settings. Raises ConfigError where there is none."""
    programs = _nearest(flavour, version)
    mode = {"sql-mode": settings["sql_mode"]} if "sql_mode" in settings else {}
    wanted = {**UNSYNCED[flavour], **mode}
    with mysql.begun(programs, folder=None, settings=wanted, durable=False) as server:
        name = f"{TITLES[flavour]} {programs.version}"
        same = version is None or (version.major, version.minor) == (programs.version.major, programs.version.minor)
        place = _Place(
            lambda database: server.url(database, user=mysql.OWNER), name, other_version(name, version, same=same), own=server
        )
        yield place.empty(database or "scratch", charset_of(settings))


@contextmanager
def given(url: str, flavour: Flavour, version: Version | None, database: str, settings: Mapping[str, str]) -> Iterator[Scratch]:
    """On the server at the URL, in databases that are dropped again. Raises RefusedError: it is not marked as disposable (DF-E370), is another
    kind of server (DF-E680), or has a database of that name (DF-E679)."""
    connector = connector_for(at_database(url, ""))
    if connector.dialect not in TITLES:
        raise other_kind(connector.display, connector.dialect, TITLES[flavour])
    database = database or f"driftflow_lab_{secrets.token_hex(4)}"
    with closing(connector.connect("lab")) as connection:
        require_mark(connection, url=url, display=connector.display, option="--lab-url")
        if connection.dialect != flavour:
            raise other_kind(connector.display, TITLES.get(connection.dialect, connection.dialect), TITLES[flavour])
        if connection.query(HERE, (database,)):
            raise RefusedError(
                "DF-E679",
                f"the server of --lab-url has a database {database} already",
                where=connector.display,
                why="the plan's statements say that name, so the lab would have to make its own database under it, and it touches nobody else's",
                hint=f"give a server without a database {database}, or leave out --lab-url",
            )
        here = connection.version
        gaps = _gaps(connection, settings)
    name = f"{TITLES[flavour]} {here}"
    same = version is None or (version.major, version.minor) == (here.major, here.minor)
    place = _Place(
        lambda other: at_database(url, other), f"{name} at {connector.display}", other_version(name, version, same=same), gaps
    )
    try:
        yield place.empty(database, charset_of(settings))
    finally:
        place.remove()


def other_kind(where: str, here: str, wanted: str) -> RefusedError:
    return RefusedError(
        "DF-E680",
        f"the server of --lab-url is {here}, and this needs {wanted}",
        where=where,
        why="what another kind of server does shows nothing",
        hint="give the URL of another server, or leave out --lab-url: driftflow starts one of its own",
    )


def _gaps(connection: Connection, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Where the given server, whose settings are not ours to change, works otherwise than the database does."""
    (mode,) = connection.query("SELECT @@GLOBAL.sql_mode")[0]
    wanted = settings.get("sql_mode")
    if wanted is None or {*wanted.split(",")} == {*str(mode).split(",")}:
        return ()
    return (f"the lab's server has sql_mode {mode or 'empty'!s}, the database {wanted or 'empty'}",)


class _Place:
    """The databases on one server that the lab made: the one that is tried on, and one that keeps what the start held."""

    def __init__(
        self, at: Callable[[str], str], server: str, note: str, gaps: tuple[str, ...] = (), *, own: mysql.Server | None = None
    ) -> None:
        self._at, self._server, self._note, self._gaps, self._own = at, server, note, gaps, own
        self._store = f"driftflow_lab_{secrets.token_hex(4)}"
        self._kept: Kept | None = None
        self._made: set[str] = set()
        self._accounts: list[tuple[str, str]] = []

    def empty(self, database: str, options: str) -> Scratch:
        with self._session() as connection:
            if database in self._made:
                mysql_accounts.take_rights(connection, database)
                connection.execute(f"DROP DATABASE IF EXISTS {quote(database)}")
            self._mine(database)
            _create(connection, database, options)
        return self._scratch(database, options)

    def _emptied(self, database: str, options: str) -> Scratch:
        place = self.empty(database, options)
        with closing(place.connector.connect("lab")) as connection:
            install_beside(connection)
        return place

    def _copied(self, database: str) -> None:
        with self._session() as connection:
            if self._kept is None:
                self._mine(self._store)
                self._kept = keep(connection, database, self._store)
            put_back(connection, self._kept)
            install_beside(connection)

    def _scratch(self, database: str, options: str) -> Scratch:
        connector = connector_for(self._at(database))

        def copied(name: str) -> Scratch:
            self._copied(database)
            return self._scratch(database, options)

        return Scratch(
            connector=connector,
            database=database,
            url=self._at(database),
            server=self._server,
            note=self._note,
            gaps=self._gaps,
            account_maker=self._make_account,
            copied=copied,
            emptied=lambda name: self._emptied(database, options),
        )

    def _mine(self, database: str) -> None:
        if self._own is not None and database not in self._made:
            self._own.give_database(database)
        self._made.add(database)

    def _make_account(self, user: str, host: str) -> bool:
        try:
            if self._own is not None:
                with self._own.administration() as execute:
                    mysql_accounts.made(execute, user, host)
            else:
                with self._session() as connection:
                    mysql_accounts.made(connection.execute, user, host)
        except (DatabaseFault, MySQLError):
            return False  # it is there already, or the URL's user may make none
        self._accounts.append((user, host))
        return True

    def remove(self) -> None:
        with self._session() as connection:
            for name in self._made:
                mysql_accounts.take_rights(connection, name)
                connection.execute(f"DROP DATABASE IF EXISTS {quote(name)}")
            for user, host in self._accounts:
                with suppress(DatabaseFault):
                    mysql_accounts.dropped(connection.execute, user, host)

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        with closing(connector_for(self._at("")).connect("lab")) as connection:
            yield connection


def _create(connection: Connection, database: str, options: str) -> None:
    """Another version may not know the collation: then the tables that say none get the server's own."""
    try:
        create_database(connection, database, options)
    except DatabaseFault:
        create_database(connection, database)


def _nearest(flavour: Flavour, version: Version | None) -> Programs:
    here = sorted((one for one in installed() if one.flavour == flavour), key=lambda one: one.version)
    if version is None or not here:
        return here[-1] if here else find(flavour)
    return next((one for one in here if (one.version.major, one.version.minor) >= (version.major, version.minor)), here[-1])
