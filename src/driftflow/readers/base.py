"""What a reader is: it recognises a folder, reads it as its tool would, and knows the tool's version table as SQL text.

A reader opens no connection. The pipeline runs the ledger's queries; the planner puts its `record` statements into the last step's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from driftflow.config import SourceOptions as SourceOptions
from driftflow.dialects.base import Dialect
from driftflow.model.migration import Migration
from driftflow.model.names import Name
from driftflow.model.record import Record
from driftflow.model.tool_lock import ToolLock
from driftflow.plugins import register


class Applied(Record, frozen=True, kw_only=True):
    """One row of a tool's version table, as far as it matters here."""

    id: str
    checksum: str = ""
    ok: bool = True
    """False for a row that the tool marks as failed or dirty."""
    at: str = ""
    name: str = ""


class Ledger(Protocol):
    """The tool's version table in one database, as SQL. Every method is pure."""

    @property
    def table(self) -> Name: ...

    def create(self) -> tuple[str, ...]:
        """Statements that make the table as the tool makes it, and do nothing when it is there."""

    def applied_query(self) -> str:
        """All rows, in the table's order. Only asked when the table exists."""

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]: ...

    def pending(self, applied: Sequence[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        """What the tool would run next, in its order. Raises SourceError where the tool itself would refuse (dirty, changed checksum, missing
        file, out of order) with the tool's own words for it."""

    def record(self, migration: Migration) -> tuple[str, ...]:
        """Statements that mark it applied, as the tool does."""

    def unrecord(self, migration: Migration) -> tuple[str, ...]: ...

    def lock(self, database: str) -> ToolLock | None: ...

    def fitted(self, migrations: Sequence[Migration]) -> Ledger:
        """The same, where the form of the table follows from the migrations (Drizzle's two generations)."""


class Reader(Protocol):
    """One migration source."""

    name: str

    def detect(self, folder: Path) -> bool:
        """Whether the folder (or a well-known place below it) looks like this tool's. Reads names and first lines only."""

    def read(self, folder: Path, dialect: Dialect, options: SourceOptions) -> tuple[Migration, ...]:
        """Every migration, in the tool's order, statements split but not parsed. Raises SourceError (an ExceptionGroup when several)."""

    def ledger(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> Ledger: ...


def reader(name: str) -> Any:
    """Class decorator: `@reader("dbmate")`."""
    return register("reader", name)
