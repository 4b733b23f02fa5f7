"""`driftflow effects`."""

from __future__ import annotations

import sys

import click

from driftflow.cli import options
from driftflow.cli.rendering import show
from driftflow.cli.session import Session
from driftflow.errors import UsageError


@click.command()
@options.session(snapshot=True)
@click.argument("sql")
def command(run: Session, *, sql: str) -> None:
    """What SQL locks and does: every relation with its lock, how long it is held, what that blocks; what makes it fail; what it
    loses and breaks. `-` reads standard input.

    With a database or a snapshot its tables are known; without one they are taken as they are named. Nothing is executed.
    """
    from driftflow import pipeline

    text = sys.stdin.read() if sql == "-" else sql
    if not text.strip():
        raise UsageError(
            "DF-E108", "there is no SQL to look at", hint='driftflow effects "ALTER TABLE orders ADD COLUMN note text"'
        )
    catalog = run.maybe_catalog
    found = pipeline.effects_of(text, dialect=run.dialect, catalog=catalog, version=run.server_version)
    show(run.out, found, text="effects")
    if catalog is None:
        run.out.next("driftflow snapshot --url URL    # then: effects … --snapshot FILE, with your tables")
    else:
        run.out.next("driftflow lint FOLDER")
