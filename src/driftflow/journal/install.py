"""Installing the journal: safe to repeat, safe when two do it at once, forward only, and refused where it would leave the database."""

from __future__ import annotations

import secrets

from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.engine.transactions import transaction
from driftflow.errors import JournalError, RefusedError, RightsError
from driftflow.journal.layout import LAYOUT_VERSION, PLACES, statements

ADVISORY_KEY = 0x64726966746A  # "driftj"
PUBLICATIONS_ALL = "SELECT pubname FROM pg_catalog.pg_publication WHERE puballtables ORDER BY 1"
PUBLICATIONS_SCHEMA = """
SELECT p.pubname FROM pg_catalog.pg_publication AS p
JOIN pg_catalog.pg_publication_namespace AS n ON n.pnpubid = p.oid
JOIN pg_catalog.pg_namespace AS s ON s.oid = n.pnnspid
WHERE s.nspname = 'driftflow' ORDER BY 1
"""


def installed_version(connection: Connection) -> int:
    """0 where there is no journal."""
    if connection.dialect not in PLACES:
        raise JournalError(
            "DF-E608",
            f"plans cannot be run on {connection.dialect} by this version",
            why="there is no journal for it yet, and nothing is run without one",
            hint="driftflow assess",
        )
    place = PLACES[connection.dialect]
    if connection.dialect == "postgresql":
        there = connection.query("SELECT pg_catalog.to_regclass('driftflow.meta') IS NOT NULL")[0][0]
    else:
        there = bool(connection.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_driftflow_meta'"))
    if not there:
        return 0
    rows = connection.query(f"SELECT value FROM {place.prefix}meta WHERE key = 'version'")
    if not rows or not str(rows[0][0]).isdecimal():
        raise damaged("it does not say its version")
    return int(rows[0][0])


def damaged(what: str, why: str = "") -> JournalError:
    """Somebody changed our tables, or a restore brought back only some of them."""
    return JournalError(
        "DF-E602", f"the journal is damaged: {what}", why=why, hint="restore the driftflow tables from a backup; driftflow doctor"
    )


def checked_version(connection: Connection) -> int:
    """The version, refused when it is newer than ours."""
    version = installed_version(connection)
    if version > LAYOUT_VERSION:
        raise JournalError(
            "DF-E601",
            f"the journal in this database is of a newer driftflow (layout {version}, we know {LAYOUT_VERSION})",
            why="an older program might misread what the newer one wrote",
            hint="pip install --upgrade driftflow",
        )
    return version


def install(connection: Connection) -> None:
    """Create it, or bring it forward. Nothing is written when it is as it should be."""
    if checked_version(connection) == LAYOUT_VERSION:
        if connection.dialect == "postgresql":
            _refuse_publications(connection)
        return
    if connection.dialect == "postgresql":
        _refuse_publications(connection)
    try:
        with transaction(connection):
            _install(connection)
    except DatabaseFault as fault:
        if fault.kind is ErrorKind.RIGHTS:
            raise _rights(connection, fault) from fault
        raise


def _install(connection: Connection) -> None:
    postgresql = connection.dialect == "postgresql"
    if postgresql:
        # Two first runs at once: the second waits here, then finds everything done. The lock belongs to the transaction, so poolers keep it.
        connection.query("SELECT pg_catalog.pg_advisory_xact_lock(%s)", (ADVISORY_KEY,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS driftflow")
    version = checked_version(connection)
    for statement in statements(version, connection.dialect):
        connection.execute(statement)
    prefix = PLACES[connection.dialect].prefix
    if version == 0:
        connection.execute(f"INSERT INTO {prefix}meta (key, value) VALUES (%s, %s)", ("database_id", secrets.token_hex(16)))
        connection.execute(f"INSERT INTO {prefix}meta (key, value) VALUES (%s, %s)", ("version", str(LAYOUT_VERSION)))
    else:
        connection.execute(f"UPDATE {prefix}meta SET value = %s WHERE key = 'version'", (str(LAYOUT_VERSION),))
    if postgresql:
        # Default privileges of the database may have granted them to others.
        connection.execute("REVOKE ALL ON SCHEMA driftflow FROM PUBLIC")
        connection.execute("REVOKE ALL ON ALL TABLES IN SCHEMA driftflow FROM PUBLIC")


def _refuse_publications(connection: Connection) -> None:
    """A published journal stops the subscriber, which has no such table (measured)."""
    names = [name for (name,) in connection.query(PUBLICATIONS_ALL)]
    if connection.version.major >= 15:
        names += [name for (name,) in connection.query(PUBLICATIONS_SCHEMA)]
    if names:
        raise RefusedError(
            "DF-E309",
            f"the publication {', '.join(names)} would carry driftflow's journal to its subscribers",
            why="it publishes all tables (or the schema driftflow); a subscriber without those tables stops replicating",
            hint="publish the tables by name: ALTER PUBLICATION ... SET TABLE ..., or run the plan's SQL by hand (driftflow show --format sql)",
        )


def _rights(connection: Connection, fault: DatabaseFault) -> RightsError:
    if connection.dialect != "postgresql":
        return RightsError("DF-E414", "too few rights to create the journal", why=fault.message, hint="driftflow doctor")
    connection.rollback()
    database, user = connection.query(
        "SELECT pg_catalog.quote_ident(pg_catalog.current_database()), pg_catalog.quote_ident(current_user)"
    )[0]
    there = connection.query("SELECT pg_catalog.to_regnamespace('driftflow') IS NOT NULL")[0][0]
    grant = f"GRANT ALL ON SCHEMA driftflow TO {user}" if there else f"GRANT CREATE ON DATABASE {database} TO {user}"
    return RightsError("DF-E414", "too few rights to create the journal (schema driftflow)", why=fault.message, hint=grant)
