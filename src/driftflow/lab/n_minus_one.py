"""From a start schema, queries, and a plan or migrations to the answer: what `driftflow compat` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from driftflow.dialects.base import Dialect
from driftflow.dialects.query_text import masked
from driftflow.engine.ports import Connection
from driftflow.lab.compatibility import Watch
from driftflow.lab.prepare import Prober
from driftflow.lab.run_migrations import changes_schema, run_migrations
from driftflow.lab.run_plan import moves_rows_only, run_in_lab
from driftflow.lab.scratch import Scratch, scratch
from driftflow.lab.start_schema import StartSchema, build, names_in, session_settings
from driftflow.model.compatibility import Boundary, Compatibility
from driftflow.model.migration import Migration, Statement
from driftflow.model.plan import Gate, Plan, Step
from driftflow.usage.recorded import Recorded

TITLE_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Question:
    """`change` is what is done to the start schema."""

    subject: str
    change: Plan | Sequence[Migration]
    dialect: Dialect
    start: StartSchema
    queries: Sequence[Recorded]


def answer(question: Question) -> Compatibility:
    """Everything that is known afterwards. Raises ConfigError where no server can be started, DatabaseError where it is lost on the way."""
    start = question.start
    with scratch(question.dialect.name, start.version, database=start.database) as place:
        return answer_on(place, question)


def answer_on(place: Scratch, question: Question) -> Compatibility:
    """On a database that is empty. Raises DatabaseError where it is lost on the way."""
    dialect, start = question.dialect, question.start
    not_built = build(start, place, dialect)
    with closing(place.connector.connect("compat")) as connection:
        for sql in session_settings(start, dialect, digests=any(query.digest for query in question.queries)):
            connection.execute(sql)
        watch = Watch(prober_for(connection), dialect)
        watch.begin(question.queries, names=names_in(connection))
        change = question.change
        stopped = _plan(change, place, watch) if isinstance(change, Plan) else _migrations(change, place, connection, watch)
    return Compatibility(
        subject=question.subject,
        planned=isinstance(change, Plan),
        dialect=dialect.name,
        server=place.server,
        start=start.name,
        not_built=not_built,
        queries=tuple(one.query for one in watch.watched),
        already_broken=tuple(watch.already_broken),
        skipped=tuple(watch.skipped),
        boundaries=tuple(watch.boundaries),
        stopped=stopped,
        notes=(place.note,) if place.note else (),
    )


def prober_for(connection: Connection) -> Prober:
    """What prepares in this session."""
    match connection.dialect:
        case "sqlite":
            from driftflow.lab.prepare_sqlite import SqliteProber

            return SqliteProber(connection)
        case "mysql" | "mariadb":
            from driftflow.lab.prepare_mysql import MysqlProber

            return MysqlProber(connection)
        case _:
            from driftflow.lab.prepare_postgresql import PostgresqlProber

            return PostgresqlProber(connection)


def _plan(plan: Plan, place: Scratch, watch: Watch) -> str:
    numbers = {step.id: number for number, step in enumerate(plan.steps, start=1)}

    def look(step: Step) -> None:
        gate = isinstance(step, Gate)
        boundary = Boundary(
            number=numbers[step.id],
            title=f"gate {step.name}" if isinstance(step, Gate) else step.purpose,
            kind="gate" if gate else "step",
            phase=step.phase,
            where=step.id,
        )
        watch.pass_by(boundary) if moves_rows_only(step) else watch.look(boundary)

    return run_in_lab(plan, place, look)


def _migrations(migrations: Sequence[Migration], place: Scratch, connection: Connection, watch: Watch) -> str:
    since = 0

    def look(migration: Migration, statement: Statement) -> None:
        boundary = Boundary(
            number=len(watch.boundaries) + 1, title=_title(statement, watch.dialect), kind="statement", where=f"{statement.span}"
        )
        watch.look(boundary, inside=connection.in_transaction) if changes_schema(statement) else watch.pass_by(boundary)

    def commit() -> None:
        nonlocal since
        watch.settle(since)
        since = len(watch.boundaries)

    stopped = run_migrations(migrations, place, connection, watch.dialect, look=look, commit=commit)
    if stopped:
        del watch.boundaries[since:]
    return stopped


def _title(statement: Statement, dialect: Dialect) -> str:
    """Rows that a migration writes may be as secret as those that a query writes."""
    text = " ".join(statement.sql.split()) if changes_schema(statement) else masked(statement.sql, dialect.name)
    return text if len(text) <= TITLE_MAX else f"{text[: TITLE_MAX - 1]}…"
