"""What a run pays after each of its steps: the fingerprint of two tables, in a session that took it before, in ratio to reading the whole catalog."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from rebuild import mysql_servers

from driftflow.drivers.catalogs import catalog_of, fingerprint
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection
from driftflow.lab.postgresql import Server


def run(postgresql: Server, *, tables: int, rounds: int) -> dict[str, Any]:
    found = {"postgresql": _measured(postgresql.create_database("fingerprints"), tables, rounds)}
    for name, server in mysql_servers():
        found[name] = _measured(server.create_database("fingerprints"), tables, rounds)
    return {"tables": tables, "servers": found}


def _measured(url: str, tables: int, rounds: int) -> dict[str, Any]:
    with closing(connector_for(url).connect("benchmark")) as connection:
        for number in range(tables):
            connection.execute(
                f"CREATE TABLE t{number} (id bigint PRIMARY KEY, a varchar(20) NOT NULL, b integer DEFAULT 0 CHECK (b >= 0), UNIQUE (a),"
                f" parent bigint, FOREIGN KEY (parent) REFERENCES t{max(number - 1, 0)} (id))"
            )
        names = tuple(table.name for table in list(catalog_of(connection).tables.values())[:2])
        whole = [_seconds(connection, catalog_of) for _ in range(rounds)]
        slices = [_seconds(connection, lambda session: fingerprint(session, names)) for _ in range(rounds + 1)]
    return {
        "whole_seconds": statistics.median(whole),
        "first_seconds": slices[0],
        "seconds": statistics.median(slices[1:]),
        "samples": {"whole": whole, "slices": slices},
    }


def _seconds(connection: Connection, work: Callable[[Connection], object]) -> float:
    begun = time.perf_counter()
    work(connection)
    return time.perf_counter() - begun
