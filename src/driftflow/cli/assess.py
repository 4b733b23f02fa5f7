"""`driftflow assess`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.narrowing import Narrowing, narrowed, narrowing
from driftflow.cli.output import quoted
from driftflow.cli.session import Session
from driftflow.cli.verdict import FORMATS, verdict


@click.command()
@options.session(formats=FORMATS, snapshot=True)
@options.sources
@options.fail_on
@click.option(
    "--code", type=options.FILE, metavar="FOLDER", help="Search the application's source for what still uses what is changed."
)
@narrowing
def command(
    run: Session,
    *,
    paths: tuple[Path, ...],
    tool: str,
    variables: Mapping[str, str],
    fail_on: str,
    code: Path | None,
    narrow: Narrowing,
) -> int:
    """What the pending migrations at PATHS do to this database: its sizes, its traffic, what depends on what.

    Reads the catalog of the database, or of the file that --snapshot names. Writes nothing.
    """
    from driftflow import pipeline

    catalog = run.catalog
    sources = run.sources(paths, tool=tool, variables=variables)
    assessment = pipeline.assess(
        sources, dialect=run.dialect, catalog=catalog, policy=run.policy, pending=run.pending(sources), root=run.root
    )
    live = run.connector if run.snapshot is None else None
    assessment = pipeline.with_references(assessment, sources, code=code, connector=live)
    if live is not None:
        assessment = pipeline.with_distributions(assessment, connector=live)
    assessment = narrowed(run, assessment, narrow)
    exit_code = verdict(run.out, assessment, fail_on)
    run.out.next(quoted("driftflow", "plan", *paths, *run.where, "-o", "driftflow-plan.json"))
    return exit_code
