"""`driftflow plan`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.output import quoted, write_file
from driftflow.cli.planfile import unaccepted
from driftflow.cli.rendering import show
from driftflow.cli.session import Session


@click.command()
@options.session(snapshot=True)
@options.sources
@click.option(
    "-o", "--output", type=options.FILE, default="driftflow-plan.json", show_default=True, help="The plan file to write."
)
@click.option("--accept", metavar="NAME", multiple=True, help="Accept an irreversible step by its name; repeatable.")
def command(
    run: Session, *, paths: tuple[Path, ...], tool: str, variables: Mapping[str, str], output: Path, accept: tuple[str, ...]
) -> int:
    """Make the plan of the pending migrations at PATHS: small safe steps, each with its locks, limits, probe and undo, and a digest.

    Needs the catalog: of the database, or of the file that --snapshot names. Writes the plan file and nothing else.
    """
    from driftflow import pipeline
    from driftflow.model.plan_file import encode_plan
    from driftflow.model.record import replace

    catalog = run.catalog
    sources = run.sources(paths, tool=tool, variables=variables)
    plan = pipeline.make_plan(
        sources, dialect=run.dialect, catalog=catalog, policy=run.policy, pending=run.pending(sources), root=run.root
    )
    if accept:
        plan = replace(plan, accepted=tuple(sorted({*plan.accepted, *accept})))
    if not plan.steps:
        run.out.result("nothing is pending: there is nothing to plan") if not run.out.json else run.out.record(plan)
        run.out.next("driftflow sources")
        return 0
    write_file(output, encode_plan(plan))
    show(run.out, plan, text="plan")
    run.out.note(f"written to {output}")
    where = () if run.snapshot and not run.has_database else run.where
    asked = [word for name in unaccepted(plan) for word in ("--accept", name)]
    run.out.next(
        quoted("driftflow", "apply", output, *where, *asked) + ("" if where or run.config.environments else " --url URL")
    )
    return 0
