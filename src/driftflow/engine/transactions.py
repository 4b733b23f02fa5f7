"""One shape for every transaction of ours: begin, body, commit; rolled back when the body fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from driftflow.engine.ports import Connection


@contextmanager
def transaction(connection: Connection, *, write: bool = True) -> Iterator[None]:
    """Joins the transaction that is open; else makes one. A COMMIT whose answer is lost raises DatabaseFault(CONNECTION_LOST), and the
    outcome is then what the journal says after reconnecting."""
    if connection.in_transaction:
        yield
        return
    connection.begin(write=write)
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    try:
        connection.commit()
    except BaseException:
        connection.rollback()  # SQLite: a COMMIT that met a reader leaves the transaction open.
        raise
