"""What one MySQL or MariaDB session can learn about the server and about other sessions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import Blocker, DatabaseFault, ServerIdentity, SessionState
from driftflow.model.event import Session

if TYPE_CHECKING:
    from driftflow.drivers.mysql import MysqlConnection

NOW = "SELECT CONCAT(REPLACE(CAST(UTC_TIMESTAMP(6) AS CHAR), ' ', 'T'), 'Z') AS driftflow_now"
IDENTITY = """
SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid', 'hostname', 'port', 'datadir', 'server_id')
"""
BINARY_LOG = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')"
UPTIME = "SHOW GLOBAL STATUS LIKE 'Uptime'"
RESTART_SECONDS = 3
"""The server says its uptime in whole seconds, and not at the very moment when it says what time it is."""
STATE = "SELECT COMMAND FROM information_schema.PROCESSLIST WHERE ID = %s"
WAITS = """
SELECT 1 FROM information_schema.PROCESSLIST
WHERE ID = %s AND COMMAND <> 'Sleep' AND (STATE LIKE 'Waiting for %% lock' OR STATE LIKE 'Waiting for table%% flush')
"""
ROW_WAITS = "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = %s AND trx_state = 'LOCK WAIT'"
SEES_ALL = "SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'PROCESS'"
METADATA_BLOCKERS = """
SELECT DISTINCT holder.PROCESSLIST_ID
FROM performance_schema.threads AS waiter
JOIN performance_schema.metadata_locks AS wanted
  ON wanted.OWNER_THREAD_ID = waiter.THREAD_ID AND wanted.LOCK_STATUS = 'PENDING'
JOIN performance_schema.metadata_locks AS held
  ON held.LOCK_STATUS = 'GRANTED' AND held.OBJECT_TYPE = wanted.OBJECT_TYPE
 AND held.OBJECT_SCHEMA <=> wanted.OBJECT_SCHEMA AND held.OBJECT_NAME <=> wanted.OBJECT_NAME
 AND held.OWNER_THREAD_ID <> wanted.OWNER_THREAD_ID
JOIN performance_schema.threads AS holder ON holder.THREAD_ID = held.OWNER_THREAD_ID
WHERE waiter.PROCESSLIST_ID = %s AND holder.PROCESSLIST_ID IS NOT NULL
"""
ROW_BLOCKERS_OF_MYSQL = """
SELECT DISTINCT holder.PROCESSLIST_ID
FROM performance_schema.data_lock_waits AS waits
JOIN performance_schema.threads AS waiter ON waiter.THREAD_ID = waits.REQUESTING_THREAD_ID
JOIN performance_schema.threads AS holder ON holder.THREAD_ID = waits.BLOCKING_THREAD_ID
WHERE waiter.PROCESSLIST_ID = %s AND holder.PROCESSLIST_ID IS NOT NULL
"""
ROW_BLOCKERS = """
SELECT DISTINCT holder.trx_mysql_thread_id
FROM information_schema.INNODB_LOCK_WAITS AS waits
JOIN information_schema.INNODB_TRX AS waiter ON waiter.trx_id = waits.requesting_trx_id
JOIN information_schema.INNODB_TRX AS holder ON holder.trx_id = waits.blocking_trx_id
WHERE waiter.trx_mysql_thread_id = %s
"""
"""MariaDB, and MySQL before 8.0."""
ABOUT = """
SELECT p.ID, p.USER, p.COMMAND,
       COALESCE(TIMESTAMPDIFF(SECOND, t.trx_started, CURRENT_TIMESTAMP), p.TIME, 0),
       LEFT(REGEXP_REPLACE(COALESCE(p.INFO, ''), '[[:space:]]+', ' '), 120)
FROM information_schema.PROCESSLIST AS p
LEFT JOIN information_schema.INNODB_TRX AS t ON t.trx_mysql_thread_id = p.ID
WHERE p.ID = %s
"""
ABOUT_57 = ABOUT.replace("REGEXP_REPLACE(COALESCE(p.INFO, ''), '[[:space:]]+', ' ')", "REPLACE(COALESCE(p.INFO, ''), '\\n', ' ')")
"""MySQL 5.7 has no REGEXP_REPLACE."""
REPLICATION = ("Binlog Dump", "Binlog Dump GTID", "Slave_worker", "Slave_IO", "Slave_SQL", "Connect", "Daemon")


def identity(connection: MysqlConnection) -> ServerIdentity:
    """MySQL's server_uuid; MariaDB has one only since 11.x (server_uid), before that host, port and data directory stand in."""
    said = {str(name): str(value) for name, value in connection.query(IDENTITY)}
    system = (
        said.get("server_uuid")
        or said.get("server_uid")
        or ":".join(said.get(name, "") for name in ("hostname", "port", "datadir"))
    )
    database = connection.query("SELECT COALESCE(DATABASE(), '')")[0][0]
    return ServerIdentity(vendor=connection.kind, system=system, database=str(database))


