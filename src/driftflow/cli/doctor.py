"""`driftflow doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from driftflow.cli import options
from driftflow.cli.session import Session

if TYPE_CHECKING:
    from driftflow.doctor import Examined


@click.command()
@options.session()
@click.option("--lab", is_flag=True, help="Look at the throw-away servers of this machine instead of at a database.")
def command(run: Session, *, lab: bool) -> int:
    """What stands between this database and a safe run: rights held and missing (with the exact GRANT), version, look-alike engines,
    poolers, replicas, publications, half-done states. Writes nothing. Exit 1 when there is a problem."""
    from driftflow import pipeline

    lines = _lab() if lab else pipeline.doctor(run.connector)
    if run.out.json:
        run.out.record(lines)
    else:
        for line in lines:
            run.out.result(f"{line.state:<8} {line.name}: {line.found}")
            if line.hint:
                run.out.result(f"         hint: {line.hint}")
    problems = [line for line in lines if line.state == "problem"]
    hints = [line.hint for line in problems if line.hint]
    run.out.next(hints[0] if hints else "driftflow demo" if lab else run.onward(*run.where))
    return 1 if problems else 0


def _lab() -> Sequence[Examined]:
    """The servers that tests, the demo and proofs can start here, and the account they would run as."""
    from driftflow.doctor import Examined
    from driftflow.lab import mysql_programs
    from driftflow.lab.account import server_account
    from driftflow.lab.servers import available

    found = [Examined(name=f"{one.vendor} {one.version}", state="ok", found=one.origin) for one in available()]
    found += [Examined(name=f"{one.flavour} {one.version}", state="ok", found=one.origin) for one in mysql_programs.installed()]
    if not found:
        found = [Examined(name="servers", state="problem", found="no server to start", hint="pip install 'driftflow[lab]'")]
    account = server_account()
    return [*found, Examined(name="account", state="ok", found=account.pw_name if account else "our own")]
