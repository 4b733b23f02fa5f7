"""A migration as its tool sees it: identity, ordered statements, how the tool would run it, and what it says to driftflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from driftflow.model.names import Span
from driftflow.model.operations import Operation
from driftflow.model.record import Record

TransactionMode = Literal["single", "per_statement", "none", "file_decides", "implicit"]
"""How the tool runs the file: one transaction; one per statement; none; BEGIN/COMMIT in the file decide; or one string sent
whole, which PostgreSQL runs as an implicit transaction."""


class Directive(Record, frozen=True, kw_only=True):
    """One `-- driftflow: verb key=value "quoted value" flag` comment, bound to the statement that follows it."""

    verb: str
    options: Mapping[str, str] = {}
    arguments: tuple[str, ...] = ()
    span: Span


class Anchor(Record, frozen=True, kw_only=True):
    """Where a piece of `Statement.sql` that was substituted begins or ends, so that positions behind it are still exact."""

    offset: int
    """In `Statement.sql`."""
    line: int
    column: int
    inside: bool = False
    """From here on the text is a substituted piece: every character of it counts as its start."""


class Statement(Record, frozen=True, kw_only=True):
    """One statement: its text without the terminator, where it stands, and what it means.

    `sql` is byte-exact source text after variable substitution; `span` is the position in the file *before* substitution.
    `operations` is empty until the dialect parsed it; one ALTER TABLE with three clauses has three operations.
    """

    sql: str
    span: Span
    operations: tuple[Operation, ...] = ()
    directives: tuple[Directive, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    """Only where variables were substituted in the statement."""

    def saying(self, verb: str) -> tuple[Directive, ...]:
        """Its directives of that verb."""
        return tuple(directive for directive in self.directives if directive.verb == verb)

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) in the file of a character of `sql`."""
        start, line, column = 0, self.span.line, self.span.column
        for anchor in self.anchors:
            if anchor.offset > offset:
                break
            start, line, column = anchor.offset, anchor.line, anchor.column
            if anchor.inside:
                start = offset
        before = self.sql[start:offset]
        rows = before.count("\n")
        return (line + rows, len(before) - before.rfind("\n")) if rows else (line, column + len(before))


class Migration(Record, frozen=True, kw_only=True):
    """One migration of a source.

    `id` is unique within the source and is what the tool's version table holds (`20240101120000`, `3`, `001_init`).
    `order_key` sorts as the tool sorts. `checksum` is the tool's own checksum where it keeps one, else SHA-256 of the bytes.
    """

    id: str
    name: str = ""
    source: str
    """The reader's name: plain, dbmate, goose, flyway, golang-migrate, prisma, drizzle, diesel."""
    path: str
    """Relative to the project's folder, with `/`."""
    dialect: str
    order_key: tuple[int | str, ...] = ()
    statements: tuple[Statement, ...] = ()
    down: tuple[Statement, ...] = ()
    depends_on: tuple[str, ...] = ()
    transaction: TransactionMode = "single"
    together: bool = False
    """Whether the tool runs this and the next pending migration of the source in one transaction, where both say so (Drizzle, Flyway's group)."""
    checksum: str
    sha256: str
    """Of the raw bytes of the file(s)."""
    directives: tuple[Directive, ...] = ()
    """Those before any statement that speak of the file as a whole."""
    repeatable: bool = False
    native: Mapping[str, str] = {}
    """What only the tool's version table asks for (Flyway's script and type, Drizzle's `when`), as text."""
    requests: str = ""
    """The file of requests beside it, as `path`; empty where there is none. What it asks for is among the directives."""
    requests_sha256: str = ""
    notes: tuple[str, ...] = ()
    """What a person should know about how the tool itself would run this file; shown, never acted on."""
