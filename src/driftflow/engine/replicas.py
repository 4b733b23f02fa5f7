"""Replicas that questions about data go to, so that the primary does not read for them. Each is shown to be a replica of this database first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from driftflow.engine.context import Context
from driftflow.engine.ports import Connection, DatabaseFault, ReplicaPort
from driftflow.errors import RefusedError
from driftflow.model.event import Counted

CATCH_UP_SECONDS = 15
"""How long a replica may take to show the structure that the primary has."""


@contextmanager
def with_replicas(context: Context, ports: Sequence[ReplicaPort]) -> Iterator[None]:
    """The context's replicas for as long as the run goes on. Raises RefusedError (DF-E756, DF-E757) for what is no replica of this database."""
    opened: list[Connection] = []
    try:
        for port in ports:
            connection = port.connect(context.connection)
            opened.append(connection)
            _same_structure(context, connection, port)
            context.replicas = (*context.replicas, connection)
            context.replica_names[connection] = port.display
            _say(
                context, "", f"what only counts is read on the replica {port.display}, {port.lag(connection, context.connection)}"
            )
        yield
    finally:
        context.replicas = ()
        for connection in opened:
            with closing(connection):
                context.replica_names.pop(connection, None)


def replicas_asked(context: Context) -> Iterator[Connection]:
    """Those that still answer; one that is gone is told once and left out from then on."""
    for connection in context.replicas:
        try:
            connection.query("SELECT 1")
            connection.rollback()
        except DatabaseFault:
            context.replicas = tuple(one for one in context.replicas if one is not connection)
            _say(context, "", f"the replica {context.replica_names[connection]} does not answer any more: it is not asked again")
            continue
        yield connection


def tell_who_was_not_asked(context: Context, step: str) -> None:
    """Replicas that the primary knows and nobody gave to us: about what is read there, nothing is known."""
    port = context.known_replicas
    if port is None:
        return
    try:
        missing = port(context.connection, context.replicas)
    except DatabaseFault as fault:
        _say(context, step, f"which replicas there are cannot be seen ({fault.message}): about reads there nothing is known")
        return
    if missing:
        named = ", ".join(missing)
        _say(
            context,
            step,
            f"{len(missing)} replicas were not asked: {named}; about reads there nothing is known (--replica-url asks them)",
        )


def _same_structure(context: Context, connection: Connection, port: ReplicaPort) -> None:
    """It may be behind by a moment; what stays different is another database, or one that replicates only a part."""
    relations = context.plan.fingerprint_relations
    if not relations:
        return
    wanted = context.fingerprint(context.connection, relations)
    until = context.clock.monotonic() + CATCH_UP_SECONDS
    while (found := context.fingerprint(connection, relations)) != wanted:
        if context.clock.monotonic() >= until:
            raise RefusedError(
                "DF-E757",
                "the replica has another structure than the primary",
                where=port.display,
                why=f"its fingerprint is {found[:12]}, the primary's {wanted[:12]}; {port.lag(connection, context.connection)}",
                hint="wait until it has caught up, or leave --replica-url out",
            )
        context.clock.sleep(0.25)


def _say(context: Context, step: str, text: str) -> None:
    context.emit(Counted(run=context.run, at=context.now(), fence=context.fence, step=step, text=text))
