"""`driftflow pause`."""

from __future__ import annotations

import click

from driftflow.cli import options
from driftflow.cli.requests import ask
from driftflow.cli.session import Session


@click.command()
@options.session()
@click.argument("id", metavar="RUN")
def command(run: Session, *, id: str) -> None:
    """Ask RUN to pause at the end of the chunk it is in. Its process keeps waiting and holds no lock; `resume RUN` lets it go on.

    A step that cannot be divided (an index build) is finished first; `abort` cancels it.
    """
    ask(run, id, "pause", told=f"run {id}, pause", next=("resume", "status"))
