"""`driftflow show`."""

from __future__ import annotations

from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.planfile import apply_command, read_plan
from driftflow.cli.rendering import PLAN_FORMATS, show_plan
from driftflow.cli.session import Session


@click.command()
@options.session(database=False, formats=PLAN_FORMATS)
@click.argument("file", type=options.FILE, default="driftflow-plan.json")
def command(run: Session, *, file: Path) -> None:
    """Show the plan in FILE, as text, as SQL to read, as Markdown for a pull request, or as JSON. What is shown is what runs."""
    plan = read_plan(file)
    show_plan(run.out, plan)
    run.out.next(apply_command(plan, file, ()) + " --url URL")