def isolation(connection: MysqlConnection) -> str:
    """READ COMMITTED locks no gaps. A binary log of statements takes no write of it (error 1665): there it is the servers' own default."""
    said = {str(name): str(value).upper() for name, value in connection.query(BINARY_LOG)}
    by_statement = said.get("log_bin") in {"ON", "1"} and said.get("binlog_format") == "STATEMENT"
    return "REPEATABLE READ" if by_statement else "READ COMMITTED"


def server_started(connection: MysqlConnection) -> str:
    """When the server began, UTC: connection ids are given anew after a restart, and nothing else tells two sessions of one id apart."""
    uptime = int(connection.query(UPTIME)[0][1])
    began = datetime.fromisoformat(connection.query(NOW)[0][0]) - timedelta(seconds=uptime)
    return began.strftime("%Y-%m-%dT%H:%M:%SZ")


def _before_restart(connection: MysqlConnection, session: Session) -> bool:
    if not session.started_at:
        return False
    gap = datetime.fromisoformat(connection.session.started_at) - datetime.fromisoformat(session.started_at)
    return abs(gap.total_seconds()) > RESTART_SECONDS


def state(connection: MysqlConnection, session: Session) -> SessionState:
    if _before_restart(connection, session):
        return "gone"
    rows = connection.query(STATE, (session.id,))
    if rows:
        return "idle" if rows[0][0] == "Sleep" else "active"
    if connection.query(SEES_ALL)[0][0]:
        return "gone"
    return "unknown"  # Without PROCESS other users' sessions are not shown; ours are, but we cannot tell whose it was.


def waits(connection: MysqlConnection, session: Session) -> bool:
    """For a metadata lock, or for a row (which only PROCESS lets us see)."""
    if connection.query(WAITS, (session.id,)):
        return True
    try:
        return bool(connection.query(ROW_WAITS, (session.id,)))
    except DatabaseFault as fault:
        if fault.kind is not ErrorKind.RIGHTS:
            raise
        return False


def end(connection: MysqlConnection, session: Session, *, force: bool) -> None:
    if _before_restart(connection, session):
        return
    try:
        connection.execute(f"KILL {'CONNECTION' if force else 'QUERY'} {session.id}")
    except DatabaseFault as fault:
        if fault.code != "1094":  # no such thread: gone by itself
            raise


def blockers(connection: MysqlConnection, session: Session) -> tuple[Blocker, ...]:
    found: dict[int, Blocker] = {}
    for id in _holders(connection, session):
        if id not in found and id != session.id:
            found[id] = _about(connection, id)
    return tuple(found.values())


def _holders(connection: MysqlConnection, session: Session) -> Iterator[int]:
    modern = connection.kind == "mysql" and connection.version.major >= 8
    for query in (METADATA_BLOCKERS, ROW_BLOCKERS_OF_MYSQL if modern else ROW_BLOCKERS):
        try:
            rows = connection.query(query, (session.id,))
        except DatabaseFault as fault:
            # No right to look, or performance_schema is off (1146 there: no such table): then nobody is named.
            if fault.kind is not ErrorKind.RIGHTS and fault.code not in {"1146", "1109"}:
                raise
        else:
            yield from (int(row[0]) for row in rows)


def _about(connection: MysqlConnection, id: int) -> Blocker:
    old = connection.kind == "mysql" and connection.version.major < 8
    rows: list[Any] = connection.query(ABOUT_57 if old else ABOUT, (id,))
    if not rows:
        return Blocker(session=Session(id=id))
    _, user, command, age, query = rows[0]
    return Blocker(
        session=Session(id=id),
        user=str(user or ""),
        state="idle" if command == "Sleep" else str(command or "").lower(),
        age_seconds=max(int(age or 0), 0),
        query=str(query or ""),
        untouchable=_untouchable(str(command or ""), str(query or "")),
    )


def _untouchable(command: str, query: str) -> str:
    """Why a blocker must never be ended."""
    if command in REPLICATION:
        return "replication runs in it"
    if query.upper().startswith(
        ("SELECT /*!40001 SQL_NO_CACHE */", "FLUSH TABLES WITH READ LOCK", "BACKUP STAGE", "LOCK INSTANCE FOR BACKUP")
    ):
        return "a dump or backup"
    return ""
