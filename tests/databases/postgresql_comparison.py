"""What a PostgreSQL server does with a statement, beside what was predicted: locks, rewrites, whole-table reads, transactional, refused.

A relation is known by its identity, not by its name: one that was there before the statement is called as it was called then, whatever the
statement does to it; a new one as it is called afterwards. What a statement makes and drops again has no name and is left out, and so are the
indexes of what is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.postgresql.effects.foreign_key import SOME_BUILDS
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.situation import Situation
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.walk import situations
from driftflow.drivers.postgresql import PostgresqlConnector
from driftflow.drivers.postgresql_catalog import read_catalog
from driftflow.errors import ParseError
from driftflow.model.catalog import Catalog
from driftflow.model.effects import LOOKED_UP, LOOKS_UP, Work
from driftflow.model.migration import Migration, Statement
from driftflow.model.names import Name
from driftflow.model.operations import CreateTableAs, CreateView, Delete, Insert, Operation, RefreshView, Select, Update

WILL_FAIL = frozenset({"DF001", "DF005", "DF304", "DF501", "DF705"})
"""Checks that say "the server refuses this": by the catalog, the version, or what came before in the transaction."""
TEMPORARY = "pg_temp."
"""Relations of the session itself: nobody else can wait for them, and the catalog of others does not hold them."""
THEN = " ;; "
"""Parts the statements of one entry. They run in one transaction, and the last is compared."""

RELATIONS = """
SELECT c.oid, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, c.relkind::text, c.relfilenode,
       pg_stat_get_xact_numscans(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""
LOCKS = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation IS NOT NULL"


@dataclass(frozen=True, kw_only=True)
class Comparable:
    """The part of effects that a server can be asked about. Locks read `t:AccessExclusive`."""

    error: str = ""
    transactional: bool = True
    locks: frozenset[str] = frozenset()
    rewrite: frozenset[str] = frozenset()
    scan: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Relation:
    name: str
    kind: str
    file: int
    scans: int


Relations = dict[int, Relation]


def catalog_of(url: str) -> Catalog:
    with closing(PostgresqlConnector(url, display="test").connect("test")) as connection:
        return read_catalog(connection)


def difference(url: str, catalog: Catalog, text: str) -> str:
    """What the server does otherwise than predicted; empty where nothing."""
    *before, last = text.split(THEN)
    prediction = Prediction(catalog, text)
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL lock_timeout = '2s'")
        try:
            for sql in before:
                connection.execute(sql)
        except psycopg.Error as error:  # an older server does not know it
            return "" if prediction.refused else f"the server refuses what comes before: {_first_line(error)}"
        offending = prediction.offending(_asked(connection))
        saw = observed(connection, last)
        connection.rollback()
    return _compared(saw.seen, prediction, offending, saw.gone)


@dataclass(frozen=True, kw_only=True)
class Observation:
    seen: Comparable
    gone: frozenset[str] = frozenset()
    """Indexes that are not there any more."""


def observed(connection: psycopg.Connection, sql: str) -> Observation:
    """What the statement does, in the transaction that is open."""
    before, held = _relations(connection), _locks(connection)
    try:
        connection.execute(sql)
    except psycopg.errors.ActiveSqlTransaction as error:
        return Observation(seen=Comparable(error=_first_line(error), transactional=False))
    except psycopg.Error as error:
        return Observation(seen=Comparable(error=_first_line(error)))
    after = _relations(connection)
    named = {**{oid: one.name for oid, one in after.items()}, **{oid: one.name for oid, one in before.items()}}
    locks = {f"{named[oid]}:{mode.removesuffix('Lock')}" for oid, mode in _locks(connection) - held if oid in named}
    return Observation(
        seen=Comparable(
            locks=frozenset(locks),
            rewrite=frozenset(before[oid].name for oid, one in after.items() if oid in before and before[oid].file != one.file),
            scan=frozenset(named[oid] for oid, one in after.items() if one.kind in "rmp" and one.scans > _scans(before, oid)),
        ),
        gone=frozenset(one.name for oid, one in before.items() if oid not in after and one.kind in "iI"),
    )


def _scans(before: Relations, oid: int) -> int:
    return before[oid].scans if oid in before else 0


def _relations(connection: psycopg.Connection) -> Relations:
    return {
        oid: Relation(name=name, kind=kind, file=file, scans=scans or 0)
        for oid, name, kind, file, scans in connection.execute(RELATIONS).fetchall()
    }


def _locks(connection: psycopg.Connection) -> set[tuple[int, str]]:
    return {(oid, mode) for oid, mode in connection.execute(LOCKS).fetchall()}


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]


def _asked(connection: psycopg.Connection) -> Callable[[str], int | None]:
    """The number that a probe answers; None where it cannot be asked (it speaks of what the statement itself makes)."""

    def ask(probe: str) -> int | None:
        try:
            with connection.transaction() as asked:
                row = connection.execute(probe).fetchone()  # type: ignore[call-overload]
                raise psycopg.Rollback(asked)  # and with it the locks of the question
        except psycopg.Error:
            return None
        return int(row[0]) if row is not None else None

    return ask


