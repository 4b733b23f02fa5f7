"""Whether a server is a replica of another one, how far it is behind, and which replicas a primary knows. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.errors import RefusedError

READ_ONLY = ("read_only", "super_read_only")


class Replica:
    """One server that is given as a replica."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    @property
    def display(self) -> str:
        """The URL without its secret."""
        return self._connector.display

    def connect(self, primary: Connection) -> Connection:
        """A session that only reads, when it is a replica of the primary's database. Raises RefusedError (DF-E756), ConnectError."""
        if self._connector.dialect == "sqlite":
            raise self._refused("a file of SQLite has no replicas: a copy is another database")
        connection = self._connector.connect("replica")
        try:
            if connection.dialect != primary.dialect:
                raise self._refused(f"it is {connection.dialect}, and the primary is {primary.dialect}")
            reason = _postgresql(connection, primary) if connection.dialect == "postgresql" else _mysql(connection, primary)
            if reason:
                raise self._refused(reason)
        except DatabaseFault as fault:
            connection.close()
            raise self._refused(f"what it replicates cannot be seen: {fault.message}") from fault
        except RefusedError:
            connection.close()
            raise
        return connection

    def lag(self, connection: Connection, primary: Connection) -> str:
        """How far it is behind now, for people."""
        try:
            return _lag_postgresql(connection, primary) if connection.dialect == "postgresql" else _lag_mysql(connection)
        except DatabaseFault as fault:
            return f"how far behind cannot be seen ({fault.message})"

    def _refused(self, why: str) -> RefusedError:
        return RefusedError(
            "DF-E756",
            "this is no replica of the database that is changed",
            where=self.display,
            why=why,
            hint="name one of its replicas, or leave --replica-url out",
        )


def _postgresql(connection: Connection, primary: Connection) -> str:
    """Why it is none. The identifier of a cluster is given by initdb and goes with every physical copy, so recovery has to be seen too."""
    if not connection.query("SELECT pg_catalog.pg_is_in_recovery()")[0][0]:
        return "it is not in recovery: a server of its own, or a copy that was promoted"
    here, there = connection.identity(), primary.identity()
    if "unreadable" in (here.system, there.system):
        return "the system identifier cannot be read: GRANT pg_read_all_settings, or EXECUTE on pg_control_system()"
    if here.system != there.system:
        return f"its system identifier is {here.system}, the primary's {there.system}"
    if here.database != there.database:
        return f"it is connected to the database {here.database.partition(':')[2]}, the primary to {there.database.partition(':')[2]}"
    return ""


def _lag_postgresql(connection: Connection, primary: Connection) -> str:
    replayed = connection.query("SELECT pg_catalog.pg_last_wal_replay_lsn()::text")[0][0]
    behind = int(
        primary.query("SELECT greatest(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), %s::pg_lsn), 0)", (replayed,))[
            0
        ][0]
    )
    if behind == 0:
        return "level with the primary"
    age = connection.query(
        "SELECT coalesce(round(extract(epoch FROM clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()))::bigint, 0)"
    )[0][0]
    return f"{behind:,} bytes of WAL behind, its last transaction {age} s ago"


def _mysql(connection: Connection, primary: Connection) -> str:
    """Why it is none: it has to be read-only and to replicate, directly, from the server that is changed."""
    said = _variables(connection, *READ_ONLY)
    if not any(value.upper() in {"ON", "1"} for value in said.values()):
        return "it is not read-only"
    status = _status(connection)
    if not status:
        return "it replicates from nobody"
    own = _variables(primary, "server_uuid", "server_id")
    for source in status:
        uuid, number = _field(source, "UUID"), _field(source, "Server_Id")
        if uuid and uuid == own.get("server_uuid"):
            break
        if not uuid and str(number) == own.get("server_id"):  # MariaDB tells no UUID
            break
    else:
        return "it replicates from another server"
    here, there = (str(one.query("SELECT DATABASE()")[0][0]) for one in (connection, primary))
    return f"it is connected to the database {here}, the primary to {there}" if here != there else ""


def _lag_mysql(connection: Connection) -> str:
    seconds = next((value for one in _status(connection) if (value := _field(one, "Seconds_Behind")) is not None), None)
    return "and its replication does not run: how far behind is unknown" if seconds is None else f"{seconds} s behind"


def _status(connection: Connection) -> list[dict[str, Any]]:
    modern = connection.dialect == "mysql"
    return connection.query_dicts("SHOW REPLICA STATUS" if modern else "SHOW ALL SLAVES STATUS")


def _field(row: Mapping[str, Any], end: str) -> Any:
    """`Source_UUID`, `Master_Server_Id`, `Seconds_Behind_Master`: the servers name the same thing after different words."""
    for prefix, suffix in (("Source_", ""), ("Master_", ""), ("", "_Source"), ("", "_Master")):
        if (name := f"{prefix}{end}{suffix}") in row:
            return row[name]
    return None


def _variables(connection: Connection, *names: str) -> dict[str, str]:
    listed = ", ".join(f"'{name}'" for name in names)
    return {str(name): str(value) for name, value in connection.query(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({listed})")}


def known_replicas(primary: Connection, asked: Sequence[Connection]) -> tuple[str, ...]:
    """Those that replicate from the primary and are not among the connections: by name and address. Raises DatabaseFault where they may not be seen."""
    if primary.dialect == "sqlite":
        return ()
    if primary.dialect == "postgresql":
        return _known_postgresql(primary, asked)
    return _known_mysql(primary, asked)


def _known_postgresql(primary: Connection, asked: Sequence[Connection]) -> tuple[str, ...]:
    rows = primary.query(
        "SELECT coalesce(r.application_name, 'one that we may not see'), coalesce(host(r.client_addr), 'local') FROM pg_catalog.pg_stat_replication r"
        " LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid"
        " WHERE coalesce(s.slot_type, 'physical') = 'physical' AND coalesce(r.application_name, '') !~ '^pg_(basebackup|receivewal)' ORDER BY 1, 2"
    )
    known = [(str(name), str(address)) for name, address in rows]
    for connection in asked:
        name = str(connection.query("SELECT coalesce(nullif(current_setting('cluster_name'), ''), 'walreceiver')")[0][0])
        address = str(connection.query("SELECT coalesce(host(inet_server_addr()), 'local')")[0][0])
        connection.rollback()
        fits = [one for one in known if one == (name, address)] or [one for one in known if name == one[0] or address == one[1]]
        if fits or known:
            known.remove(fits[0] if fits else known[0])
    return tuple(f"{name} at {address}" for name, address in known)


def _known_mysql(primary: Connection, asked: Sequence[Connection]) -> tuple[str, ...]:
    told = primary.query_dicts("SHOW REPLICAS" if primary.dialect == "mysql" else "SHOW SLAVE HOSTS")
    rows = [{name.lower(): value for name, value in row.items()} for row in told]
    numbers = {_variables(one, "server_id").get("server_id") for one in asked}
    return tuple(
        f"server {row['server_id']} at {row['host'] or 'an unnamed host'}:{row['port']}"
        for row in rows
        if str(row["server_id"]) not in numbers
    )
