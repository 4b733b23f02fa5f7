"""`driftflow clean`."""

from __future__ import annotations

import click

from driftflow.cli import options
from driftflow.cli.output import quoted
from driftflow.cli.session import Session


@click.command()
@options.session()
@click.option("--yes", is_flag=True, help="Remove it; without this, only say what would be removed.")
def command(run: Session, *, yes: bool) -> None:
    """Remove what interrupted runs left behind (staging tables, shadow tables, triggers, invalid indexes): only what the journal says
    is ours, and nothing of a run that can still go on."""
    from driftflow import pipeline

    removed = pipeline.clean(connector=run.connector, dry_run=not yes)
    if run.out.json:
        run.out.record({"removed" if yes else "would_remove": removed})
    elif not removed:
        run.out.result("nothing of ours is left behind")
    else:
        word = "removed" if yes else "would remove"
        run.out.result("\n".join(f"{word} {one}" for one in removed))
    run.out.next(
        quoted("driftflow", "clean", *run.where, "--yes") if removed and not yes else quoted("driftflow", "status", *run.where)
    )
