"""Claim five: killed at a commit of any step, or between two chunks, the run is taken up again and comes to the same end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from driftflow.engine.ports import DatabaseFault
from driftflow.errors import DriftflowError
from driftflow.lab.proof.asked_for import beside
from driftflow.lab.proof.bench import Bench
from driftflow.lab.proof.breaking import BreakingConnector, Killed, Moment
from driftflow.lab.proof.ends import FORWARD
from driftflow.lab.proof.running import named, why, without_the_database
from driftflow.lab.proof.state import State, differences
from driftflow.lab.proof.unfit import unfit
from driftflow.lab.proof.watching import Observed
from driftflow.lab.scratch import Scratch
from driftflow.model.plan import Backfill, BuildIndex, Plan, RebuildTable, RunSql, Stage
from driftflow.model.plan_file import encode_plan
from driftflow.model.proof import Claim, Difference
from driftflow.reports.style import count

POINTS_MAX = 8
CHILD_SECONDS_MAX = 120


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where the executor dies: at which of its commits, counted from the end of the step `after`, in which step, and whether inside of it."""

    at: int
    after: str
    step: str
    moment: Moment
    inside: bool = False


class _NotReached(Exception):
    """The run had fewer commits this time."""


def crashes(bench: Bench, observed: Observed) -> Claim:
    """`observed` is of a run that nobody disturbed: its commits are those at which this one dies."""
    expected, said = bench.original
    if expected is None:
        return Claim(
            name="crashes",
            state="not_proved",
            summary="",
            not_proved=(f"the original migration does not run to its end: {said}",),
        )
    points = points_of(bench.plan, observed.commits)
    if not points:
        return Claim(name="crashes", state="not_proved", summary="", not_proved=("no commit of the plan was seen",))
    found: list[Difference] = []
    missed: list[str] = []
    chosen = next((point for point in points if point.inside), points[len(points) // 2])
    for number, (point, by_system) in enumerate([*((point, False) for point in points), (chosen, True)], start=1):
        bench.tell(f"killing the executor, {number} of {len(points) + 1}, and taking the run up again")
        try:
            found += _at(bench, point, expected, by_system=by_system)
        except _NotReached:
            missed.append(f"{named(bench.plan, point.step)}: the executor was not killed there, its run had other commits")
    inside = sum(point.inside for point in points)
    summary = (
        f"cut at {count(len(points), 'commit')} ({inside} between chunks), and one process ended by SIGKILL: each time resumed"
    )
    return Claim(
        name="crashes",
        state="differs" if found else "not_proved" if missed else "proved",
        summary=summary,
        differences=tuple(found),
        not_proved=tuple(missed),
    )


def points_of(plan: Plan, commits: Sequence[str]) -> tuple[Point, ...]:
    """A commit in the middle of what goes in chunks; of steps outside a transaction the last one, when they have happened and nobody has noted it;
    of other steps the last one, by turns before and after it. Not more than `POINTS_MAX`, some of each kind."""
    within: list[Point] = []
    alone: list[Point] = []
    others: list[Point] = []
    for step in plan.steps:
        places = [number for number, one in enumerate(commits) if one == step.id]
        if not places:
            continue
        after = commits[places[0] - 1] if places[0] else ""
        last = places[-1] - places[0]
        if isinstance(step, Backfill | RebuildTable | Stage) and len(places) > 2:
            within.append(Point(at=last // 2, after=after, step=step.id, moment="before", inside=True))
        elif isinstance(step, BuildIndex) or (isinstance(step, RunSql) and step.transaction == "none"):
            alone.append(Point(at=last, after=after, step=step.id, moment="before"))
        else:
            others.append(Point(at=last, after=after, step=step.id, moment="after" if len(others) % 2 else "before"))
    within = _spread(within, POINTS_MAX // 2)
    alone = _spread(alone, max(POINTS_MAX // 2, POINTS_MAX - len(others)) - len(within))
    others = _spread(others, POINTS_MAX - len(within) - len(alone))
    order = {step.id: number for number, step in enumerate(plan.steps)}
    return tuple(sorted((*within, *alone, *others), key=lambda point: order[point.step]))


def _spread(points: Sequence[Point], most: int) -> list[Point]:
    """So many of them, from all of the plan."""
    return [points[number * len(points) // most] for number in range(most)] if len(points) > most else list(points)


def _at(bench: Bench, point: Point, expected: State, *, by_system: bool) -> Iterator[Difference]:
    where = f"after a crash {'inside' if point.inside else point.moment + ' the commit of'} it"
    with bench.copy() as place:
        try:
            died = (_child if by_system else _in_process)(bench, place, point)
            if not died:
                raise _NotReached
            report = bench.executor(place).apply(take_over=True)
        except (DriftflowError, DatabaseFault) as error:
            if unfit(bench, error, point.step):
                raise _NotReached from error  # nor by the run that nobody disturbed
            yield Difference(
                step=named(bench.plan, point.step), object="the run", what=f"cannot be taken up again {where}: {why(error)}"
            )
            return
        if report.state != "done":
            what = f"ended as {report.state.replace('_', ' ')} {where}: {report.message}"
            yield Difference(step=named(bench.plan, point.step), object="the run", what=what)
            return
        found = bench.state(place)
        wanted = beside(expected, found, bench.asked)
        different = differences(wanted, found, first=FORWARD, second=f"a run resumed {where}", loose=bench.loose)
        for name, what in [*different, *bench.still_ours(found)]:
            yield Difference(step=named(bench.plan, point.step), object=name, what=what)


def _in_process(bench: Bench, place: Scratch, point: Point) -> bool:
    """Whether it died there."""
    connector = BreakingConnector(place.connector, point.at, point.moment, after=point.after)
    with suppress(Killed):
        bench.executor(place, connector=connector).apply(listener=connector)
    return connector.dead


def _child(bench: Bench, place: Scratch, point: Point) -> bool:
    """A process of its own, which the system ends. Whether it did."""
    plan = encode_plan(without_the_database(bench.plan))
    given = {
        "url": place.url, "plan": plan, "folder": str(bench.question.root), "at": point.at, "after": point.after,
        "moment": point.moment,
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "driftflow.lab.proof.breaking"],
        input=json.dumps(given) + "\n",
        text=True,
        check=False,
        capture_output=True,
        timeout=CHILD_SECONDS_MAX,
    )
    return ended.returncode == -signal.SIGKILL
