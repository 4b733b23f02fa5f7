"""Gate: the run stops here, without a lease, until somebody says that the world outside is ready."""

from __future__ import annotations

from driftflow.engine.context import Context
from driftflow.model.event import GateOpened, GateReached
from driftflow.model.plan import Gate


def reach(step: Gate, context: Context, question: str) -> None:
    """Asked once more in the database: it may have been opened while nobody was executing."""
    context.record(GateReached(run=context.run, at=context.now(), fence=context.fence, step=step.id, question=question))


def opened(step: Gate, context: Context, by: str) -> None:
    context.record(GateOpened(run=context.run, at=context.now(), fence=context.fence, step=step.id, by=by))
