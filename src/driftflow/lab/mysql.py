"""Throw-away MySQL servers: `with start(9) as server: connect(server.url())`. `lab/mariadb.py` starts MariaDB in the same way.

A server has its own data directory, socket and loopback port, and is gone with the process that started it, whatever ends that process:
a small keeper process holds the other end of a pipe, and kills and removes the server when the pipe closes.
"""

from __future__ import annotations

import atexit
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import quote

from driftflow.errors import ConfigError, DatabaseError
from driftflow.lab import account, mysql_template
from driftflow.lab.mysql_programs import Programs, find
from driftflow.lab.mysql_settings import DURABLE, FAST, settings_of
from driftflow.lab.postgresql import StopMode, free_port
from driftflow.model.names import Version

if TYPE_CHECKING:
    from pymysql.connections import Connection as RawConnection

READY_SECONDS = 60
STOP_SECONDS = 30
ROOT = "root"
"""The superuser; through the private socket it needs no password."""
USER = "driftflow"
"""What the lab connects as: every right on every table, and none over the server."""
OWNER = "driftflow_owner"
"""Whom a plan is proved as: every right in the databases that it was given, and the right to give them on; nothing in others. MySQL lets nobody give a right
on a table who has it on all databases without GRANT OPTION, whatever was granted on the one database (error 1142, measured on 9.7)."""

KEEPER = """
cat >/dev/null
pid=$(cat "$1/server.pid" 2>/dev/null)
if [ -n "$pid" ] && tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$1"; then kill -9 "$pid"; fi
[ "$2" = keep ] || rm -rf "$1"
"""


def start(
    major: int | None = None, *, folder: Path | None = None, settings: Mapping[str, str] | None = None, durable: bool = False
) -> Server:
    """A running MySQL of this major version (the first that is found where none is said).

    Without `folder` it lives in the lab's own folder and is removed at the end; a `folder` that is given keeps its data, and a data
    directory that is already in it is used again. `durable` turns the syncs to disk on.
    """
    return begun(find("mysql", major), folder=folder, settings=settings, durable=durable)


def begun(programs: Programs, *, folder: Path | None, settings: Mapping[str, str] | None, durable: bool) -> Server:
    """A running server of these programs."""
    home = folder or account.servers_folder() / secrets.token_hex(4)
    wanted = {**settings_of(programs), **(DURABLE if durable else FAST), **(settings or {})}
    server = Server(programs, home, keep=folder is not None, settings=wanted)
    try:
        server.begin()
    except BaseException:
        server.remove()
        raise
    return server


