"""`driftflow watch`."""

from __future__ import annotations

import sys

import click

from driftflow.cli import options
from driftflow.cli.output import is_terminal, quoted
from driftflow.cli.session import Session
from driftflow.config import mask


@click.command()
@options.session()
@click.argument("id", metavar="[RUN]", default="")
def command(run: Session, *, id: str) -> int:
    """Follow RUN (or the only one that is not finished) from another terminal: its events so far, then each as it comes. Ends when the
    run ends; Ctrl-C ends the watching, never the run."""
    from driftflow import pipeline
    from driftflow.model.record import encode
    from driftflow.reports.progress import progress

    seen = pipeline.watch(id, connector=run.connector)
    if run.out.json:
        for event in seen:
            run.out.result(encode(event).decode())
        return 0
    plan = pipeline.plan_of_run(id, connector=run.connector)
    live = is_terminal(sys.stdout) and not run.out.quiet
    with progress(sys.stdout, plan, live=live, color=run.out.color, mask=lambda text: mask(text, run.out.secrets)) as listener:
        for event in seen:
            listener(event)
    run.out.next(quoted("driftflow", "status", *run.where))
    return 0
