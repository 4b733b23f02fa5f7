"""`driftflow compat`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import click

from driftflow.cli import options
from driftflow.cli.compat_inputs import Inputs, change_of, inputs, queries_of, start_of
from driftflow.cli.planfile import apply_command
from driftflow.cli.rendering import show
from driftflow.cli.session import Session
from driftflow.model.compatibility import Threshold

THRESHOLDS = ("break", "before-gate", "change", "never")


@click.command()
@options.session(snapshot=True)
@options.sources
@inputs
@click.option(
    "--fail-on", type=click.Choice(THRESHOLDS), default="break", show_default=True, help="Exit 1 for this, or for what is worse."
)
def command(
    run: Session, *, paths: tuple[Path, ...], tool: str, variables: Mapping[str, str], given: Inputs, fail_on: str
) -> int:
    """Which queries of the running application break on which schema that a plan, or the migrations at PATHS, leave behind.

    A server is started in the lab and given the schema of --setup, --snapshot, or the database. Every query is prepared on it, then each
    step is really run there and every query is prepared again. The database itself is only read.
    """
    from driftflow.lab.n_minus_one import Question, answer

    change = change_of(run, paths, tool=tool, variables=variables, given=given)
    start = start_of(run, given, change)
    queries = queries_of(run, given, run.dialect)
    run.out.note(f"note: preparing {len(queries)} recorded queries after each step, on a server that is started for it")
    found = answer(
        Question(
            subject=change.subject, change=change.plan or change.migrations, dialect=run.dialect, start=start, queries=queries
        )
    )
    show(run.out, found, text="compat")
    if change.plan is not None and not found.stopped:
        run.out.next(apply_command(change.plan, paths[0], run.live_where) + ("" if run.has_database else " --url URL"))
    elif change.plan is None and not given.setup:
        run.out.next(run.onward(*paths, *run.where))
    if found.stopped or not found.queries:
        return 6
    return 1 if found.fails(cast(Threshold, fail_on)) else 0
