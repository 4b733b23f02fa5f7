"""PostgreSQL: PREPARE reads and checks a query; the planner finds what only it looks for (the unique index of an ON CONFLICT)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from psycopg import pq

from driftflow.dialects.postgresql.names import quote, quote_name
from driftflow.drivers.postgresql import PostgresqlConnection, error_kind
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.lab.prepare import Place, Shape, rolled_back
from driftflow.model.names import Name, Version
from driftflow.patterns import lazy_regex

GENERIC_PLAN = Version(major=16)
"""EXPLAIN (GENERIC_PLAN) came with it."""
PLANNED = lazy_regex(r"\s*(?:\(|SELECT|INSERT|UPDATE|DELETE|MERGE|VALUES|WITH|TABLE)\b|\s*\(", re.IGNORECASE)
MISSING = "23502"
"""not_null_violation"""
PLACES = """
SELECT a.attname,
  (a.attnotnull OR t.typnotnull OR EXISTS (
    SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND c.conkey = ARRAY[a.attnum]
    AND pg_catalog.pg_get_constraintdef(c.oid) ~ '^CHECK \\(\\(+("[^"]+"|[a-z0-9_]+) IS NOT NULL\\)+'))
  AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL,
  EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = a.attrelid AND NOT g.tgisinternal AND g.tgtype & 7 = 7)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
"""Bits of tgtype: 1 for each row, 2 before, 4 insert."""
SAMPLED = """
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
  (SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = a.atttypid ORDER BY e.enumsortorder LIMIT 1)
FROM pg_catalog.pg_attribute a WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
"""
PARENTS = """
SELECT DISTINCT confrelid::pg_catalog.regclass::text FROM pg_catalog.pg_constraint
WHERE conrelid = pg_catalog.to_regclass(%s) AND contype = 'f'
"""
SAMPLES = (
    (lazy_regex(r"\[\]$"), "{}"),
    (lazy_regex(r"^(?:smallint|integer|bigint|numeric|real|double|money|oid)"), "1"),
    (lazy_regex(r"^boolean"), "true"),
    (lazy_regex(r"^(?:character|text|\"char\"|name|citext|bytea)"), "x"),
    (lazy_regex(r"^uuid"), "00000000-0000-0000-0000-000000000000"),
    (lazy_regex(r"^(?:timestamp|date)"), "2000-01-01"),
    (lazy_regex(r"^time"), "00:00"),
    (lazy_regex(r"^interval"), "1 second"),
    (lazy_regex(r"^jsonb?$"), "{}"),
    (lazy_regex(r"^(?:inet|cidr)"), "127.0.0.1"),
    (lazy_regex(r"range$"), "empty"),
)


