"""LOCK TABLES around a statement, in the same session: whatever happens, the tables are free afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from driftflow.engine.actions.acting import in_session
from driftflow.engine.lease import lost
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.model.plan import UNLOCK_TABLES

ABSENT_SECONDS = 5
"""Where the client is gone without a word (a lost network, a machine that sleeps), the server ends its session after so long, and with it the
locks. Its own default is eight hours."""


@contextmanager
def locked_tables(statement: str, connection: Connection, lock: Callable[[str], bool]) -> Iterator[bool]:
    """`lock` runs the statement and says whether it did; nothing where there is none. Yields whether the tables are locked: the journal is in tables that are
    not, so nothing of it may be asked or written within."""
    if not statement:
        yield False
        return
    with in_session({"wait_timeout": str(ABSENT_SECONDS)}, connection):
        try:
            locked = lock(statement)
            yield locked
        except BaseException:
            with suppress(DatabaseFault):  # The failure is what there is to say; a lost session holds nothing.
                _free(connection)
            raise
        if locked:
            _free(connection)


def _free(connection: Connection) -> None:
    """Once more where the first is ended in place of the statement before it: a KILL QUERY that came late."""
    try:
        connection.execute(UNLOCK_TABLES)
    except DatabaseFault as fault:
        if lost(fault):
            raise
        connection.execute(UNLOCK_TABLES)
