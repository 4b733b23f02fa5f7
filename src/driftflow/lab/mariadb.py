"""Throw-away MariaDB servers: `with start(10) as server: connect(server.url())`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from driftflow.lab.mysql import Server, begun
from driftflow.lab.mysql_programs import find


def start(
    major: int | None = None, *, folder: Path | None = None, settings: Mapping[str, str] | None = None, durable: bool = False
) -> Server:
    """A running MariaDB of this major version (the first that is found where none is said); else as `lab.mysql.start`."""
    return begun(find("mariadb", major), folder=folder, settings=settings, durable=durable)