class Prediction:
    """Of the last statement of an entry, on the catalog that those before it leave."""

    def __init__(self, catalog: Catalog, text: str) -> None:
        dialect = dialect_named("postgresql")
        parts = [Statement(sql=part, span=SourceText(text=part).span(0, len(part))) for part in text.split(THEN)]
        self.refused: list[str] = []
        try:
            statements = tuple(dialect.parse(part) for part in parts)
        except ParseError as error:  # the server's grammar
            self.refused = [str(error)]
            statements = ()
        migration = Migration(
            id="1",
            source="plain",
            path="1.sql",
            dialect="postgresql",
            statements=statements,
            checksum="",
            sha256="",
            transaction="single",
        )
        walked = list(situations([migration], catalog=catalog, dialect=dialect, policy=Policy()))
        said = assess([migration], catalog=catalog, dialect=dialect, policy=Policy()).findings
        self.last = [at for at in walked if at.statement is statements[-1]]
        held = {lock for at in walked if at.statement is not statements[-1] for lock in locks_of(at, certain=True)}
        self.refused += [one.summary for one in said if one.code in WILL_FAIL and one.severity == "error"]
        self.refused += [one.summary for at in self.last for one in at.effects.fails_if if one.certain]
        self.vague = [one.summary for at in self.last for one in at.effects.fails_if if not one.certain and not one.probe]
        self.probes = [(one.probe, one.summary) for at in self.last for one in at.effects.fails_if if one.probe]
        self.unknown = next((at.effects.unknown for at in self.last if at.effects.unknown), "")
        self.transactional = all(at.effects.transactional for at in self.last)
        self.locks = frozenset(lock for at in self.last for lock in locks_of(at) if not lock.startswith(TEMPORARY)) - held
        self.rewrite = frozenset(spelled(name) for at in self.last for name in at.effects.rewrites)
        self.some_builds = frozenset(
            f"{spelled(claim.relation)}:AccessShare" for at in self.last for claim in at.effects.locks if claim.why == SOME_BUILDS
        )
        work = [(at, one) for at in self.last for one in at.effects.work if one.kind == "scan"]
        self.scan = frozenset(spelled(one.relation) for _, one in work)
        self.planned = frozenset(spelled(one.relation) for at, one in work if by_plan(at, one))
        """Relations that a query of the statement may find by an index instead."""
        self.queries = any(isinstance(at.operation, Select) for at in self.last)

    def offending(self, ask: Callable[[str], int | None]) -> list[str]:
        """The conditions that hold on the rows that are there. One that cannot be asked joins the vague ones."""
        found = []
        for probe, summary in self.probes:
            answer = ask(probe)
            if answer is None:
                self.vague.append(summary)
            elif answer:
                found.append(summary)
        return found


def by_plan(at: Situation, work: Work) -> bool:
    """Whether the planner decides, from statistics that no catalog holds, if it reads the whole table: in a query with a condition or a join,
    and where a foreign key is verified."""
    match at.operation:
        case Update() | Delete():
            return bool(at.operation.where or at.operation.reads)
        case Insert():
            return True
        case CreateTableAs() | CreateView() | RefreshView():
            return work.relation != relation_of(at.operation)
        case _:
            return work.why in (LOOKS_UP, LOOKED_UP)


def relation_of(operation: Operation) -> Name | None:
    name = operation.view.name if isinstance(operation, CreateView) else getattr(operation, "name", None)
    return name if isinstance(name, Name) else None


def spelled(name: Name) -> str:
    return name.name if name.schema == "public" else name.text


def locks_of(at: Situation, *, certain: bool = False) -> list[str]:
    """`certain`: without those that only some builds take."""
    return [
        f"{spelled(claim.relation)}:{''.join(word.capitalize() for word in claim.mode.split())}"
        for claim in at.effects.locks
        if not (certain and claim.why == SOME_BUILDS)
    ]


def _compared(seen: Comparable, prediction: Prediction, offending: Sequence[str], gone: frozenset[str]) -> str:
    if prediction.unknown:
        return ""  # it says so itself, with the reason
    if not seen.transactional:
        return "it cannot run in a transaction" if prediction.transactional and not prediction.refused else ""
    fails = [*prediction.refused, *offending]
    if seen.error:
        return "" if fails or prediction.vague else f"the server refuses: {seen.error}"
    if fails:
        return f"the server accepts it; predicted: {'; '.join(fails)}"
    parts = [] if prediction.transactional else ["it runs in a transaction"]
    for part in ("locks", "rewrite", "scan"):
        want, got = getattr(seen, part), frozenset(one for one in getattr(prediction, part) if one.partition(":")[0] not in gone)
        want = frozenset(one for one in want if one.partition(":")[0] not in gone)
        if part == "locks":
            got -= prediction.some_builds - want
        if part == "scan":
            want, got = (want & got if prediction.queries else want), got - (prediction.planned - want)
        parts += [f"{part} missing {sorted(want - got)}"] if want - got else []
        parts += [f"{part} extra {sorted(got - want)}"] if got - want else []
    return "; ".join(parts)
