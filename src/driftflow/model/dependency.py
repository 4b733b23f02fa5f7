"""What depends on a column that is dropped, as a record: shown before anything happens, in every form in which a plan is shown."""

from __future__ import annotations

from typing import Literal

from driftflow.model.names import Name
from driftflow.model.record import Record

Kind = Literal[
    "view",
    "materialized view",
    "trigger",
    "policy",
    "rule",
    "foreign key",
    "generated column",
    "index",
    "primary key",
    "unique constraint",
    "check",
    "exclusion constraint",
    "statistics",
    "sequence",
    "function",
    "publication",
]
Fate = Literal["dropped", "shortened", "broken", "carried"]
"""It goes with the column; it goes on without the column; it stays and fails when it is used; it sends the column to somebody (publications)."""


class Dependent(Record, frozen=True, kw_only=True):
    """One thing that depends on a column, directly or `through` another."""

    kind: Kind
    name: str
    on: str = ""
    """The table that it is on, where its name alone does not say it."""
    through: str = ""
    """What it depends on, where that is not the column itself: a view over a view."""
    fate: Fate = "dropped"
    stops: bool = False
    """Whether the plain DROP COLUMN is refused because of it."""
    by_words: bool = False
    """Found by the words of its text: the server keeps no list, and a column of another table may be called the same."""

    @property
    def text(self) -> str:
        """`view main.totals (through view main.lines)`"""
        where = f" on {self.on}" if self.on else ""
        return f"{self.kind} {self.name}{where}" + (f" (through {self.through})" if self.through else "")


class ColumnDependents(Record, frozen=True, kw_only=True):
    """Everything that depends on one column, in the order in which it is taken away."""

    table: Name
    column: str
    dependents: tuple[Dependent, ...] = ()

    @property
    def stopping(self) -> tuple[Dependent, ...]:
        """Those because of which the plain statement is refused."""
        return tuple(one for one in self.dependents if one.stops)
