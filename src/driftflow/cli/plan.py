"""`driftflow plan`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.output import write_file
from driftflow.cli.planfile import apply_command
from driftflow.cli.rendering import PLAN_FORMATS, show_plan
from driftflow.cli.session import Session


@click.command()
@options.session(snapshot=True, formats=PLAN_FORMATS)
@options.sources
@click.option(
    "-o", "--output", type=options.FILE, default="driftflow-plan.json", show_default=True, help="The plan file to write."
)
@click.option("--accept", metavar="NAME", multiple=True, help="Accept an irreversible step by its name; repeatable.")
@click.option(
    "--code",
    type=options.FILE,
    metavar="FOLDER",
    help="Search the application's source for what still uses what is changed; the places join the first gate's checklist.",
)
def command(
    run: Session,
    *,
    paths: tuple[Path, ...],
    tool: str,
    variables: Mapping[str, str],
    output: Path,
    accept: tuple[str, ...],
    code: Path | None,
) -> int:
    """Make the plan of the pending migrations at PATHS: small safe steps, each with its locks, limits, probe and undo, and a digest.

    Needs the catalog: of the database, or of the file that --snapshot names. Writes the plan file and nothing else.
    """
    from driftflow import pipeline
    from driftflow.model.plan import Gate
    from driftflow.model.plan_file import encode_plan
    from driftflow.model.record import replace
    from driftflow.readers.said_expressions import refuse_unreadable

    catalog = run.catalog
    sources = run.sources(paths, tool=tool, variables=variables)
    pending = run.pending(sources)
    if run.has_database and run.snapshot is None:
        refuse_unreadable(sources, pending, run.connector)
    still_used = run.references(sources, pending, code) if code else ()
    plan = pipeline.make_plan(
        sources,
        dialect=run.dialect,
        catalog=catalog,
        policy=run.policy,
        pending=pending,
        root=run.root,
        references=still_used,
    )
    if accept:
        plan = replace(plan, accepted=tuple(sorted({*plan.accepted, *accept})))
    if not plan.steps:
        run.out.result("nothing is pending: there is nothing to plan") if not run.out.json else run.out.record(plan)
        run.out.next("driftflow sources")
        return 0
    write_file(output, encode_plan(plan))
    show_plan(run.out, plan)
    if still_used and not any(isinstance(step, Gate) for step in plan.steps):
        run.out.note(
            f"note: {len(still_used)} place(s) in the code mention what changes; the plan has no gate that would ask about them"
        )
    run.out.note(f"written to {output}")
    run.out.next(apply_command(plan, output, run.live_where) + ("" if run.has_database else " --url URL"))
    return 0
