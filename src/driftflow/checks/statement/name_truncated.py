"""DF006: a name that is too long: PostgreSQL cuts it and only a notice says so, MySQL and MariaDB refuse it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    BaseOperation,
    ChangeColumn,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    CreateView,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    RenameTable,
)
from driftflow.patterns import lazy_regex

LIMIT_BYTES = 63
MYSQL_LIMIT = 64
"""In characters; the alias of a column may be longer."""
_LONG = lazy_regex(r'"((?:[^"]|"")+)"|([^\W\d][\w$]{20,})')


@check(
    "DF006",
    on=(
        AddColumn,
        AddConstraint,
        ChangeColumn,
        CreateIndex,
        CreateTable,
        CreateTrigger,
        CreateView,
        RenameColumn,
        RenameConstraint,
        RenameIndex,
        RenameTable,
    ),
    page="statement/name-truncated",
    title="A name that is too long",
    dialects=("postgresql", "mysql", "mariadb"),
)
def name_truncated(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """PostgreSQL's own parser has cut it already, so the text is only read where a name is as long as a cut one would be."""
    if at.dialect.one_pass:
        yield from _refused(operation, at)
        return
    for name in _given(operation):
        if len(name) < LIMIT_BYTES // 4 or len(name.encode()) < LIMIT_BYTES - 3:
            continue
        for match in _LONG.finditer(at.statement.sql):
            said = match[1].replace('""', '"') if match[1] else match[2].lower()
            if len(said.encode()) > LIMIT_BYTES and said.startswith(name):
                yield finding(
                    at,
                    f"{said} becomes {name}",
                    axis="breaks",
                    severity="warning",
                    why="names end after 63 bytes and the server only sends a notice: the next migration that says the long name happens to work, "
                    "and two long names that begin alike are one",
                    remedy=Remedy(summary="choose a shorter name", sql=at.dialect.quote(name[:40])),
                    known_by="rule",
                    near=match[0],
                )
                break


def _refused(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    for name in _given(operation):
        if len(name) > MYSQL_LIMIT:
            yield finding(
                at,
                f"will fail: {name} has {len(name)} characters",
                axis="breaks",
                severity="error",
                why=f"a name ends after {MYSQL_LIMIT} characters (error 1059)",
                remedy=Remedy(summary="choose a shorter name"),
                known_by="rule",
                near=name,
            )


def _given(operation: BaseOperation) -> Iterator[str]:
    """Names that the operation gives."""
    match operation:
        case AddColumn():
            yield operation.column.name
        case AddConstraint():
            yield operation.constraint.name
        case ChangeColumn():
            yield operation.definition.name
        case CreateIndex():
            yield operation.index.name.name
        case CreateTable():
            yield operation.table.name.name
            yield from (column.name for column in operation.table.columns)
            yield from (constraint.name for constraint in operation.table.constraints)
        case CreateTrigger():
            yield operation.trigger.name
        case CreateView():
            yield operation.view.name.name
        case RenameColumn() | RenameConstraint() | RenameIndex() | RenameTable():
            yield operation.to
        case _:
            pass
