"""A run and the world around it: other terminals, other executors, other runs, copies of the database, and what refuses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from engine_plans import POSTGRESQL_SCHEMA, ROWS, postgresql_plan
from engine_rig import Events, RunOptions, apply, arguments, fingerprinted, postgresql_state, take_back

from driftflow.drivers.urls import connector_for
from driftflow.engine.clock import SystemClock
from driftflow.engine.ports import Connection, Reading
from driftflow.engine.run import StopSignal, resume
from driftflow.errors import (
    DriftflowError,
    JournalError,
    LeaseLostError,
    OutcomeUnknownError,
    RefusedError,
    RightsError,
    StepFailedError,
)
from driftflow.journal import inspect
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, ChunkPolicy, Guard, Irreversible, Plan, RunSql, ToolLock
from driftflow.model.record import replace

pytestmark = pytest.mark.postgresql
ACCOUNT = Name(schema="public", name="account")
LOG = Name(schema="public", name="log")
SLOW = Backfill(
    id="slow",
    purpose="One row at a time",
    table=ACCOUNT,
    key=("id",),
    assignments=(("balance", "balance + 1"),),
    chunk=ChunkPolicy(rows_first=1, rows_min=1, rows_max=1, rest_percent=1),
    rows_estimate=ROWS,
)


@pytest.fixture
def shop(postgresql_url: str) -> str:
    with psycopg.connect(postgresql_url, autocommit=True) as db:
        db.execute(POSTGRESQL_SCHEMA)
    return postgresql_url


@pytest.fixture
def other(shop: str) -> Iterator[Connection]:
    connection = connector_for(shop).connect("another terminal")
    yield connection
    connection.close()


def plan_of(url: str, *steps: Any, relations: tuple[Name, ...] = (ACCOUNT,), **changes: Any) -> Plan:
    plan = Plan(
        dialect="postgresql",
        migrations=(),
        relations=relations,
        catalog_fingerprint="",
        fingerprint_relations=(ACCOUNT,),
        steps=steps,
        **changes,
    )
    return fingerprinted(url, plan)


def balances(url: str) -> tuple[int, ...]:
    with psycopg.connect(url) as db:
        return tuple(extra for (extra,) in db.execute("SELECT balance - id * 10 FROM account ORDER BY id").fetchall())


def slept(event: Any) -> None:
    """A listener that makes each chunk last, so that others have time to speak."""
    if type(event).__name__ == "ChunkDone":
        time.sleep(0.05)


class InBackground:
    """A run in a thread; its report or its error when it ends."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.report: Any = None
        self.error: DriftflowError | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.report = self._call()
        except DriftflowError as error:
            self.error = error

    def join(self) -> Any:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.report


def until(condition: Callable[[], Any], seconds: float = 10) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it never happened")


def rows_done(connection: Connection) -> int:
    found = inspect.runs(connection)
    return found[0].rows if found else 0


def test_pause_resume_and_abort_from_another_terminal(shop: str, other: Connection) -> None:
    plan = plan_of(shop, SLOW)
    run = InBackground(lambda: apply(shop, plan, listener=slept, clock=SystemClock()))
    until(lambda: rows_done(other) > 0)
    id = inspect.runs(other)[0].run
    inspect.request(other, id, "pause", by="ann")
    until(lambda: inspect.runs(other)[0].state == "paused")
    before = rows_done(other)
    time.sleep(0.4)
    assert rows_done(other) == before, "it went on while paused"
    assert inspect.runs(other)[0].alive, "a paused run keeps its lease"
    inspect.request(other, id, "resume", by="ann")
    until(lambda: rows_done(other) > before)
    assert inspect.request(other, id, "abort", by="bob") == "asked; it is obeyed within one chunk"
    report = run.join()
    assert report.state == "aborted" and "bob" in report.message
    kinds = [type(event).__name__ for _, event in inspect.events_since(other, id)]
    assert kinds == ["RunStarted", "StepStarted", "Paused", "Resumed", "Aborted"]
    with pytest.raises(RefusedError, match="was aborted"):
        apply(shop, plan)
    with pytest.raises(RefusedError, match="nobody executes"):
        inspect.request(other, id, "pause")
    assert resume(id, **arguments(shop)).state == "done"
    assert balances(shop) == (1,) * ROWS


