"""What `driftflow compat` is given: the change, the schema before it, and the queries."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftflow.cli.options import FILE, Command
from driftflow.cli.planfile import read_plan
from driftflow.cli.session import Session, secrets_of
from driftflow.cli.start_inputs import queries_in, start_schema
from driftflow.errors import UsageError

if TYPE_CHECKING:
    from driftflow.dialects.base import Dialect
    from driftflow.lab.start_schema import StartSchema
    from driftflow.model.migration import Migration
    from driftflow.model.plan import Plan
    from driftflow.usage.recorded import Recorded


@dataclass(frozen=True, kw_only=True)
class Inputs:
    queries: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()
    from_url: str = ""
    setup: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """A plan, or migrations; `subject` says which."""

    subject: str
    plan: Plan | None = None
    migrations: tuple[Migration, ...] = ()


def inputs(function: Command) -> Command:
    """`--queries`, `--log`, `--from-url`, `--setup`, gathered into one argument."""

    @functools.wraps(function)
    def called(*positional: Any, queries: Any, logs: Any, from_url: str, setup: Any, **values: Any) -> Any:
        return function(*positional, given=Inputs(queries=queries, logs=logs, from_url=from_url, setup=setup), **values)

    decorated: Command = called
    for option in (
        click.option(
            "--setup", type=FILE, metavar="FILE", multiple=True, help="SQL that makes the schema before it; repeatable."
        ),
        click.option("--from-url", metavar="URL", default="", help="Take the queries that the server at URL has recorded."),
        click.option("--log", "logs", type=FILE, metavar="FILE", multiple=True, help="A server's log of queries; repeatable."),
        click.option("--queries", type=FILE, metavar="FILE", multiple=True, help="A file of queries; repeatable."),
    ):
        decorated = option(decorated)
    return decorated


def change_of(run: Session, paths: Sequence[Path], *, tool: str, variables: Mapping[str, str], given: Inputs) -> Change:
    """The plan in the one file that is given, or the pending migrations at the paths."""
    if len(paths) == 1 and paths[0].suffix == ".json":
        plan = read_plan(paths[0])
        run.flags = {**run.flags, "dialect": plan.dialect}  # before anything asks what the dialect is
        return Change(subject=str(paths[0]), plan=plan)
    from driftflow.readers.sources import pending_migrations

    sources = run.sources(paths, tool=tool, variables=variables)
    migrations = pending_migrations(sources, None if given.setup else run.pending(sources))
    return Change(subject=", ".join(source.name for source in sources), migrations=migrations)


def start_of(run: Session, given: Inputs, change: Change) -> StartSchema:
    """Raises UsageError where nothing says what the schema is before the change."""
    return start_schema(
        run,
        given.setup,
        option="--setup",
        hint="--setup schema.sql, --snapshot FILE (driftflow snapshot), or --url URL",
        plan=change.plan,
        subject=change.subject,
    )


def queries_of(run: Session, given: Inputs, dialect: Dialect) -> tuple[Recorded, ...]:
    """All of them, from wherever they are. Raises UsageError where none are given."""
    from driftflow.usage.query_statistics import recorded_queries

    if not (given.queries or given.logs or given.from_url):
        raise UsageError(
            "DF-E151", "no queries are given", hint="--queries FILE, --log FILE, or --from-url URL (what the server has recorded)"
        )
    found = list(queries_in(given.queries, given.logs, dialect))
    if given.from_url:
        run.out.secrets += secrets_of(given.from_url)
        found += recorded_queries(given.from_url)
    return tuple(found)
