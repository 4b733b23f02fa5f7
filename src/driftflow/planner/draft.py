"""What one strategy wrote for one statement (or a part of it), before the plan is put in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftflow.dialects.situation import Situation
from driftflow.model.operations import Operation
from driftflow.model.plan import Step


@dataclass(frozen=True, kw_only=True)
class Draft:
    """`position` is the place in source order. `glued` drafts share a transaction with the draft before them."""

    position: int
    situations: tuple[Situation, ...]
    strategy: str
    steps: tuple[Step, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    """SET statements of the migration that hold here."""
    role: str = ""
    glued: bool = False
    whole: int | None = None
    """Of drafts that mean something only together, in one phase: the number of the statement that begins them."""
    verifies: bool = False
    """Checks of the result: they belong behind everything that the migration does before them."""
    direct: bool = False

    @property
    def at(self) -> Situation:
        return self.situations[0]

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(situation.operation for situation in self.situations)
