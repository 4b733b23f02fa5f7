"""A statement that needs a table for itself is begun at a moment when nobody uses the table, where there is such a moment.

A request that waits stands in front of everybody else's, also of a transaction that has read the table and now writes it, and for which it waits
itself. MySQL and MariaDB end that transaction then, never the request (measured on 9.7, 10.11 and 11.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from driftflow.engine.context import Context
from driftflow.engine.decide import interruption
from driftflow.engine.ports import Held
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name

POLL_SECONDS = 0.003
PATIENCE_SECONDS = 2.0
"""Nobody waits meanwhile, but the plan gets longer. Then it waits in the queue as any DDL does."""


def execute_when_free(statement: str, claims: Sequence[LockClaim], context: Context) -> None:
    """Run the statement, which takes these locks. Raises DatabaseFault."""
    if not executed_when_free(statement, claims, context):
        context.control.anew(context.clock.monotonic())
        context.connection.execute(statement)


def executed_when_free(statement: str, claims: Sequence[LockClaim], context: Context, *, door: Name | None = None) -> bool:
    """Whether there was a moment for it. Raises DatabaseFault."""
    clock, connection = context.clock, context.connection
    ends = clock.monotonic() + (PATIENCE_SECONDS if claims else 0)
    with connection.unless_held(claims, door=door):
        while clock.monotonic() < ends and interruption(context.signals()) is None:
            context.control.anew(clock.monotonic())
            with suppress(Held):
                connection.execute(statement)
                return True
            clock.sleep(POLL_SECONDS)
    return False
