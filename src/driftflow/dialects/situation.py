"""One operation where it stands: what checks and strategies are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from driftflow.config import Policy
from driftflow.dialects.base import Capability, Dialect
from driftflow.model.catalog import Catalog, Table
from driftflow.model.effects import Effects
from driftflow.model.migration import Directive, Migration, Statement
from driftflow.model.names import Name, Version
from driftflow.model.operations import Operation


@dataclass(frozen=True, kw_only=True)
class Situation:
    """`operation` is resolved; `catalog` is what it finds, with everything before it in this and earlier pending migrations applied."""

    dialect: Dialect
    catalog: Catalog
    migration: Migration
    statement: Statement
    operation: Operation
    index: int
    """Of the operation within its statement."""
    effects: Effects
    policy: Policy
    in_transaction: bool
    """Whether the migration's own tool would run it inside a transaction block."""
    earlier: Sequence[Operation] = ()
    """Resolved operations before this one in the same transaction, as the tool would run them."""
    earlier_effects: Sequence[Effects] = ()
    """Their effects, in the same order: locks taken there are still held here."""
    folder: Path = Path()
    """The project's folder: where relative paths of directives start."""
    inputs: dict[str, str] | None = None
    """Path to SHA-256 of the external inputs that directives name, read by the pipeline (planning reads no files)."""
    conflict: str = ""
    """Why the operation cannot apply to this catalog; empty when it can."""
    transaction: int = 0
    """Number of the transaction within the walk; a statement outside any block has one of its own."""
    committed: Catalog | None = None
    """The catalog as the transaction that holds this operation leaves it."""
    final: Catalog | None = None
    """The catalog as the last pending migration leaves it."""
    start: Catalog | None = None
    """The catalog as the first pending migration finds it : what running code knows."""

    @property
    def version(self) -> Version | None:
        return self.catalog.version

    def can(self, capability: Capability) -> bool:
        return self.dialect.can(capability, self.catalog.version)

    def table(self, name: Name) -> Table | None:
        return self.catalog.table(name)

    def rows(self, name: Name) -> int | None:
        """Estimated rows; 0 for a table that this release creates; None when unknown."""
        table = self.catalog.table(name)
        if table is None:
            return None
        return 0 if table.new else table.statistics.rows

    def is_small(self, name: Name) -> bool:
        """Known to be small. Unknown size counts as large."""
        rows = self.rows(name)
        return rows is not None and rows <= self.policy.small_table_rows

    def directives(self, verb: str) -> tuple[Directive, ...]:
        return tuple(directive for directive in self.statement.directives if directive.verb == verb)
