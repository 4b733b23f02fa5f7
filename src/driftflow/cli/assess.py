"""`driftflow assess`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.output import quoted
from driftflow.cli.session import Session
from driftflow.cli.verdict import verdict


@click.command()
@options.session(snapshot=True)
@options.sources
@options.fail_on
def command(run: Session, *, paths: tuple[Path, ...], tool: str, variables: Mapping[str, str], fail_on: str) -> int:
    """What the pending migrations at PATHS do to this database: its sizes, its traffic, what depends on what.

    Reads the catalog of the database, or of the file that --snapshot names. Writes nothing.
    """
    from driftflow import pipeline

    catalog = run.catalog
    sources = run.sources(paths, tool=tool, variables=variables)
    assessment = pipeline.assess(
        sources, dialect=run.dialect, catalog=catalog, policy=run.policy, pending=run.pending(sources), root=run.root
    )
    code = verdict(run.out, assessment, fail_on)
    run.out.next(quoted("driftflow", "plan", *paths, *run.where, "-o", "driftflow-plan.json"))
    return code
