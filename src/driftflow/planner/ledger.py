"""What ran is written into the migration tool's own version table, so that its next deploy does not run it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from driftflow.model.catalog import Catalog
from driftflow.model.migration import Migration
from driftflow.model.names import Name
from driftflow.model.plan import Gate, Irreversible, Probe, RunSql, Step, UndoNothing, UndoSteps
from driftflow.model.record import replace

STRATEGY = "record_migration"
AGAIN = Probe(query="SELECT 'again'")


class Ledger(Protocol):
    """The part of `readers.base.Ledger` that planning needs."""

    @property
    def table(self) -> Name: ...

    def create(self) -> tuple[str, ...]: ...

    def record(self, migration: Migration) -> tuple[str, ...]: ...

    def unrecord(self, migration: Migration) -> tuple[str, ...]: ...


def with_records(
    steps: Sequence[Step],
    migrations: Sequence[Migration],
    ledgers: Mapping[str, Ledger],
    catalog: Catalog,
    *,
    transactional: bool = True,
) -> tuple[list[Step], list[str]]:
    """The steps with each migration recorded in its last step's transaction, in the tool's order; and what there is to say.

    A migration that goes on behind a gate is recorded before the gate: while the run waits there, a deploy of the tool must not start it again.
    """
    out, notes = list(steps), []
    at = -1
    for migration in migrations:
        ledger = ledgers.get(migration.source)
        if ledger is None:
            continue
        gate = next((index for index, step in enumerate(out) if isinstance(step, Gate)), len(out))
        mine = [index for index, step in enumerate(out) if step.migration == migration.id and not isinstance(step, Gate)]
        before_gate = [index for index in mine if index < gate]
        if len(before_gate) < len(mine):
            notes.append(
                f"{migration.id} is recorded in {ledger.table} before the gate, so that it is not run a second time; "
                "its last steps are driftflow's"
            )
        at = min(max(at, before_gate[-1] if before_gate else -1), gate - 1)
        step = out[at] if at >= 0 else None
        lost = step is not None and isinstance(step.undo, Irreversible)
        if isinstance(step, RunSql) and step.transaction == "own" and not (step.role or step.settings or lost):
            out[at] = _recorded(step, migration, ledger)
        else:
            at += 1
            out.insert(at, _own_step(migration, ledger))
    return _with_tables(out, ledgers, catalog, transactional=transactional), notes


def _recorded(step: RunSql, migration: Migration, ledger: Ledger) -> RunSql:
    """The record in the step's own transaction; its undo takes the record back first."""
    undo = step.undo
    back = ledger.unrecord(migration)
    if isinstance(undo, UndoNothing):
        undo = UndoSteps(steps=(_unrecord_step(migration, back),), besides=undo.reason)
    elif isinstance(undo, UndoSteps):
        first = undo.steps[0]
        if isinstance(first, RunSql) and first.transaction == "own" and not first.role and not first.settings:
            undo = replace(undo, steps=(replace(first, statements=(*back, *first.statements)), *undo.steps[1:]))
        else:
            undo = replace(undo, steps=(_unrecord_step(migration, back), *undo.steps))
    return replace(step, statements=(*step.statements, *ledger.record(migration)), undo=undo)


def _own_step(migration: Migration, ledger: Ledger) -> RunSql:
    return RunSql(
        purpose=f"Record {migration.id} in {ledger.table}",
        migration=migration.id,
        strategy=STRATEGY,
        phase="migrate",
        statements=ledger.record(migration),
        undo=UndoSteps(steps=(_unrecord_step(migration, ledger.unrecord(migration)),)),
    )


def _unrecord_step(migration: Migration, statements: tuple[str, ...]) -> RunSql:
    return RunSql(
        purpose=f"Take back the record of {migration.id}", migration=migration.id, strategy="undo", statements=statements
    )


def _with_tables(steps: list[Step], ledgers: Mapping[str, Ledger], catalog: Catalog, *, transactional: bool) -> list[Step]:
    """The tool's table is made first where there is none, as the tool makes it."""
    made: list[Step] = []
    for source, ledger in ledgers.items():
        wanted = any(catalog.table(name) is not None for name in (ledger.table,))
        if steps and not wanted:
            made += _table_steps(source, ledger, alone=not transactional)
    return [*made, *steps] if any(step.statements for step in made if isinstance(step, RunSql)) else steps


def _table_steps(source: str, ledger: Ledger, *, alone: bool) -> Iterator[RunSql]:
    """In one transaction, or each statement as it commits by itself: all of them say IF NOT EXISTS, or add a row where there is none."""
    for statements in [(one,) for one in ledger.create()] if alone else [ledger.create()]:
        yield RunSql(
            purpose=_make(source, ledger),
            strategy=STRATEGY,
            statements=statements,
            transaction="none" if alone else "own",
            probe=AGAIN if alone else None,
            undo=UndoNothing(reason="an empty version table is what the tool itself would leave"),
        )


def _make(source: str, ledger: Ledger) -> str:
    """Plain SQL files have no tool: their version table is driftflow's."""
    whose = "the version table" if source == "plain" else f"{source}'s own version table"
    return f"Make {whose} {ledger.table}" + ("" if source == "plain" else ", as it would itself")
