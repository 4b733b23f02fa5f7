"""Asking a run that another process executes: what pause, throttle, abort and gate share."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from driftflow.cli.output import quoted
from driftflow.cli.session import Session

if TYPE_CHECKING:
    from driftflow.engine.ports import Verb


def ask(
    run: Session,
    id: str,
    verb: Verb,
    *,
    told: str,
    arguments: Mapping[str, str] = {},
    next: tuple[str, ...] = ("watch",),
    join: str = "or",
) -> None:
    """Leave the request in the journal, where the executor finds it within a second, from any machine that reaches the database."""
    from driftflow import pipeline

    by = f"{getpass.getuser()}@{socket.gethostname()}"
    answer = pipeline.request(id, verb, connector=run.connector, arguments=arguments, by=by)
    if run.out.json:
        run.out.record({"run": id, "asked": verb, "arguments": dict(arguments), "answer": answer})
    else:
        run.out.result(f"{told}: {answer}")
    run.out.next(*(quoted("driftflow", word, id, *run.where) for word in next), join=join)
