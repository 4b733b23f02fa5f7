"""`driftflow apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from driftflow.cli import options, running
from driftflow.cli.planfile import check_approved, read_plan
from driftflow.cli.prooffile import check_proof
from driftflow.cli.session import Session


@click.command()
@options.session()
@options.replicas
@running.listening
@running.how
@click.option("--phase", type=click.Choice(["expand", "migrate", "contract"]), help="Go to the end of this phase, no further.")
@click.option(
    "--approved", metavar="DIGEST", default="", help="The digest that was approved; a protected environment demands it."
)
@click.option("--proof", type=options.FILE, metavar="FILE", help="The proof of the plan; some environments demand one.")
@click.argument("file", type=options.FILE, default="driftflow-plan.json")
def command(run: Session, *, file: Path, approved: str, proof: Path | None, listening: running.Listening, **how: Any) -> int:
    """Run the plan in FILE on the database, or go on with its unfinished run.

    Asks nothing. Before anything is written it compares the schema with the one that the plan was made for. Ctrl-C ends at a safe point;
    `resume` goes on there.
    """
    from driftflow import pipeline
    from driftflow.engine.run import RunOptions

    plan = read_plan(file)
    check_approved(plan, approved, policy=run.policy, environment=run.config.target.name)
    check_proof(plan, proof, required=run.policy.require_proof, connector=lambda: run.connector)
    run.out.note(f"database {run.connector.display}\nplan     {plan.digest[:12]}, {len(plan.steps)} steps")
    return running.execute(
        run,
        plan,
        listening,
        lambda tell, stop: pipeline.apply_plan(
            plan,
            connector=run.connector,
            policy=run.policy,
            options=RunOptions(**how),
            listener=tell,
            stop=stop,
            root=run.root,
            replicas=run.replicas,
        ),
        accepted=how["accept"],
    )
