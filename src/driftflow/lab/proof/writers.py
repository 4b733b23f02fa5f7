"""Claim four: an application that goes on writing sees no error and no stall beyond what is claimed, and nothing that it wrote is lost.

It writes every table that the plan is about. At each gate it becomes the new version: it writes the columns that the migration leaves behind.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from driftflow.drivers.catalogs import read_catalog
from driftflow.engine.ports import DatabaseFault
from driftflow.errors import DriftflowError
from driftflow.lab.proof.application import Application, Done, Tally, unpacked
from driftflow.lab.proof.asked_for import beside as with_asked
from driftflow.lab.proof.bench import Bench
from driftflow.lab.proof.ends import FORWARD, nothing_shown
from driftflow.lab.proof.habits import habits_of
from driftflow.lab.proof.naming import attributed
from driftflow.lab.proof.operations import POOL, TRIES, Replay, Written, operations_on
from driftflow.lab.proof.original import keep_true, run_original
from driftflow.lab.proof.running import named, why
from driftflow.lab.proof.state import Found, State, accepted_either_way, differences, ours, undetermined
from driftflow.lab.proof.unfit import unfit
from driftflow.lab.scratch import Scratch
from driftflow.model.catalog import Catalog
from driftflow.model.event import AnyEvent, ChunkDone, StepDone, StepStarted
from driftflow.model.plan import Plan
from driftflow.model.proof import Claim, Difference
from driftflow.model.record import replace
from driftflow.reports.style import count

WARM = 30
"""Transactions before the plan begins, at each gate, and after its end."""
NOISE_MS = 1_000
"""What a busy machine may add to a statement by itself."""
SHOWN_MAX = 3
A_SECOND = 1.1
"""So long that a clock which shows seconds shows another one."""
Replays = dict[str, Replay]


@dataclass
class Timeline:
    """When each step was under way, by the wall clock, and how long its longest transaction may have held others up."""

    spans: list[tuple[str, float, float]] = field(default_factory=list)
    longest_ms: dict[str, int] = field(default_factory=dict)
    step: str = ""
    _begun: float = 0.0
    _last: float = field(default_factory=time.time)

    def __call__(self, event: AnyEvent) -> None:
        now = time.time()
        match event:
            case StepStarted():
                self.step, self._begun = event.step, now
            case ChunkDone():
                self.longest_ms[event.step] = max(self.longest_ms.get(event.step, 0), event.milliseconds)
            case StepDone():
                self.step = event.step
                self.spans.append((event.step, self._last, now))
                self.longest_ms.setdefault(event.step, event.milliseconds)
                self._last = now
            case _:
                pass

    def at(self, moment: float) -> str:
        """The step that was under way then, or had ended last."""
        return next(
            (step for step, begun, ended in self.spans if begun <= moment <= ended), self.spans[-1][0] if self.spans else ""
        )


def writers(bench: Bench) -> Claim:
    with bench.copy() as place:
        written = _operations(bench, place, bench.filled_catalog, beyond=bench.beyond)
        if not written.operations and not written.left_out and not _every_table(bench):
            return Claim(name="writers", state="proved", summary="the schema has no table that anybody could write")
        if not written.operations:
            return Claim(name="writers", state="not_proved", summary="", not_proved=(_nobody(written),))
        application = Application(place.url)
        try:
            beside = _beside(bench, place, application, written)
        finally:
            application.kill()
    return beside if isinstance(beside, Claim) else _judged(bench, beside, written)


def _nobody(written: Written) -> str:
    return "no table of the plan can be written: " + ("; ".join(written.left_out) or "it is about none that is there")


def _operations(bench: Bench, place: Scratch, catalog: Catalog, *, beyond: int) -> Written:
    about = {name.text for name in bench.plan.relations} - {name.text for name in bench.question.version_tables}
    alone = bool(about & _every_table(bench))
    written = operations_on(
        place.connector,
        catalog,
        bench.question.dialect,
        tables=about if alone else about | _every_table(bench),
        counts=bench.filled.rows,
        seed=bench.question.seed,
        beyond=beyond,
        habits=habits_of(bench),
        spread=bench.question.statistics,
    )
    return written if alone or not written.operations else dataclasses.replace(written, left_out=())


def _every_table(bench: Bench) -> frozenset[str]:
    """Those of the start. Where a plan is about none of them (a view, a function, a type) the application writes them all: what reads them, or fires on them,
    may still hold it up."""
    kept = {name.text for name in bench.question.version_tables}
    return (
        frozenset(name for name, table in bench.catalog.tables.items() if table.kind == "table" and not ours(table.name)) - kept
    )


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """What an application did beside a plan that came to its end, and what both left."""

    tally: Tally
    timeline: Timeline
    replays: Replays
    early: int
    """How many of its transactions the old application committed."""
    state: State
    left_out: tuple[str, ...]
    """Tables that nobody wrote, and why, as sentences."""


def _beside(bench: Bench, place: Scratch, application: Application, written: Written) -> _Beside | Claim:
    """The claim where the plan does not come to its end."""
    timeline, executor = Timeline(), bench.executor(place)
    replays, early, left_out = dict(written.replays), 0, dict.fromkeys(written.left_out)
    try:
        application.write(written.operations)
        _wait(application, written)
        report = executor.apply(gates=(), listener=timeline)
        gates: tuple[str, ...] = ()
        while report.state == "waiting_at_gate":
            if not gates:
                application.write(())
                early = application.transactions
                new = _operations(bench, place, _new_application(bench, place), beyond=bench.beyond + POOL * TRIES)
                renamed = tuple(dataclasses.replace(one, name=f"new: {one.name}") for one in new.operations)
                replays |= {f"new: {name}": sql for name, sql in new.replays.items()}
                left_out |= dict.fromkeys(new.left_out)
                application.write(renamed)
                _wait(application, new)
            gates = (*gates, report.gate)
            report = executor.resume(report.run, gates=gates, listener=timeline)
        _wait(application, written)
        tally = application.stop()
    except (DriftflowError, DatabaseFault) as error:
        if reason := unfit(bench, error, timeline.step):
            return nothing_shown("writers", reason)
        failed = Difference(
            step=named(bench.plan, timeline.step), object="the plan", what=f"does not get through beside a writer: {why(error)}"
        )
        return Claim(name="writers", state="differs", summary="The plan failed beside a writer", differences=(failed,))
    if report.state != "done":
        left = Difference(object="the run", what=f"ended as {report.state.replace('_', ' ')}: {report.message}")
        return Claim(
            name="writers", state="differs", summary="The plan does not reach its end beside a writer", differences=(left,)
        )
    return _Beside(
        tally=tally,
        timeline=timeline,
        replays=replays,
        early=early or len(tally.done),
        state=bench.state(place),
        left_out=tuple(left_out),
    )


def _wait(application: Application, written: Written) -> None:
    """Until the application has committed some more, each of these at least once, or three seconds are over: then what it writes fails, and that
    is told."""
    wanted, ends = application.transactions + max(WARM, len(written.operations)), time.monotonic() + 3
    while application.transactions < wanted and time.monotonic() < ends:
        time.sleep(0.01)


def _new_application(bench: Bench, place: Scratch) -> Catalog:
    """The tables as they are now, with what the migration leaves behind said of their columns: what is dropped later is not written any more."""
    now = read_catalog(place.connector)
    final = bench.final_catalog
    tables = []
    for name, table in now.tables.items():
        last = final.tables.get(name)
        if last is None:
            continue
        kept = {column.name: column for column in last.columns}
        columns = tuple(
            replace(column, nullable=column.nullable and kept[column.name].nullable)
            for column in table.columns
            if column.name in kept
        )
        tables.append(replace(table, columns=columns, constraints=last.constraints, indexes=last.indexes))
    return replace(now, tables={}).with_tables(tables)


# the judgement


def _judged(bench: Bench, beside: _Beside, written: Written) -> Claim:
    tally = beside.tally
    found = [*_failures(tally, beside.timeline, bench.plan), *_stalls(tally, beside.timeline, bench.plan)]
    lost, unclear = _lost(bench, beside) if not found else ((), "")
    found += attributed(lost, bench.plan, bench.question.migrations)
    summary = (
        f"{len(tally.done):,} transactions on {count(len(written.tables), 'table')}, {count(len(tally.failures), 'failure')}, "
        f"the longest took {tally.longest_ms:.0f} ms"
    )
    return Claim(
        name="writers",
        state="differs" if found else "not_proved" if unclear or beside.left_out else "proved",
        summary=summary,
        differences=tuple(found),
        not_proved=(*([unclear] if unclear else []), *(f"not written: {one}" for one in beside.left_out)),
    )


def _failures(tally: Tally, timeline: Timeline, plan: Plan) -> Iterator[Difference]:
    told: set[tuple[str, str]] = set()
    for moment, words in tally.failures:
        step = named(plan, timeline.at(moment))
        if (step, words) not in told and len(told) < SHOWN_MAX:
            told.add((step, words))
            yield Difference(step=step, object="the application", what=f"failed: {words}")


def _stalls(tally: Tally, timeline: Timeline, plan: Plan) -> Iterator[Difference]:
    """A waiting lock request of ours may make others wait for its limit, and then for the step's own longest transaction."""
    for moment, milliseconds in tally.stalls:
        id = timeline.at(moment - milliseconds / 1000) or timeline.at(moment)
        step = next((one for one in plan.steps if one.id == id), None)
        limit = NOISE_MS + (step.lock_timeout_ms if step is not None else 0) + timeline.longest_ms.get(id, 0)
        if milliseconds > limit:
            yield Difference(
                step=named(plan, id),
                object="the application",
                what=f"waited {milliseconds:.0f} ms; the step's claim allows {limit} ms",
            )