def test_throttle_slows_it_down(shop: str, other: Connection) -> None:
    run = InBackground(lambda: apply(shop, plan_of(shop, SLOW), listener=slept, clock=SystemClock()))
    until(lambda: rows_done(other) > 0)
    id = inspect.runs(other)[0].run
    inspect.request(other, id, "throttle", {"milliseconds": "700"})
    time.sleep(0.6)
    before = rows_done(other)
    time.sleep(1.4)
    assert rows_done(other) - before <= 3
    inspect.request(other, id, "resume")
    assert run.join().state == "done"


def test_the_first_stop_ends_at_a_safe_point_and_the_second_cancels(shop: str, other: Connection) -> None:
    stop = StopSignal()
    run = InBackground(lambda: apply(shop, plan_of(shop, SLOW), listener=slept, clock=SystemClock(), stop=stop))
    until(lambda: rows_done(other) > 0)
    stop.stop()
    report = run.join()
    assert report.state == "paused" and report.next_command == f"driftflow resume {report.run}"
    assert 0 < sum(balances(shop)) < ROWS
    sleeping = RunSql(id="sleep", purpose="Sleep", statements=("SELECT pg_sleep(30)",), statement_timeout_ms=0)
    assert resume(report.run, **arguments(shop)).state == "done"
    assert balances(shop) == (1,) * ROWS
    stop = StopSignal()
    run = InBackground(lambda: apply(shop, plan_of(shop, sleeping), clock=SystemClock(), stop=stop))
    until(lambda: other.query("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'"))
    begun = time.monotonic()
    stop.stop()
    stop.stop()
    assert run.join().state == "paused"
    assert time.monotonic() - begun < 5


def test_a_signal_makes_it_wait_and_an_unreadable_one_too(shop: str) -> None:
    class Load:
        name = "load"
        answers = iter(["high", *["fault"] * 5, *["low"] * 1000])

        def read(self, connection: Connection) -> Reading:
            answer = next(self.answers)
            if answer == "fault":
                connection.query("SELECT no_such_function()")
            return Reading(signal="load", value=answer, ok=answer == "low")

    events = Events()
    report = apply(shop, plan_of(shop, SLOW), signals=(Load(),), clock=SystemClock(), listener=events)
    assert report.state == "done"
    throttled = [event.reading for event in events.seen if type(event).__name__ == "Throttled"]
    assert any("no_such_function" in reading for reading in throttled), throttled


def test_a_critical_signal_ends_the_run(shop: str) -> None:
    class Harm:
        name = "harm"

        def read(self, connection: Connection) -> Reading:
            return Reading(signal="harm", value="errors everywhere", ok=False, critical=True)

    report = apply(shop, plan_of(shop, SLOW), signals=(Harm(),), clock=SystemClock(), listener=slept)
    assert report.state == "aborted" and "errors everywhere" in report.message


def test_a_second_executor_is_refused_and_an_old_one_is_fenced(shop: str, other: Connection) -> None:
    plan, go_on = plan_of(shop, SLOW), threading.Event()

    def asleep(event: Any) -> None:
        if type(event).__name__ == "ChunkDone" and event.chunk == 3:
            go_on.wait(30)

    old = InBackground(
        lambda: apply(shop, plan, listener=asleep, clock=SystemClock(), options=RunOptions(executor="old:1", lease_seconds=3))
    )
    until(lambda: rows_done(other) > 1)
    with pytest.raises(LeaseLostError) as caught:
        apply(shop, plan, clock=SystemClock(), options=RunOptions(executor="new:2", lease_seconds=3))
    assert caught.value.code == "DF-E502" and "old:1" in str(caught.value)
    report = apply(shop, plan, options=RunOptions(executor="new:2", take_over=True))
    assert report.state == "done"
    go_on.set()
    old.join()
    assert isinstance(old.error, LeaseLostError) and old.error.code == "DF-E501"
    assert balances(shop) == (1,) * ROWS
    kinds = [type(event).__name__ for _, event in inspect.events_since(other, report.run)]
    assert "TakenOver" in kinds


