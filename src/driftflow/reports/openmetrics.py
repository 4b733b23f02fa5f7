"""A run as an OpenMetrics text file, for a collector that reads files (node_exporter's textfile collector and its like).

The file is replaced as a whole, at most once a second and always at the end, so that no reader sees half of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from driftflow.model import event as events
from driftflow.model.event import AnyEvent
from driftflow.model.plan import Plan
from driftflow.reports.progress import is_undo

WRITE_SECONDS = 1.0
STATES = ("running", "waiting_at_gate", "paused", "failed", "unknown", "aborted", "done")


class OpenMetrics:
    """Counts what happens and writes it down."""

    def __init__(self, path: Path, plan: Plan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._plan = plan
        self._clock = clock
        self._written_at = float("-inf")
        self._run = ""
        self._state = "running"
        self._finished: set[str] = set()
        self._rows: dict[str, int] = {}
        self._counts = {"lock_waits": 0, "retries": 0, "throttles": 0}
        self._throttled_ms = 0
        self._problem = ""

    def __call__(self, event: AnyEvent) -> None:
        self._count(event)
        if not isinstance(event, events.ChunkDone) or self._clock() - self._written_at >= WRITE_SECONDS:
            self._write()

    def problems(self) -> tuple[str, ...]:
        return (f"the metrics could not be written: {self._problem}",) if self._problem else ()

    def _count(self, event: AnyEvent) -> None:
        self._run = event.run
        match event:
            case events.ChunkDone():
                self._rows[event.step] = event.rows_total
            case events.StepDone() if not is_undo(event.step):
                self._finished.add(event.step)
            case events.StepUndone():
                self._finished.discard(event.step)
            case events.LockWaited():
                self._counts["lock_waits"] += 1
            case events.Retried():
                self._counts["retries"] += 1
            case events.Throttled():
                self._counts["throttles"] += 1
                self._throttled_ms += event.wait_ms
            case _:
                self._state = _state(event, self._state)

    def text(self) -> str:
        """The exposition, as the OpenMetrics 1.0 text format has it."""
        run = f'run="{self._run}"'
        lines = ["# TYPE driftflow_run stateset"]
        lines += [f'driftflow_run{{{run},driftflow_run="{state}"}} {int(state == self._state)}' for state in STATES]
        lines += _gauge("driftflow_steps", f"{{{run}}}", len(self._plan.steps), "Steps of the plan.")
        lines += _gauge("driftflow_steps_done", f"{{{run}}}", len(self._finished), "Steps that are done.")
        lines += ["# TYPE driftflow_rows counter", "# HELP driftflow_rows Rows that a chunked step has done."]
        lines += [f'driftflow_rows_total{{{run},step="{step}"}} {rows}' for step, rows in sorted(self._rows.items())]
        for name, count in self._counts.items():
            lines += [f"# TYPE driftflow_{name} counter", f"driftflow_{name}_total{{{run}}} {count}"]
        lines += ["# TYPE driftflow_throttled_seconds counter", "# UNIT driftflow_throttled_seconds seconds"]
        lines += [f"driftflow_throttled_seconds_total{{{run}}} {self._throttled_ms / 1000}", "# EOF"]
        return "\n".join(lines) + "\n"

    def _write(self) -> None:
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            beside.write_text(self.text(), encoding="utf-8")
            beside.replace(self._path)
            self._written_at = self._clock()
        except OSError as fault:
            self._problem = str(fault)


def _gauge(name: str, labels: str, value: int, help: str) -> list[str]:
    return [f"# TYPE {name} gauge", f"# HELP {name} {help}", f"{name}{labels} {value}"]


def _state(event: AnyEvent, before: str) -> str:
    match event:
        case events.GateReached():
            return "waiting_at_gate"
        case events.Paused():
            return "paused"
        case events.StepFailed():
            return "failed"
        case events.OutcomeUnknown():
            return "unknown"
        case events.Aborted():
            return "aborted"
        case events.RunDone():
            return "done"
        case events.RunStarted() | events.Resumed() | events.GateOpened() | events.StepStarted():
            return "running"
        case _:
            return before
