"""SQLite: the library prepares a query when it is asked to explain it; a view of a SELECT says the names and types of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.query_text import first_word, lex
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.lab.prepare import Place, Shape, rolled_back
from driftflow.model.names import Name

VIEW = "driftflow_query"
READS = ("SELECT", "VALUES", "WITH")


class SqliteProber:
    """Nothing is ever run: EXPLAIN lists the program and stops there."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @contextmanager
    def looking(self) -> Iterator[None]:
        with rolled_back(self.connection):
            yield

    def shape(self, sql: str) -> Shape:
        """Parameters are NULL: the library wants a value for each, and looks at none of them before the program runs."""
        bare = without_parameters(sql)
        self.connection.query(f"EXPLAIN {bare}")
        if first_word(sql, "sqlite") not in READS:
            return Shape()
        self.connection.execute(f"DROP VIEW IF EXISTS temp.{VIEW}")
        # WITH may begin an INSERT, which no view holds.
        with suppress(DatabaseFault):
            self.connection.execute(f"CREATE TEMP VIEW {VIEW} AS {bare}")
            rows = self.connection.query(f"SELECT name, type FROM pragma_table_xinfo('{VIEW}', 'temp')")
            self.connection.execute(f"DROP VIEW temp.{VIEW}")
            return Shape(columns=tuple((str(name), str(type)) for name, type in rows))
        return Shape()

    def places(self, table: Name) -> tuple[Place, ...]:
        rows = self.connection.query(
            'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(%s)', (table.name,)
        )
        keys = sum(1 for row in rows if row[4])
        return tuple(
            Place(name=str(name), required=bool(needed) and default is None and not (key and keys == 1 and _is_rowid(type)))
            for name, type, needed, default, key, hidden in rows
            if not hidden
        )

    def refuses_row(self, table: Name, columns: Sequence[str], missing: Sequence[str]) -> DatabaseFault | None:
        """A trigger cannot fill a column here, so NOT NULL without a default decides."""
        return DatabaseFault(
            ErrorKind.CONSTRAINT, f"NOT NULL constraint failed: {table.name}.{missing[0]}", code="SQLITE_CONSTRAINT_NOTNULL"
        )


def _is_rowid(type: object) -> bool:
    return str(type).upper() == "INTEGER"


def without_parameters(sql: str) -> str:
    """The query with NULL for each of its parameters."""
    pieces: list[str] = []
    at = 0
    for token in lex(sql, "sqlite"):
        if token.kind == "variable":
            pieces += [sql[at : token.start], "NULL"]
            at = token.end
    return re.sub(r";\s*\Z", "", "".join(pieces) + sql[at:])
