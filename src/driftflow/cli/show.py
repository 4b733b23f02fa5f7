"""`driftflow show`."""

from __future__ import annotations

from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.output import quoted
from driftflow.cli.planfile import read_plan, unaccepted
from driftflow.cli.rendering import render
from driftflow.cli.session import Session


@click.command()
@options.session(database=False, formats=("text", "sql", "markdown", "json"))
@click.argument("file", type=options.FILE, default="driftflow-plan.json")
def command(run: Session, *, file: Path) -> None:
    """Show the plan in FILE, as text, as SQL to read, as Markdown for a pull request, or as JSON. What is shown is what runs."""
    plan = read_plan(file)
    match run.out.format:
        case "json":
            run.out.record(plan)
        case "sql" | "markdown":
            run.out.result(render(run.out.format, plan))
        case _:
            run.out.result(render("plan", plan, color=run.out.color))
    asked = [word for name in unaccepted(plan) for word in ("--accept", name)]
    run.out.next(quoted("driftflow", "apply", file, *asked) + " --url URL")
