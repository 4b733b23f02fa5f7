"""Metadata locks of the engine's session on MySQL and MariaDB.

Those of a transaction are read just before it commits. DDL commits by itself and is over before anybody could look, so it is made to wait: every
table that it might lock is held by two sessions, one that writes it and one that reads it. The statement stands still at each lock in turn that one of
them is in the way of; performance_schema shows what it has and what it wants, and then that one session lets go.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress

from driftflow.dialects.mysql.keywords import quote
from driftflow.engine.ports import Connection, Connector, DatabaseFault, Row
from driftflow.lab.mysql_locks import SEEN
from driftflow.lab.mysql_near import near_tables
from driftflow.lab.proof.state import ours
from driftflow.lab.proof.watching import Seen, Watch
from driftflow.model.names import Name
from driftflow.patterns import lazy_regex

POLL_SECONDS = 0.003
HELD_SECONDS_MAX = 2.0
"""Of one statement: then it goes on, whatever it still waits for."""
DDL = lazy_regex(r"\s*(?:ALTER|CREATE|DROP|RENAME|TRUNCATE|OPTIMIZE|ANALYZE|LOCK|EXECUTE)\b", re.IGNORECASE)
LOCKS = lazy_regex(r"\s*LOCK\s+TABLES\b", re.IGNORECASE)
UNLOCKS = lazy_regex(r"\s*UNLOCK\s+TABLES\b", re.IGNORECASE)
INSTRUMENT = """
SELECT @@performance_schema AND EXISTS (
  SELECT 1 FROM performance_schema.setup_instruments WHERE NAME = 'wait/lock/metadata/sql/mdl' AND ENABLED = 'YES')
"""
TABLES = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE <> 'VIEW'"
"""MySQL locks the views over a table that it changes, too. Whoever reads through a view locks its tables, and so waits for nothing more."""
Hold = tuple[str, str]
"""(table, `writes` or `reads`)."""


def metadata_is_seen(connector: Connector) -> bool:
    """Whether the server shows metadata locks to us: MariaDB does not unless it was started so."""
    with closing(connector.connect("observer")) as connection, suppress(DatabaseFault):
        return bool(connection.query(INSTRUMENT)[0][0])
    return False


class MysqlEye:
    def __init__(self) -> None:
        self._known: set[str] = set()
        self._database = ""
        self._released: dict[str, set[Hold]] = {}
        """By statement: one that waits longer than its plan lets it is ended and comes again, and what was let go is not held once more."""
        self._holders: dict[Hold, Connection] = {}
        self._locking = False
        """Whether the session that runs the plan is between LOCK TABLES, which is watched itself, and UNLOCK TABLES."""

    def close(self) -> None:
        for connection in self._holders.values():
            connection.close()
        self._holders.clear()

    def opened(self, connection: Connection) -> None:
        self._database = str(connection.query("SELECT DATABASE()")[0][0])
        self.look(connection)

    def look(self, connection: Connection) -> None:
        """Which tables there are now: what a statement makes itself, nobody waits for."""
        self._known = {str(name) for (name,) in connection.query(TABLES)}

    def before_commit(self, connection: Connection) -> set[Seen]:
        found = self.told(connection.query(SEEN, (connection.session.id,)))
        self.look(connection)
        return found

    def told(self, rows: Sequence[Sequence[object]]) -> set[Seen]:
        """(schema, table, mode, status) → what others may notice of it."""
        named = {(Name(schema=str(schema), name=str(table)), str(mode)) for schema, table, mode, _ in rows}
        return {one for one in named if one[0].schema == self._database and one[0].name in self._known and not ours(one[0])}

    def unhindered(self, tables: set[str]) -> set[Seen]:
        """What got through between all of them while they were held, for writing and for reading, has locked none of them in a way that anybody notices."""
        return {(Name(schema=self._database, name=table), "SHARED") for table in tables}

    def alone(self, connection: Connection, connector: Connector, sql: str) -> Watch | None:
        """Between LOCK TABLES and UNLOCK TABLES nobody else can hold what the statement needs: who tried would have it wait, and its session end."""
        within = self._locking
        self._locking = LOCKS.match(sql) is not None or (within and UNLOCKS.match(sql) is None)
        if within or not DDL.match(sql):
            return None
        self.look(connection)
        released = self._released.setdefault(sql, set())
        tables = near_tables(connection, self._database, sql)
        holds = [(table, kind) for table in tables for kind in ("writes", "reads") if (table, kind) not in released]
        return _Held(self, connection.session.id, connector, holds, sql)

    def let_go(self, sql: str, hold: Hold) -> None:
        self._released.setdefault(sql, set()).add(hold)

    def ended(self, sql: str) -> None:
        self._released.pop(sql, None)

    def hold(self, connector: Connector, hold: Hold) -> Connection:
        """A session that holds the table until it is rolled back. Sessions are kept: a plan has many statements."""
        connection = self._holders.get(hold)
        if connection is None:
            connection = self._holders[hold] = connector.connect("holder")
            connection.set_timeouts(lock_ms=1000)
        table, kind = hold
        where = f"{quote(self._database)}.{quote(table)}"
        connection.begin(write=kind == "writes")
        # No row is locked: only the table's definition is held.
        connection.query(f"SELECT 1 FROM {where} WHERE 1 = 0{' FOR UPDATE' if kind == 'writes' else ''}")
        return connection


class _Held:
    """Everybody in the way of one statement; they go one after another, and all of them when it is over."""

    def __init__(self, eye: MysqlEye, session: int, connector: Connector, holds: Sequence[Hold], sql: str) -> None:
        self._eye, self._session, self._connector, self._sql = eye, session, connector, sql
        self._seen: set[Seen] = set()
        self._over = threading.Event()
        self._holders = dict(self._begin(holds))
        self._held = set(self._holders)
        self._all = True
        """Nobody has let go before the statement was over."""
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _begin(self, holds: Sequence[Hold]) -> Iterator[tuple[Hold, Connection]]:
        for hold in holds:
            with suppress(DatabaseFault):  # it is gone, or a view
                yield hold, self._eye.hold(self._connector, hold)

    def stop(self, *, done: bool) -> set[Seen]:
        self._over.set()
        self._thread.join(10)
        if done:
            self._eye.ended(self._sql)
        if done and self._all and not self._seen:
            self._seen |= self._eye.unhindered({table for table, _ in self._held})
        return self._seen

    def _watch(self) -> None:
        ends = time.monotonic() + HELD_SECONDS_MAX
        try:
            with closing(self._connector.connect("observer")) as observer:
                before: list[Row] = []
                while not self._over.is_set() and time.monotonic() < ends:
                    rows = sorted(observer.query(SEEN, (self._session,)))
                    self._seen |= self._eye.told(rows)
                    # One that is seen once may be granted at once: only a request that stays stands behind somebody of ours.
                    if rows == before and (wanted := [str(row[1]) for row in rows if row[3] == "PENDING"]):
                        self._let_go(wanted[0])
                        before = []
                    else:
                        before = rows
                    time.sleep(POLL_SECONDS)
                self._all = self._all and self._over.is_set()
        finally:
            for connection in self._holders.values():
                connection.rollback()

    def _let_go(self, table: str) -> None:
        """Who writes it before who reads it: so the next lock of the statement is seen too. Where nobody of ours holds it, everybody goes."""
        mine = [hold for hold in ((table, "writes"), (table, "reads")) if hold in self._holders]
        self._all = False
        for hold in mine[:1] or list(self._holders):
            self._holders.pop(hold).rollback()
            self._eye.let_go(self._sql, hold)
