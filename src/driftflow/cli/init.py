"""`driftflow init`."""

from __future__ import annotations

from pathlib import Path

import click

from driftflow.cli import options, wizard
from driftflow.cli.output import may_ask, write_file
from driftflow.cli.session import Session
from driftflow.config_file import FILE_NAME
from driftflow.errors import UsageError


@click.command()
@options.session(database=False)
@click.option(
    "--source",
    "source",
    metavar="[TOOL:]FOLDER",
    multiple=True,
    help="A folder of migrations; repeatable. Default: what is found.",
)
@click.option(
    "--url-env", metavar="[NAME=]VARIABLE", multiple=True, help="An environment and the variable that holds its URL; repeatable."
)
@click.option("--yes", is_flag=True, help="Take what is found, ask nothing.")
@click.option("--force", is_flag=True, help="Overwrite a driftflow.toml that is there.")
def command(run: Session, *, source: tuple[str, ...], url_env: tuple[str, ...], yes: bool, force: bool) -> None:
    """Find the project's migrations and database settings and write driftflow.toml here.

    On a terminal it asks before it takes anything over and tests the connection; otherwise say --yes, or name everything with --source
    and --url-env. No secret is copied: an environment names the variable that holds its URL.
    """
    root = Path.cwd()
    path = root / FILE_NAME
    if path.exists() and not force:
        raise UsageError(
            "DF-E134",
            f"{FILE_NAME} is already here",
            where=str(path),
            hint="driftflow config    # or: driftflow init --force, to overwrite",
        )
    draft = wizard.draft(root, source=source, url_env=url_env)
    if not yes and not (source and url_env):
        if not may_ask():
            raise UsageError(
                "DF-E135", "nobody is here to answer", why="standard input is not a terminal", hint="driftflow init --yes"
            )
        draft = wizard.ask(draft)
    tested = wizard.test_connections(draft, root)
    write_file(path, wizard.toml(draft))
    if run.out.json:
        run.out.record({"file": str(path), "sources": draft.sources, "environments": draft.environments, "tested": tested})
    else:
        run.out.result("\n".join([f"written: {path}", *wizard.told(draft), *tested]))
    run.out.next(*(["driftflow sources", "driftflow lint"] if draft.sources else ["driftflow lint FOLDER"]))
