"""The corridor, wired in order: the only file that knows every room. Each function is one arrow of the drawing in docs/architecture.md.

Commands call these and hand the record that comes back to a report. Nothing here prints, decides, or holds state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftflow.config import Policy, SourceOptions
from driftflow.doctor import Examined
from driftflow.model.catalog import Catalog
from driftflow.model.finding import AssessedStatement, Assessment
from driftflow.model.names import Name, Version
from driftflow.model.plan import Plan
from driftflow.model.record import replace
from driftflow.readers.sources import Source, SourceStatus

if TYPE_CHECKING:
    from driftflow.dialects.base import Dialect
    from driftflow.engine.ports import Connection, Connector, Listener, Verb
    from driftflow.engine.run import RunOptions, RunReport, StopSignal
    from driftflow.journal.inspect import RunSummary
    from driftflow.model.event import AnyEvent


def find_sources(
    paths: Sequence[Path], *, dialect: Dialect, options: Mapping[str, SourceOptions], root: Path
) -> tuple[Source, ...]:
    """The sources at the paths (folders or single files), each read by the tool that is configured or detected, statements parsed.

    Raises SourceError (an ExceptionGroup where there are several).
    """
    from driftflow.readers.sources import find

    return find(paths, dialect=dialect, options=options, root=root)


def lint(sources: Sequence[Source], *, dialect: Dialect, policy: Policy, version: str = "", root: Path = Path()) -> Assessment:
    """Everything that can be said without a database: what is not in the files may still exist."""
    return assess(sources, dialect=dialect, catalog=empty_catalog(dialect, version), policy=policy, root=root)


def empty_catalog(dialect: Dialect, version: str = "") -> Catalog:
    """A database of which nothing is known but (perhaps) its version."""
    known = Version.parse(version) if version else None
    return Catalog(vendor=dialect.name, version=known, search_path=(dialect.default_schema,), complete=False)


def assess(
    sources: Sequence[Source],
    *,
    dialect: Dialect,
    catalog: Catalog,
    policy: Policy,
    pending: Sequence[str] | None = None,
    root: Path = Path(),
) -> Assessment:
    """The same with the catalog: sizes, traffic, what depends on what. Only `pending` migrations when given."""
    from driftflow.checks.run import assess as run_checks
    from driftflow.readers.inputs import external_inputs
    from driftflow.readers.sources import pending_migrations

    migrations = pending_migrations(sources, pending)
    return run_checks(
        migrations,
        catalog=catalog,
        dialect=dialect,
        policy=policy,
        folder=root,
        inputs=external_inputs(migrations, root),
        today=datetime.now(UTC).date().isoformat(),
    )


def with_references(
    assessment: Assessment, sources: Sequence[Source], *, code: Path | None, connector: Connector | None
) -> Assessment:
    """The assessment with what the application still uses: places in its code, and queries that the server has recorded."""
    from driftflow.usage.changed import changed_names
    from driftflow.usage.queries import recorded_references
    from driftflow.usage.repository import find_references

    names = changed_names(assessment)
    found = find_references(code, names, exclude=[source.folder for source in sources]) if code else ()
    if connector is not None:
        with closing(connector.connect("assess")) as connection:
            found += recorded_references(connection, names)
    return replace(assessment, references=found)


def with_distributions(assessment: Assessment, *, connector: Connector) -> Assessment:
    """The assessment with how existing rows will spread over columns that are filled by a join."""
    from driftflow.usage.distribution import distributions

    with closing(connector.connect("assess")) as connection:
        return replace(assessment, facts=assessment.facts + distributions(connection, assessment))


def effects_of(sql: str, *, dialect: Dialect, catalog: Catalog | None, version: str = "") -> tuple[AssessedStatement, ...]:
    """What one or a few statements lock and do."""
    from driftflow.checks.run import assess as run_checks
    from driftflow.readers.sources import loose_migration

    migration = loose_migration(sql, dialect=dialect)
    known = catalog if catalog is not None else empty_catalog(dialect, version)
    return run_checks([migration], catalog=known, dialect=dialect, policy=Policy(), folder=Path()).statements


def read_catalog(connector: Connector, *, sample_seconds: float = 0.0) -> Catalog:
    """The live catalog. Raises ConnectError, RightsError, or RefusedError for a look-alike engine or an unsupported version."""
    with closing(connector.connect("catalog")) as connection:
        return _catalog_of(connection, sample_seconds=sample_seconds)


def _catalog_of(connection: Connection, *, relations: Sequence[Name] | None = None, sample_seconds: float = 0.0) -> Catalog:
    if connection.dialect == "sqlite":
        from driftflow.drivers import sqlite_catalog

        return sqlite_catalog.read_catalog(connection, relations=relations)
    from driftflow.drivers import postgresql_catalog

    return postgresql_catalog.read_catalog(connection, relations=relations, sample_seconds=sample_seconds)


def fingerprint(connection: Connection, relations: tuple[Name, ...]) -> str:
    """The live fingerprint of some relations: what the engine compares before it starts and before it goes on."""
    return _catalog_of(connection, relations=relations).fingerprint(relations)


def read_status(sources: Sequence[Source], connector: Connector | None) -> tuple[SourceStatus, ...]:
    """Applied and pending per source, by each tool's own version table (all pending when there is no database)."""
    from driftflow.readers.sources import ask, unasked

    if connector is None:
        return tuple(unasked(source) for source in sources)
    with closing(connector.connect("status")) as connection:
        return tuple(ask(source, connection) for source in sources)


