"""A limit for whatever runs on a throw-away server, that the statement itself cannot lift."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import DatabaseError

STATEMENT_SECONDS_MAX = 30.0
"""On a small throw-away database what takes this long waits for something, or never ends."""


@contextmanager
def limited(connection: Connection, sql: str, *, seconds: float | None = None) -> Iterator[None]:
    """Cancels what the connection runs when the time is up, and raises DatabaseError then. `SET statement_timeout = 0` changes nothing."""
    seconds = STATEMENT_SECONDS_MAX if seconds is None else seconds
    over = threading.Event()

    def stop() -> None:
        over.set()
        connection.cancel()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except DatabaseFault as fault:
        if over.is_set():
            raise DatabaseError(
                "DF-E471",
                f"the statement did not end within {seconds:.0f} s on the throw-away server, and was cancelled",
                where=shortened(sql),
                why=fault.message,
                hint="observe the statements one by one, on less data",
            ) from fault
        raise
    finally:
        timer.cancel()


def shortened(sql: str, *, characters: int = 120) -> str:
    """The statement in one line, cut where it is long."""
    line = " ".join(sql.split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"
