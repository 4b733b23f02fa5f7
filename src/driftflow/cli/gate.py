"""`driftflow gate`."""

from __future__ import annotations

import click

from driftflow.cli import options
from driftflow.cli.requests import ask
from driftflow.cli.session import Session


@click.group()
def command() -> None:
    """Gates stand between the phases of a plan: a person, or a later CI job, says that the world outside is ready."""


@command.command(name="open")
@options.session()
@click.argument("id", metavar="RUN")
@click.argument("gate")
def open_gate(run: Session, *, id: str, gate: str) -> None:
    """Open GATE of RUN. `resume RUN` goes on behind it."""
    ask(run, id, "gate", told=f"run {id}, gate {gate}", arguments={"name": gate}, next=("resume", "status"))
