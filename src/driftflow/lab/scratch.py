"""One empty database on a throw-away server of a dialect: started for it and gone with it, or given by URL and left as it was."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connector
from driftflow.errors import RefusedError
from driftflow.lab import sqlite
from driftflow.lab.mysql_programs import Flavour
from driftflow.model.names import Version
from driftflow.patterns import lazy_regex

UNKNOWN_ROLE = lazy_regex(r'role "(?P<name>[^"]+)" does not exist')


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """`connector` opens sessions of the database's owner, who on a PostgreSQL of our own is no superuser: what runs here cannot reach the machine."""

    connector: Connector
    server: str
    """`PostgreSQL 16`, for people."""
    database: str = ""
    url: str = ""
    """The same database, for whoever connects without us. May hold a password: it is not shown."""
    note: str = ""
    """Where it is not the version that was asked for."""
    gaps: tuple[str, ...] = ()
    """What of the settings that were asked for this server does not have, as sentences."""
    administration: Connector | None = None
    role_maker: Callable[[str], bool] | None = None
    account_maker: Callable[[str, str], bool] | None = None
    """The same for (user, host) of MySQL and MariaDB, where nobody can act as the account and its rights go by the tables' names."""
    copied: Callable[[str], Scratch] | None = None
    """Another database on the same server, with all that is in this one now; gone with it. Nobody may be connected to this one. On MySQL and
    MariaDB, where a plan says the name of its database, it takes the place of this one and of the copy before it, as this one was at first."""
    emptied: Callable[[str], Scratch] | None = None
    """Another database without anything in it; the same is true of it."""

    def make_role(self, name: str) -> bool:
        """A role of that name, which the owner may act as. False where the server has no roles to make, or does not make this one."""
        return self.role_maker is not None and self.role_maker(name)

    def make_missing(self, fault: str, code: str, sql: str) -> bool:
        """Whoever a statement names that the server refused because they are not here. False where that was not it, or none could be made."""
        if self.account_maker is not None:
            from driftflow.lab.mysql_accounts import NOBODY, named_in

            named = named_in(sql, mariadb=self.connector.dialect == "mariadb") if code in NOBODY else ()
            return sum(self.account_maker(user, host) for user, host in named) > 0  # all of them, and not only the first
        missing = UNKNOWN_ROLE.search(fault)
        return missing is not None and self.make_role(missing["name"])


@contextmanager
def scratch(
    dialect: str,
    version: Version | None = None,
    *,
    database: str = "",
    settings: Mapping[str, str] | None = None,
    on: str = "",
) -> Iterator[Scratch]:
    """An empty database of the dialect, on the server nearest to `version` that can be started here, or on the one at the URL `on`, which
    must carry the mark of a disposable one. On MySQL and MariaDB, whose plans and views name their database, it can be called `database`;
    there and on SQLite `settings` are those of the database that it stands for. Raises ConfigError where there is no server, RefusedError where the one
    at the URL may not be used."""
    match dialect:
        case "sqlite":
            if on:
                raise RefusedError(
                    "DF-E681", "SQLite has no server to give", why="the lab makes files of its own", hint="leave out --lab-url"
                )
            with tempfile.TemporaryDirectory(prefix="driftflow-lab-") as folder:
                wal = (settings or {}).get("journal_mode", "").lower() == "wal"
                yield _sqlite(sqlite.create(Path(folder) / "scratch.db", wal=wal), wal=wal)
        case "mysql" | "mariadb":
            from driftflow.lab import scratch_mysql

            flavour: Flavour = "mysql" if dialect == "mysql" else "mariadb"
            said = settings or {}
            with (
                scratch_mysql.given(on, flavour, version, database, said)
                if on
                else scratch_mysql.own(flavour, version, database, said)
            ) as found:
                yield found
        case _:
            from driftflow.lab import scratch_postgresql

            with scratch_postgresql.given(on, version) if on else scratch_postgresql.own(version) as found:
                yield found


def _sqlite(file: Path, *, wal: bool) -> Scratch:
    url = f"sqlite:///{file}"
    return Scratch(
        connector=connector_for(url),
        database=file.stem,
        url=url,
        server=f"SQLite {sqlite3.sqlite_version}",
        copied=lambda name: _sqlite(sqlite.copy(file, file.with_name(f"{name}.db")), wal=wal),
        emptied=lambda name: _sqlite(sqlite.create(file.with_name(f"{name}.db"), wal=wal), wal=wal),
    )


def other_version(name: str, version: Version | None, *, same: bool) -> str:
    """What is said where the lab's server is not of the version that was asked for."""
    if same:
        return ""
    return f"the lab has {name}; the database is version {version}: what only one of them accepts is judged by the lab's"