def _lost(bench: Bench, beside: _Beside) -> tuple[Sequence[Found], str]:
    """What the plan left, beside what the same writes and the original migration leave; and why that cannot be said."""
    found = beside.state
    first, said = _replayed(bench, beside, before=beside.early)
    if first is None:
        return (), f"the application's writes cannot be repeated beside the original migration: {said}"
    loose: Mapping[str, frozenset[str]] = {
        table: bench.loose.get(table, frozenset()) | bench.numbered.get(table, frozenset()) for table in found.rows
    }
    first = with_asked(first, found, bench.asked)
    different = differences(first, found, first=FORWARD, second="the plan", loose=loose)
    if not different:
        return (), ""
    loose = _also_by_the_clock(bench, beside, first, loose)
    different = differences(first, found, first=FORWARD, second="the plan", loose=loose)
    # A row that was written while the plan ran may have been there before the migration or have come after it: both are right.
    second, _ = _replayed(bench, beside, before=0)
    if second is not None:
        found = accepted_either_way(found, first, with_asked(second, found, bench.asked), loose)
        different = differences(first, found, first=FORWARD, second="the plan", loose=loose)
    return different, ""


def _also_by_the_clock(
    bench: Bench, beside: _Beside, first: State, loose: Mapping[str, frozenset[str]]
) -> Mapping[str, frozenset[str]]:
    """Columns, too, that hold another value when the same writes are repeated a second later: the application's own triggers say when a row was changed."""
    time.sleep(A_SECOND)
    again, _ = _replayed(bench, beside, before=beside.early)
    found = undetermined(first, with_asked(again, beside.state, bench.asked)) if again is not None else {}
    if found:
        named = ", ".join(f"{table}.{column}" for table, columns in sorted(found.items()) for column in sorted(columns))
        bench.in_common.append(
            f"beside writers the values of {named} are compared only as NULL or not, for they say when a row was written"
        )
    return {table: loose.get(table, frozenset()) | found.get(table, frozenset()) for table in {*loose, *found}}


