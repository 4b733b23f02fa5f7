"""Statements that read or change rows, with what they touch."""

from __future__ import annotations

from driftflow.model.catalog import Catalog
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import find_table, put
from driftflow.model.record import replace


class Insert(BaseOperation, frozen=True, kw_only=True, tag="insert"):
    table: Name
    sql: str
    columns: tuple[str, ...] = ()
    rows: int | None = None
    """Of a VALUES list; None for INSERT ... SELECT."""
    left_out: tuple[int, ...] = ()
    """Places in every row of the list at which DEFAULT stands (PostgreSQL)."""
    values: int | None = None
    """How many values a row of the list has (PostgreSQL)."""
    overriding: bool = False
    """OVERRIDING SYSTEM VALUE, or USER VALUE (PostgreSQL)."""
    reads: tuple[Name, ...] = ()
    on_conflict: str = ""
    """nothing, update, or (SQLite, MySQL) replace, ignore."""

    def after(self, catalog: Catalog) -> Catalog:
        """Only a table of this release: it is no longer empty, and how many rows it has may be unknown."""
        return _with_rows(catalog, self.table, self.rows)


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
    only: bool = False
    """Without the rows of the tables that inherit from it."""
    on_conflict: str = ""
    """SQLite and MySQL: ignore, replace, ... where a row would break a constraint."""


class Delete(BaseOperation, frozen=True, kw_only=True, tag="delete"):
    table: Name
    sql: str
    where: str = ""
    reads: tuple[Name, ...] = ()
    bounded: bool = False
    alias: str = ""
    using: str = ""
    returning: bool = False
    only: bool = False


class Truncate(BaseOperation, frozen=True, kw_only=True, tag="truncate"):
    tables: tuple[Name, ...]
    restart_identity: bool = False
    cascade: bool = False
    wait_seconds: int | None = None
    """MariaDB: WAIT n; 0 for NOWAIT."""
    only: bool = False
    """Each table without those that inherit from it."""

    def after(self, catalog: Catalog) -> Catalog:
        for name in self.tables:
            table = find_table(catalog, name)
            if table is not None:
                statistics = replace(table.statistics, rows=0, bytes=None, table_bytes=None, basis="truncated by this release")
                catalog = put(catalog, replace(table, statistics=statistics))
        return catalog


class Copy(BaseOperation, frozen=True, kw_only=True, tag="copy"):
    """COPY ... FROM (`from_server` when it reads the server's files) or TO."""

    table: Name | None = None
    sql: str
    inward: bool = True
    rows: int | None = None

    def after(self, catalog: Catalog) -> Catalog:
        return _with_rows(catalog, self.table, self.rows) if self.table is not None and self.inward else catalog


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


def _with_rows(catalog: Catalog, name: Name, rows: int | None) -> Catalog:
    table = find_table(catalog, name)
    if table is None or not table.new:
        return catalog
    before = table.statistics.rows
    total = before + rows if before is not None and rows is not None else None
    statistics = replace(table.statistics, rows=total, bytes=None, table_bytes=None, basis="filled by this release")
    return put(catalog, replace(table, statistics=statistics))
