"""`driftflow abort`."""

from __future__ import annotations

import click

from driftflow.cli import options
from driftflow.cli.requests import ask
from driftflow.cli.session import Session


@click.command()
@options.session()
@click.argument("id", metavar="RUN")
def command(run: Session, *, id: str) -> None:
    """Ask RUN to stop for good: the statement that runs is cancelled, what is done stays done, and `rollback RUN` takes it back."""
    ask(run, id, "abort", told=f"run {id}, stop", next=("rollback", "status"))
