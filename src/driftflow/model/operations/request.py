"""What a statement asks about the way in which it is carried out."""

from __future__ import annotations

from typing import Literal

from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class RequestAlgorithm(BaseOperation, frozen=True, kw_only=True, tag="request_algorithm"):
    """ALGORITHM=…, LOCK=…, WAIT n, NOWAIT, ONLINE, IGNORE of ALTER TABLE, CREATE INDEX and DROP INDEX (MySQL, MariaDB): a clause of the
    statement whose other operations it speaks of. The server refuses the statement where it cannot keep to it.

    Source: MySQL 8.4 manual, "ALTER TABLE", table options ALGORITHM and LOCK; MariaDB documentation, "ALTER TABLE", "WAIT and NOWAIT".
    """

    table: Name
    algorithm: Literal["", "DEFAULT", "INSTANT", "NOCOPY", "INPLACE", "COPY"] = ""
    lock: Literal["", "DEFAULT", "NONE", "SHARED", "EXCLUSIVE"] = ""
    wait_seconds: int | None = None
    """MariaDB: WAIT n; 0 for NOWAIT."""
    ignore: bool = False
    """MariaDB: ALTER IGNORE TABLE deletes rows that break a new unique key."""
