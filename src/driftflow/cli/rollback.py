"""`driftflow rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftflow.cli import options, running
from driftflow.cli.output import may_ask
from driftflow.cli.session import Session
from driftflow.errors import RefusedError

if TYPE_CHECKING:
    from driftflow.model.plan import Plan


@click.command()
@options.session()
@options.replicas
@running.listening
@running.how
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@click.argument("id", metavar="RUN")
def command(run: Session, *, id: str, yes: bool, listening: running.Listening, **how: Any) -> int:
    """Take RUN back, step by step in reverse order, after showing what cannot come back.

    What is lost for good has to be accepted by name (--accept): a column comes back without its values, anything else stays as it is, and the rest is
    taken back.
    """
    from driftflow import pipeline
    from driftflow.engine.run import RunOptions

    plan = pipeline.plan_of_run(id, connector=run.connector)
    run.out.note("\n".join([f"database {run.connector.display}", *_lost(plan)]))
    if not yes:
        if not may_ask():
            raise RefusedError(
                "DF-E395", "nobody is here to answer", why="rollback asks first", hint=f"driftflow rollback {id} --yes"
            )
        click.confirm(f"Take run {id} back?", abort=True, err=True)
    return running.execute(
        run,
        plan,
        listening,
        lambda tell, stop: pipeline.roll_back(
            id,
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


def _lost(plan: Plan) -> list[str]:
    """What cannot come back, step by step, and what the plan made."""
    from driftflow.model.plan import Irreversible
    from driftflow.reports.goes_back import lost_with_it

    lost = [(step.purpose, step.undo) for step in plan.steps if isinstance(step.undo, Irreversible)]
    lines = [f"  {purpose}: {undo.reason} (--accept '{undo.name}')" for purpose, undo in lost]
    made = lost_with_it(plan)
    return [
        *(["cannot come back:", *lines] if lost else ["every step of this plan can be taken back"]),
        *([f"goes again, with all that was written to it since: {', '.join(made)}"] if made else []),
    ]
