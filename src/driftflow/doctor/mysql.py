"""Examinations of a MySQL or MariaDB server. All are reads; what needs a right that is missing says which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftflow.dialects.mysql.capabilities import INSTANT_ANYWHERE, row_version_limit
from driftflow.doctor import Examination, Examined

if TYPE_CHECKING:
    from driftflow.engine.ports import Connection

LONG_TRANSACTION_SECONDS = 5
NEEDED = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES", "TRIGGER", "CREATE VIEW", "SHOW VIEW",
    "LOCK TABLES",
)  # fmt: skip
"""On the database: what plans are made of, and what their checks read."""
SETTINGS = (
    "read_only", "super_read_only", "wsrep_on", "lock_wait_timeout", "innodb_lock_wait_timeout", "performance_schema", "log_bin",
    "binlog_format", "sql_require_primary_key", "foreign_key_checks", "innodb_rollback_on_timeout", "lower_case_table_names",
)  # fmt: skip


def _settings(connection: Connection) -> dict[str, str]:
    """Of the server, by name; those that it does not know are not there."""
    names = ", ".join(f"'{name}'" for name in SETTINGS)
    return {str(name): str(value) for name, value in connection.query(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")}


def _on(value: str) -> bool:
    return value.upper() in {"ON", "1", "YES"}


def server(connection: Connection) -> Iterator[Examined]:
    version, comment, database = connection.query("SELECT @@version, @@version_comment, DATABASE()")[0]
    yield Examined(name="server", state="ok", found=f"{connection.dialect} {version} ({comment})")
    if not database:
        yield Examined(
            name="server",
            state="problem",
            found="the URL names no database",
            hint=f"{connection.dialect}://user@host:3306/database",
        )
    said = _settings(connection)
    if _on(said.get("super_read_only", "")) or _on(said.get("read_only", "")):
        yield Examined(
            name="server",
            state="problem",
            found="the server is read-only: a replica, or switched by its operators",
            hint="use the primary's address",
        )
    if _on(said.get("wsrep_on", "")):
        yield Examined(
            name="server",
            state="warning",
            found="a Galera cluster: each DDL statement runs on every node at the same place, and everybody's writes wait for it",
            hint="run long statements when a stop of all writes can be borne",
        )


def rights(connection: Connection) -> Iterator[Examined]:
    """As the server's own tables list them; what a role brings is not in them, so then a missing right is a warning only."""
    user, database = connection.query("SELECT CURRENT_USER(), DATABASE()")[0]
    name, _, host = str(user).rpartition("@")
    grantee = f"'{name}'@'{host}'"
    held = {
        str(right).upper()
        for (right,) in connection.query(
            "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = %s"
            " UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = %s AND %s LIKE TABLE_SCHEMA",
            (grantee, grantee, database or ""),
        )
    }
    missing = [right for right in NEEDED if right not in held]
    if not missing:
        yield Examined(name="rights", state="ok", found=f"{user} may change tables of {database}")
        return
    by_role = bool(connection.query("SELECT 1 FROM information_schema.APPLICABLE_ROLES LIMIT 1"))
    yield Examined(
        name="rights",
        state="warning" if by_role else "problem",
        found=f"{user} lacks {', '.join(missing)} on {database}" + (", unless a role brings them" if by_role else ""),
        hint=f"GRANT {', '.join(missing)} ON `{database}`.* TO {grantee};",
    )


def sight(connection: Connection) -> Iterator[Examined]:
    """What is needed to name who is in the way."""
    user = connection.query("SELECT CURRENT_USER()")[0][0]
    name, _, host = str(user).rpartition("@")
    if connection.query("SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'PROCESS' LIMIT 1"):
        yield Examined(name="sessions", state="ok", found="other sessions' statements can be read, so blockers can be named")
    else:
        yield Examined(
            name="sessions",
            state="warning",
            found="other sessions are hidden: a blocker cannot be named, a wait for a row lasts up to a second, and used row versions cannot be read",
            hint=f"GRANT PROCESS ON *.* TO '{name}'@'{host}';",
        )
    if not _on(_settings(connection).get("performance_schema", "")):
        yield Examined(
            name="metadata locks",
            state="warning",
            found="performance_schema is off: who holds a table against an ALTER cannot be seen",
            hint="performance_schema=ON in the server's option file, and a restart",
        )
        return
    enabled = connection.query(
        "SELECT ENABLED FROM performance_schema.setup_instruments WHERE NAME = 'wait/lock/metadata/sql/mdl'"
    )
    if enabled and str(enabled[0][0]) == "YES":
        yield Examined(name="metadata locks", state="ok", found="performance_schema shows who holds a table")
    else:
        yield Examined(
            name="metadata locks",
            state="warning",
            found="their instrument is off: who holds a table against an ALTER cannot be seen",
            hint="UPDATE performance_schema.setup_instruments SET ENABLED = 'YES' WHERE NAME = 'wait/lock/metadata/sql/mdl';",
        )


def journal_place(connection: Connection) -> Iterator[Examined]:
    """Where driftflow keeps what a run did: in a database of its own, or beside the data."""
    from driftflow.journal.layout import found_place

    place = found_place(connection)
    if place is not None:
        where = "in the database driftflow" if place.shared else "in tables _driftflow_* beside the data"
        yield Examined(name="journal", state="ok", found=f"kept {where}")
        return
    user = connection.query("SELECT CURRENT_USER()")[0][0]
    name, _, host = str(user).rpartition("@")
    grantee = f"'{name}'@'{host}'"
    rows = connection.query(
        "SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = %s AND PRIVILEGE_TYPE = 'CREATE'"
        " UNION SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = %s AND 'driftflow' LIKE TABLE_SCHEMA"
        " AND PRIVILEGE_TYPE = 'CREATE'",
        (grantee, grantee),
    )
    if rows:
        yield Examined(name="journal", state="ok", found="the first run makes the database driftflow for it")
    else:
        yield Examined(
            name="journal",
            state="ok",
            found="the first run makes tables _driftflow_* beside the data for it",
            hint=f"for a database of its own, out of dumps and schema comparisons: GRANT ALL ON driftflow.* TO {grantee};",
        )


