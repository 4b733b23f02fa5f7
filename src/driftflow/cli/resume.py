"""`driftflow resume`."""

from __future__ import annotations

from typing import Any

import click

from driftflow.cli import options, running
from driftflow.cli.requests import ask
from driftflow.cli.session import Session


@click.command()
@options.session()
@options.replicas
@running.listening
@running.how
@click.option("--phase", type=click.Choice(["expand", "migrate", "contract"]), help="Go to the end of this phase, no further.")
@click.argument("id", metavar="[RUN]", default="")
def command(run: Session, *, id: str, listening: running.Listening, **how: Any) -> int:
    """Go on with RUN, or with the only one that is not finished: after a pause, Ctrl-C, a crash, a lost connection, an opened gate.

    The plan is in the journal of the database. A run that another process executes right now is only told to go on, where it was paused.
    """
    from driftflow import pipeline
    from driftflow.engine.run import RunOptions
    from driftflow.reports.progress import Before

    found = running.the_run(run, id)
    name = found.run
    if found.alive and found.state == "paused":
        ask(run, name, "resume", told=f"run {name}, which waits in the process {found.executor}, go on")
        return 0
    plan = pipeline.plan_of_run(name, connector=run.connector)
    return running.execute(
        run,
        plan,
        listening,
        lambda tell, stop: pipeline.resume_run(
            name,
            connector=run.connector,
            policy=run.policy,
            options=RunOptions(**how),
            listener=tell,
            stop=stop,
            root=run.root,
            replicas=run.replicas,
        ),
        accepted=how["accept"],
        before=Before(steps=found.steps_done, rows=found.rows),
    )
