"""`driftflow effects`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.rendering import show
from driftflow.cli.session import Session
from driftflow.errors import UsageError


@click.command()
@options.session(snapshot=True)
@click.argument("sql")
@click.option("--observe", is_flag=True, help="Carry it out on a throw-away server, and compare.")
@click.option("--setup", type=options.FILE, metavar="FILE", help="With --observe: SQL that makes the tables, run first.")
@click.option("--on", metavar="URL", help="With --observe: a server that is marked as disposable, instead of a new one.")
def command(run: Session, *, sql: str, observe: bool, setup: Path | None, on: str | None) -> int:
    """What SQL locks and does: every relation with its lock, how long it is held, what that blocks; what makes it fail; what it
    loses and breaks. `-` reads standard input.

    With a database or a snapshot its tables are known; without one they are taken as they are named. Nothing is executed there: with
    --observe the SQL runs on a server that is started for it and thrown away. Exit 1 when that did something else than was predicted.
    """
    from driftflow import pipeline

    text = sys.stdin.read() if sql == "-" else sql
    if not text.strip():
        raise UsageError(
            "DF-E108", "there is no SQL to look at", hint='driftflow effects "ALTER TABLE orders ADD COLUMN note text"'
        )
    if observe:
        from driftflow.cli.observing import observe as observed

        return observed(run, text, setup=setup, on=on or "")
    if setup is not None or on:
        raise UsageError(
            "DF-E138",
            "--setup and --on say where to observe, and --observe is not there",
            hint='driftflow effects "SQL" --observe --setup FILE',
        )
    catalog = run.maybe_catalog
    found = pipeline.effects_of(text, dialect=run.dialect, catalog=catalog, version=run.server_version)
    show(run.out, found, text="effects")
    if catalog is None:
        run.out.next("driftflow snapshot --url URL    # then: effects … --snapshot FILE, with your tables")
    else:
        run.out.next("driftflow lint FOLDER")
    return 0
