"""A plan as SQL that psql, sqlite3 or mysql can run; comments say what only driftflow can do."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.model.plan import (
    Backfill,
    BuildIndex,
    CsvSource,
    Gate,
    Irreversible,
    Plan,
    RebuildTable,
    RunSql,
    Stage,
    Step,
    UndoNothing,
    UndoSteps,
    Verify,
)
from driftflow.model.record import replace
from driftflow.plugins import register
from driftflow.reports.plan_words import backfill_sql, phase_title, rebuild_sql, summary_line, undo_sql


@register("report", "sql")
def render(plan: Plan) -> str:
    """The plan as a script. Journal, retries, resume and probes are driftflow's; the rest is here."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"-- {summary_line(plan)}"
    yield f"-- digest {plan.digest}"
    yield "-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash."
    for note in plan.notes:
        yield f"-- note: {_one_line(note)}"
    phase = ""
    for number, step in enumerate(plan.steps, 1):
        if step.phase != phase:
            phase = step.phase
            yield f"\n-- ===== {phase}: {phase_title(step.phase)} ====="
        yield f"\n-- step {number} ({step.id}): {_one_line(step.purpose)}"
        for guard in step.guards:
            yield f"-- {'count' if guard.refuse_if == 'never' else 'refuse if'}: {_one_line(guard.query)}"
        yield from _statements(step, plan)
        yield from _undo(step)


def _statements(step: Step, plan: Plan) -> Iterator[str]:
    match step:
        case RunSql(transaction="none", script=statements):
            yield from _timeouts(step, plan, local=False)
            yield from (f"SET {name} = {_set(value)};" for name, value in step.settings.items())
            yield from (f"{_bare(statement)};" for statement in statements)
            yield from (f"SET {name} = DEFAULT;" for name in step.settings)
        case RunSql(statements=statements):
            yield "BEGIN;"
            yield from _timeouts(step, plan, local=True)
            yield from (f"SET LOCAL {name} = {_literal(value)};" for name, value in step.settings.items())
            if step.role:
                yield f"SET LOCAL ROLE {step.role};"
            yield from (f"{_bare(statement)};" for statement in statements)
            yield "COMMIT;"
        case BuildIndex(create_sql=sql):
            yield from _timeouts(step, plan, local=False)
            yield f"{_bare(sql)};"
        case Stage():
            yield from _stage(step, plan)
        case Backfill():
            yield from _backfill(step)
        case RebuildTable() if step.online is not None:
            yield "-- driftflow does this while the application writes. As plain SQL, with the application stopped:"
            yield from _statements(replace(step, online=None), plan)
            yield "-- What driftflow runs instead:"
            yield from (line if line.startswith("--") else f"-- {line}" for line in rebuild_sql(step).splitlines())
        case RebuildTable():
            yield "PRAGMA foreign_keys = OFF;"
            yield "BEGIN IMMEDIATE;"
            yield rebuild_sql(step)
            yield "PRAGMA foreign_key_check;"
            yield "COMMIT;"
        case Verify(expectations=expectations):
            for expectation in expectations:
                wanted = f"gives {expectation.expect}" if expectation.expect is not None else "fails"
                also = (
                    f" or fails with {', '.join(expectation.sqlstates)}"
                    if expectation.expect is not None and expectation.sqlstates
                    else ""
                )
                yield f"-- {_one_line(expectation.summary)}: {wanted}{also}"
                if expectation.setup or expectation.expect is None:
                    yield from (f"-- {line}" for text in (*expectation.setup, expectation.whole) for line in text.splitlines())
                else:
                    yield f"{_bare(expectation.whole)};"
        case Gate(question=question, checklist=checklist):
            yield f"-- GATE: stop here until the answer is yes. {_one_line(question)}"
            yield from (f"--   [ ] {_one_line(item)}" for item in checklist)


def _timeouts(step: Step, plan: Plan, *, local: bool) -> Iterator[str]:
    if plan.dialect == "sqlite":
        yield f"-- busy timeout {step.lock_timeout_ms} ms"
        return
    if plan.dialect in ("mysql", "mariadb"):
        yield from _whole_seconds(step.lock_timeout_ms)
        return
    word = "SET LOCAL" if local else "SET"
    yield f"{word} lock_timeout = '{step.lock_timeout_ms}ms';"
    yield f"{word} statement_timeout = '{step.statement_timeout_ms}ms';"


def _whole_seconds(lock_timeout_ms: int) -> Iterator[str]:
    """MySQL and MariaDB count in seconds; what is shorter is driftflow's own watch over the wait."""
    if lock_timeout_ms:
        yield f"-- driftflow waits {lock_timeout_ms} ms for the lock at most; the server counts in seconds"
    yield f"SET lock_wait_timeout = {-(-lock_timeout_ms // 1000) or 'DEFAULT'};"


def _set(value: str) -> str:
    """A number stands bare: MySQL takes no text for a switch."""
    return value if value.isdigit() else _literal(value)


def _stage(step: Stage, plan: Plan) -> Iterator[str]:
    columns = ", ".join(f"{name} {type}" for name, type in step.columns)
    if step.table.schema and plan.dialect != "sqlite":
        yield f"CREATE SCHEMA IF NOT EXISTS {step.table.schema};"
    yield f"CREATE TABLE {step.table} ({columns});"
    names = ", ".join(name for name, _ in step.columns)
    if not isinstance(step.source, CsvSource):
        yield f"-- driftflow loads it from the database in {step.source.url_env}: {_one_line(step.source.sql)}"
    elif plan.dialect == "sqlite":
        yield f".import --csv --skip 1 {step.source.path} {step.table.name}"
    else:
        yield f"\\copy {step.table} ({names}) FROM '{step.source.path}' WITH (FORMAT csv, HEADER true)"


def _backfill(step: Backfill) -> Iterator[str]:
    keys = ", ".join(step.key)
    yield f"-- driftflow runs this in chunks of about {step.chunk.target_ms} ms along ({keys}), each in a transaction with its cursor:"
    yield f"--   {_one_line(backfill_sql(step, f'({keys}) > (:low) AND ({keys}) <= (:high)'))};"
    if step.function is not None:
        yield f"-- {step.function.reference} is Python and runs in driftflow only."
        return
    yield "-- As plain SQL it is one statement, which locks every row until it ends:"
    yield f"{backfill_sql(step, '')};"


def _undo(step: Step) -> Iterator[str]:
    match step.undo:
        case UndoSteps():
            yield from (f"-- undo: {line}" for line in undo_sql(step))
            if step.undo.besides:
                yield f"-- undo: nothing else, {_one_line(step.undo.besides)}"
        case UndoNothing(reason=reason):
            yield f"-- undo: nothing to do, {_one_line(reason)}"
        case Irreversible(reason=reason):
            yield f"-- undo: none. {_one_line(reason)}"


def _bare(statement: str) -> str:
    return statement.strip().rstrip(";")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
