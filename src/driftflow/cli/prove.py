"""`driftflow prove`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.output import write_file
from driftflow.cli.planfile import apply_command, read_plan
from driftflow.cli.prove_inputs import Given, given, question_of
from driftflow.cli.rendering import render, show
from driftflow.cli.session import Session
from driftflow.cli.telling import progress


@click.command()
@options.session(snapshot=True, formats=("text", "json", "markdown"))
@given
@click.option("-o", "--output", type=options.FILE, metavar="FILE", help="Keep the proof as a file, for `apply --proof`.")
@click.argument("file", type=options.FILE, default="driftflow-plan.json")
def command(run: Session, *, file: Path, inputs: Given, tool: str, variables: Mapping[str, str], output: Path | None) -> int:
    """Show on a throw-away server that the plan in FILE does what it should.

    The schema of --snapshot, --schema or the database (which is only read) is made there and filled with rows that nobody wrote. Then the
    original migration runs on one copy and the plan on others: forward, back, under writers, killed and resumed. What differs is named with
    its step; what could not be shown is listed. Exit 0 only when all of it was shown.
    """
    from driftflow.lab.proof.prove import prove
    from driftflow.model.proof import encode_proof

    plan = read_plan(file)
    run.flags = {**run.flags, "dialect": plan.dialect}  # before anything asks what the dialect is
    question = question_of(run, plan, inputs, file=file, tool=tool, variables=variables)
    with progress(run.out) as tell:
        proof = prove(question, tell=tell)
    if run.out.format == "markdown":
        run.out.result(render("proof-markdown", proof))
    else:
        show(run.out, proof, text="proof")
    if output is not None:
        write_file(output, encode_proof(proof))
        run.out.note(f"written to {output}")
    if proof.green:
        run.out.next(apply_command(plan, file, run.live_where) + (f" --proof {output}" if output is not None else ""))
    return 0 if proof.green else 1
