"""The corridor, wired in order: the only file that knows every room. Each function is one arrow of the drawing in docs/architecture.md.

Commands call these and hand the record that comes back to a report. Nothing here prints, decides, or holds state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftflow.config import Policy, SourceOptions
from driftflow.model.catalog import Catalog
from driftflow.model.finding import AssessedStatement, Assessment, Reference
from driftflow.model.names import Version
from driftflow.model.record import replace
from driftflow.readers.sources import Source as Source
from driftflow.readers.sources import SourceStatus as SourceStatus

if TYPE_CHECKING:
    from driftflow.dialects.base import Dialect
    from driftflow.doctor import doctor as doctor
    from driftflow.drivers.catalogs import fingerprint as fingerprint
    from driftflow.drivers.catalogs import read_catalog as read_catalog
    from driftflow.engine.ports import Connector, Listener
    from driftflow.engine.run import RunOptions, RunReport, StopSignal
    from driftflow.errors import SourceError
    from driftflow.journal.asking import clean as clean
    from driftflow.journal.asking import plan_of_run as plan_of_run
    from driftflow.journal.asking import request as request
    from driftflow.journal.asking import status as status
    from driftflow.journal.asking import watch as watch
    from driftflow.model.plan import Plan
    from driftflow.usage.around import with_distributions as with_distributions
    from driftflow.usage.around import with_references as with_references

_ELSEWHERE = {
    **dict.fromkeys(("fingerprint", "read_catalog"), "drivers.catalogs"),
    **dict.fromkeys(("clean", "plan_of_run", "request", "status", "watch"), "journal.asking"),
    **dict.fromkeys(("with_distributions", "with_references"), "usage.around"),
    "doctor": "doctor",
}
"""Arrows that are one function already, imported when they are first used: `lint` pays for no driver and no journal."""


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module 'driftflow.pipeline' has no attribute {name!r}")
    return getattr(import_module(f"driftflow.{_ELSEWHERE[name]}"), name)


def find_sources(
    paths: Sequence[Path],
    *,
    dialect: Dialect,
    options: Mapping[str, SourceOptions],
    root: Path,
    errors: list[SourceError] | None = None,
) -> tuple[Source, ...]:
    """The sources at the paths (folders or single files), each read by the tool that is configured or detected, statements parsed.

    Raises SourceError (an ExceptionGroup where there are several); with `errors` they go there, and what can be read comes back."""
    from driftflow.readers.sources import find

    return find(paths, dialect=dialect, options=options, root=root, errors=errors)


def lint(
    sources: Sequence[Source],
    *,
    dialect: Dialect,
    policy: Policy,
    version: str = "",
    root: Path = Path(),
    errors: Sequence[SourceError] = (),
) -> Assessment:
    """Everything that can be said without a database: what is not in the files may still exist. `errors` are those of `find_sources`."""
    catalog, found = empty_catalog(dialect, version), list(errors)
    assessment = assess(sources, dialect=dialect, catalog=catalog, policy=policy, root=root, errors=found)
    if not found:
        return assessment
    from driftflow.reports.errors import file_errors

    return replace(assessment, errors=file_errors(found))


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
    errors: list[SourceError] | None = None,
) -> Assessment:
    """The same with the catalog: sizes, traffic, what depends on what. Only `pending` migrations when given. `errors` as in `find_sources`."""
    from driftflow.checks import run as checks
    from driftflow.readers.inputs import external_inputs
    from driftflow.readers.sources import pending_migrations
    from driftflow.side_by_side import spread

    migrations = pending_migrations(sources, pending)
    return checks.assess(
        migrations,
        catalog=catalog,
        dialect=dialect,
        policy=policy,
        folder=root,
        inputs=external_inputs(migrations, root, errors),
        today=datetime.now(UTC).date().isoformat(),
        spread=partial(spread, answer=checks.Judged),
    )


def effects_of(sql: str, *, dialect: Dialect, catalog: Catalog | None, version: str = "") -> tuple[AssessedStatement, ...]:
    """What one or a few statements lock and do."""
    from driftflow.checks.run import assess as run_checks
    from driftflow.readers.sources import loose_migration

    known = catalog if catalog is not None else empty_catalog(dialect, version)
    return run_checks([loose_migration(sql, dialect=dialect)], catalog=known, dialect=dialect, policy=Policy()).statements


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
    references: Sequence[Reference] = (),
) -> Plan:
    """The safe plan of the pending migrations. Files that directives name are read and pinned here; `references` join the first gate."""
    from driftflow.planner.compose import compose_plan
    from driftflow.readers.inputs import external_inputs
    from driftflow.readers.sources import pending_migrations, tool_lock, written_ledger
    from driftflow.usage.checklist import checklist

    migrations = pending_migrations(sources, pending)
    return compose_plan(
        migrations,
        catalog=catalog,
        dialect=dialect,
        policy=policy,
        folder=root,
        inputs=external_inputs(migrations, root),
        ledgers={source.reader.name: written_ledger(source, dialect, catalog.database) for source in sources},
        tool_lock=tool_lock(sources, dialect, catalog.database),
        references=checklist(references),
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
    replicas: Sequence[Connector] = (),
) -> RunReport:
    """Run it, or go on with the unfinished run of the same plan."""
    from driftflow.engine.run import run_plan

    return run_plan(plan, options=options, **_edge(connector, policy, listener, stop, root, replicas))


def resume_run(
    run: str,
    *,
    connector: Connector,
    policy: Policy,
    options: RunOptions,
    listener: Listener,
    stop: StopSignal | None = None,
    root: Path = Path(),
    replicas: Sequence[Connector] = (),
) -> RunReport:
    """Go on with a run; its plan is in the journal. An empty `run` is the only unfinished one."""
    from driftflow.engine.run import resume

    return resume(run, options=options, **_edge(connector, policy, listener, stop, root, replicas))


def roll_back(
    run: str,
    *,
    connector: Connector,
    policy: Policy,
    options: RunOptions,
    listener: Listener,
    stop: StopSignal | None = None,
    root: Path = Path(),
    replicas: Sequence[Connector] = (),
) -> RunReport:
    """Take back what a run did, in reverse order."""
    from driftflow.engine.run import roll_back as engine_roll_back

    return engine_roll_back(run, options=options, **_edge(connector, policy, listener, stop, root, replicas))


def _edge(
    connector: Connector, policy: Policy, listener: Listener, stop: StopSignal | None, root: Path, replicas: Sequence[Connector]
) -> dict[str, Any]:
    """What the engine is given of the world outside."""
    from driftflow.drivers.catalogs import fingerprint
    from driftflow.drivers.replicas import Replica, known_replicas
    from driftflow.drivers.urls import source_connector
    from driftflow.engine.clock import SystemClock
    from driftflow.engine.parts import Replicas
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
        "folder": root,
        "replicas": Replicas(given=tuple(Replica(one) for one in replicas), known=known_replicas),
    }