def _replayed(bench: Bench, beside: _Beside, *, before: int) -> tuple[State | None, str]:
    """The state after the first `before` transactions, the original migration, and the rest; or why there is none."""
    tally, replays = beside.tally, beside.replays
    with bench.copy() as place:
        said = _repeat(place, tally.done[:before], replays)
        said = said or run_original(bench.question.migrations, place, bench.question.dialect, root=bench.question.root)
        said = said or _repeat(place, tally.done[before:], replays, leave_out=not before)
        said = said or keep_true(bench.question.migrations, place, bench.question.dialect)
        return (None, said) if said else (bench.original_state(place), "")


def _repeat(place: Scratch, done: Sequence[Done], replays: Replays, *, leave_out: bool = False) -> str:
    """Why it cannot be done. With `leave_out` what the server refuses is left out: an old application's row without a value that the new schema demands."""
    with closing(place.connector.connect("replay")) as connection:
        try:
            connection.begin()
            for name, values, back in done:
                replay = replays[name]
                given = [unpacked(value) for value in (*values, *(back[place] for place in replay.made))]
                if not leave_out:
                    connection.execute(replay.sql, given)
                    continue
                connection.execute("SAVEPOINT driftflow_replay")
                try:
                    connection.execute(replay.sql, given)
                except DatabaseFault:
                    connection.execute("ROLLBACK TO SAVEPOINT driftflow_replay")
                connection.execute("RELEASE SAVEPOINT driftflow_replay")
            connection.commit()
        except DatabaseFault as fault:
            return f"{name}: {fault.message}"
        finally:
            connection.rollback()
    return ""
