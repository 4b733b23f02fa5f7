"""`driftflow demo`."""

from __future__ import annotations

import click

from driftflow.cli import options
from driftflow.cli.session import Session


@click.command()
@options.session(database=False, formats=("text",))
@click.option(
    "--on",
    "server",
    type=click.Choice(["sqlite", "postgresql", "mariadb", "mysql"]),
    default="sqlite",
    show_default=True,
    help="The database.",
)
def command(run: Session, *, server: str) -> int:
    """Show the main job on a shop database with 200,000 orders, under a writer that never stops: assessment, plan, run, the writer's
    longest stall, and a rollback. Asks nothing and leaves nothing behind."""
    from driftflow.demo.run import demo

    code = demo(server, say=run.out.result, color=run.out.color)
    run.out.next("driftflow lint FOLDER    # with your own migrations", "driftflow init")
    return code
