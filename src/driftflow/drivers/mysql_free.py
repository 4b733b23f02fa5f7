"""MySQL: a statement that is sent only where nobody uses its tables at that moment, for the server has no lock request that does not wait.

A look at the metadata locks and the statement go in one message: where somebody holds one, the look overflows (1690), and an error ends a message before
the next statement in it. MariaDB needs none of this, its `lock_wait_timeout` may be 0.

Source: MySQL 9 reference manual, "The metadata_locks Table", "Out-of-Range and Overflow Handling"; protocol documentation, COM_SET_OPTION.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.constants import COMMAND

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.engine.ports import Connection, DatabaseFault, Held
from driftflow.model.effects import LockClaim

OVERFLOW = 1690
CANNOT_LOOK = frozenset({1044, 1047, 1109, 1142, 1143, 1146, 1227})
"""No right to look, nothing to look at, or somebody between who takes one statement in each message."""
LOOK = (
    "SELECT 18446744073709551615 + COUNT(*) FROM performance_schema.metadata_locks "
    "WHERE OBJECT_TYPE = 'TABLE' AND LOCK_STATUS = 'GRANTED' AND LOCK_TYPE NOT IN ('SHARED', 'SHARED_HIGH_PRIO') AND ({})"
)
"""On one line, so that the server counts the statement's lines as ever. Those two locks are of who only reads a definition. Before 8.0 the server notes no
metadata locks unless it is told to: then nobody is seen, and the statement waits as it would without."""


SEEN = (
    "SELECT COUNT(*) FROM performance_schema.setup_instruments WHERE NAME = 'wait/lock/metadata/sql/mdl' AND ENABLED = 'YES' "
    "AND EXISTS (SELECT 1 FROM performance_schema.metadata_locks)"
)
"""Whoever asks holds a metadata lock himself."""


def holders_are_seen(connection: Connection) -> bool:
    """Whether the server notes metadata locks, and the session may look at them."""
    try:
        return bool(connection.query(SEEN)[0][0])
    except DatabaseFault as fault:
        if int(fault.code or 0) not in CANNOT_LOOK:
            raise
        return False


def look_at(claims: Sequence[LockClaim]) -> str:
    """A statement that fails with OVERFLOW while another session holds what one of the locks is kept out by; empty where there is nothing to look at."""
    wanted = []
    for claim in claims:
        if not {"reads", "writes"} & set(claim.blocks):
            continue
        schema = quote_string(claim.relation.schema) if claim.relation.schema else "DATABASE()"
        readers = "" if "reads" in claim.blocks else " AND LOCK_TYPE NOT IN ('SHARED_READ', 'SHARED_READ_ONLY')"
        wanted.append(f"OBJECT_SCHEMA = {schema} AND OBJECT_NAME = {quote_string(claim.relation.name)}{readers}")
    return LOOK.format(" OR ".join(dict.fromkeys(wanted))) if wanted else ""


@contextmanager
def raise_if_held() -> Iterator[None]:
    """Around a look: raises Held where it finds somebody."""
    try:
        yield
    except pymysql.Error as error:
        if error.args and error.args[0] == OVERFLOW:
            raise Held("somebody uses a table that the statement needs", code=str(OVERFLOW)) from None
        raise


def execute_behind(look: str, sql: str, cursor: Any) -> None:
    """The look and the statement in one message. Raises Held; where nobody can look, the statement is run as ever."""
    raw = cursor.connection
    try:
        _take_several(raw, True)
        with raise_if_held():
            cursor.execute(f"{look}; {sql}")
    except pymysql.Error as error:
        if not error.args or error.args[0] not in CANNOT_LOOK:
            raise
    else:
        while cursor.nextset():
            pass
        return
    finally:
        if raw.open:
            _take_several(raw, False)
    cursor.execute(sql)


def _take_several(raw: Any, several: bool) -> None:
    """Whether a message may hold more than one statement: for this one alone, since nothing else should."""
    raw._execute_command(COMMAND.COM_SET_OPTION, struct.pack("<H", 0 if several else 1))
    raw._read_packet()
