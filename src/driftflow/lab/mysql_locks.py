"""Which metadata locks a statement takes on a real MySQL or MariaDB, on which tables: seen while something else makes it wait.

Metadata locks of DDL are gone before anybody could look: on small tables the statement takes a millisecond. So the statement is run once for
every table that it might lock, and each time another session holds that one table: a statement that wants it stands still, and
performance_schema shows what it has and what it waits for. Twice, because a weak holder (a reader's transaction) stops the strongest
locks only, while a strong one (LOCK TABLES ... WRITE) already stops the first lock of all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Literal

from driftflow.engine.ports import Connection, Connector, DatabaseFault, Row

Holder = Literal["reader", "writer"]
Modes = Mapping[str, frozenset[str]]
"""The modes by the table's name, as performance_schema spells them: SHARED_UPGRADABLE, SHARED_NO_WRITE, EXCLUSIVE, ..."""

WAIT_MS_MAX = 10_000
"""Of the statement: the holder leaves long before."""
SECONDS_MAX = 30.0
POLL_SECONDS = 0.005
SEEN = """
SELECT l.OBJECT_SCHEMA, l.OBJECT_NAME, l.LOCK_TYPE, l.LOCK_STATUS
FROM performance_schema.metadata_locks AS l
JOIN performance_schema.threads AS t ON t.THREAD_ID = l.OWNER_THREAD_ID
WHERE t.PROCESSLIST_ID = %s AND l.OBJECT_TYPE = 'TABLE'
"""
STRENGTH = (
    "SHARED",
    "SHARED_HIGH_PRIO",
    "SHARED_READ",
    "SHARED_WRITE",
    "SHARED_UPGRADABLE",
    "SHARED_READ_ONLY",
    "SHARED_NO_WRITE",
    "SHARED_NO_READ_WRITE",
    "EXCLUSIVE",
)
"""From the weakest; a mode that is not here counts as the weakest."""


def strongest(modes: frozenset[str]) -> str:
    """The mode that says what other sessions notice."""
    return max(modes, key=lambda mode: STRENGTH.index(mode) if mode in STRENGTH else -1)


def locks_of(
    connector: Connector, sql: str, *, tables: Sequence[str], fresh: Callable[[], str], before: Sequence[str] = ()
) -> Modes:
    """The metadata locks that `sql` takes on tables, its own and others'.

    `fresh` makes the scratch database anew and names it: the statement runs several times, each time on tables that it has not changed yet.
    `tables` are those in it that somebody may hold; `before` are session settings in force while it runs. Temporary names of the server's
    (`#sql-...`) take no part. Raises DatabaseFault where performance_schema cannot be read; a statement that fails has locks all the same.
    """
    found: dict[str, set[str]] = {}
    for table in tables:
        for holder in ("writer", "reader"):
            database = fresh()
            for name, mode in _seen_while(connector, sql, database=database, table=table, holder=holder, before=before):
                found.setdefault(name, set()).add(mode)
    return {name: frozenset(modes) for name, modes in sorted(found.items())}


def _seen_while(
    connector: Connector, sql: str, *, database: str, table: str, holder: Literal["reader", "writer"], before: Sequence[str]
) -> set[tuple[str, str]]:
    """What the statement holds and waits for while somebody holds the table; nothing where that does not stop it."""
    seen: set[tuple[str, str]] = set()
    with closing(connector.connect("observer")) as observer, closing(connector.connect("observed")) as observed:
        observed.execute(f"USE {_quoted(database)}")
        observed.set_timeouts(lock_ms=WAIT_MS_MAX, statement_ms=int(SECONDS_MAX * 1000))
        for setting in before:
            observed.execute(setting)
        with _running(observed, sql) as running, _held(connector, database, table, holder):
            running.start()
            ends = time.monotonic() + SECONDS_MAX
            before_now: list[Row] = []
            while running.is_alive() and not seen and time.monotonic() < ends:
                rows = sorted(observer.query(SEEN, (observed.session.id,)))
                # On a busy machine a request may be seen pending that is granted at once: only one that stays so stands behind the holder.
                if any(row[3] == "PENDING" for row in rows) and rows == before_now:
                    seen = {(str(name), str(mode)) for schema, name, mode, _ in rows if schema == database}
                before_now = rows
                time.sleep(POLL_SECONDS)
    return {(name, mode) for name, mode in seen if not name.startswith("#sql")}


@contextmanager
def _running(observed: Connection, sql: str) -> Iterator[threading.Thread]:
    """A thread that runs the statement and swallows the server's refusal: whether it fails is asked elsewhere."""

    def run() -> None:
        try:
            observed.execute(sql)
        except DatabaseFault:
            observed.rollback()

    thread = threading.Thread(target=run, daemon=True)
    try:
        yield thread
    finally:
        if thread.ident is not None:
            thread.join(SECONDS_MAX)
            if thread.is_alive():
                observed.cancel()
                thread.join()


@contextmanager
def _held(connector: Connector, database: str, table: str, holder: Holder) -> Iterator[None]:
    """Somebody holds the table while the block runs."""
    where = f"{_quoted(database)}.{_quoted(table)}"
    with closing(connector.connect("holder")) as connection:
        if holder == "reader":
            connection.begin(write=False)
            connection.query(f"SELECT 1 FROM {where} LIMIT 1")
        else:
            # With the checks on MySQL would lock the table's parents as well, and the statement would stop there.
            connection.execute("SET SESSION foreign_key_checks = 0")
            connection.execute(f"LOCK TABLES {where} WRITE")
        try:
            yield
        finally:
            if holder == "reader":
                connection.rollback()
            else:
                connection.execute("UNLOCK TABLES")


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
