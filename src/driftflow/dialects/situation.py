"""One operation where it stands: what checks and strategies are given."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from driftflow.config import Policy
from driftflow.dialects.base import Capability, Dialect
from driftflow.model.catalog import Catalog, Table
from driftflow.model.effects import Effects, LockClaim
from driftflow.model.migration import Directive, Migration, Statement
from driftflow.model.names import Name, Version
from driftflow.model.operations import Operation
from driftflow.model.record import LocalState, field

Kind = TypeVar("Kind", bound=Operation)


class Transaction(LocalState, kw_only=True, eq=False):
    """One transaction of the release, or one statement that runs outside any (`block` is False)."""

    number: int
    """Within the walk."""
    block: bool
    situations: list[Situation] = field(default_factory=list)
    """Every operation of it, in order."""
    committed: Catalog | None = None
    """The catalog as it leaves it; None while the walk is inside."""
    _closed: dict[tuple[Name, str], tuple[Situation, LockClaim]] = field(default_factory=dict)
    _seen: int = 0
    _kinds: dict[type, list[Situation]] = field(default_factory=dict)
    _sorted: int = 0

    def earlier(self, position: int, kinds: tuple[type, ...]) -> list[Operation]:
        """The operations before this one that are of these kinds. A check asks it of every statement, and a transaction may be a dump."""
        for at in self.situations[self._sorted :]:
            self._kinds.setdefault(type(at.operation), []).append(at)
        self._sorted = len(self.situations)
        found = [
            at
            for kind, these in self._kinds.items()
            if issubclass(kind, kinds)
            for at in these[: bisect_left(these, position, key=_at)]
        ]
        return [at.operation for at in sorted(found, key=_at)]

    def closed_before(
        self, position: int, counts: Callable[[Situation, LockClaim], bool]
    ) -> Iterator[tuple[Situation, LockClaim]]:
        """Per relation (and reason) the first lock that counts, of the operations before this one: it is held to the end.

        `counts` is one and the same for all who ask.
        """
        for at in self.situations[self._seen : position]:
            for claim in at.effects.locks:
                if counts(at, claim):
                    self._closed.setdefault((claim.relation, claim.why), (at, claim))
        self._seen = max(self._seen, position)
        return (pair for pair in self._closed.values() if pair[0].position < position)


def _at(situation: Situation) -> int:
    return situation.position


class File(LocalState, kw_only=True, eq=False):
    """The operations of one migration, in order, whatever transactions they are in."""

    situations: list[Situation] = field(default_factory=list)
    _rewrote: dict[Name, Situation] = field(default_factory=dict)
    _locking: Situation | None = None
    _seen: int = 0

    def rewrote_before(self, relation: Name, at: Situation) -> bool:
        """Whether an earlier statement of the file has written the table anew."""
        self._look(at.place)
        first = self._rewrote.get(relation)
        return first is not None and first.place < at.place and first.statement is not at.statement

    def locked_before(self, at: Situation) -> bool:
        """Whether an earlier statement of the file locked a table in use against writers."""
        self._look(at.place)
        first = self._locking
        return first is not None and first.place < at.place and first.statement is not at.statement

    def _look(self, place: int) -> None:
        for at in self.situations[self._seen : place]:
            for relation in at.effects.rewrites:
                self._rewrote.setdefault(relation, at)
            if self._locking is None and any(_in_use(at, claim) for claim in at.effects.locks):
                self._locking = at
        self._seen = max(self._seen, place)


def _in_use(at: Situation, claim: LockClaim) -> bool:
    table = at.catalog.table(claim.relation)
    return "writes" in claim.blocks and table is not None and not table.new


class Situation(LocalState, kw_only=True, eq=False):
    """`operation` is resolved; `catalog` is what it finds, with everything before it in this and earlier pending migrations applied.

    Written by the walk alone.
    """

    dialect: Dialect
    catalog: Catalog
    migration: Migration
    statement: Statement
    operation: Operation
    index: int
    """Of the operation within its statement."""
    policy: Policy
    block: Transaction
    position: int
    """Of the operation within its transaction."""
    file: File
    place: int
    """Of the operation within its file."""
    predicted: Effects | None = None
    """Its effects, once somebody has asked for them."""
    clauses: Sequence[Situation] = ()
    """All operations of its statement, itself among them, where what one does depends on the others (`Dialect.clauses_matter`)."""
    folder: Path = Path()
    """The project's folder: where relative paths of directives start."""
    inputs: dict[str, str] | None = None
    """Path to SHA-256 of the external inputs that directives name, read by the pipeline (planning reads no files)."""
    conflict: str = ""
    """Why the operation cannot apply to this catalog; empty when it can."""
    final: Catalog | None = None
    """The catalog as the last pending migration leaves it."""
    later: Mapping[Name, Name] = field(default_factory=dict)
    """Tables that a later statement of the release renames or moves: what they are called in the end. Only planning asks, and fills it."""
    _tables: dict[Name, Table | None] = field(default_factory=dict)
    """As far as somebody asked, in the catalog that is `_looked_at`: a copy of the situation may stand before another one."""
    _looked_at: Catalog | None = None
    start: Catalog | None = None
    """The catalog as the first pending migration finds it : what running code knows."""

    @property
    def effects(self) -> Effects:
        if self.predicted is None and self.clauses:
            found = self.dialect.together([at.operation for at in self.clauses], [at.catalog for at in self.clauses])
            for at, effects in zip(self.clauses, found, strict=True):
                at.predicted = effects
                if at.operation is self.operation:  # planning has a copy of each
                    self.predicted = effects
        if self.predicted is None:
            self.predicted = self.dialect.effects(self.operation, self.catalog)
        return self.predicted

    @property
    def written_in(self) -> tuple[str, str]:
        """The migration, by its source and its id there."""
        return self.migration.source, self.migration.id

    @property
    def transaction(self) -> int:
        """Number of the transaction within the walk; a statement outside any block has one of its own."""
        return self.block.number

    @property
    def in_transaction(self) -> bool:
        """Whether the migration's own tool would run it inside a transaction block."""
        return self.block.block

    @property
    def before(self) -> list[Situation]:
        """The operations before this one in the same transaction, as the tool would run them: their locks are still held here."""
        return self.block.situations[: self.position]

    @property
    def earlier(self) -> tuple[Operation, ...]:
        """Those operations."""
        return tuple([at.operation for at in self.before])

    def earlier_of(self, *kinds: type[Kind]) -> list[Kind]:
        """Those of them that are of these kinds."""
        return self.block.earlier(self.position, kinds)  # type: ignore[return-value]  # sorted by their class

    @property
    def committed(self) -> Catalog | None:
        """The catalog as the transaction that holds this operation leaves it."""
        return self.block.committed

    @property
    def version(self) -> Version | None:
        return self.catalog.version

    def can(self, capability: Capability) -> bool:
        return self.dialect.can(capability, self.catalog.version)

    def table(self, name: Name) -> Table | None:
        """Remembered: every check asks about the same few, and later statements ask again, for which the catalog would have to go back."""
        if self._looked_at is not self.catalog:
            self._looked_at, self._tables = self.catalog, {}
        if name not in self._tables:
            self._tables[name] = self.catalog.table(name)
        return self._tables[name]

    def table_at_end(self, name: Name) -> Table | None:
        """The table that has this name here, as the last pending migration leaves it; None where it is gone."""
        return self.final.table(self.later.get(name, name)) if self.final is not None else None

    def rows(self, name: Name) -> int | None:
        """Estimated rows; 0 for a table that this release creates; None when unknown."""
        return _rows(self.catalog.table(name))

    def is_small(self, name: Name) -> bool:
        """Known to be small. Unknown size counts as large."""
        return self.holds_little(self.catalog.table(name))

    def holds_little(self, table: Table | None) -> bool:
        """The same of a table that was found, or not."""
        rows = _rows(table)
        return rows is not None and rows <= self.policy.small_table_rows

    def directives(self, verb: str) -> tuple[Directive, ...]:
        return self.statement.saying(verb)


def _rows(table: Table | None) -> int | None:
    if table is None:
        return None
    return 0 if table.new else table.statistics.rows
