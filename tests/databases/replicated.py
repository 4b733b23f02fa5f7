"""A primary with one replica that really replicates, for tests: PostgreSQL by streaming, MySQL and MariaDB by the binary log."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from driftflow.drivers.urls import connector_for
from driftflow.lab import account, mariadb, mysql, postgresql
from wanted import mysql_programs_of

SECONDS = 60


class Pair:
    """`url(database)` of the primary, `replica_url(database)` of its replica."""

    def __init__(self, vendor: str, primary: Any, replica: Any) -> None:
        self.vendor = vendor
        self.primary = primary
        self.replica = replica

    def url(self, database: str) -> str:
        return str(self.primary.url(database, **self._as_root))

    def replica_url(self, database: str) -> str:
        return str(self.replica.url(database, **self._as_root))

    @property
    def _as_root(self) -> dict[str, str]:
        """What a replica tells of itself takes a right of the server."""
        return {} if self.vendor == "postgresql" else {"user": "root"}

    def database(self, *statements: str) -> str:
        """A fresh one on the primary, with these statements in it, when the replica has it too; its name."""
        url = self.primary.create_database()
        name = url.partition("?")[0].rpartition("/")[2]
        execute(self.url(name), *statements, "CREATE TABLE arrived (id integer PRIMARY KEY)")
        arrived = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'arrived' AND table_schema IN ('public', %s)"
        until = time.monotonic() + SECONDS
        while True:
            try:
                if value(self.replica_url(name), arrived, name):
                    return str(name)
            except Exception:  # the replica does not know the database yet, in the words of whichever driver it is
                if time.monotonic() > until:
                    raise
            assert time.monotonic() < until, "the replica never got it"
            time.sleep(0.1)


def execute(url: str, *statements: str) -> None:
    with closing(connector_for(url).connect("test")) as connection:
        for statement in statements:
            connection.begin()
            connection.execute(statement)
            connection.commit()


def command(url: str, sql: str) -> None:
    """What stands in no transaction."""
    with closing(connector_for(url).connect("test")) as connection:
        connection.query(sql)


def value(url: str, query: str, *parameters: Any) -> Any:
    with closing(connector_for(url).connect("test")) as connection:
        return connection.query(query, parameters or None)[0][0]


@contextmanager
def pair_of(name: str) -> Iterator[Pair]:
    """`postgresql-18`, `mariadb-10`, ...: two servers, ended with the context."""
    with ExitStack() as stack:
        if name.startswith("postgresql"):
            yield _postgresql(stack, int(name.partition("-")[2]))
        else:
            yield _mysql(stack, name)


def _postgresql(stack: ExitStack, version: int) -> Pair:
    primary = stack.enter_context(postgresql.start(version))
    with (primary.data / "pg_hba.conf").open("a") as rules:
        rules.write("local replication all trust\n")
    execute(primary.url(), "SELECT pg_reload_conf()")
    home = account.servers_folder() / f"replica-{primary.port}"
    home.mkdir(mode=0o700, parents=True)
    account.give(home)
    stack.callback(account.remove, home)
    command = [
        str(primary.binaries.program("pg_basebackup")),
        "-D",
        str(home / "data"),
        "-d",
        primary.url(),
        "-R",
        "-c",
        "fast",
        "--no-sync",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    _give_all(home)
    return Pair(
        "postgresql", primary, stack.enter_context(postgresql.start(version, folder=home, settings={"cluster_name": "reader"}))
    )


def _give_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        account.give(path)


def _mysql(stack: ExitStack, name: str) -> Pair:
    flavour, _, major = name.partition("-")
    mysql_programs_of(name)
    lab = mysql if flavour == "mysql" else mariadb
    gtid = {"gtid-mode": "ON", "enforce-gtid-consistency": "ON"} if flavour == "mysql" else {}
    primary = stack.enter_context(lab.start(int(major), settings=gtid))
    replica = stack.enter_context(lab.start(int(major), settings={**gtid, "server-id": "2", "report-host": "reader"}))
    with primary.administration() as run:
        run("CREATE USER 'copy'@'%' IDENTIFIED BY 'copy-it'")
        run("GRANT REPLICATION SLAVE ON *.* TO 'copy'@'%'")
    with replica.administration() as run:
        for statement in _follow(flavour, primary.port):
            run(statement)
    return Pair(flavour, primary, replica)


def _follow(flavour: str, port: int) -> tuple[str, ...]:
    if flavour == "mysql":
        source = f"SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, SOURCE_USER = 'copy', SOURCE_PASSWORD = 'copy-it'"
        return (
            "RESET BINARY LOGS AND GTIDS",
            f"CHANGE REPLICATION SOURCE TO {source}, SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1",
            "START REPLICA",
            "SET GLOBAL read_only = ON",
        )
    source = f"MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'copy', MASTER_PASSWORD = 'copy-it'"
    return (f"CHANGE MASTER TO {source}, MASTER_USE_GTID = no", "START SLAVE", "SET GLOBAL read_only = ON")