def test_two_runs_never_claim_one_relation(shop: str, other: Connection) -> None:
    gate = postgresql_plan_gate()
    first = apply(shop, plan_of(shop, gate, SLOW))
    assert first.state == "waiting_at_gate" and first.gate == "deployed"
    assert [claim.relation for claim in inspect.claims(other)] == ["public.account"]
    assert not inspect.runs(other)[0].alive, "a run at a gate holds no lease"
    log = replace(SLOW, id="log", table=LOG, assignments=(("old", "old + 1"),))
    with pytest.raises(RefusedError) as caught:
        apply(shop, plan_of(shop, log, relations=(LOG, ACCOUNT)))
    assert caught.value.code == "DF-E302" and first.run in str(caught.value)
    assert apply(shop, plan_of(shop, log, relations=(LOG,))).state == "done", "disjoint plans run side by side"
    inspect.request(other, first.run, "gate", {"name": "deployed"}, by="ann")
    assert resume(first.run, **arguments(shop)).state == "done"
    assert inspect.claims(other) == ()


def postgresql_plan_gate() -> Any:
    from driftflow.model.plan import Gate

    return Gate(id="gate", purpose="Wait", name="deployed", question="Out?")


def test_one_plan_in_two_jobs(shop: str) -> None:
    expand = RunSql(id="1", purpose="Expand", statements=("ALTER TABLE account ADD COLUMN a integer",))
    contract = RunSql(id="2", purpose="Contract", phase="contract", statements=("ALTER TABLE account ADD COLUMN b integer",))
    plan = plan_of(shop, expand, contract)
    first = apply(shop, plan, options=RunOptions(phase="expand"))
    assert (first.state, first.steps_done) == ("phase_done", 1)
    second = apply(shop, plan, options=RunOptions(phase="contract"))
    assert (second.state, second.steps_done, second.run) == ("done", 2, first.run)
    again = apply(shop, plan)
    assert again.state == "done" and "already" in again.message


def test_a_clone_with_a_live_journal_is_refused_until_adopted(shop: str, postgresql_server: Any) -> None:
    plan = plan_of(shop, postgresql_plan_gate(), SLOW)
    run = apply(shop, plan).run
    name = psycopg.conninfo.conninfo_to_dict(shop)["dbname"]
    with psycopg.connect(postgresql_server.url(), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}_clone TEMPLATE {name}")  # type: ignore[arg-type]
    clone = postgresql_server.url(f"{name}_clone")
    try:
        with pytest.raises(RefusedError) as caught:
            apply(clone, plan, options=RunOptions(open_gates=("deployed",)))
        assert caught.value.code == "DF-E607" and "--adopt" in caught.value.hint
        assert balances(clone) == (0,) * ROWS
        assert resume(run, **arguments(clone, options=RunOptions(adopt=True, open_gates=("deployed",)))).state == "done"
    finally:
        with psycopg.connect(postgresql_server.url(), autocommit=True) as db:
            db.execute(f"DROP DATABASE {name}_clone WITH (FORCE)")  # type: ignore[arg-type]


def test_a_schema_that_moved_is_refused_before_and_in_the_middle(shop: str) -> None:
    plan = plan_of(shop, postgresql_plan_gate(), SLOW)
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("ALTER TABLE account ADD COLUMN surprise integer")
        with pytest.raises(RefusedError) as caught:
            apply(shop, plan)
        assert caught.value.code == "DF-E300"
        assert db.execute("SELECT to_regnamespace('driftflow')").fetchone() == (None,), "nothing is written before every refusal"
        plan = plan_of(shop, postgresql_plan_gate(), SLOW)
        run = apply(shop, plan).run
        db.execute("ALTER TABLE account DROP COLUMN surprise")
        with pytest.raises(RefusedError) as caught:
            resume(run, **arguments(shop))
        assert caught.value.code == "DF-E300" and "rollback" in caught.value.hint
        assert balances(shop) == (0,) * ROWS


