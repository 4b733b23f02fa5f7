"""Statements that read or change rows, with what they touch."""

from __future__ import annotations

from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class Insert(BaseOperation, frozen=True, kw_only=True, tag="insert"):
    table: Name
    sql: str
    columns: tuple[str, ...] = ()
    rows: int | None = None
    """Of a VALUES list; None for INSERT ... SELECT."""
    reads: tuple[Name, ...] = ()
    on_conflict: str = ""
    """nothing, update, or (SQLite, MySQL) replace, ignore."""


class Update(BaseOperation, frozen=True, kw_only=True, tag="update"):
    table: Name
    sql: str
    assignments: tuple[tuple[str, str], ...] = ()
    """(column, expression) in source order."""
    where: str = ""
    reads: tuple[Name, ...] = ()
    bounded: bool = False
    """A predicate that pins a unique key, or a LIMIT."""
    alias: str = ""
    from_clause: str = ""
    returning: bool = False


class Delete(BaseOperation, frozen=True, kw_only=True, tag="delete"):
    table: Name
    sql: str
    where: str = ""
    reads: tuple[Name, ...] = ()
    bounded: bool = False
    alias: str = ""
    using: str = ""
    returning: bool = False


class Truncate(BaseOperation, frozen=True, kw_only=True, tag="truncate"):
    tables: tuple[Name, ...]
    restart_identity: bool = False
    cascade: bool = False


class Copy(BaseOperation, frozen=True, kw_only=True, tag="copy"):
    """COPY ... FROM (`from_server` when it reads the server's files) or TO."""

    table: Name | None = None
    sql: str
    inward: bool = True
    rows: int | None = None


class Select(BaseOperation, frozen=True, kw_only=True, tag="select"):
    """A query, a VALUES, a CALL, a DO block. `calls` are functions that are not the server's own immutable ones; a query that calls none and
    writes nothing changes nothing."""

    sql: str
    reads: tuple[Name, ...] = ()
    writes: tuple[Name, ...] = ()
    calls: tuple[str, ...] = ()
    opaque: bool = False
    """True for DO and CALL: what it does is the server's to say."""
    locks_rows: str = ""
