"""The catalog of a live database, whichever vendor it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from driftflow.engine.ports import Connection, Connector
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name


def read_catalog(connector: Connector, *, sample_seconds: float = 0.0) -> Catalog:
    """The whole catalog. Raises ConnectError, RightsError, or RefusedError for a look-alike engine or an unsupported version."""
    with closing(connector.connect("catalog")) as connection:
        return catalog_of(connection, sample_seconds=sample_seconds)


def catalog_of(connection: Connection, *, relations: Sequence[Name] | None = None, sample_seconds: float = 0.0) -> Catalog:
    """The catalog, or only what concerns some relations."""
    if connection.dialect == "sqlite":
        from driftflow.drivers import sqlite_catalog

        return sqlite_catalog.read_catalog(connection, relations=relations)
    if connection.dialect in {"mysql", "mariadb"}:
        from driftflow.drivers import mysql_catalog

        return mysql_catalog.read_catalog(connection, relations=relations)
    from driftflow.drivers import postgresql_catalog

    return postgresql_catalog.read_catalog(connection, relations=relations, sample_seconds=sample_seconds)


def fingerprint(connection: Connection, relations: tuple[Name, ...]) -> str:
    """The live fingerprint of some relations: what the engine compares before it starts and before it goes on."""
    return catalog_of(connection, relations=relations).fingerprint(relations)