class PostgresqlProber:
    """Everything happens in savepoints of a transaction that is rolled back: an error of one query leaves no trace for the next."""

    def __init__(self, connection: Connection) -> None:
        assert isinstance(connection, PostgresqlConnection)
        self.connection = connection
        self._types: dict[tuple[int, int], str] = {}

    @cached_property
    def _plans(self) -> bool:
        return self.connection.version >= GENERIC_PLAN

    @contextmanager
    def looking(self) -> Iterator[None]:
        self._types.clear()
        with rolled_back(self.connection):
            self.connection.execute("SAVEPOINT driftflow_query")
            yield

    def shape(self, sql: str) -> Shape:
        """Nothing is changed by it, so only a query that fails is rolled back: one savepoint serves a whole round."""
        try:
            described = self._described(sql)
            if self._plans and PLANNED.match(sql):
                self._answered(self._raw.exec_(f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {sql}".encode()))
        except DatabaseFault:
            self.connection.execute("ROLLBACK TO SAVEPOINT driftflow_query")
            raise
        return Shape(
            columns=tuple((name, self._type(oid, modifier)) for name, oid, modifier in described[0]),
            parameters=tuple(self._type(oid, -1) for oid in described[1]),
        )

    @property
    def _raw(self) -> Any:
        return self.connection.raw.pgconn

    def _described(self, sql: str) -> tuple[list[tuple[str, int, int]], list[int]]:
        self._answered(self._raw.prepare(b"", sql.encode()))
        found = self._answered(self._raw.describe_prepared(b""))
        columns = [((found.fname(at) or b"").decode(), found.ftype(at), found.fmod(at)) for at in range(found.nfields)]
        return columns, [found.param_type(at) for at in range(found.nparams)]

    def _answered(self, result: Any) -> Any:
        """Raises DatabaseFault for anything but what was asked for."""
        if result.status in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}:
            return result
        code, message = _field(result, pq.DiagnosticField.SQLSTATE), _field(result, pq.DiagnosticField.MESSAGE_PRIMARY)
        raise DatabaseFault(error_kind(code, message), message, code=code)

    def _type(self, oid: int, modifier: int) -> str:
        key = (oid, modifier)
        if key not in self._types:
            self._types[key] = str(self.connection.query("SELECT pg_catalog.format_type(%s, %s)", key)[0][0])
        return self._types[key]

    def places(self, table: Name) -> tuple[Place, ...]:
        """A CHECK (column IS NOT NULL) asks for a value as NOT NULL does, also while it is NOT VALID: only old rows are let off."""
        rows = self.connection.query(PLACES, (quote_name(table),))
        return tuple(Place(name=str(name), required=bool(required), filled=bool(filled)) for name, required, filled in rows)

    def refuses_row(self, table: Name, columns: Sequence[str], missing: Sequence[str]) -> DatabaseFault | None:
        """Tried in a transaction that is rolled back: NOT NULL is looked at behind the triggers that may fill a column, and before every CHECK.
        The tables that it references have a made-up row each, for a trigger may look there."""
        self.connection.execute("SAVEPOINT driftflow_row")
        try:
            return self._tried(table, columns, missing)
        except DatabaseFault:
            return None  # The made-up rows do not fit this schema: then nobody is blamed.
        finally:
            self.connection.execute("ROLLBACK TO SAVEPOINT driftflow_row")

    def _tried(self, table: Name, columns: Sequence[str], missing: Sequence[str]) -> DatabaseFault | None:
        target = quote_name(table)
        for parent in self._parents(target):
            self._insert(parent, None)
        for name in missing:  # where a CHECK asks for the value, NOT NULL asks for it here
            self.connection.execute(f"ALTER TABLE {target} ALTER COLUMN {quote(name)} SET NOT NULL")
        fault = self._insert(target, columns)
        return fault if fault is not None and fault.code == MISSING else None

    def _parents(self, table: str) -> list[str]:
        """The tables that it references, and those that they reference, farthest first."""
        found: list[str] = []
        wanted = [table]
        while wanted:
            for (parent,) in self.connection.query(PARENTS, (wanted.pop(0),)):
                if str(parent) in found:
                    found.remove(str(parent))  # once more, farther away
                elif str(parent) != table:
                    wanted.append(str(parent))
                if str(parent) != table:
                    found.append(str(parent))
        return found[::-1]

    def _insert(self, table: str, columns: Sequence[str] | None) -> DatabaseFault | None:
        """A made-up row of these columns, or of all of them. Equal types get equal values, so a reference finds its row."""
        rows = self.connection.query(SAMPLED, (table,))
        types = {str(name): (str(type), label) for name, type, label in rows}
        listed = list(types) if columns is None else list(columns)
        values = [_sample(*types.get(column, ("", None))) for column in listed]
        text = (
            f"({', '.join(map(quote, listed))}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values)})"
            if listed
            else "DEFAULT VALUES"
        )
        self.connection.execute("SAVEPOINT driftflow_made_up")
        try:
            self.connection.execute(f"INSERT INTO {table} {text}")
        except DatabaseFault as fault:
            self.connection.execute("ROLLBACK TO SAVEPOINT driftflow_made_up")
            return fault
        return None


def _field(result: Any, which: pq.DiagnosticField) -> str:
    return (result.error_field(which) or b"").decode(errors="replace")


def _sample(type: str, label: str | None) -> str:
    text = label if label is not None else next((value for pattern, value in SAMPLES if pattern.search(type)), "")
    return "'" + text.replace("'", "''") + "'"
