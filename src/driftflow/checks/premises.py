"""What must hold of an operation before a check has anything to say: looked at once for all checks, so that most of them are never called.

A check names its premises beside what it is about (`check(..., only=...)`), and says nothing where one of them does not hold; its own function
need not ask again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, get_args

from driftflow.dialects.situation import Situation

Premise = Literal[
    "works",
    "may_fail",
    "unknown",
    "refused_in_transactions",
    "in_transaction",
    "outside_transactions",
    "not_first_of_transaction",
    "first_clause",
    "applied_by_tool",
    "several_schemas",
]
"""works: it reads or writes rows. may_fail: it has conditions, or conflicts with the catalog. unknown: nothing is predicted. first_clause: of its
statement. applied_by_tool: not by driftflow's engine."""

_BITS: Final = {premise: 1 << place for place, premise in enumerate(get_args(Premise))}


def needed(premises: Iterable[Premise]) -> int:
    """The premises as one number."""
    return sum(_BITS[one] for one in premises)


def holding(at: Situation) -> int:
    """Those that hold, as `needed` writes them."""
    effects, block = at.effects, at.block.block
    return (
        (1 if effects.work else 0)
        | (2 if effects.fails_if or at.conflict else 0)
        | (4 if effects.unknown else 0)
        | (0 if effects.transactional else 8)
        | (16 if block else 32)
        | (64 if at.position else 0)
        | (0 if at.index else 128)
        | (256 if at.policy.applied_by_tool else 0)
        | (512 if len(at.catalog.schemas) > 1 else 0)
    )
