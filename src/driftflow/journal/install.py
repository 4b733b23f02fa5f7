"""Installing the journal: safe to repeat, safe when two do it at once, forward only, and refused where it would leave the database."""

from __future__ import annotations

import secrets

from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.engine.transactions import transaction
from driftflow.errors import JournalError, RefusedError, RightsError
from driftflow.journal.layout import LAYOUT_VERSION, MYSQL_BESIDE, MYSQL_DATABASE, Place, found_place, place_of, statements

ADVISORY_KEY = 0x64726966746A  # "driftj"
NAMED_LOCK = "driftflow.journal"
LOCK_SECONDS = 30
DUPLICATE_KEY_NAME = "1061"
"""MySQL's error number for an index that is there already; it knows no CREATE INDEX IF NOT EXISTS."""
PUBLICATIONS_ALL = "SELECT pubname FROM pg_catalog.pg_publication WHERE puballtables ORDER BY 1"
PUBLICATIONS_SCHEMA = """
SELECT p.pubname FROM pg_catalog.pg_publication AS p
JOIN pg_catalog.pg_publication_namespace AS n ON n.pnpubid = p.oid
JOIN pg_catalog.pg_namespace AS s ON s.oid = n.pnnspid
WHERE s.nspname = 'driftflow' ORDER BY 1
"""


def installed_version(connection: Connection) -> int:
    """0 where there is no journal."""
    if not _there(connection):
        return 0
    place = place_of(connection)
    rows = connection.query(f"SELECT value FROM {place.prefix}meta WHERE {place.key} = 'version'")
    if not rows and not place.transactional:
        return 0  # Its making was cut off between two statements.
    if not rows or not str(rows[0][0]).isdecimal():
        raise damaged("it does not say its version")
    return int(rows[0][0])


def _there(connection: Connection) -> bool:
    match connection.dialect:
        case "postgresql":
            return bool(connection.query("SELECT pg_catalog.to_regclass('driftflow.meta') IS NOT NULL")[0][0])
        case "sqlite":
            return bool(connection.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_driftflow_meta'"))
        case _:
            return found_place(connection) is not None


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
        if connection.dialect in {"mysql", "mariadb"}:
            _install_mysql(connection)
        else:
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
    place = place_of(connection)
    version = checked_version(connection)
    for statement in statements(version, place):
        connection.execute(statement)
    _say_version(connection, place, version)
    if postgresql:
        # Default privileges of the database may have granted them to others.
        connection.execute("REVOKE ALL ON SCHEMA driftflow FROM PUBLIC")
        connection.execute("REVOKE ALL ON ALL TABLES IN SCHEMA driftflow FROM PUBLIC")


def _say_version(connection: Connection, place: Place, before: int) -> None:
    new = f"INSERT INTO {place.prefix}meta ({place.key}, value) VALUES (%s, %s)"
    if before == 0:
        connection.execute(new, ("database_id", secrets.token_hex(16)))
        connection.execute(new, ("version", str(LAYOUT_VERSION)))
    else:
        connection.execute(f"UPDATE {place.prefix}meta SET value = %s WHERE {place.key} = 'version'", (str(LAYOUT_VERSION),))


def _install_mysql(connection: Connection) -> None:
    """Every DDL statement commits, so each may be repeated, and the version is said last. The lock is the session's; a second installer
    waits for it, then finds everything done."""
    if not connection.query("SELECT GET_LOCK(%s, %s)", (NAMED_LOCK, LOCK_SECONDS))[0][0]:
        raise JournalError(
            "DF-E610", "somebody else is making the journal", why=f"for {LOCK_SECONDS} s already", hint="driftflow doctor"
        )
    try:
        version = checked_version(connection)
        if version == LAYOUT_VERSION:
            return
        place = found_place(connection) or _new_place(connection)
        for statement in statements(version, place):
            try:
                connection.execute(statement)
            except DatabaseFault as fault:
                if fault.code != DUPLICATE_KEY_NAME:
                    raise
        with transaction(connection):
            connection.execute(f"DELETE FROM {place.prefix}meta WHERE %s = 0", (version,))
            _say_version(connection, place, version)
    finally:
        connection.query("SELECT RELEASE_LOCK(%s)", (NAMED_LOCK,))


def install_beside(connection: Connection) -> None:
    """On MySQL and MariaDB: in the database of the data, though a database of its own could be made. Nothing else on the server is touched. The
    database must be new: nothing is brought forward here."""
    for statement in statements(0, MYSQL_BESIDE):
        connection.execute(statement)
    with transaction(connection):
        _say_version(connection, MYSQL_BESIDE, 0)


def _new_place(connection: Connection) -> Place:
    """A database of its own, out of the way of dumps and of tools that compare the schema; beside the data where we may not make one."""
    try:
        connection.execute("CREATE DATABASE IF NOT EXISTS driftflow")
        connection.execute(statements(0, MYSQL_DATABASE)[0])
    except DatabaseFault as fault:
        if fault.kind is not ErrorKind.RIGHTS:
            raise
        return MYSQL_BESIDE
    return MYSQL_DATABASE


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
