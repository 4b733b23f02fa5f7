"""DF666: the server accepts REFERENCES behind a column and makes no foreign key."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Version
from driftflow.model.operations import AddColumn, CreateTable

_MYSQL, _MARIADB = Version(major=9), Version(major=10, minor=5)


@check(
    "DF666",
    on=(AddColumn, CreateTable),
    page="mysql/references-ignored",
    title="REFERENCES behind a column is ignored before MySQL 9",
    dialects=("mysql", "mariadb"),
)
def references_ignored(operation: AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    """Only in ALTER TABLE can the two forms be told apart here; a foreign key of the table itself is always made."""
    if not isinstance(operation, AddColumn) or not any(isinstance(one, ForeignKey) for one in operation.constraints):
        return
    since = _MARIADB if at.dialect.name == "mariadb" else _MYSQL
    if at.version is not None and at.version >= since:
        return
    table, column = at.dialect.quote_name(operation.table), at.dialect.quote(operation.column.name)
    yield finding(
        at,
        f"REFERENCES behind {operation.column.name} makes no foreign key before {'MariaDB' if since == _MARIADB else 'MySQL'} {since}",
        axis="breaks",
        severity="warning",
        why="the server reads it and forgets it: orphans come in, and nothing says so",
        remedy=Remedy(
            summary="a constraint of the table is a foreign key in every version",
            sql=f"ALTER TABLE {table} ADD COLUMN {column} {operation.column.type};\n"
            f"ALTER TABLE {table} ADD CONSTRAINT … FOREIGN KEY ({column}) REFERENCES …;",
        ),
        near="REFERENCES",
    )
