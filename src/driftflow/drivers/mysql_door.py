"""MySQL: a statement that takes several tables, while another session keeps the writers of one of them out.

The server takes such locks one after the other. Who begins to write between a look (mysql_free) and the last of them has one table and waits for another
that we have: then the server ends whoever writes. So the table that writers come by first, the door, is locked for reading, alone, until the statement stands
in its queue. A request for one table that only writers keep out is part of no deadlock, and of those that wait the strongest is the next to be granted.

Source: MySQL 9 reference manual, "LOCK TABLES and UNLOCK TABLES Statements", "The metadata_locks Table"; measured on 9.7.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import pymysql

from driftflow.dialects.mysql.render import quote_name
from driftflow.drivers.mysql_free import execute_behind, look_at, raise_if_held
from driftflow.engine.ports import Held
from driftflow.errors import ConnectError
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name

INTERRUPTED = 1317
POLL_SECONDS = 0.0005
PATIENCE_SECONDS = 0.05
"""Writers of the door wait for so long and no longer while we wait for it, or for another table."""
THREAD = "SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID = CONNECTION_ID()"
"""Asked before anything is locked: afterwards this table is closed to the session, and that of the locks is not."""
WAITS_FOR = "SELECT OBJECT_SCHEMA, OBJECT_NAME FROM performance_schema.metadata_locks WHERE LOCK_STATUS = 'PENDING' AND OWNER_THREAD_ID = {}"
LIMITS = "SET SESSION lock_wait_timeout = 1, SESSION wait_timeout = 5"


class Door:
    """`opened` gives a bare session with the same rights, which stays for as many tries as there are."""

    def __init__(self, table: Name, claims: Sequence[LockClaim], opened: Callable[[], Any]) -> None:
        self._table = table
        self._look = look_at(claims)
        self._writers = look_at([LockClaim(relation=table, mode="SHARED_READ_ONLY", blocks=("writes",))])
        self._opened = opened
        self._keeper: Any = None
        self._thread = 0
        self._refused = False

    def close(self) -> None:
        if self._keeper is not None and self._keeper.open:
            self._keeper.close()

    def execute(self, sql: str, cursor: Any) -> None:
        """The statement on the cursor's session. Raises Held where somebody uses one of its tables, pymysql.Error."""
        if not self._opens():
            execute_behind(self._look, sql, cursor)  # as likely to be free, and not as safe
            return
        with raise_if_held():
            cursor.execute(self._look)
        cursor.execute(THREAD)
        (thread,) = cursor.fetchone()
        with closing(self._keeper.cursor()) as keeper, ThreadPoolExecutor(max_workers=1) as pool:
            try:
                self._shut(pool, keeper, cursor)
                look = f"{self._look} AND OWNER_THREAD_ID <> {self._thread}"
                self._let_in(pool.submit(execute_behind, look, sql, cursor), cursor, int(thread), keeper)
            finally:
                _unlock(keeper)

    def _opens(self) -> bool:
        """Whether there is another session. One that was refused is not asked for again."""
        if self._keeper is None and not self._refused:
            try:
                self._keeper = self._opened()
                with self._keeper.cursor() as cursor:
                    cursor.execute(LIMITS)
                    cursor.execute(THREAD)
                    self._thread = int(cursor.fetchone()[0])
            except (ConnectError, pymysql.Error):
                self._refused = True
        return not self._refused

    def _shut(self, pool: ThreadPoolExecutor, keeper: Any, cursor: Any) -> None:
        lock = pool.submit(execute_behind, self._writers, f"LOCK TABLES {quote_name(self._table)} READ", keeper)
        try:
            _awaited(lock, PATIENCE_SECONDS, keeper, by=cursor)
        except pymysql.Error:
            self._refused = True
            raise Held("the session that keeps writers out could not lock the table") from None

    def _let_in(self, request: Future[Any], cursor: Any, thread: int, keeper: Any) -> None:
        """Opens the door when the request stands before it. One that waits elsewhere for long is given up."""
        begun = time.monotonic()
        try:
            while not request.done() and keeper.connection.open:
                keeper.execute(WAITS_FOR.format(thread))
                waits_for = keeper.fetchall()
                if any(name == self._table.name and self._table.schema in {"", schema} for schema, name in waits_for):
                    break
                if waits_for and time.monotonic() - begun > PATIENCE_SECONDS:
                    _awaited(request, 0, cursor, by=keeper)
                time.sleep(POLL_SECONDS)
        except pymysql.Error:
            if keeper.connection.open:
                raise
        finally:
            _unlock(keeper)
        request.result()


def _unlock(keeper: Any) -> None:
    """Once more where the first is ended by a KILL QUERY that came late. A lost session holds nothing."""
    for _ in range(2):
        with suppress(pymysql.Error):
            keeper.execute("UNLOCK TABLES")
            return


def _awaited(request: Future[Any], seconds: float, cursor: Any, *, by: Any) -> None:
    """The end of what the cursor's session does. Where it takes longer it is ended by the other session: Held."""
    try:
        request.result(seconds)
    except TimeoutError:
        by.execute(f"KILL QUERY {cursor.connection.thread_id()}")
    else:
        return
    try:
        request.result()
    except pymysql.Error as error:
        if not error.args or error.args[0] != INTERRUPTED:
            raise
        raise Held("somebody uses a table that the statement needs", code=str(INTERRUPTED)) from None
    with suppress(pymysql.Error):  # it may come late, and then ends the next statement
        cursor.execute("DO 0")
