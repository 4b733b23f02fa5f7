"""ALGORITHM, LOCK, WAIT and their like, collected from wherever they stand in a statement."""

from __future__ import annotations

from typing import Literal, cast

from driftflow.dialects.mysql.parse.cursor import Cursor, Unread
from driftflow.model.names import Name
from driftflow.model.operations import RequestAlgorithm

Algorithm = Literal["", "DEFAULT", "INSTANT", "NOCOPY", "INPLACE", "COPY"]
Lock = Literal["", "DEFAULT", "NONE", "SHARED", "EXCLUSIVE"]


class Request:
    """What has been asked so far; the last word counts."""

    def __init__(self) -> None:
        self.algorithm: Algorithm = ""
        self.lock: Lock = ""
        self.wait_seconds: int | None = None
        self.ignore = False

    def read(self, cursor: Cursor) -> bool:
        """One of the clauses, if one stands here."""
        if cursor.at("ALGORITHM"):
            cursor.take()
            cursor.accept("=")
            word = cursor.accept_any(("DEFAULT", "INSTANT", "NOCOPY", "INPLACE", "COPY"))
            if not word:
                raise Unread(f"an algorithm was expected {cursor.here()}")
            self.algorithm = cast(Algorithm, word)
            return True
        if cursor.at("LOCK"):
            cursor.take()
            cursor.accept("=")
            word = cursor.accept_any(("DEFAULT", "NONE", "SHARED", "EXCLUSIVE"))
            if not word:
                raise Unread(f"a kind of lock was expected {cursor.here()}")
            self.lock = cast(Lock, word)
            return True
        return cursor.accept("WITH", "VALIDATION") or cursor.accept("WITHOUT", "VALIDATION")

    def wait(self, cursor: Cursor) -> None:
        seconds = wait_seconds(cursor)
        self.wait_seconds = self.wait_seconds if seconds is None else seconds

    def operation(self, table: Name) -> RequestAlgorithm | None:
        if not (self.algorithm or self.lock or self.ignore or self.wait_seconds is not None):
            return None
        return RequestAlgorithm(
            table=table, algorithm=self.algorithm, lock=self.lock, wait_seconds=self.wait_seconds, ignore=self.ignore
        )


def wait_seconds(cursor: Cursor) -> int | None:
    """MariaDB: [WAIT n | NOWAIT], where 0 is the second; None where none stands here."""
    if not cursor.mariadb:
        return None
    if cursor.accept("NOWAIT"):
        return 0
    if cursor.at("WAIT") and cursor.peek(1).kind == "number":
        cursor.take()
        return cursor.integer()
    return None
