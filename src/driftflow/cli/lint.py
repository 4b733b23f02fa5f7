"""`driftflow lint`."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.narrowing import Narrowing, narrowed, narrowing
from driftflow.cli.output import quoted
from driftflow.cli.remembering import keep, recording
from driftflow.cli.session import Session
from driftflow.cli.verdict import FORMATS, verdict
from driftflow.errors import SourceError


@click.command()
@options.session(formats=FORMATS)
@options.sources
@options.fail_on
@narrowing
@click.option("--no-cache", is_flag=True, help="Read everything anew; see DRIFTFLOW_CACHE.")
def command(
    run: Session,
    *,
    paths: tuple[Path, ...],
    tool: str,
    variables: Mapping[str, str],
    fail_on: str,
    narrow: Narrowing,
    no_cache: bool,
) -> int:
    """What is risky in the migrations at PATHS (folders or files), without a database.

    Sizes are unknown, so every table counts as large. Without PATHS the sources of driftflow.toml are read, else what is found from
    here down.
    """
    from driftflow import pipeline

    # A process of seconds that builds records without cycles: looking for garbage took a seventh of it.
    gc.disable()
    run.static = True
    run.out.recording = None if no_cache else recording()
    errors: list[SourceError] = []
    sources = run.sources(paths, tool=tool, variables=variables, errors=errors)
    assessment = pipeline.lint(
        sources, dialect=run.dialect, policy=run.policy, version=run.server_version, root=run.root, errors=errors
    )
    assessment = narrowed(run, assessment, narrow)
    code = verdict(run.out, assessment, fail_on)
    if errors:
        run.out.next(quoted("driftflow", "lint", *paths) + "    # again, when what cannot be read is mended")
        return code
    run.out.next(
        quoted("driftflow", "assess", *paths, "--url") + " URL    # the same, with the sizes of your tables",
        'driftflow effects "SQL"    # what one statement locks',
    )
    keep(run, sources, narrow, code)
    return code
