"""Claim two: the way back of a plan ends where the plan began; where a step cannot be taken back, that of everything before it."""

from __future__ import annotations

from driftflow.engine.ports import DatabaseFault, Listener
from driftflow.errors import DriftflowError
from driftflow.lab.proof.bench import Bench
from driftflow.lab.proof.naming import attributed
from driftflow.lab.proof.running import Executor, named, nothing, why
from driftflow.lab.proof.state import differences
from driftflow.lab.proof.watching import Eye, Observed, WatchedConnector
from driftflow.model.event import AnyEvent, StepFailed, StepStarted
from driftflow.model.plan import Irreversible, Plan
from driftflow.model.proof import Claim, Difference
from driftflow.model.record import replace


class Follower:
    """Remembers the step that is under way, so that an error can name it."""

    def __init__(self, other: Listener = nothing) -> None:
        self.step = ""
        self._other = other

    def __call__(self, event: AnyEvent) -> None:
        self._other(event)
        if isinstance(event, StepStarted | StepFailed):
            self.step = event.step


def taken_back(bench: Bench, executor: Executor, run: str, observed: Observed) -> Claim:
    """Of a run that has ended."""
    follower = Follower(observed)
    try:
        back = executor.take_back(run, listener=follower)
    except (DriftflowError, DatabaseFault) as error:
        failed = Difference(
            step=named(bench.plan, follower.step), object="the rollback", what=f"does not reach the start: {why(error)}"
        )
        return Claim(name="taken_back", state="differs", summary="The rollback failed in the lab", differences=(failed,))
    if back.state != "rolled_back":
        left = Difference(object="the rollback", what=f"ended as {back.state.replace('_', ' ')}: {back.message}")
        return Claim(name="taken_back", state="differs", summary="The rollback does not end", differences=(left,))
    end = bench.state(executor.place)
    found = differences(bench.start_state, end, first="nothing", second="plan and rollback")
    found += bench.still_ours(end)
    return Claim(
        name="taken_back",
        state="differs" if found else "proved",
        summary="Plan and rollback end at the start" if not found else "The rollback ends elsewhere",
        differences=attributed(found, bench.plan, bench.question.migrations),
    )


def before_no_return(bench: Bench, eye: Eye | None, observed: Observed) -> Claim:
    """Everything before the first step that cannot be taken back is carried out and taken back. That is all there is to show where somebody
    accepted by name what cannot; else the rest is listed."""
    plan = bench.plan
    final = [step for step in plan.steps if isinstance(step.undo, Irreversible)]
    where = named(plan, final[0])
    names = [step.undo.name for step in final if isinstance(step.undo, Irreversible)]
    before = plan.steps[: plan.steps.index(final[0])]
    claim = _carried_out_and_back(bench, replace(plan, steps=before), eye, observed)
    if claim.state == "differs":
        return claim
    open_names = [name for name in names if name not in bench.question.accepted]
    shown = f"everything before {where} ends at the start again" if before else f"nothing comes before {where}"
    past = f"the way back from behind it is lossy, and not tried ({', '.join(names)})"
    return replace(
        claim,
        state="not_proved" if open_names else "proved",
        summary=f"Up to the point of no return: {shown}; {past}{', as was accepted by name' if not open_names else ''}",
        not_proved=tuple(
            f"{name} cannot be taken back, and nobody has accepted that by name: driftflow plan --accept {quoted(name)}"
            for name in open_names
        ),
    )


def quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _carried_out_and_back(bench: Bench, plan: Plan, eye: Eye | None, observed: Observed) -> Claim:
    if not plan.steps:
        return Claim(name="taken_back", state="proved", summary="")
    seen = Observed()  # the commits of the whole plan are those that count
    with bench.copy() as place:
        connector = WatchedConnector(place.connector, eye, seen) if eye is not None else None
        executor, follower = bench.executor(place, connector=connector, plan=plan), Follower(seen)
        try:
            report = executor.apply(listener=follower)
        except (DriftflowError, DatabaseFault) as error:
            what = f"does not reach the point of no return: {why(error)}"
            failed = Difference(step=named(bench.plan, follower.step), object="the plan", what=what)
            return Claim(name="taken_back", state="differs", summary="The plan failed in the lab", differences=(failed,))
        claim = taken_back(bench, executor, report.run, seen)
    for step, locks in seen.by_step.items():
        observed.by_step.setdefault(step, set()).update(locks)
    return claim