def make_plan(
    sources: Sequence[Source],
    *,
    dialect: Dialect,
    catalog: Catalog,
    policy: Policy,
    pending: Sequence[str] | None = None,
    root: Path = Path(),
) -> Plan:
    """The safe plan of the pending migrations. Files that directives name are read and pinned here."""
    from driftflow.planner.compose import compose_plan
    from driftflow.readers.inputs import external_inputs
    from driftflow.readers.sources import ledger_of, pending_migrations, tool_lock

    migrations = pending_migrations(sources, pending)
    return compose_plan(
        migrations,
        catalog=catalog,
        dialect=dialect,
        policy=policy,
        folder=root,
        inputs=external_inputs(migrations, root),
        ledgers={source.reader.name: ledger_of(source, dialect) for source in sources},
        tool_lock=tool_lock(sources, dialect, catalog.database),
    )


def apply_plan(
    plan: Plan,
    *,
    connector: Connector,
    policy: Policy,
    options: RunOptions,
    listener: Listener,
    stop: StopSignal | None = None,
    root: Path = Path(),
) -> RunReport:
    """Run it, or go on with the unfinished run of the same plan."""
    from driftflow.engine.run import run_plan

    return run_plan(plan, options=options, **_edge(connector, policy, listener, stop, root))


def resume_run(
    run: str,
    *,
    connector: Connector,
    policy: Policy,
    options: RunOptions,
    listener: Listener,
    stop: StopSignal | None = None,
    root: Path = Path(),
) -> RunReport:
    """Go on with a run; its plan is in the journal. An empty `run` is the only unfinished one."""
    from driftflow.engine.run import resume

    return resume(run, options=options, **_edge(connector, policy, listener, stop, root))


def roll_back(
    run: str,
    *,
    connector: Connector,
    policy: Policy,
    options: RunOptions,
    listener: Listener,
    stop: StopSignal | None = None,
    root: Path = Path(),
) -> RunReport:
    """Take back what a run did, in reverse order."""
    from driftflow.engine.run import roll_back as engine_roll_back

    return engine_roll_back(run, options=options, **_edge(connector, policy, listener, stop, root))


def _edge(connector: Connector, policy: Policy, listener: Listener, stop: StopSignal | None, root: Path) -> dict[str, Any]:
    """What the engine is given of the world outside."""
    from driftflow.drivers.urls import source_connector
    from driftflow.engine.clock import SystemClock
    from driftflow.journal.same_database import SameDatabaseJournal
    from driftflow.monitors import signals_for

    return {
        "connector": connector,
        "journal": SameDatabaseJournal(),
        "fingerprint": fingerprint,
        "clock": SystemClock(),
        "listener": listener,
        "policy": policy,
        "signals": signals_for(connector.dialect, policy),
        "sources": source_connector,
        "stop": stop,
    }


def plan_of_run(run: str, *, connector: Connector) -> Plan:
    """The plan that a run carries out, from the journal. An empty `run` is the only unfinished one."""
    from driftflow.journal.inspect import stored_plan

    with closing(connector.connect("status")) as connection:
        return stored_plan(connection, the_run(connection, run))


def status(connector: Connector) -> tuple[RunSummary, ...]:
    """Every run that the journal of this database knows, newest first. Empty when there is no journal; writes nothing."""
    from driftflow.journal.inspect import runs

    with closing(connector.connect("status")) as connection:
        return runs(connection)


def watch(run: str, *, connector: Connector) -> Iterator[AnyEvent]:
    """The events of a run, old ones first, then as they come; ends when nobody executes it any more."""
    from driftflow.engine.clock import SystemClock
    from driftflow.journal.follow import follow

    with closing(connector.connect("watch")) as connection:
        yield from follow(connection, the_run(connection, run), clock=SystemClock())


def request(run: str, verb: Verb, *, connector: Connector, arguments: Mapping[str, str] = {}, by: str = "") -> str:
    """Ask a run in another process; returns what happens now."""
    from driftflow.journal import inspect

    with closing(connector.connect("request")) as connection:
        return inspect.request(connection, the_run(connection, run), verb, arguments, by=by)


def the_run(connection: Connection, run: str) -> str:
    """The id itself, or that of the only unfinished run. Raises UsageError when there is none, or more than one."""
    from driftflow.errors import UsageError
    from driftflow.journal.inspect import runs

    if run:
        return run
    open_runs = runs(connection, unfinished=True)
    if len(open_runs) != 1:
        found = ", ".join(summary.run for summary in open_runs) or "none"
        raise UsageError("DF-E123", "which run?", why=f"unfinished runs here: {found}", hint="driftflow status")
    return open_runs[0].run


def clean(*, connector: Connector, dry_run: bool) -> tuple[str, ...]:
    """Remove the debris that the journal says is ours. Returns what was (or would be) removed."""
    from driftflow.journal import inspect

    with closing(connector.connect("clean")) as connection:
        return inspect.clean(connection, dry_run=dry_run)


def doctor(connector: Connector) -> tuple[Examined, ...]:
    """Rights, version, look-alikes, pooler, replicas, publications, half-done states. Reads only."""
    from driftflow.doctor import examine

    with closing(connector.connect("doctor")) as connection:
        return examine(connection)
