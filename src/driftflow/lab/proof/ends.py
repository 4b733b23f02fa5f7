"""Claims one and two: the plan ends where the original migration ends, and its way back ends where it began."""

from __future__ import annotations

from driftflow.engine.ports import DatabaseFault
from driftflow.engine.run import RunReport
from driftflow.errors import DriftflowError
from driftflow.lab.proof.asked_for import asked_for, beside, unanswered
from driftflow.lab.proof.bench import Bench
from driftflow.lab.proof.naming import attributed
from driftflow.lab.proof.running import named, why
from driftflow.lab.proof.state import State, differences
from driftflow.lab.proof.unfit import unfit
from driftflow.lab.proof.watching import Eye, Observed, WatchedConnector
from driftflow.lab.proof.way_back import Follower, before_no_return, taken_back
from driftflow.model.proof import Claim, ClaimName, Difference
from driftflow.reports.style import count

FORWARD = "the original migration"


def ends(bench: Bench, eye: Eye | None, observed: Observed) -> tuple[Claim, Claim]:
    """Both: forward, then back. What the engine's session locks meanwhile is told to `observed`."""
    whole = not bench.plan.point_of_no_return
    with bench.copy() as place:
        connector = WatchedConnector(place.connector, eye, observed) if eye is not None else None
        executor, follower = bench.executor(place, connector=connector), Follower(observed)
        try:
            report = executor.apply(listener=follower)
        except (DriftflowError, DatabaseFault) as error:
            if reason := unfit(bench, error, follower.step):
                return nothing_shown("same_end", reason), nothing_shown("taken_back", reason)
            failed = Difference(
                step=named(bench.plan, follower.step), object="the plan", what=f"does not reach its end: {why(error)}"
            )
            same = Claim(name="same_end", state="differs", summary="The plan failed in the lab", differences=(failed,))
            return same, Claim(name="taken_back", state="not_proved", summary="", not_proved=("the plan does not reach its end",))
        same = same_end(bench, bench.state(place), report)
        if whole:
            return same, taken_back(bench, executor, report.run, observed)
    return same, before_no_return(bench, eye, observed)


def nothing_shown(name: ClaimName, reason: str) -> Claim:
    return Claim(name=name, state="not_proved", summary="", not_proved=(reason,))


def same_end(bench: Bench, found: State, report: RunReport) -> Claim:
    expected, said = bench.original
    if expected is None:
        why = f"the original migration does not run to its end on these rows: {said}"
        return Claim(name="same_end", state="not_proved", summary="", not_proved=(why,))
    if report.state != "done":
        left = Difference(object="the run", what=f"ended as {report.state.replace('_', ' ')}: {report.message}")
        return Claim(name="same_end", state="differs", summary="The plan does not reach its end", differences=(left,))
    bench.asked = asked_for(bench.plan, bench.question.migrations, expected, found)
    different = differences(beside(expected, found, bench.asked), found, first=FORWARD, second="the plan", loose=bench.loose)
    different += bench.still_ours(found)
    different += unanswered(bench.plan, bench.question.migrations, expected, found, bench.asked)
    rows = sum(len(one.rows) for one in expected.rows.values())
    held = f"{count(len(expected.objects), 'object')} and {rows:,} rows compared"
    loose = [f"{table}.{column}" for table, columns in sorted(bench.loose.items()) for column in sorted(columns)]
    note = f"; the values of {', '.join(loose)} only as NULL or not, for two runs of the original differ there" if loose else ""
    return Claim(
        name="same_end",
        state="differs" if different else "proved",
        summary=f"Original migration and plan end in the same catalog and rows: {held}{note}" if not different else held,
        differences=attributed(different, bench.plan, bench.question.migrations),
    )
