"""The corridor, wired in order: the only file that knows every room. Each function is one arrow of the drawing in docs/architecture.md.

Commands call these and hand the record that comes back to a report. Nothing here prints, decides, or holds state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftflow.config import Policy
from driftflow.model.catalog import Catalog
from driftflow.model.finding import Assessment, AssessedStatement
from driftflow.model.migration import Migration
from driftflow.model.plan import Phase, Plan
from driftflow.model.record import Record
from driftflow.readers.base import Applied, Reader, SourceOptions

if TYPE_CHECKING:
    from driftflow.dialects.base import Dialect
    from driftflow.engine.ports import Connector, Listener
    from driftflow.engine.run import RunOptions, RunReport, StopSignal
    from driftflow.journal import RunSummary


@dataclass(frozen=True, kw_only=True)
class Source:
    """One migration source that was found or configured, as its tool sees it."""

    name: str
    reader: Reader
    folder: Path
    options: SourceOptions
    migrations: tuple[Migration, ...]


class SourceStatus(Record, frozen=True, kw_only=True):
    """What `driftflow sources` shows: which migrations a source has, which are applied, which are pending."""

    name: str
    tool: str
    folder: str
    total: int
    applied: tuple[Applied, ...] = ()
    pending: tuple[str, ...] = ()
    known: bool = False
    """Whether a database was asked."""


class DoctorLine(Record, frozen=True, kw_only=True):
    """One thing that `doctor` looked at."""

    name: str
    state: str
    """ok, warning or problem."""
    found: str
    hint: str = ""


def find_sources(paths: Sequence[Path], *, dialect: Dialect, options: Mapping[str, SourceOptions], root: Path) -> tuple[Source, ...]:
    """The sources at the paths (folders or single files), each read by the tool that is configured or detected, statements parsed.

    Raises SourceError (an ExceptionGroup where there are several).
    """
    raise NotImplementedError


def lint(sources: Sequence[Source], *, dialect: Dialect, policy: Policy, version: str = "", root: Path = Path()) -> Assessment:
    """Everything that can be said without a database."""
    raise NotImplementedError


def assess(sources: Sequence[Source], *, dialect: Dialect, catalog: Catalog, policy: Policy, pending: Sequence[str] | None = None, root: Path = Path()) -> Assessment:
    """The same with the catalog: sizes, traffic, what depends on what. Only `pending` migrations when given."""
    raise NotImplementedError


def effects_of(sql: str, *, dialect: Dialect, catalog: Catalog | None, version: str = "") -> tuple[AssessedStatement, ...]:
    """What one or a few statements lock and do."""
    raise NotImplementedError


def read_catalog(connector: Connector, *, sample_seconds: float = 0.0) -> Catalog:
    """The live catalog. Raises ConnectError, RightsError, or RefusedError for a look-alike engine or an unsupported version."""
    raise NotImplementedError


def read_status(sources: Sequence[Source], connector: Connector | None) -> tuple[SourceStatus, ...]:
    """Applied and pending per source, by each tool's own version table (all pending when there is no database)."""
    raise NotImplementedError


def make_plan(
    sources: Sequence[Source], *, dialect: Dialect, catalog: Catalog, policy: Policy, pending: Sequence[str] | None = None, root: Path = Path()
) -> Plan:
    """The safe plan of the pending migrations. Files that directives name are read and pinned here."""
    raise NotImplementedError


def apply_plan(
    plan: Plan, *, connector: Connector, policy: Policy, options: RunOptions, listener: Listener, stop: StopSignal | None = None, root: Path = Path()
) -> RunReport:
    """Run it, or go on with the unfinished run of the same plan."""
    raise NotImplementedError


def resume_run(run: str, *, connector: Connector, policy: Policy, options: RunOptions, listener: Listener, stop: StopSignal | None = None, root: Path = Path()) -> RunReport:
    """Go on with a run; its plan is in the journal. An empty `run` is the only unfinished one."""
    raise NotImplementedError


def roll_back(run: str, *, connector: Connector, policy: Policy, options: RunOptions, listener: Listener, stop: StopSignal | None = None, root: Path = Path()) -> RunReport:
    raise NotImplementedError


def plan_of_run(run: str, *, connector: Connector) -> Plan:
    raise NotImplementedError


def status(connector: Connector) -> tuple[RunSummary, ...]:
    """Every run that the journal of this database knows, newest first. Empty when there is no journal; writes nothing."""
    raise NotImplementedError


def watch(run: str, *, connector: Connector) -> Iterator[object]:
    """The events of a run, old ones first, then as they come (polled); ends when the run ends."""
    raise NotImplementedError


def request(run: str, verb: str, *, connector: Connector, arguments: Mapping[str, str] = {}) -> None:
    """Ask a run in another process: pause, resume, throttle, abort, open_gate."""
    raise NotImplementedError


def clean(*, connector: Connector, dry_run: bool) -> tuple[str, ...]:
    """Remove the debris that the journal says is ours. Returns what was (or would be) removed."""
    raise NotImplementedError


def doctor(connector: Connector, *, policy: Policy) -> tuple[DoctorLine, ...]:
    """Rights, version, look-alikes, pooler, replicas, publications, half-done states."""
    raise NotImplementedError


def enhance(sources: Sequence[Source], *, dialect: Dialect, catalog: Catalog, policy: Policy, root: Path = Path()) -> tuple[object, ...]:
    """What could be made safer or more meaningful in the files: named offers (planner.enhancements)."""
    raise NotImplementedError
