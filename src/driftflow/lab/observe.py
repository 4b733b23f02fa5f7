"""Observed effects: each statement carried out on a throw-away server, beside what is predicted of it on the same schema."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.walk import situations
from driftflow.drivers.catalogs import catalog_of
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import ConfigError
from driftflow.lab.bench import Bench, set_up, set_up_as
from driftflow.lab.comparison import compared_parts, differences
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Condition, Effects
from driftflow.model.migration import Migration, Statement
from driftflow.model.names import Version
from driftflow.model.observation import Observation, Observations, Part, Seen
from driftflow.model.operations import Delete, Insert, Select, TransactionControl, Update
from driftflow.model.record import Record, replace
from driftflow.readers.sources import loose_migration, loose_statements

WILL_FAIL = frozenset({"DF001", "DF005", "DF304", "DF501", "DF705"})
"""Checks that say "the server refuses this": by the catalog, the version, or what came before."""
CONTROL = "BEGIN and COMMIT are not carried out: every statement is observed in a transaction of its own"
PLANNED = "scans: how a query reads is the planner's choice, by sizes that a throw-away database does not have"


class _Prediction(Record, frozen=True, kw_only=True):
    effects: tuple[Effects, ...]
    refusals: tuple[str, ...]
    doubts: tuple[str, ...]


def bench_for(dialect: Dialect, *, version: str = "", on: str = "") -> Bench:
    """A bench of that dialect: on a server that is started here, of this version where one is said, or on the one at the URL `on`.

    Raises ConfigError (no such server here) and RefusedError (the one at the URL is not marked as disposable).
    """
    major = Version.parse(version).major if version else None
    name = dialect.name
    match name:
        case "postgresql":
            from driftflow.lab import bench_postgresql

            return bench_postgresql.given(on) if on else bench_postgresql.started(major)
        case "mysql" | "mariadb":
            from driftflow.lab import bench_mysql

            return bench_mysql.given(on) if on else bench_mysql.started(name, version)
        case _:
            from driftflow.lab import bench_sqlite

            return bench_sqlite.given(on) if on else bench_sqlite.started(version)


def observe_effects(
    migration: Migration, *, dialect: Dialect, bench: Bench, setup: Sequence[Statement] = (), notes: Sequence[str] = ()
) -> Observations:
    """Run the setup, then every (parsed) statement of the migration, and compare. Raises DatabaseError: the setup fails, or a statement hangs."""
    set_up(bench, setup)
    found: list[Observation] = []
    told = list(notes)
    for statement in migration.statements:
        if any(isinstance(operation, TransactionControl) for operation in statement.operations):
            told += [CONTROL] if CONTROL not in told else []
        else:
            found.append(_observation(replace(migration, statements=(statement,)), statement, dialect, bench))
    return Observations(
        dialect=dialect.name,
        server_version=str(bench.connection.version),
        server=bench.origin,
        schema=bench.schema,
        statements=tuple(found),
        notes=tuple(told),
    )


def _observation(migration: Migration, statement: Statement, dialect: Dialect, bench: Bench) -> Observation:
    said = predict(migration, dialect, bench.connection)
    seen = _comparable(statement, bench.observe(statement))
    return Observation(
        statement=statement,
        predicted=said.effects,
        refusals=said.refusals,
        doubts=said.doubts,
        observed=seen,
        compared=compared_parts(said.effects, seen),
        differences=differences(said.effects, seen, refusals=said.refusals, doubts=said.doubts, strength=bench.strength),
    )


def predict(migration: Migration, dialect: Dialect, connection: Connection) -> _Prediction:
    """What is predicted of the migration on the schema that the connection sees now; its probes are asked of the rows that are there now."""
    catalog = catalog_of(connection)
    walked = list(situations([migration], catalog=catalog, dialect=dialect, policy=Policy()))
    findings = assess([migration], catalog=catalog, dialect=dialect, policy=Policy(), folder=Path()).findings
    conflicts = [at.conflict for at in walked if at.conflict]
    told = [one.summary for one in findings if one.code in WILL_FAIL and one.severity == "error"]
    refusals: list[str] = []
    doubts: list[str] = []
    for condition in (condition for at in walked for condition in at.effects.fails_if):
        answer = True if condition.certain else _offends(condition, connection)
        if answer is None:
            doubts.append(condition.summary)
        elif answer:
            refusals.append(condition.summary)
    return _Prediction(
        effects=tuple(at.effects for at in walked),
        # Three ways to say the same: the plainest one is enough.
        refusals=tuple(dict.fromkeys(refusals or conflicts or told)),
        doubts=tuple(dict.fromkeys(doubts)),
    )


def _offends(condition: Condition, connection: Connection) -> bool | None:
    """Whether rows that are there make it fail; None where nobody can ask."""
    if not condition.probe:
        return None
    try:
        return bool(connection.query(condition.probe)[0][0])
    except DatabaseFault:
        return None


def _comparable(statement: Statement, seen: Seen) -> Seen:
    """Without the scans of a query or a change of rows."""
    parts: tuple[Part, ...] = tuple(part for part in seen.parts if part != "scan")
    if parts == seen.parts or not all(isinstance(one, Select | Insert | Update | Delete) for one in statement.operations):
        return seen
    return replace(seen, parts=parts, left_out=(*seen.left_out, PLANNED))


def observed(
    sql: str, *, dialect: Dialect, version: str = "", on: str = "", setup: Path | None = None, catalog: Catalog | None = None
) -> Observations:
    """What one or a few statements do on a throw-away server, beside their prediction: one that is started, or the marked one at the URL
    `on`. The SQL of the file `setup` is run there first, or else the tables of the catalog are made, without rows.

    Raises SourceError (SQL that the grammar rejects), ConfigError (no such server), RefusedError (no mark), DatabaseError.
    """
    migration = loose_migration(sql, dialect=dialect)
    before = loose_statements(setup, dialect=dialect) if setup is not None else ()
    bench, notes = _nearest(dialect, version, on, catalog)
    with closing(bench):
        if catalog is not None and setup is None:
            notes += [f"not made here: {what}" for what in set_up_as(bench, catalog, dialect)]
        return observe_effects(migration, dialect=dialect, bench=bench, setup=before, notes=notes)


def _nearest(dialect: Dialect, version: str, on: str, catalog: Catalog | None) -> tuple[Bench, list[str]]:
    """A bench of the version that is asked for, else of the catalog's, else of the one that is here; what to say of it."""
    known = catalog.version if catalog is not None else None
    if version or on or known is None:
        return bench_for(dialect, version=version, on=on), []
    try:
        wanted = str(known.major) if dialect.name in ("postgresql", "sqlite") else f"{known.major}.{known.minor}"
        return bench_for(dialect, version=wanted), []
    except ConfigError:
        bench = bench_for(dialect)
        return bench, [f"the tables are those of version {known}, which cannot be started here"]
