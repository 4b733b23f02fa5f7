"""What other terminals ask of the journal of a database: which runs there are, what one is doing, and requests to it.

Each call opens a session of its own and closes it. An empty run id means the only unfinished run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

from driftflow.engine.clock import SystemClock
from driftflow.engine.ports import Connection, Connector, Verb
from driftflow.errors import UsageError
from driftflow.journal import inspect
from driftflow.journal.follow import follow
from driftflow.journal.inspect import RunSummary
from driftflow.model.event import AnyEvent
from driftflow.model.plan import Plan


def plan_of_run(run: str, *, connector: Connector) -> Plan:
    """The plan that a run carries out, from the journal. An empty `run` is the only unfinished one."""
    with closing(connector.connect("status")) as connection:
        return inspect.stored_plan(connection, the_run(connection, run))


def status(connector: Connector) -> tuple[RunSummary, ...]:
    """Every run that the journal of this database knows, newest first. Empty when there is no journal; writes nothing."""
    with closing(connector.connect("status")) as connection:
        return inspect.runs(connection)


def watch(run: str, *, connector: Connector) -> Iterator[AnyEvent]:
    """The events of a run, old ones first, then as they come; ends when nobody executes it any more."""
    with closing(connector.connect("watch")) as connection:
        yield from follow(connection, the_run(connection, run), clock=SystemClock())


def request(run: str, verb: Verb, *, connector: Connector, arguments: Mapping[str, str] = {}, by: str = "") -> str:
    """Ask a run in another process; returns what happens now."""
    with closing(connector.connect("request")) as connection:
        return inspect.request(connection, the_run(connection, run), verb, arguments, by=by)


def the_run(connection: Connection, run: str) -> str:
    """The id itself, or that of the only unfinished run. Raises UsageError when there is none, or more than one."""
    if run:
        return run
    open_runs = inspect.runs(connection, unfinished=True)
    if len(open_runs) != 1:
        found = ", ".join(summary.run for summary in open_runs) or "none"
        raise UsageError("DF-E123", "which run?", why=f"unfinished runs here: {found}", hint="driftflow status")
    return open_runs[0].run


def clean(*, connector: Connector, dry_run: bool) -> tuple[str, ...]:
    """Remove the debris that the journal says is ours. Returns what was (or would be) removed."""
    with closing(connector.connect("clean")) as connection:
        return inspect.clean(connection, dry_run=dry_run)