def settings(connection: Connection) -> Iterator[Examined]:
    said = _settings(connection)
    yield Examined(
        name="timeouts",
        state="ok",
        found=f"lock_wait_timeout={said.get('lock_wait_timeout')} s, innodb_lock_wait_timeout={said.get('innodb_lock_wait_timeout')} s;"
        " each step has its own, and what waits for longer is ended from a second session",
    )
    if not _on(said.get("foreign_key_checks", "ON")):
        yield Examined(
            name="foreign keys",
            state="warning",
            found="foreign_key_checks is off for new sessions: a foreign key is added without looking at the rows",
            hint="SET GLOBAL foreign_key_checks = ON;",
        )
    if _on(said.get("log_bin", "")) and said.get("binlog_format", "ROW").upper() != "ROW":
        yield Examined(
            name="binary log",
            state="warning",
            found=f"binlog_format is {said.get('binlog_format')}: a replica may carry out a backfill's statement on other rows",
            hint="SET GLOBAL binlog_format = 'ROW';",
        )


def replicas(connection: Connection) -> Iterator[Examined]:
    """A replica applies a DDL statement as long as the primary ran it, and nothing behind it meanwhile."""
    rows = connection.query("SELECT USER, HOST FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'")
    if not rows:
        yield Examined(name="replicas", state="ok", found="none connected")
        return
    yield Examined(
        name="replicas",
        state="ok",
        found=f"{len(rows)} connected: each falls behind by the time that a table copy or an index build takes",
    )


def long_transactions(connection: Connection) -> Iterator[Examined]:
    rows = connection.query(
        "SELECT t.trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()), COALESCE(p.COMMAND, ''), LEFT(COALESCE(p.INFO, ''), 80)"
        " FROM information_schema.INNODB_TRX AS t LEFT JOIN information_schema.PROCESSLIST AS p ON p.ID = t.trx_mysql_thread_id"
        f" WHERE TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) >= {LONG_TRANSACTION_SECONDS}"
        " AND t.trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) ORDER BY t.trx_started LIMIT 10"
    )
    if not rows:
        yield Examined(name="long transactions", state="ok", found=f"none of {LONG_TRANSACTION_SECONDS} s or more")
    for thread, age, command, query in rows:
        doing = "idle" if command == "Sleep" else " ".join(str(query).split()) or str(command).lower()
        yield Examined(
            name="long transactions",
            state="warning",
            found=f"session {thread} has had a transaction open for {age} s ({doing})",
            hint="an ALTER of what it read waits for it, and every later query of that table waits behind the ALTER",
        )


def engines(connection: Connection) -> Iterator[Examined]:
    rows = connection.query(
        "SELECT ENGINE, COUNT(*), MIN(TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
        " AND TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB' GROUP BY ENGINE ORDER BY 2 DESC"
    )
    if not rows:
        yield Examined(name="engines", state="ok", found="every table is InnoDB's")
    for engine, count, example in rows:
        yield Examined(
            name="engines",
            state="warning",
            found=f"{count} tables are {engine} ({example}, ...): no transaction holds there, and an ALTER copies while writers wait",
            hint=f"ALTER TABLE `{example}` ENGINE=InnoDB;",
        )


def row_versions(connection: Connection) -> Iterator[Examined]:
    """Instant changes are counted per table, and at the limit ALGORITHM=INSTANT is an error."""
    if connection.dialect != "mysql" or connection.version < INSTANT_ANYWHERE:
        return
    most = row_version_limit(connection.version)
    rows = connection.query(
        "SELECT NAME, TOTAL_ROW_VERSIONS FROM information_schema.INNODB_TABLES WHERE NAME LIKE CONCAT(DATABASE(), '/%%')"
        " AND TOTAL_ROW_VERSIONS >= %s ORDER BY 2 DESC LIMIT 10",
        (most * 3 // 4,),
    )
    if not rows:
        yield Examined(name="row versions", state="ok", found=f"no table is near the {most} instant changes that it may have")
    for name, count in rows:
        table = str(name).partition("/")[2].partition("#")[0]
        yield Examined(
            name="row versions",
            state="warning",
            found=f"{table} has used {count} of {most} instant changes; at the limit the next one writes the table anew",
            hint=f"OPTIMIZE TABLE `{table}`; -- writes it anew, at a time of your choosing",
        )


def leftovers(connection: Connection) -> Iterator[Examined]:
    """What an ALTER leaves behind when the server died in it."""
    table = "INNODB_TABLES" if connection.dialect == "mysql" and connection.version.major >= 8 else "INNODB_SYS_TABLES"
    rows = connection.query(f"SELECT NAME FROM information_schema.{table} WHERE NAME LIKE CONCAT(DATABASE(), '/#sql-%') LIMIT 10")
    if not rows:
        yield Examined(name="leftovers", state="ok", found="no half-made table of an ALTER")
    for (name,) in rows:
        yield Examined(
            name="leftovers",
            state="warning",
            found=f"{name} is the half-made table of an ALTER that is running or was cut off",
            hint=f"DROP TABLE `#mysql50#{str(name).partition('/')[2]}`; -- only when SHOW PROCESSLIST shows no ALTER",
        )


EXAMINATIONS: tuple[Examination, ...] = (
    server,
    rights,
    sight,
    journal_place,
    settings,
    replicas,
    long_transactions,
    engines,
    row_versions,
    leftovers,
)
