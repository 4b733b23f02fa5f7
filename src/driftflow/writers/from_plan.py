"""A plan's steps as plain SQL: what each becomes, and what is lost when another tool runs it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import assert_never

from driftflow.dialects.base import Dialect
from driftflow.errors import RefusedError, SourceError
from driftflow.model.migration import Migration
from driftflow.model.operations import CreateIndex, DropIndex
from driftflow.model.plan import (
    Backfill,
    BuildIndex,
    Gate,
    Irreversible,
    Plan,
    RebuildTable,
    RunSql,
    Stage,
    Step,
    Undo,
    UndoNothing,
    UndoSteps,
    Verify,
)
from driftflow.model.record import replace
from driftflow.writers.base import Part, Rewrite
from driftflow.writers.row_changes import in_chunks, row_change

_REFUSES = {"not_zero": "this counts anything", "zero": "this counts nothing"}
_LIMIT = "SET LOCAL lock_timeout"
_PACE_LOST = "the pace follows the load, and the change can be paused and goes on where it was after a crash"
_LOCK_LOST = "a lock that is not granted in time is asked for again"


def rewrite_from_plan(
    plan: Plan,
    migration: Migration,
    dialect: Dialect,
    *,
    siblings: Sequence[Migration] = (),
    leave_out: Collection[str] = (),
) -> Rewrite:
    """The plan's steps for this migration as parts for a writer. Gates, checks and what has no SQL become comments on the part behind them.

    `leave_out` are statements that the tool runs itself: those of its own version table. Raises SourceError (DF-E254) when nothing is left.
    """
    steps = [step for step in plan.steps if step.migration in {"", migration.id}]
    parts: list[Part] = []
    waiting = Part(statements=())
    before: Step | None = None
    for step in steps:
        part = _part(step, dialect, leave_out)
        if not part.statements:
            waiting = _noted(waiting, part)
        elif parts and before is not None and not waiting.comments and _may_join(before, step):
            parts[-1] = _joined(parts[-1], part)
            before = step
        else:
            parts.append(_noted(part, waiting, first=True))
            waiting, before = Part(statements=()), step
    if not parts:
        raise SourceError(
            "DF-E254",
            "nothing of the plan can be written as SQL",
            where=migration.path,
            why="all of its steps are driftflow's own: gates, checks, loading of files",
            hint="run the plan with driftflow apply",
        )
    parts[-1] = _noted(parts[-1], waiting)
    if not any(part.down for part in parts):
        parts[0] = _with_own_down(parts[0], migration)
    return Rewrite(migration=migration, parts=tuple(parts), siblings=tuple(siblings))


def _with_own_down(part: Part, migration: Migration) -> Part:
    """Where no step knows its way back, what the team wrote stays: on the first file, whose way down runs last."""
    return replace(part, down=tuple(one.sql for one in migration.down), down_transaction=part.transaction)


def _part(step: Step, dialect: Dialect, leave_out: Collection[str]) -> Part:
    match step:
        case RunSql():
            part = _run_sql(step, dialect, leave_out)
        case BuildIndex():
            part = _build_index(step, dialect)
        case Backfill():
            part = _backfill(step, dialect)
        case Stage():
            part = _stage(step, dialect)
        case RebuildTable():
            part = _rebuild(step, dialect)
        case Verify():
            part = Part(statements=(), comments=_verify(step))
        case Gate():
            part = Part(statements=(), comments=_gate(step))
        case _:
            assert_never(step)
    guards = tuple(
        f"it refuses to run when {_REFUSES[guard.refuse_if]}: {guard.query}"
        for guard in step.guards
        if guard.refuse_if != "never"
    )
    slug = f"{step.strategy} {step.phase}" if step.strategy in {"", "direct"} else step.strategy
    common = replace(part, phase=step.phase, purpose=step.purpose, slug=slug, lost=(*part.lost, *guards))
    return _with_undo(_limited(common, step, dialect), step.undo, dialect, leave_out) if part.statements else common


def _run_sql(step: RunSql, dialect: Dialect, leave_out: Collection[str]) -> Part:
    statements = [sql for sql in step.script if sql not in leave_out]
    settings = [f"SET LOCAL {name} = {dialect.literal(value)}" for name, value in sorted(step.settings.items())]
    role = [f"SET LOCAL ROLE {dialect.quote(step.role)}"] if step.role else []
    if not statements:
        return Part(statements=())
    if step.transaction == "none":
        return Part(statements=tuple(statements), transaction=False)
    return Part(statements=(*role, *settings, *statements))


def _build_index(step: BuildIndex, dialect: Dialect) -> Part:
    return Part(
        statements=(step.create_sql,),
        transaction=False,
        inside=(dialect.render(CreateIndex(index=step.index)),),
        lost=("an index that a failed build leaves behind invalid is dropped and built again",),
    )


def _backfill(step: Backfill, dialect: Dialect) -> Part:
    if step.function is not None:
        if step.action == "judge":
            asked = f"Run every row of {step.table} through {step.function.reference} now: it must be true for each"
            return Part(statements=(), comments=(asked,), lost=("nothing looks whether the rows keep the rule",))
        named = f"Fill {', '.join(step.function.outputs)} of {step.table} with the function {step.function.reference} now"
        return Part(statements=(), comments=(named,), lost=(_PACE_LOST,))
    at_once = row_change(step, dialect)
    # Without a predicate a second run would change rows twice, so it is one transaction or nothing.
    if dialect.name != "postgresql" or len(step.key) != 1 or not step.predicate:
        return Part(statements=(at_once,), lost=("the rows are changed in small chunks, each in its own transaction", _PACE_LOST))
    return Part(statements=(in_chunks(step, dialect),), transaction=False, inside=(at_once,), lost=(_PACE_LOST,))


def _stage(step: Stage, dialect: Dialect) -> Part:
    columns = ", ".join(f"{dialect.quote(name)} {type}" for name, type in step.columns)
    key = ", ".join(dialect.quote(name) for name in step.key)
    named = step.source.path if hasattr(step.source, "path") else f"the query on the database in {step.source.url_env}"
    return Part(
        statements=(f"CREATE TABLE {dialect.quote_name(step.table)} ({columns}, PRIMARY KEY ({key}))",),
        comments=(f"Fill this table from {named} before the next file runs",),
        lost=(f"{named} is loaded into the table",),
    )


def _rebuild(step: RebuildTable, dialect: Dialect) -> Part:
    """Raises RefusedError (DF-E789) where a text of it is only known when the step runs. With foreign keys on, DROP TABLE would delete the rows that refer to the table; the switch has no effect inside a transaction."""
    if step.outdated:
        kind, names = "view or trigger", ", ".join(step.outdated)
        raise RefusedError(
            "DF-E789",
            f"the {kind} {names} would be made from an outdated text",
            where=str(step.table),
            why="an earlier step renames what it says: SQLite writes the new name into the text, and a file cannot read it there",
            hint="run the plan with driftflow apply, which makes it again as the database holds it by then",
        )
    table, temporary = dialect.quote_name(step.table), dialect.quote(step.temporary_name)
    targets = ", ".join(dialect.quote(name) for name, _ in step.copy)
    sources = ", ".join(expression for _, expression in step.copy)
    sequence = (
        f"UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = {dialect.literal(step.table.name)}) "
        f"WHERE name = {dialect.literal(step.temporary_name)}"
    )
    statements = (
        "PRAGMA foreign_keys = OFF",
        "BEGIN",
        *step.drop_views,
        step.create_sql,
        f"INSERT INTO {temporary} ({targets}) SELECT {sources} FROM {table}",
        *((sequence,) if step.autoincrement else ()),
        f"DROP TABLE {table}",
        f"ALTER TABLE {temporary} RENAME TO {dialect.quote(step.table.name)}",
        *step.restore,
        "COMMIT",
        "PRAGMA foreign_keys = ON",
    )
    lost = ("the table's definition is compared with the expected one first, and foreign keys are checked before the end",)
    return Part(statements=statements, transaction=False, lost=lost)


def _verify(step: Verify) -> tuple[str, ...]:
    said = (f"{one.summary}: {'; '.join((*one.setup, one.whole))}" for one in step.expectations)
    return tuple(f"To be checked by hand: {one}" for one in said)


def _gate(step: Gate) -> tuple[str, ...]:
    return (f"Do not run this before: {step.question}", *(f"  [ ] {item}" for item in step.checklist))


def _with_undo(part: Part, undo: Undo, dialect: Dialect, leave_out: Collection[str]) -> Part:
    match undo:
        case UndoNothing():
            return part
        case Irreversible(reason=reason):
            return replace(part, comments=(*part.comments, f"This cannot be taken back: {reason}"))
        case UndoSteps(steps=steps):
            backs = [back for step in steps if (back := _part(step, dialect, leave_out)).statements]
            together = all(back.transaction for back in backs)
            return replace(
                part,
                down=_one_limit(tuple(sql for back in backs for sql in back.statements), keep=together),
                down_transaction=together,
                down_inside=_one_limit(tuple(sql for back in backs for sql in _inside_form(back, dialect)), keep=True),
            )
        case _:
            assert_never(undo)


def _one_limit(statements: tuple[str, ...], *, keep: bool) -> tuple[str, ...]:
    """The statements with each lock limit said once; without any where there is no transaction that it could last for."""
    said: set[str] = set()
    kept = []
    for sql in statements:
        if sql.startswith(_LIMIT):
            if not keep or sql in said:
                continue
            said.add(sql)
        kept.append(sql)
    return tuple(kept)


def _inside_form(part: Part, dialect: Dialect) -> tuple[str, ...]:
    """The statements as they can run inside a transaction, as far as there is such a form."""
    if part.transaction:
        return part.statements
    return part.inside or tuple(sql for statement in part.statements for sql in _plain_drop(statement, dialect))


def _plain_drop(sql: str, dialect: Dialect) -> tuple[str, ...]:
    """DROP INDEX CONCURRENTLY without its last word, by way of the parser; nothing for any other statement."""
    from driftflow.dialects.source_text import SourceText

    (statement,) = dialect.split(SourceText(text=sql))
    match dialect.parse(statement).operations:
        case (DropIndex(concurrently=True) as drop,):
            return (dialect.render(replace(drop, concurrently=False)),)
        case _:
            return ()


def _may_join(before: Step, step: Step) -> bool:
    """Two short steps of one phase share a file, and so a transaction: nothing in it takes longer than a moment."""
    return (
        isinstance(before, RunSql)
        and isinstance(step, RunSql)
        and before.transaction == step.transaction == "own"
        and before.phase == step.phase
        and not step.guards
        and before.role == step.role
        and all(claim.held == "instant" for claim in (*before.claims, *step.claims))
    )


def _joined(left: Part, right: Part) -> Part:
    return replace(
        left,
        statements=_one_limit((*left.statements, *right.statements), keep=True),
        purpose="; ".join(one for one in (left.purpose, right.purpose) if one),
        comments=(*left.comments, *right.comments),
        lost=tuple(dict.fromkeys((*left.lost, *right.lost))),
        down=_one_limit((*right.down, *left.down), keep=True),
        down_inside=_one_limit((*right.down_inside, *left.down_inside), keep=True),
        down_transaction=left.down_transaction and right.down_transaction,
    )


def _noted(part: Part, other: Part, *, first: bool = False) -> Part:
    """The part with the comments of another one that has no statements; `first` puts them in front."""
    said = (*((f"{other.purpose}:",) if other.purpose and other.comments else ()), *other.comments)
    comments = (*said, *part.comments) if first else (*part.comments, *said)
    return replace(part, comments=comments, lost=tuple(dict.fromkeys((*part.lost, *other.lost))))


def _limited(part: Part, step: Step, dialect: Dialect) -> Part:
    """In a transaction the limit of waiting can be said in plain SQL; the new tries cannot."""
    # A row change waits for rows, behind which nobody queues; a short limit would only make it fail.
    if dialect.name != "postgresql" or not part.transaction or not step.lock_timeout_ms or isinstance(step, (Backfill, Stage)):
        return part
    limit = f"{_LIMIT} = '{step.lock_timeout_ms}ms'"
    return replace(part, statements=(limit, *part.statements), lost=(*part.lost, _LOCK_LOST))
