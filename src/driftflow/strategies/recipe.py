"""Writes the steps of one recipe, following the catalog as each step leaves it.

A step is made from operations, so its SQL, its locks and its undo come from one source and cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Index
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, CreateIndex, DropIndex, Operation, SetDefault
from driftflow.model.operations.table import VERSIONED
from driftflow.model.plan import BaseStep, BuildIndex, Guard, Irreversible, Phase, RunSql, Step, Undo, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import probes
from driftflow.strategies.inverses import inverse
from driftflow.strategies.inverses.without_values import without_values
from driftflow.strategies.locked_with_children import FOUND, with_children
from driftflow.strategies.passes import Pass, catalogs, in_passes, moved, one_pass


class Recipe:
    """The state of one recipe while it is written: which catalog the next step will find."""

    def __init__(self, at: Situation, strategy: str, *, resolves: tuple[str, ...] = ()) -> None:
        self.at = at
        self.catalog: Catalog = at.catalog
        self.strategy = strategy
        self.resolves = resolves
        self.children_wait = False
        """Whether triggers keep a copy of a referenced table from the writers of the tables that reference it."""

    def common(self, purpose: str, phase: Phase) -> dict[str, Any]:
        """What every step of this recipe says about itself."""
        return {
            "purpose": purpose,
            "migration": self.at.migration.id,
            "span": self.at.statement.span,
            "strategy": self.strategy,
            "phase": phase,
            "resolves": self.resolves,
            "lock_timeout_ms": self.at.policy.stall_budget_ms,
        }

    def change(
        self,
        *operations: Operation,
        purpose: str,
        phase: Phase = "expand",
        statements: tuple[str, ...] = (),
        guards: tuple[Guard, ...] = (),
        undo: Undo | None = None,
    ) -> RunSql:
        """The operations in one transaction. `statements` replaces their rendered form (the source's own text).

        Where DDL takes part in no transaction they are clauses of one statement, with a probe (raises ValueError where they are not).
        """
        if not self.transactional(operations):
            text = statements[0] if statements else ""
            return self.alone(*operations, purpose=purpose, phase=phase, statement=text, guards=guards, undo=undo)
        before = self.catalog
        claims = self.follow(operations)
        return RunSql(
            **self.common(purpose, phase),
            statements=statements or tuple(self.at.dialect.render(operation) for operation in operations),
            claims=claims,
            statement_timeout_ms=self.statement_timeout_ms(claims),
            guards=guards,
            undo=undo if undo is not None else self.undo_of(operations, before, phase=phase),
        )

    def alone(
        self,
        *operations: Operation,
        purpose: str,
        phase: Phase = "expand",
        statement: str = "",
        guards: tuple[Guard, ...] = (),
        undo: Undo | None = None,
    ) -> RunSql:
        """One statement that cannot run inside a transaction, with the probe that the catalog can give; held to its algorithm where the server
        has words for that."""
        before = self.catalog
        run = one_pass(operations, before, self.at)
        pinned = run.request is not None and not statement
        self.catalog = after_all(operations, before)
        claims = merged(claim for effects in run.effects for claim in effects.locks)
        step = RunSql(
            **self.common(f"{purpose} ({run.said})" if pinned else purpose, phase)
            | {"lock_timeout_ms": patient_timeout_ms(operations[0], self.at)},
            statements=(statement or self.rendered(run),),
            transaction="none",
            probe=probes.probe_of(operations, before, self.at.dialect),
            claims=claims,
            statement_timeout_ms=self.statement_timeout_ms(claims) if self.at.dialect.one_pass else 0,
            guards=guards,
            undo=undo if undo is not None else self.undo_of(operations, before, phase=phase),
        )
        if self.children_wait:
            return replace(step, resolves=(*step.resolves, FOUND))
        return with_children(step, operations, run.effects, before, self.at)

    def rendered(self, run: Pass) -> str:
        """The statement of a pass, with what it is held to."""
        return self.at.dialect.render_for(run.catalog, *run.operations, *((run.request,) if run.request is not None else ()))

    def transactional(self, operations: Iterable[Operation]) -> bool:
        """Whether all of them may share a transaction, with the journal's entry among them."""
        if self.at.can(Capability.TRANSACTIONAL_DDL):
            return True
        catalog = self.catalog
        for operation in operations:
            if not self.at.dialect.effects(operation, catalog).transactional:
                return False
            catalog = moved(catalog, operation)
        return True

    def build_index(self, index: Index, *, purpose: str, phase: Phase = "migrate", guards: tuple[Guard, ...] = ()) -> BuildIndex:
        """CREATE INDEX CONCURRENTLY, undone by DROP INDEX CONCURRENTLY."""
        create = CreateIndex(index=index, concurrently=True)
        drop = DropIndex(name=index.name, table=index.table, concurrently=True, if_exists=True)
        claims = self.follow((create,))
        return BuildIndex(
            **self.common(purpose, phase) | {"lock_timeout_ms": 0},
            index=index,
            create_sql=self.at.dialect.render(create),
            drop_sql=self.at.dialect.render(drop),
            claims=claims,
            statement_timeout_ms=0,
            guards=guards,
            undo=UndoSteps(steps=(self.undo_step((drop,), self.catalog, phase=phase),)),
        )

    def text(
        self,
        *statements: str,
        purpose: str,
        phase: Phase,
        claims: tuple[LockClaim, ...] = (),
        undo: tuple[str, ...] | Undo = (),
        undo_purpose: str = "",
        undo_claims: tuple[LockClaim, ...] | None = None,
        after: Iterable[Operation] = (),
        settings: Mapping[str, str] | None = None,
    ) -> RunSql:
        """Statements of our own making (trigger functions, staging tables), undone by other statements, which claim the same locks unless
        `undo_claims` says others; `after` moves the catalog along."""
        back = claims if undo_claims is None else undo_claims
        for operation in after:
            self.catalog = moved(self.catalog, operation)
        taken_back = (
            UndoSteps(
                steps=(RunSql(**self.common(undo_purpose or f"Take back: {purpose}", phase), statements=undo, claims=back),)
            )
            if isinstance(undo, tuple)
            else undo
        )
        return RunSql(
            **self.common(purpose, phase),
            statements=statements,
            claims=claims,
            statement_timeout_ms=self.at.policy.statement_timeout_ms,
            settings=settings or {},
            undo=taken_back,
        )

    def follow(self, operations: Iterable[Operation]) -> tuple[LockClaim, ...]:
        """Move the catalog along; the locks of all operations together, the strongest per relation."""
        claims: list[LockClaim] = []
        for operation in operations:
            claims += self.at.dialect.effects(operation, self.catalog).locks
            self.catalog = moved(self.catalog, operation)
        return merged(claims)

    def statement_timeout_ms(self, claims: Iterable[LockClaim]) -> int:
        """Instant changes get the policy's limit; what reads or writes every row gets none."""
        return self.at.policy.statement_timeout_ms if all(claim.held == "instant" for claim in claims) else 0

    def undo_of(self, operations: Iterable[Operation], before: Catalog, *, phase: Phase) -> Undo:
        """The typed inverses in reverse order; the first thing that cannot be taken back makes the step irreversible. It says what comes back all the
        same where each such thing leaves something that can."""
        catalog = before
        backwards: list[tuple[tuple[Operation, ...], Catalog]] = []
        reasons: list[str] = []
        lost: list[Irreversible] = []
        whole = True
        for operation in operations:
            after = moved(catalog, operation)
            match inverse.inverse(operation, catalog, self.at):
                case Irreversible() as never:
                    lost.append(never)
                    left = without_values(operation, catalog, after, self.at)
                    whole = whole and bool(left)
                    backwards.insert(0, (left, after))
                case UndoNothing(reason=reason):
                    reasons.append(reason)
                case found:
                    backwards.insert(0, (found, after))
            catalog = after
        if lost:
            return replace(lost[0], steps=tuple(self._backwards(backwards, phase)) if whole else ())
        if not backwards:
            return UndoNothing(reason="; ".join(dict.fromkeys(reasons)) or "nothing is left behind")
        return UndoSteps(steps=tuple(self._backwards(backwards, phase)))

    def _backwards(self, backwards: list[tuple[tuple[Operation, ...], Catalog]], phase: Phase) -> Iterator[Step]:
        """What can share a transaction does; what cannot, or needs the table rebuilt, stands alone."""
        if not self.at.can(Capability.TRANSACTIONAL_DDL):
            yield from self._backwards_in_passes(backwards, phase)
            return
        together: list[Operation] = []
        found_at = backwards[0][1]
        for operations, catalog in backwards:
            for operation in operations:
                alone = self._alone_backwards(operation, catalog, phase)
                if alone is None:
                    found_at = found_at if together else catalog
                    together.append(operation)
                else:
                    if together:
                        yield self.undo_step(tuple(together), found_at, phase=phase)
                        together = []
                    yield alone
                catalog = moved(catalog, operation)
        if together:
            yield self.undo_step(tuple(together), found_at, phase=phase)

    def _backwards_in_passes(self, backwards: list[tuple[tuple[Operation, ...], Catalog]], phase: Phase) -> Iterator[Step]:
        """One statement after the other; clauses of one table that follow each other share a pass where that costs none of them anything."""
        clauses: list[Operation] = []
        found_at = catalog = backwards[0][1]
        table: Name | None = None
        for operations, found in backwards:
            catalog = found
            for operation in operations:
                altered = self.at.dialect.altered_table(operation)
                if isinstance(operation, CreateIndex) and operation.if_not_exists:
                    yield from self._undo_passes(clauses, found_at, phase) if clauses else ()
                    clauses = []
                    yield self._unless_there(operation, catalog, phase)
                    continue
                if clauses and (altered != table or _of_added(operation, clauses)):
                    yield from self._undo_passes(clauses, found_at, phase)
                    clauses = []
                if altered is None:
                    yield self.undo_step((operation,), catalog, phase=phase)
                else:
                    found_at, table = found_at if clauses else catalog, altered
                    clauses.append(operation)
                catalog = moved(catalog, operation)
        if clauses:
            yield from self._undo_passes(clauses, found_at, phase)

    def _unless_there(self, operation: CreateIndex, catalog: Catalog, phase: Phase) -> Step:
        """The index, where it is not there: MySQL has no IF NOT EXISTS for it."""
        index = operation.index
        without = moved(catalog, DropIndex(name=index.name, table=index.table, if_exists=True))
        return unless_done(self.undo_step((CreateIndex(index=index),), without, phase=phase))

    def _undo_passes(self, clauses: list[Operation], catalog: Catalog, phase: Phase) -> Iterator[Step]:
        from driftflow.strategies.constraints.binding import bound_back

        for run in in_passes(clauses, catalog, self.at):
            trusting = bound_back(self.at, run, phase=phase)
            yield from trusting or (self.undo_step(run.operations, run.catalog, phase=phase),)

    def _alone_backwards(self, operation: Operation, catalog: Catalog, phase: Phase) -> Step | None:
        """The undo step for an operation that must stand alone: rebuilt, outside a transaction, or slow. None when it may share one."""
        from driftflow.strategies.rebuild.rebuilding import needs_rebuild, rebuild_back

        if needs_rebuild(operation, self.at, catalog):
            return rebuild_back(self, operation, catalog, phase=phase)
        if isinstance(operation, CreateIndex) and operation.concurrently:
            there, self.catalog = self.catalog, catalog
            step = self.build_index(operation.index, purpose=f"Take back: build {operation.index.name.name} again", phase=phase)
            self.catalog = there
            return as_undo(step)
        effects = self.at.dialect.effects(operation, catalog)
        return self.undo_step((operation,), catalog, phase=phase) if effects.work or not effects.transactional else None

    def undo_step(self, operations: tuple[Operation, ...], catalog: Catalog, *, phase: Phase) -> RunSql:
        """The inverse operations as one step: one statement each, or where the server does everything in one pass, one statement."""
        found = tuple(zip(operations, catalogs(operations, catalog), strict=True))
        every = [self.at.dialect.effects(operation, before) for operation, before in found]
        transactional = all(effects.transactional for effects in every)
        statements = tuple(self.at.dialect.render(operation) for operation in operations)
        if not (transactional or self.at.can(Capability.TRANSACTIONAL_DDL)):
            run = one_pass(operations, catalog, self.at)
            every, statements = list(run.effects), (self.rendered(run),)
        together = merged(claim for effects in every for claim in effects.locks)
        common = self.common(f"Take back: {statements[0]}", phase)
        if not transactional:
            common |= {"lock_timeout_ms": patient_timeout_ms(operations[0], self.at)}
        step = RunSql(
            **common | {"strategy": "undo", "resolves": ()} | _with_history(self.held_by_data(found), found),
            statements=statements,
            transaction="own" if transactional else "none",
            probe=None if transactional else probes.probe_of(operations, catalog, self.at.dialect),
            claims=together,
            statement_timeout_ms=self.statement_timeout_ms(together) if transactional else 0,
        )
        plain = transactional or self.children_wait
        return step if plain else with_children(step, operations, every, catalog, self.at)

    def held_by_data(self, found: Iterable[tuple[Operation, Catalog]]) -> dict[str, Any]:
        """Guards for what the rows may stand in the way of, and settings under which the server changes no value silently."""
        from driftflow.strategies import definers
        from driftflow.strategies.types import given_back, offenders

        found = list(found)
        asked = (offenders.guards, given_back.guards_back)
        guards = tuple(guard for operation, before in found for ask in asked for guard in ask(self.at, operation, before))
        settings = [offenders.strictness(self.at, (operation,), before) for operation, before in found]
        accounts, modes = definers.as_they_were((operation for operation, _ in found), self.at)
        return {"guards": (*guards, *accounts), "settings": {**next((one for one in settings if one), {}), **modes}}


def _with_history(held: dict[str, Any], found: Iterable[tuple[Operation, Catalog]]) -> dict[str, Any]:
    """Whoever let a statement change a table whose rows have a history (MariaDB) lets it be as it was, too."""
    tables = [before.table(name) for one, before in found if isinstance(name := getattr(one, "table", None), Name)]
    versioned = any(table is not None and VERSIONED in table.options for table in tables)
    return held | {"settings": {**held["settings"], "system_versioning_alter_history": "KEEP"}} if versioned else held


def unless_done(step: RunSql) -> RunSql:
    """A step of a way back that another one may have taken ahead, where the server has no IF EXISTS for it."""
    return replace(step, probe=replace(step.probe, first=True)) if step.probe is not None else step


def after_all(operations: Iterable[Operation], catalog: Catalog) -> Catalog:
    """The catalog that they leave."""
    for operation in operations:
        catalog = moved(catalog, operation)
    return catalog


S = TypeVar("S", bound=BaseStep)


def as_undo(step: S) -> S:
    """A step of a way forward as one of the way back."""
    return replace(step, strategy="undo", resolves=(), undo=UndoNothing(reason="it is an undo itself"))


HELD_ORDER = ("instant", "statement", "scan", "index_build", "copy", "rewrite")


def merged(claims: Iterable[LockClaim]) -> tuple[LockClaim, ...]:
    """One claim per relation and mode, the longest held; in order of first appearance."""
    found: dict[tuple[Name, str], LockClaim] = {}
    for claim in claims:
        key = (claim.relation, claim.mode)
        if key not in found or HELD_ORDER.index(claim.held) > HELD_ORDER.index(found[key].held):
            found[key] = claim
    return tuple(found.values())


def patient_timeout_ms(operation: Operation, at: Situation) -> int:
    """Concurrent index work waits for old snapshots under lock_timeout, while nobody queues behind it: no limit. Everything else: the stall budget."""
    waits = isinstance(operation, CreateIndex | DropIndex) and operation.concurrently and at.can(Capability.CONCURRENT_INDEX)
    return 0 if waits else at.policy.stall_budget_ms


def bounded_count(select: str, limit: int = 1000) -> str:
    """Counts the rows of a SELECT, up to a limit: a guard needs to know that there are some, and roughly how many."""
    return f"SELECT count(*) FROM ({select} LIMIT {limit}) AS offenders"


def _of_added(operation: Operation, clauses: Iterable[Operation]) -> bool:
    """The default of a column that the same statement would add: MySQL does not know the column yet, MariaDB fills it."""
    added = {one.column.name for one in clauses if isinstance(one, AddColumn)}
    return isinstance(operation, SetDefault) and operation.column in added
