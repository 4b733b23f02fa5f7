"""`driftflow throttle`."""

from __future__ import annotations

import click

from driftflow.cli import options
from driftflow.cli.requests import ask
from driftflow.cli.session import Session


@click.command()
@options.session()
@click.argument("id", metavar="RUN")
@click.argument("milliseconds", type=click.IntRange(min=0, max=60_000))
def command(run: Session, *, id: str, milliseconds: int) -> None:
    """Ask RUN to rest MILLISECONDS after every chunk, on top of its own pace. 0 lifts it."""
    told = (
        f"run {id} was asked to rest {milliseconds} ms after every chunk"
        if milliseconds
        else f"run {id} goes at its own pace again"
    )
    ask(run, id, "throttle", told=told, arguments={"milliseconds": str(milliseconds)})
