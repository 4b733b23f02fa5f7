"""`driftflow sources`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftflow.cli import options
from driftflow.cli.output import quoted
from driftflow.cli.session import Session

if TYPE_CHECKING:
    from driftflow.readers.sources import SourceStatus


@click.command()
@options.session()
@options.sources
def command(run: Session, *, paths: tuple[Path, ...], tool: str, variables: Mapping[str, str]) -> None:
    """What was found: which tool's migrations stand where, and which of them are applied (by the tool's own version table)."""
    from driftflow import pipeline

    found = pipeline.read_status(run.sources(paths, tool=tool, variables=variables), run.connector if run.has_database else None)
    if run.out.json:
        run.out.record(found)
    else:
        run.out.result(_text(found) if found else "no migrations were found")
    if not found:
        run.out.next("driftflow lint FOLDER    # name the folder")
    else:
        run.out.next(run.onward(*paths, *run.where) if run.has_database else quoted("driftflow", "lint", *paths))


def _text(found: Sequence[SourceStatus]) -> str:
    return "\n".join(line for status in found for line in _lines(status))


def _lines(status: SourceStatus) -> list[str]:
    from driftflow.reports.style import count

    said = f"{len(status.applied)} applied, {len(status.pending)} pending" if status.known else "no database was asked"
    lines = [f"{status.name}: {status.tool}, {status.folder}: {count(status.total, 'migration')}, {said}"]
    if status.known:
        lines += [f"  pending {id}" for id in status.pending]
        lines += [f"  failed  {row.id}, as the tool's table says" for row in status.applied if not row.ok]
    return lines
