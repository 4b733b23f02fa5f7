"""DF906: a baseline entry that no finding matches would hide the next one of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.model.baseline import KnownFinding
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Span
from driftflow.plugins import register

_PAGE = "suppression/stale-baseline"


@register("check", "DF906", on=(), page=_PAGE, title="A baseline entry that nothing matches", dialects=())
def stale_entries(entries: Sequence[KnownFinding], *, file: str, text: str) -> Iterator[Finding]:
    """One finding per entry, at its place in the baseline `file`, whose content is `text`."""
    lines = text.splitlines()
    for entry in entries:
        line = next((number for number, one in enumerate(lines, 1) if entry.statement and entry.statement in one), 1)
        of = f" of {entry.subject}" if entry.subject else ""
        yield Finding(
            code="DF906",
            axis="note",
            severity="warning",
            span=Span(file=file, line=line, end_line=line),
            migration=entry.migration,
            summary=f"nothing in {entry.migration} matches the entry {entry.code}{of} of the baseline",
            why="an entry that is not needed would hide the next real finding",
            remedy=Remedy(summary="take it out: --write-baseline writes what is found today"),
            page=_PAGE,
        )
