"""Which PostgreSQL servers can be had here, from three sources in this order: a URL in the environment, the wheel, the distribution.

`DRIFTFLOW_TEST_POSTGRESQL_16_URL` names a server of version 16 on which databases may be created and dropped.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self
from urllib.parse import quote, urlsplit, urlunsplit

from driftflow.lab.binaries import installed
from driftflow.lab.postgresql import create_database, database_of, drop_database, start
from driftflow.patterns import lazy_regex

VARIABLE = lazy_regex(r"^DRIFTFLOW_TEST_(?P<vendor>POSTGRESQL)_(?P<version>\d+)_URL$")


class AnyServer(Protocol):
    """What a test or a proof needs of a server, whoever started it."""

    version: int

    def url(self, database: str = "postgres", user: str | None = None) -> str: ...

    def create_database(self, name: str | None = None) -> str: ...

    def drop_database(self, url_or_name: str) -> None: ...

    def remove(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Available:
    """One server that can be opened."""

    vendor: str
    version: int
    origin: str
    """The environment variable, the wheel, or the folder it comes from."""
    url: str = ""
    """Empty: driftflow starts it."""

    def open(self) -> AnyServer:
        """Start it, or go to the one that was given."""
        return GivenServer(self.url, self.version) if self.url else start(self.version)


def at_database(url: str, database: str, *, user: str | None = None) -> str:
    """Another database of the same server; with `user` as somebody else, without a password."""
    parts = urlsplit(url)
    place = parts.netloc if user is None else f"{quote(user)}@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit((parts.scheme, place, f"/{quote(database)}", parts.query, ""))


class GivenServer:
    """A server that somebody else runs. Only databases that we made are dropped."""

    def __init__(self, url: str, version: int) -> None:
        self.version = version
        self._url = url
        self._made: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def url(self, database: str = "postgres", user: str | None = None) -> str:
        return at_database(self._url, database, user=user)

    def create_database(self, name: str | None = None) -> str:
        database = name or f"driftflow_test_{secrets.token_hex(6)}"
        create_database(self._url, database)
        self._made.append(database)
        return self.url(database)

    def drop_database(self, url_or_name: str) -> None:
        database = database_of(url_or_name)
        if database in self._made:
            drop_database(self._url, database)
            self._made.remove(database)

    def remove(self) -> None:
        """Drop what was made here; the server stays."""
        for database in list(self._made):
            self.drop_database(database)


def available(environment: Mapping[str, str] | None = None) -> tuple[Available, ...]:
    """Every server that can be opened, one per vendor and version, oldest first."""
    found = {
        version: Available(vendor="postgresql", version=version, origin=binaries.origin)
        for version, binaries in installed().items()
    }
    for name, url in (os.environ if environment is None else environment).items():
        match = VARIABLE.match(name)
        if match and url:
            version = int(match["version"])
            found[version] = Available(vendor="postgresql", version=version, origin=name, url=url)
    return tuple(found[version] for version in sorted(found))


def server(version: int, environment: Mapping[str, str] | None = None) -> Available | None:
    """The server of one version, or None."""
    return next((one for one in available(environment) if one.version == version), None)