class Server:
    """One throw-away server. Ends with `with`, with `remove()`, or with the process."""

    def __init__(self, programs: Programs, home: Path, *, keep: bool, settings: Mapping[str, str]) -> None:
        self.flavour = programs.flavour
        self.version = programs.version
        self.programs = programs
        self.home = home
        self.data = home / "data"
        self.log = home / "log"
        self.socket = home / "socket"
        self.port = 0
        self._keep = keep
        self._settings = settings
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    # where it is

    @property
    def pid(self) -> int:
        """The server's process id. Raises ConfigError when it does not run."""
        if self._process is None:
            raise ConfigError("DF-E444", "the throw-away server is not running", where=str(self.home), hint="call restart()")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "", user: str | None = None) -> str:
        """Through the private socket, as the lab's own user or as `root`."""
        name = user or USER
        secret = "" if name == ROOT else f":{self._password}"
        return (
            f"{self.flavour}://{quote(name)}{secret}@localhost/{quote(database)}?unix_socket={quote(str(self.socket), safe='')}"
        )

    def tcp_url(self, database: str = "", user: str | None = None, password: str | None = None) -> str:
        """Through the loopback port, which asks everybody for a password."""
        secret = self._password if password is None else password
        return f"{self.flavour}://{quote(user or USER)}:{quote(secret)}@127.0.0.1:{self.port}/{quote(database)}"

    def create_database(self, name: str | None = None) -> str:
        """A fresh database; its URL."""
        self._databases += 1
        database = name or f"db{os.getpid()}_{self._databases}"
        with self.administration() as execute:
            execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        return self.url(database)

    def give_database(self, database: str) -> None:
        """`OWNER` may make it, work in it, and give others rights in it, of those that it has itself."""
        pattern = database.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
        with self.administration() as execute:
            for name in self._accounts(OWNER):
                execute(f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO {name} WITH GRANT OPTION")

    def drop_database(self, url_or_name: str) -> None:
        """Drop it, when it is there."""
        with self.administration() as execute:
            execute(f"DROP DATABASE IF EXISTS `{database_of(url_or_name)}`")

    @contextmanager
    def administration(self) -> Iterator[Any]:
        """`execute(sql)` as root, for what belongs to the server itself."""
        connection = _connect(self.socket)
        try:
            with connection.cursor() as cursor:
                yield cursor.execute
        finally:
            connection.close()

    # life

    def begin(self) -> None:
        """Make the data directory when there is none, and start."""
        if len(bytes(self.socket)) > 100:  # a socket's path may have 107 bytes
            self.socket = account.servers_folder() / f"{secrets.token_hex(4)}.socket"
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        account.give(self.home)
        if not (self.data / "mysql").exists():
            mysql_template.copy(mysql_template.template(self.programs), self.data)
        self._keeper = self._start_keeper()
        atexit.register(self.remove)
        self._start()
        self._make_users()

    def stop(self, mode: StopMode = "fast") -> None:
        """End the server, keeping its data: `fast` in order, `immediate` as a crash would."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM if mode == "fast" else signal.SIGKILL)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop when it runs, and start again on the same port and data."""
        self.stop(mode)
        self._start()

    def remove(self) -> None:
        """End the server and delete what it kept (unless its folder was given). Safe to call twice."""
        atexit.unregister(self.remove)
        self.stop("fast" if self._keep else "immediate")
        self.socket.unlink(missing_ok=True)
        if not self._keep:
            account.remove(self.home)
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper = None

    # how

    def _start(self) -> None:
        for _ in range(5):  # the free port may be taken by somebody else before the server binds it
            self.port = self.port or free_port()
            with self.log.open("ab") as log:
                self._process = self._spawn(log)
            if self._wait_until_ready():
                return
            taken = "Address already in use" in self.log_text()[-4000:]
            self.stop("immediate")
            if not taken:
                break
            self.port = 0
        raise DatabaseError(
            "DF-E464",
            f"the throw-away {self.flavour} {self.version} did not start",
            where=str(self.log),
            why=self.log_text()[-2000:].strip() or "its log is empty",
            hint="driftflow doctor --lab",
        )

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        places = {
            "datadir": str(self.data),
            # Two MariaDB servers name their temporary tables alike in a folder that they share.
            "tmpdir": str(self.data),
            "socket": str(self.socket),
            "pid-file": str(self.home / "server.pid"),
            "port": str(self.port),
            "bind-address": "127.0.0.1",
        }
        options = [f"--{name}={value}" for name, value in {**self._settings, **places}.items()]
        command = [*self.programs.command, "--no-defaults", *mysql_template.places_of(self.programs), *options]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **account.process_arguments())

    def _start_keeper(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "driftflow-lab-keeper", str(self.home), "keep" if self._keep else "remove"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **account.process_arguments(),
        )

    def _wait_until_ready(self) -> bool:
        import pymysql

        assert self._process is not None
        ends = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends and self._process.poll() is None:
            if _answers(self.socket):
                try:
                    _connect(self.socket).close()
                except pymysql.Error:
                    pass
                else:
                    return True
            time.sleep(0.02)
        return False

    def _make_users(self) -> None:
        """No rights over the server: what the lab runs cannot change its settings, write files or end other people's sessions."""
        with self.administration() as execute:
            for name in (*self._accounts(USER), *self._accounts(OWNER)):
                execute(f"CREATE USER IF NOT EXISTS {name}")
                # In a statement of its own: a data directory that is used again has the user already, with another password.
                execute(f"ALTER USER {name} IDENTIFIED BY '{self._password}'")
            for name in self._accounts(USER):
                execute(f"GRANT {IN_A_DATABASE}, PROCESS ON *.* TO {name}")
            for name in self._accounts(OWNER):
                execute(f"GRANT PROCESS ON *.* TO {name}")
                execute(f"GRANT SELECT ON mysql.* TO {name}")
                execute(f"GRANT SELECT ON performance_schema.* TO {name}")
                for right in self._of_definers():
                    execute(f"GRANT {right} ON *.* TO {name}")

    def _of_definers(self) -> tuple[str, ...]:
        """Triggers of the database that a plan is proved for run as whoever made them, also where a plan makes them again."""
        if self.flavour == "mariadb":
            return ("SET USER",) if self.version >= Version(major=10, minor=5) else ()
        if self.version < Version(major=8, minor=0, patch=16):
            return ()
        # SYSTEM_USER: for those that have it, root for one.
        return ("SET_ANY_DEFINER" if self.version >= Version(major=8, minor=2) else "SET_USER_ID", "SYSTEM_USER")

    @staticmethod
    def _accounts(user: str) -> tuple[str, ...]:
        return tuple(f"'{user}'@'{host}'" for host in ("localhost", "127.0.0.1"))

    def log_text(self) -> str:
        """What the server wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


IN_A_DATABASE = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, "
    "SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER"
)


def database_of(url_or_name: str) -> str:
    """The database's name in a URL, or the name itself."""
    found = re.match(r"^(?:mysql|mariadb)://[^/]*/([^?]*)", url_or_name)
    return found.group(1) if found else url_or_name


def _answers(path: Path) -> bool:
    """Whether somebody listens. Asked first, since PyMySQL leaves a socket open that is refused."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _connect(path: Path) -> RawConnection[Any]:
    import pymysql

    return pymysql.connect(
        unix_socket=str(path), user=ROOT, connect_timeout=5, autocommit=True, charset="utf8mb4", ssl_disabled=True
    )
