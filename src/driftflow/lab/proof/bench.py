"""One start, filled once, and copies of it: what every claim is shown on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

from driftflow.dialects.base import Dialect
from driftflow.drivers.catalogs import read_catalog
from driftflow.engine.ports import Connector
from driftflow.lab.proof.original import keys_in_files, run_original
from driftflow.lab.proof.records import recorded, to_be_recorded
from driftflow.lab.proof.running import Executor, without_the_database
from driftflow.lab.proof.state import Found, State, rights_on_known_names, state_of, undetermined
from driftflow.lab.rows.ahead import left_alone, with_what_comes
from driftflow.lab.rows.fill import ROWS, Filled, fill
from driftflow.lab.scratch import Scratch, scratch
from driftflow.lab.start_schema import StartSchema, build
from driftflow.model.catalog import Catalog, Column, TableStatistics
from driftflow.model.migration import Migration
from driftflow.model.names import Name
from driftflow.model.plan import Plan
from driftflow.readers.sources import Source, written_ledger
from driftflow.usage.recorded import Recorded

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be proved, of which plan, and on what."""

    plan: Plan
    migrations: Sequence[Migration]
    """The original ones: what the plan must equal."""
    dialect: Dialect
    start: StartSchema
    root: Path
    """The project's folder: where the plan's relative paths start."""
    sources: Sequence[Source] = ()
    """Where the plan's migrations come from, each with its tool's own version table."""
    rows: int = ROWS
    seed: int = 1
    queries: Sequence[Recorded] = ()
    """Of the running application."""
    unwritten: frozenset[tuple[str, str]] = frozenset()
    """(table, with or without its schema, column) that the running application leaves alone."""
    accepted: frozenset[str] = frozenset()
    """Names of irreversible steps that somebody accepted, in the plan or in the configuration."""
    on: str = ""
    """URL of the marked server to prove it on; empty: one is started. May hold a password."""

    @property
    def version_tables(self) -> frozenset[Name]:
        """Of the migration tools: kept by the plan, and by nobody on the database beside it."""
        return frozenset(written_ledger(source, self.dialect, self.database).table for source in self.sources)

    @property
    def database(self) -> str:
        """As the plan calls it, on MySQL and MariaDB."""
        named = next((name.schema for name in self.plan.relations if name.schema), "") if self.dialect.one_pass else ""
        return self.start.database or named

    @property
    def statistics(self) -> Mapping[str, TableStatistics]:
        """By table, of the database that the start is like; nothing where only SQL says what it is."""
        return {name: table.statistics for name, table in self.start.catalog.tables.items()} if self.start.catalog else {}


