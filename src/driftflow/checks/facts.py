"""Sentences that calm: what a statement does not do, and what was known about the tables."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.sizes import is_new, size
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, CreateIndex, SetNotNull, ValidateConstraint


class Facts:
    """Collected statement by statement, in the order of the release."""

    def __init__(self) -> None:
        self._sized: set[Name] = set()
        self._sizes: dict[str, None] = {}
        self._said: dict[str, None] = {}

    def look_at(self, at: Situation) -> None:
        for said in self._sizes_of(at):
            self._sizes[said] = None
        if said := _fact(at):
            self._said[f"{at.statement.span}: {said}"] = None

    @property
    def sizes(self) -> tuple[str, ...]:
        """How large the tables are that somebody waits for, each sentence once."""
        return tuple(self._sizes)

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(self._said)

    def _sizes_of(self, at: Situation) -> Iterator[str]:
        """Every existing table that a statement locks against writers, with its size and where the number comes from."""
        for claim in at.effects.locks:
            if "writes" not in claim.blocks or claim.relation in self._sized:
                continue
            table = at.table(claim.relation)
            if table is None or table.new:
                continue
            self._sized.add(claim.relation)
            if table.statistics.rows is not None:
                basis = f", from {table.statistics.basis}" if table.statistics.basis else ""
                yield f"{claim.relation.name} has {size(at, claim.relation)}{basis}"


def _fact(at: Situation) -> str:
    """What is to be said of the operation, or nothing."""
    operation = at.operation
    if at.conflict or at.effects.unknown:
        return ""
    match operation:
        case AddColumn() if operation.column.default is not None and not at.effects.work and operation.column.generated is None:
            return (
                f"ADD COLUMN {operation.table.name}.{operation.column.name} DEFAULT {operation.column.default} blocks nobody"
                f"{_since(at)}: the default is kept in the catalog, no row is written"
            )
        case AddColumn() if not at.effects.work and at.table(operation.table) is not None and not is_new(at, operation.table):
            return (
                f"ADD COLUMN {operation.table.name}.{operation.column.name} changes the catalog alone: no row is read or written"
            )
        case SetNotNull() if (
            not at.effects.work and at.table(operation.table) is not None and not at.can(Capability.TABLE_REBUILD_ONLY)
        ):
            return f"SET NOT NULL of {operation.table.name}.{operation.column} reads nothing: a validated constraint proves it"
        case ValidateConstraint() if at.effects.scans and not _strongly_locked(at, operation.table):
            return f"VALIDATE {operation.name} reads {operation.table.name} while readers and writers go on"
        case CreateIndex() if is_new(at, operation.index.table):
            return f"{operation.index.table.name} is made in this release: its index is built on an empty table"
        case _:
            return ""


def _strongly_locked(at: Situation, table: Name) -> bool:
    """Whether an earlier statement of the transaction still keeps writers out of the table."""
    claims = (claim for one in at.before for claim in one.effects.locks)
    return at.in_transaction and any(claim.relation == table and "writes" in claim.blocks for claim in claims)


def _since(at: Situation) -> str:
    return " on SQLite" if at.can(Capability.TABLE_REBUILD_ONLY) else " on PostgreSQL 11 and later"
