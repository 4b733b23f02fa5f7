"""Writes the steps of one recipe, following the catalog as each step leaves it.

A step is made from operations, so its SQL, its locks and its undo come from one source and cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Index
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import CatalogConflict, CreateIndex, DropIndex, Operation
from driftflow.model.plan import BuildIndex, Guard, Irreversible, Phase, RunSql, Step, Undo, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import inverse, probes


class Recipe:
    """The state of one recipe while it is written: which catalog the next step will find."""

    def __init__(self, at: Situation, strategy: str, *, resolves: tuple[str, ...] = ()) -> None:
        self.at = at
        self.catalog: Catalog = at.catalog
        self.strategy = strategy
        self.resolves = resolves

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
        """The operations in one transaction. `statements` replaces their rendered form (the source's own text)."""
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

    def alone(self, operation: Operation, *, purpose: str, phase: Phase = "expand", statement: str = "") -> RunSql:
        """One statement that cannot run inside a transaction, with the probe that the catalog can give."""
        before = self.catalog
        claims = self.follow((operation,))
        return RunSql(
            **self.common(purpose, phase) | {"lock_timeout_ms": patient_timeout_ms(operation, self.at)},
            statements=(statement or self.at.dialect.render(operation),),
            transaction="none",
            probe=probes.probe_of(operation, before, self.at.dialect),
            claims=claims,
            statement_timeout_ms=0,
            undo=self.undo_of((operation,), before, phase=phase),
        )

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
        after: Iterable[Operation] = (),
        settings: Mapping[str, str] | None = None,
    ) -> RunSql:
        """Statements of our own making (trigger functions, staging tables), undone by other statements; `after` moves the catalog along."""
        for operation in after:
            self.catalog = moved(self.catalog, operation)
        taken_back = (
            UndoSteps(
                steps=(RunSql(**self.common(undo_purpose or f"Take back: {purpose}", phase), statements=undo, claims=claims),)
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
        """The typed inverses in reverse order; the first thing that cannot be taken back makes the step irreversible."""
        catalog = before
        backwards: list[tuple[tuple[Operation, ...], Catalog]] = []
        reasons: list[str] = []
        for operation in operations:
            after = moved(catalog, operation)
            match inverse.inverse(operation, catalog, self.at):
                case Irreversible() as never:
                    return never
                case UndoNothing(reason=reason):
                    reasons.append(reason)
                case found:
                    backwards.insert(0, (found, after))
            catalog = after
        if not backwards:
            return UndoNothing(reason="; ".join(dict.fromkeys(reasons)) or "nothing is left behind")
        return UndoSteps(steps=tuple(self._backwards(backwards, phase)))

    def _backwards(self, backwards: list[tuple[tuple[Operation, ...], Catalog]], phase: Phase) -> Iterator[Step]:
        """What can share a transaction does; what cannot, or needs the table rebuilt, stands alone."""

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

    def _alone_backwards(self, operation: Operation, catalog: Catalog, phase: Phase) -> Step | None:
        """The undo step for an operation that must stand alone: rebuilt, outside a transaction, or slow. None when it may share one."""
        from driftflow.strategies.rebuilding import needs_rebuild, rebuild_back

        if needs_rebuild(operation, self.at, catalog):
            return rebuild_back(self, operation, catalog, phase=phase)
        if isinstance(operation, CreateIndex) and operation.concurrently:
            there, self.catalog = self.catalog, catalog
            step = self.build_index(operation.index, purpose=f"Take back: build {operation.index.name.name} again", phase=phase)
            self.catalog = there
            return replace(step, strategy="undo", resolves=(), undo=UndoNothing(reason="it is an undo itself"))
        effects = self.at.dialect.effects(operation, catalog)
        return self.undo_step((operation,), catalog, phase=phase) if effects.work or not effects.transactional else None

    def undo_step(self, operations: tuple[Operation, ...], catalog: Catalog, *, phase: Phase) -> RunSql:
        """The inverse operations as one step."""
        transactional = True
        claims: list[LockClaim] = []
        for operation in operations:
            effects = self.at.dialect.effects(operation, catalog)
            transactional = transactional and effects.transactional
            claims += effects.locks
            catalog = moved(catalog, operation)
        together = merged(claims)
        statements = tuple(self.at.dialect.render(operation) for operation in operations)
        common = self.common(f"Take back: {statements[0]}", phase)
        if not transactional:
            common |= {"lock_timeout_ms": patient_timeout_ms(operations[0], self.at)}
        return RunSql(
            **common | {"strategy": "undo", "resolves": ()},
            statements=statements,
            transaction="own" if transactional else "none",
            probe=None if transactional else probes.probe_of(operations[0], catalog, self.at.dialect),
            claims=together,
            statement_timeout_ms=self.statement_timeout_ms(together) if transactional else 0,
        )


def moved(catalog: Catalog, operation: Operation) -> Catalog:
    """The catalog after the operation; the same one where it is known only in part (planning from files alone)."""
    try:
        return catalog.after(operation)
    except CatalogConflict:
        return catalog


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
