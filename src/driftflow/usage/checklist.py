"""What the application still uses, as lines of a gate's checklist: somebody goes through them before saying yes."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.model.finding import Reference

LINES_MAX = 30


def checklist(references: Sequence[Reference]) -> tuple[str, ...]:
    """A line per place, each place once; what does not fit is counted, and the last line says where the rest is found."""
    lines = dict.fromkeys(_line(reference) for reference in references)
    shown = tuple(lines)[:LINES_MAX]
    left = len(lines) - len(shown)
    return (*shown, f"and {left} more places: driftflow assess --code FOLDER") if left else shown


def _line(reference: Reference) -> str:
    where = f"{reference.file}:{reference.line}" if reference.line else reference.file
    calls = f", {reference.calls:,} calls" if reference.calls else ""
    return f"uses {reference.name}: {where}{calls}  {reference.text}".rstrip()
