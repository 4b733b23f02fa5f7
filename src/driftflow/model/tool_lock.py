"""What a migration tool locks while it works. Apart from the plan, of which it becomes a part: who reads files alone makes no plan."""

from __future__ import annotations

from driftflow.model.record import Record


class ToolLock(Record, frozen=True, kw_only=True):
    """The migration tool's own lock, taken on a session of its own for as long as the executor lives."""

    tool: str
    acquire: str
    """A query returning one row, one value: true (or 1) when granted at once. Tools with a blocking lock are asked with the try form."""
    release: str
