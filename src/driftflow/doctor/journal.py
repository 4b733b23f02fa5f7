"""Examinations of driftflow's own journal, the same on every vendor: runs that nobody ended, and what they left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftflow.doctor import Examination, Examined
from driftflow.errors import JournalError

if TYPE_CHECKING:
    from driftflow.engine.ports import Connection


def unfinished_runs(connection: Connection) -> Iterator[Examined]:
    """Each holds its claims, so no other plan may touch its tables until it goes on or is taken back."""
    from driftflow.journal import inspect

    try:
        found = inspect.runs(connection, unfinished=True)
    except JournalError as fault:
        yield Examined(name="runs", state="problem", found=fault.summary, hint=fault.hint)
        return
    if not found:
        yield Examined(name="runs", state="ok", found="none is unfinished")
    for run in found:
        told = f"run {run.run} is {run.state.replace('_', ' ')}, {run.steps_done} of {run.steps_total} steps done"
        if run.alive:
            yield Examined(
                name="runs", state="ok", found=f"{told}; {run.executor} executes it", hint=f"driftflow watch {run.run}"
            )
            continue
        gate = f"driftflow gate open {run.run} {run.gate}, then: " if run.gate else ""
        hint = f"{gate}driftflow resume {run.run}, or: driftflow rollback {run.run}"
        yield Examined(name="runs", state="warning", found=f"{told}; nobody executes it", hint=hint)


def debris(connection: Connection) -> Iterator[Examined]:
    """Shadow tables, triggers and indexes that were registered before they were made, and never taken away."""
    from driftflow.journal import inspect

    try:
        left = inspect.clean(connection, dry_run=True)
    except JournalError:
        return  # The examination of the runs has said it.
    if not left:
        yield Examined(name="debris", state="ok", found="nothing of ours is left behind")
    for what in left:
        yield Examined(name="debris", state="warning", found=f"left behind by a run: {what}", hint="driftflow clean")


EXAMINATIONS: tuple[Examination, ...] = (unfinished_runs, debris)