@dataclass(kw_only=True)
class Bench:
    """The start, and everything that was found out about it once."""

    question: Question
    start: Scratch
    filled: Filled
    not_built: tuple[str, ...]
    tell: Tell
    asked: Mapping[str, object] = field(default_factory=dict)
    """What directives ask for beside the original migration, once the plan has run undisturbed."""
    in_common: list[str] = field(default_factory=list)
    """What the original migration and the plan take from one place, as sentences."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _in_use: bool = False

    @property
    def plan(self) -> Plan:
        return self.question.plan

    @cached_property
    def catalog(self) -> Catalog:
        return read_catalog(self.start.connector)

    @contextmanager
    def copy(self) -> Iterator[Scratch]:
        """A database like the start, one at a time: the next may take its place, and that of the start itself."""
        assert self.start.copied is not None and not self._in_use
        self._in_use = True
        try:
            yield self.start.copied(f"proof_{next(self._numbers)}")
        finally:
            self._in_use = False

    def empty(self) -> Scratch:
        """A database without anything in it, after which there is no start any more."""
        assert self.start.emptied is not None and not self._in_use
        return self.start.emptied("proof_empty")

    def look_ahead(self) -> None:
        """What every claim asks for, before any of them is looked at."""
        _ = self.catalog, self.start_state, self.loose

    def executor(self, place: Scratch, *, connector: Connector | None = None, plan: Plan | None = None) -> Executor:
        """For the whole plan, or for this part of it."""
        return Executor(plan=without_the_database(plan or self.plan), place=place, folder=self.question.root, connector=connector)

    def state(self, place: Scratch) -> State:
        dialect = self.question.dialect
        found = dataclasses.replace(
            state_of(place.connector, dialect, without=self.question.version_tables), recorded=recorded(self.question, place)
        )
        return rights_on_known_names(found, frozenset(self.catalog.tables)) if dialect.one_pass else found

    def original_state(self, place: Scratch) -> State:
        """After the original migration, as its tool would have recorded it."""
        return dataclasses.replace(self.state(place), recorded=to_be_recorded(self.question))

    @cached_property
    def start_state(self) -> State:
        with self.copy() as place:
            return self.state(place)

    def still_ours(self, end: State) -> list[Found]:
        """Triggers and routines of driftflow's own that were not there before: neither a plan nor its way back leaves any."""
        return [(name, "is driftflow's own, and is still there") for name in sorted(end.left - self.start_state.left)]

    @cached_property
    def filled_catalog(self) -> Catalog:
        """The start, with what the migration will demand of the rows that are written meanwhile."""
        return with_what_comes(self.catalog, self.question.migrations, self.question.dialect, written=True)

    @property
    def unwritten(self) -> frozenset[tuple[str, str]]:
        """What the application leaves alone, as was said to the proof or in the migration."""
        return self.question.unwritten | left_alone(self.question.migrations)

    @property
    def beyond(self) -> int:
        """No row of the start is made of a candidate with a greater number."""
        return max(self.filled.tries.values(), default=0)

    @cached_property
    def _original(self) -> tuple[State | None, str, Catalog]:
        with self.copy() as place:
            said = run_original(
                self.question.migrations, place, self.question.dialect, root=self.question.root, tell=self.in_common.append
            )
            return None if said else self.original_state(place), said, read_catalog(place.connector)

    @property
    def original(self) -> tuple[State | None, str]:
        """The state that the original migration ends in, or why it does not end."""
        state, said, _ = self._original
        return state, said

    @property
    def final_catalog(self) -> Catalog:
        """What the original migration leaves behind."""
        return self._original[2]

    @property
    def numbered(self) -> Mapping[str, frozenset[str]]:
        """Columns that the original migration adds and numbers its rows by: which row gets which number depends on who wrote meanwhile."""
        return {
            name: frozenset(
                one.name for one in table.columns if _is_numbered(one) and (old is None or old.column(one.name) is None)
            )
            for name, table in self.final_catalog.tables.items()
            for old in (self.catalog.tables.get(name),)
        }

    @cached_property
    def loose(self) -> Mapping[str, frozenset[str]]:
        """Columns whose values two runs of the original migration do not agree on."""
        first, _ = self.original
        if first is None:
            return {}
        with self.copy() as place:
            run_original(self.question.migrations, place, self.question.dialect, root=self.question.root)
            return undetermined(first, self.state(place))


def _is_numbered(column: Column) -> bool:
    return column.identity is not None or column.autoincrement or "nextval(" in (column.default or "")


@contextmanager
def open_bench(question: Question, *, tell: Tell) -> Iterator[Bench]:
    """A server, the start schema and its rows. Raises ConfigError where there is no server to start, RefusedError where the one that was given
    may not be used."""
    start, dialect = question.start, question.dialect
    tell("looking at the server of --lab-url" if question.on else "starting a throw-away server")
    with scratch(dialect.name, start.version, database=question.database, settings=_settings(question), on=question.on) as place:
        tell("making the start schema")
        not_built = build(start, place, dialect, rights=True)
        tell("making rows")
        filled = fill_start(question, place)
        yield Bench(question=question, start=place, filled=filled, not_built=not_built, tell=tell)


def _settings(question: Question) -> Mapping[str, str]:
    """Of the database that it stands for. SQL does not say whether a file of SQLite keeps a write-ahead log; a plan that was made for one that does
    keeps no reader out."""
    claims = [claim for step in question.plan.steps for claim in step.claims]
    if question.dialect.name != "sqlite" or question.start.settings or not claims:
        return question.start.settings
    return {} if any("reads" in claim.blocks for claim in claims) else {"journal_mode": "wal"}


def fill_start(question: Question, place: Scratch) -> Filled:
    there = read_catalog(place.connector).without_tables(question.version_tables)  # whose rows are the tool's
    catalog = with_what_comes(there, question.migrations, question.dialect)
    keys = keys_in_files(question.migrations, catalog, question.dialect, question.root)
    return fill(
        place.connector,
        catalog,
        question.dialect,
        rows=question.rows,
        seed=question.seed,
        statistics=question.statistics,
        known=keys,
        unwritten=left_alone(question.migrations),
    )


def schema_gaps(bench: Bench) -> tuple[str, ...]:
    """Where the lab's schema is not the one that the plan was made for."""
    plan, given = bench.plan, bench.question.start.catalog
    if (
        given is not None
        and plan.catalog_fingerprint
        and given.fingerprint(plan.fingerprint_relations) != plan.catalog_fingerprint
    ):
        return (f"{bench.question.start.name} is not the schema that the plan was made for: driftflow plan, once more",)
    if not plan.catalog_fingerprint or bench.catalog.fingerprint(plan.fingerprint_relations) == plan.catalog_fingerprint:
        return ()
    return ("the lab's schema is not the one that the plan was made for",)