def test_a_publication_that_would_carry_the_journal(shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("CREATE PUBLICATION everything FOR ALL TABLES")
        with pytest.raises(RefusedError) as caught:
            apply(shop, plan_of(shop, SLOW))
        assert caught.value.code == "DF-E309" and "everything" in str(caught.value)
        assert db.execute("SELECT to_regnamespace('driftflow')").fetchone() == (None,)


def test_too_few_rights_name_the_grant(shop: str, postgresql_server: Any) -> None:
    name = psycopg.conninfo.conninfo_to_dict(shop)["dbname"]
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS engine_weak")
        db.execute("CREATE ROLE engine_weak LOGIN")
        db.execute("GRANT ALL ON account TO engine_weak")
    weak = postgresql_server.url(name, user="engine_weak")
    try:
        with pytest.raises(RightsError) as caught:
            apply(weak, plan_of(weak, SLOW))
        assert caught.value.hint == f"GRANT CREATE ON DATABASE {name} TO engine_weak"
        with psycopg.connect(shop, autocommit=True) as db:
            db.execute(f"GRANT CREATE ON DATABASE {name} TO engine_weak")  # type: ignore[arg-type]
        assert apply(weak, plan_of(weak, SLOW)).state == "done"
        alter = RunSql(id="alter", purpose="Alter", statements=("ALTER TABLE account ADD COLUMN x integer",))
        with pytest.raises(RightsError) as caught:
            apply(weak, plan_of(weak, alter))
        assert "must be owner" in str(caught.value)
    finally:
        with psycopg.connect(shop, autocommit=True) as db:
            db.execute("DROP OWNED BY engine_weak CASCADE")
            db.execute("DROP ROLE engine_weak")


def test_a_newer_journal_is_refused(shop: str) -> None:
    apply(shop, plan_of(shop, SLOW))
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("UPDATE driftflow.meta SET value = '99' WHERE key = 'version'")
    with pytest.raises(JournalError) as caught:
        apply(shop, plan_of(shop, SLOW))
    assert caught.value.code == "DF-E601" and "upgrade" in caught.value.hint


def test_two_first_runs_install_the_journal_once(shop: str) -> None:
    log = replace(SLOW, id="log", table=LOG, assignments=(("old", "old + 1"),))
    plans = [plan_of(shop, SLOW), plan_of(shop, log, relations=(LOG,))]
    runs = [
        InBackground(lambda plan=plan, n=n: apply(shop, plan, options=RunOptions(executor=f"x:{n}")))
        for n, plan in enumerate(plans)
    ]
    assert [run.join().state for run in runs] == ["done", "done"]


def test_guards_and_irreversible_steps_refuse(shop: str) -> None:
    guarded = RunSql(
        id="drop",
        purpose="Drop the name",
        statements=("ALTER TABLE account DROP COLUMN name",),
        guards=(
            Guard(query="SELECT count(*) FROM account WHERE name IS NOT NULL", summary="{count} accounts still have a name"),
        ),
        undo=Irreversible(reason="the values are gone", name="drop_column public.account.name"),
    )
    with pytest.raises(RefusedError) as caught:
        apply(shop, plan_of(shop, guarded))
    assert caught.value.code == "DF-E303" and "drop_column public.account.name" in str(caught.value)
    plan = plan_of(shop, guarded, accepted=("drop_column public.account.name",))
    with pytest.raises(RefusedError) as caught:
        apply(shop, plan)
    assert caught.value.code == "DF-E305" and f"{ROWS} accounts still have a name" in str(caught.value)
    with psycopg.connect(shop, autocommit=True) as db:
        db.execute("UPDATE account SET name = NULL")
    report = apply(shop, plan)
    assert report.state == "done"
    with pytest.raises(RefusedError) as caught:
        take_back(shop, report.run)
    assert caught.value.code == "DF-E304"
    accepted = take_back(shop, report.run, options=RunOptions(accept=("drop_column public.account.name",)))
    assert accepted.state == "rolled_back"


def test_a_failed_step_is_rolled_back_told_and_can_be_taken_up(shop: str) -> None:
    fine = RunSql(id="fine", purpose="Fine", statements=("ALTER TABLE account ADD COLUMN a integer",))
    wrong = RunSql(
        id="wrong",
        purpose="Wrong",
        statements=("ALTER TABLE account ADD COLUMN b integer", "ALTER TABLE account ADD CONSTRAINT poor CHECK (balance > 100)"),
    )
    plan = plan_of(shop, fine, wrong)
    with pytest.raises(StepFailedError) as caught:
        apply(shop, plan)
    assert caught.value.code == "DF-E514" and "poor" in str(caught.value) and "step wrong" in caught.value.where
    with psycopg.connect(shop, autocommit=True) as db:
        assert {name for _, name, _ in postgresql_state(shop)[0] if name.startswith("account.")} >= {"account.a"}
        assert "account.b" not in {name for _, name, _ in postgresql_state(shop)[0]}
        db.execute("UPDATE account SET balance = balance + 1000")
    assert apply(shop, plan).state == "done"


def test_an_outcome_that_nobody_knows_is_never_run_past(shop: str) -> None:
    from engine_rig import Killed, Meter

    alone = RunSql(id="alone", purpose="Alone", transaction="none", statements=("ALTER TABLE account ADD COLUMN a integer",))
    after = RunSql(id="after", purpose="After", statements=("ALTER TABLE account ADD COLUMN b integer",))
    plan = plan_of(shop, alone, after)
    meter = Meter()
    probe = Meter()
    with psycopg.connect(shop, autocommit=True) as db:
        apply(shop, plan, probe)
        at = next(
            number for number, name in enumerate(probe.names) if name.startswith("execute ALTER TABLE account ADD COLUMN a")
        )
        db.execute("DROP SCHEMA driftflow CASCADE; ALTER TABLE account DROP COLUMN a; ALTER TABLE account DROP COLUMN b")
    meter.kill_at, meter.moment = at, "after"
    with pytest.raises(Killed):
        apply(shop, plan, meter)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError) as caught:
            apply(shop, plan)
        assert caught.value.exit_code == 5
    assert "account.b" not in {name for _, name, _ in postgresql_state(shop)[0]}


