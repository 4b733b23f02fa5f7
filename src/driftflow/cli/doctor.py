"""`driftflow doctor`."""

from __future__ import annotations

import click

from driftflow.cli import options
from driftflow.cli.session import Session

MARKS = {"ok": "ok     ", "warning": "warning", "problem": "problem"}


@click.command()
@options.session()
def command(run: Session) -> int:
    """What stands between this database and a safe run: rights held and missing (with the exact GRANT), version, look-alike engines,
    poolers, replicas, publications, half-done states. Writes nothing. Exit 1 when there is a problem."""
    from driftflow import pipeline

    lines = pipeline.doctor(run.connector)
    if run.out.json:
        run.out.record(lines)
    else:
        for line in lines:
            run.out.result(f"{MARKS[line.state]}  {line.name}: {line.found}")
            if line.hint:
                run.out.result(f"         hint: {line.hint}")
    problems = [line for line in lines if line.state == "problem"]
    hints = [line.hint for line in problems if line.hint]
    run.out.next(hints[0] if hints else f"driftflow plan {' '.join(run.where)}".rstrip())
    return 1 if problems else 0
