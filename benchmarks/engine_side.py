"""driftflow's side of every comparison: `UPDATE ...` in a file → plan → apply, through the pipeline and nothing under it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from rounds import percentiles

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.engine.ports import Connector
from driftflow.engine.run import RunOptions
from driftflow.model.event import AnyEvent, ChunkDone
from driftflow.model.plan import Gate, Irreversible, Plan
from driftflow.model.record import replace

NO_REST = Policy(rest_percent=1)
"""Throughput: the least rest that a policy can say. A hundredth of the time stays in our figures."""
DEFAULT = Policy()


@dataclass
class Ran:
    """One apply, from the call to its return."""

    seconds: float
    events: list[AnyEvent] = field(default_factory=list)

    @property
    def chunks(self) -> list[ChunkDone]:
        return [event for event in self.events if isinstance(event, ChunkDone)]


def plan_of(sql: str, connector: Connector, folder: Path, policy: Policy) -> Plan:
    """The plan of one file with this text."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "001_change.sql").write_text(sql + ";\n")
    dialect = dialect_named(connector.dialect)
    sources = pipeline.find_sources([folder], dialect=dialect, options={}, root=folder)
    plan = pipeline.make_plan(sources, dialect=dialect, catalog=pipeline.read_catalog(connector), policy=policy, root=folder)
    # An UPDATE keeps no old values, so its step wants to be accepted by name.
    return replace(plan, accepted=tuple(sorted(step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible))))


def applied(plan: Plan, connector: Connector, folder: Path, policy: Policy) -> Ran:
    """Every gate is open. Raises when the run does not end: a benchmark of half a run says nothing."""
    opened = RunOptions(open_gates=tuple(step.name for step in plan.steps if isinstance(step, Gate)))
    events: list[AnyEvent] = []
    begun = time.perf_counter()
    report = pipeline.apply_plan(plan, connector=connector, policy=policy, options=opened, listener=events.append, root=folder)
    ran = Ran(time.perf_counter() - begun, events)
    if report.state != "done":
        raise RuntimeError(f"the run ended as {report.state}: {report.message}")
    return ran


def keys_of(ran: Ran) -> list[int]:
    """How many keys each chunk spanned."""
    totals = [0, *(chunk.rows_total for chunk in ran.chunks)]
    return [later - earlier for earlier, later in pairwise(totals) if later > earlier]


def chunk_figures(runs: Sequence[Ran], resting: Ran, rows: int, limit_ms: int) -> dict[str, Any]:
    """Chunk times without rest (all rounds) and at the default pace (one run), and how fast the default pace is."""
    return {
        "chunks_without_rest_ms": percentiles([float(chunk.milliseconds) for ran in runs for chunk in ran.chunks]),
        "chunks_without_rest": sum(len(ran.chunks) for ran in runs) / max(len(runs), 1),
        "chunks_at_default_pace_ms": percentiles([float(chunk.milliseconds) for chunk in resting.chunks]),
        "chunks_at_default_pace": len(resting.chunks),
        "chunk_limit_ms": limit_ms,
        "chunks_over_limit_at_default_pace": sum(chunk.milliseconds > limit_ms for chunk in resting.chunks),
        "default_pace_seconds": resting.seconds,
        "default_pace_rows_per_second": rows / resting.seconds,
    }