def test_the_tools_own_lock(shop: str, other: Connection) -> None:
    lock = ToolLock(tool="prisma", acquire="SELECT pg_try_advisory_lock(72707369)", release="SELECT pg_advisory_unlock(72707369)")
    plan = plan_of(shop, SLOW, tool_lock=lock)
    other.query("SELECT pg_advisory_lock(72707369)")
    with pytest.raises(RefusedError) as caught:
        apply(shop, plan)
    assert caught.value.code == "DF-E317" and "prisma" in str(caught.value)
    other.query("SELECT pg_advisory_unlock(72707369)")
    assert apply(shop, plan).state == "done"
    assert other.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_writers_that_keep_coming_are_told(shop: str) -> None:
    step = Backfill(
        id="fill",
        purpose="Fill",
        table=ACCOUNT,
        key=("id",),
        assignments=(("name", "'x'"),),
        predicate="name <> 'x'",
        remaining_query="SELECT 7",
        chunk=ChunkPolicy(rows_first=50),
    )
    with pytest.raises(StepFailedError) as caught:
        apply(shop, plan_of(shop, step))
    assert caught.value.code == "DF-E532" and "7 rows are left after 5 passes" in str(caught.value)


def test_debris_is_cleaned_and_only_ours(shop: str, other: Connection, tmp_path: Any) -> None:
    plan = fingerprinted(shop, postgresql_plan(tmp_path))
    report = apply(shop, plan, options=RunOptions(open_gates=("deployed",)))
    assert report.state == "done"
    assert inspect.clean(other, dry_run=True) == ('DROP TABLE IF EXISTS "public"."df_stage"',)
    inspect.clean(other, dry_run=False)
    assert inspect.clean(other, dry_run=True) == ()
    assert other.query("SELECT to_regclass('public.df_stage')") == [(None,)]


def test_a_run_is_taken_back_to_where_it_began(shop: str, tmp_path: Any) -> None:
    before = postgresql_state(shop)
    plan = fingerprinted(shop, postgresql_plan(tmp_path))
    undoable = replace(plan, steps=tuple(step for step in plan.steps if step.id != "delete"))
    report = apply(shop, undoable, options=RunOptions(open_gates=("deployed",)))
    back = take_back(shop, report.run)
    assert (back.state, back.steps_undone) == ("rolled_back", len(undoable.steps))
    assert postgresql_state(shop) == before
