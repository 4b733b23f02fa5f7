"""The words that all renderings of a plan share: durations, locks, and each step as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.model.dependency import Dependent
from driftflow.model.effects import Estimate, LockClaim
from driftflow.model.plan import (
    Backfill,
    BuildIndex,
    CsvSource,
    Gate,
    OnlineCopy,
    Phase,
    Plan,
    RebuildTable,
    RunSql,
    Stage,
    Step,
    UndoNothing,
    Verify,
)

HELD = {
    "instant": "for an instant",
    "scan": "while the table is read",
    "rewrite": "while the table is written anew",
    "index_build": "while the index is built",
    "copy": "while the table is copied",
    "statement": "while the statement runs",
}
PHASES = {
    "expand": "before the new application is deployed; the old one does not notice",
    "migrate": "values are moved and proved while both applications may run",
    "contract": "after the old application is gone",
}


def phase_title(phase: Phase) -> str:
    return PHASES[phase]


def held(claim: LockClaim) -> str:
    return HELD[claim.held]


def blocks(claim: LockClaim) -> str:
    match tuple(kind for kind in claim.blocks if kind != "ddl"):
        case ():
            return "readers and writers go on"
        case ("writes",):
            return "writers wait, readers go on"
        case ("reads",):
            return "readers wait"
        case _:
            return "readers and writers wait"


def quantity(value: int, unit: str) -> str:
    """`250 ms`, `4.2 s`, `12 min`, `3.5 h`."""
    if unit != "ms":
        return f"{value:,} {unit}"
    if value < 1000:
        return f"{value} ms"
    seconds = value / 1000
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def duration(estimate: Estimate) -> str:
    low, high = quantity(estimate.low, estimate.unit), quantity(estimate.high, estimate.unit)
    return low if low == high else f"{low} to {high}"


def seconds_limit(milliseconds: int) -> str:
    return "without a limit" if milliseconds == 0 else f"at most {quantity(milliseconds, 'ms')}"


def summary_line(plan: Plan) -> str:
    """`Plan: 3 migrations, 10 steps (1 gate) for postgresql 16.2 (shop)`: steps are counted as they are numbered."""
    gates = sum(isinstance(step, Gate) for step in plan.steps)
    steps = len(plan.steps)
    words = [
        f"{len(plan.migrations)} migration{'s' if len(plan.migrations) != 1 else ''}",
        f"{steps} step{'s' if steps != 1 else ''}" + (f" ({gates} gate{'s' if gates != 1 else ''})" if gates else ""),
    ]
    server = f"{plan.dialect} {plan.server_version}".strip()
    where = f" ({plan.database})" if plan.database else ""
    return f"Plan: {', '.join(words)} for {server}{where}"


def stall_line(plan: Plan) -> str:
    """The longest stall with its basis; the estimate names its step by id, a person finds it by its number."""
    stall = plan.longest_stall
    if stall is None:
        return "nobody waits for this plan"
    numbers = {step.id: number for number, step in enumerate(plan.steps, 1)}
    basis = re.sub(r"\bstep ([\w.]+)", lambda match: f"step {numbers.get(match[1], match[1])}", stall.basis)
    return f"{quantity(stall.high, stall.unit)} at most: {basis}"


FATES = {
    "dropped": "goes with it",
    "shortened": "goes on without it",
    "broken": "stays, and fails when it is used",
    "carried": "sends the column to its subscribers",
}


def dependent_line(dependent: Dependent) -> str:
    """`view public.totals (through view public.lines): stops a plain DROP COLUMN`"""
    said = FATES[dependent.fate] + (", and stops a plain DROP COLUMN" if dependent.stops else "")
    return f"{dependent.text}: {said}" + (" (found by its words)" if dependent.by_words else "")


def sql_of(step: Step) -> str:
    """The step as SQL: exactly what runs where plain SQL can say it, else the nearest."""
    match step:
        case RunSql(script=statements):
            locks = step.locked_when_free
            first = (
                [f"-- behind this, where all of it is free at one moment, else without: {locks.sql}"] if locks is not None else []
            )
            return "\n".join((*first, *(f"{statement.rstrip().rstrip(';')};" for statement in statements)))
        case BuildIndex(create_sql=sql):
            return f"{sql};"
        case Backfill():
            queued = (f"-- where a row is always held, that row alone, behind the change: {one}\n" for one in step.queued)
            return f"{''.join(queued)}{backfill_sql(step)};"
        case Stage(table=table, source=source):
            columns = ", ".join(f"{name} {type}" for name, type in step.columns)
            origin = source.path if isinstance(source, CsvSource) else f"the database in {source.url_env}: {source.sql}"
            return f"-- load {origin}\nCREATE TABLE {table} ({columns});"
        case RebuildTable():
            return rebuild_sql(step)
        case Verify(expectations=expectations):
            return "\n".join(f"{expectation.whole};" for expectation in expectations)
        case Gate():
            return ""


def backfill_sql(step: Backfill, key_range: str = ":low < key <= :high") -> str:
    """One chunk, with what stands beside its change. `key_range` stands where the engine puts the cursor."""
    beside = (statement.replace("{rows}", key_range or "true") for statement in (*step.before, "", *step.after))
    return ";\n".join(statement or _change_sql(step, key_range) for statement in beside)


def _change_sql(step: Backfill, key_range: str) -> str:
    where = " AND ".join(f"({part})" for part in (key_range, step.join, step.predicate) if part)
    if step.action == "judge" and step.function is not None:
        inputs = ", ".join(step.function.inputs)
        return (
            f"SELECT {', '.join(step.key)} FROM {step.table} WHERE {where or 'true'} AND NOT {step.function.reference}({inputs})"
        )
    if step.action == "delete":
        return f"DELETE FROM {step.table} WHERE {where}"
    if step.action == "insert":
        columns = ", ".join(column for column, _ in step.assignments)
        values = ", ".join(expression for _, expression in step.assignments)
        return f"INSERT INTO {step.into} ({columns}) SELECT {values} FROM {step.table} WHERE {where or 'true'}"
    if step.function is not None:
        assignments = ", ".join(f"{column} = {step.function.reference}(…)" for column in step.function.outputs)
    else:
        assignments = ", ".join(f"{column} = {expression}" for column, expression in step.assignments)
    source = f" {step.from_clause}" if step.from_clause else ""
    return f"UPDATE {step.table} SET {assignments}{source} WHERE {where}"


def rebuild_sql(step: RebuildTable) -> str:
    """The statements of a rebuild, in the order in which the engine runs them."""
    if step.online is not None:
        return "\n".join(online_rebuild_lines(step, step.online))
    columns = ", ".join(column for column, _ in step.copy)
    values = ", ".join(expression for _, expression in step.copy)
    lines = [
        *step.drop_views,
        step.create_sql,
        f"INSERT INTO {step.temporary_name} ({columns}) SELECT {values} FROM {step.table.name}",
        f"DROP TABLE {step.table.name}",
        f"ALTER TABLE {step.temporary_name} RENAME TO {step.table.name}",
    ]
    return "\n".join([*(f"{line};" for line in lines), *_restored(step)])


def _restored(step: RebuildTable) -> Iterator[str]:
    if step.outdated:
        yield f"-- {', '.join(step.outdated)}: as the file holds it by then, with the new name; here from before the rename"
    yield from (f"{sql};" for sql in step.restore)


def online_rebuild_lines(step: RebuildTable, online: OnlineCopy) -> Iterator[str]:
    """The phases of an online rebuild, each under a comment that says who waits; `:low` and `:high` stand where the engine puts the cursor."""
    columns = ", ".join(column for column, _ in step.copy)
    values = ", ".join(expression for _, expression in step.copy)
    keys, table, new = ", ".join(online.key), step.table.name, step.temporary_name
    yield "-- 1. prepare, in one short transaction: from here on every changed row leaves the copy and its key is noted"
    yield from (f"{sql};" for sql in (step.create_sql, online.create_missing, *(sql for _, sql in online.capture)))
    yield f"-- 2. copy in chunks of {online.chunk.target_ms} ms along ({keys}), then the noted keys again; writers wait for one chunk at most"
    yield f"INSERT INTO {new} ({columns}) SELECT {values} FROM {table} WHERE ({keys}) > (:low) AND ({keys}) <= (:high);"
    yield "-- 3. swap, in one transaction: writers wait while the indexes are built; the last noted keys and the count of rows come first"
    yield from (f"DROP TRIGGER {name};" for name, _ in online.capture)
    yield from (f"{sql};" for sql in step.drop_views)
    yield f"ALTER TABLE {table} RENAME TO {online.set_aside};"
    yield f"ALTER TABLE {new} RENAME TO {table};"
    yield f"DROP TABLE {online.missing};"
    yield from _restored(step)
    yield from (f"{sql};" for _, sql in online.shield)
    yield "-- 4. remove the old table, in chunks"
    yield f"DROP TABLE {online.set_aside};"


def undo_sql(step: Step) -> list[str]:
    """The statements that take it back, in order."""
    if isinstance(step.undo, UndoNothing):
        return []
    found: list[str] = []
    for inner in step.undo.steps:
        match inner:
            case RunSql(script=statements):
                found += statements
            case _:
                found.append(inner.purpose)
    return [" ".join(statement.split()) for statement in found]
