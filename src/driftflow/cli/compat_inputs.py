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
from driftflow.errors import RefusedError, UsageError

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
    from driftflow.lab.start_schema import StartSchema
    from driftflow.model.names import Version

    said = run.server_version or (change.plan.server_version if change.plan else "")
    if given.setup:
        if run.snapshot is not None or run.flags.get("url"):
            raise UsageError("DF-E139", "the start schema is named twice", hint="either --setup, or --snapshot or --url")
        # A file of SQL is that and no more, whichever tool's folder it lies in.
        sources = [source for path in given.setup for source in run.sources((path,), tool="plain" if path.is_file() else "")]
        setup = tuple(migration for source in sources for migration in source.migrations)
        return StartSchema(
            name=", ".join(map(str, given.setup)),
            setup=setup,
            version=Version.parse(said) if said else None,
        )
    if run.snapshot is None and not run.has_database:
        raise UsageError(
            "DF-E150",
            "nothing says what the schema is before the change",
            hint="--setup schema.sql, --snapshot FILE (driftflow snapshot), or --url URL",
        )
    catalog = run.catalog
    if change.plan is not None and change.plan.dialect != catalog.vendor:
        raise RefusedError(
            "DF-E301", f"the plan is for {change.plan.dialect}, the database is {catalog.vendor}", where=change.subject,
            hint="name the snapshot or the database that the plan was made for",
        )  # fmt: skip
    name = str(run.snapshot) if run.snapshot is not None else run.connector.display
    return StartSchema(name=name, catalog=catalog, version=catalog.version)


def queries_of(run: Session, given: Inputs, dialect: Dialect) -> tuple[Recorded, ...]:
    """All of them, from wherever they are. Raises UsageError where none are given."""
    from driftflow.usage.query_file import read_queries
    from driftflow.usage.query_log import read_log
    from driftflow.usage.query_statistics import recorded_queries

    if not (given.queries or given.logs or given.from_url):
        raise UsageError(
            "DF-E151", "no queries are given", hint="--queries FILE, --log FILE, or --from-url URL (what the server has recorded)"
        )
    found = [query for path in given.queries for query in read_queries(path, dialect)]
    found += [query for path in given.logs for query in read_log(path, dialect)]
    if given.from_url:
        run.out.secrets += secrets_of(given.from_url)
        found += recorded_queries(given.from_url)
    return tuple(found)
