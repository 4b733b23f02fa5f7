"""Queries of the running application as they were written down somewhere: in a file, a log, or the server's own statistics."""

from __future__ import annotations

from driftflow.model.record import Record


class Recorded(Record, frozen=True, kw_only=True):
    """One query, constants and all. It is never shown as it stands: `model.compatibility.RunningQuery` is."""

    text: str
    calls: int = 0
    name: str = ""
    origin: str = ""
    unusable: str = ""
    """Why it cannot be prepared, where whoever read it knows."""
    digest: bool = False
    """The text is a digest of performance_schema: constants are `?`, lists are `(...)`."""
    cut: bool = False
    """A digest so long that the server may have cut it."""
    sample: str = ""
    """One such query with its constants, where the server keeps one; it may be cut too."""
