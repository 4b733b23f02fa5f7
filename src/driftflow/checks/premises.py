"""What must hold of an operation before a check has anything to say: looked at once for all checks, so that most of them are never called.

A check names its premises beside what it is about (`check(..., only=...)`), and says nothing where one of them does not hold; its own function
need not ask again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, get_args

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, Exclusion, ForeignKey, NotNull, PrimaryKey, Unique
from driftflow.model.operations import AddColumn, AddConstraint, CreateIndex, CreateTable, Operation

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
    "rewrites",
    "stops_readers",
    "adds_foreign_key",
    "adds_check",
    "adds_key",
    "adds_exclusion",
    "if_not_exists",
]
"""works: it reads or writes rows. may_fail: it has conditions, or conflicts with the catalog. unknown: nothing is predicted. first_clause: of its
statement. applied_by_tool: not by driftflow's engine. stops_readers: a lock of it does. adds_...: alone, with a column, or with a table."""

_BITS: Final = {premise: 1 << place for place, premise in enumerate(get_args(Premise))}
(
    _WORKS,
    _MAY_FAIL,
    _UNKNOWN,
    _REFUSED_IN_TRANSACTIONS,
    _IN_TRANSACTION,
    _OUTSIDE_TRANSACTIONS,
    _NOT_FIRST_OF_TRANSACTION,
    _FIRST_CLAUSE,
    _APPLIED_BY_TOOL,
    _SEVERAL_SCHEMAS,
    _REWRITES,
    _STOPS_READERS,
    _ADDS_FOREIGN_KEY,
    _ADDS_CHECK,
    _ADDS_KEY,
    _ADDS_EXCLUSION,
    _IF_NOT_EXISTS,
) = _BITS.values()
_ADDED: Final[dict[type, int]] = {
    ForeignKey: _ADDS_FOREIGN_KEY,
    Check: _ADDS_CHECK,
    PrimaryKey: _ADDS_KEY,
    Unique: _ADDS_KEY,
    Exclusion: _ADDS_EXCLUSION,
    NotNull: 0,
}


def needed(premises: Iterable[Premise]) -> int:
    """The premises as one number."""
    return sum(_BITS[one] for one in premises)


def holding(at: Situation) -> int:
    """Those that hold, as `needed` writes them."""
    effects, block = at.effects, at.block.block
    found = (
        (_WORKS if effects.work else 0)
        | (_MAY_FAIL if effects.fails_if or at.conflict else 0)
        | (_UNKNOWN if effects.unknown else 0)
        | (0 if effects.transactional else _REFUSED_IN_TRANSACTIONS)
        | (_IN_TRANSACTION if block else _OUTSIDE_TRANSACTIONS)
        | (_NOT_FIRST_OF_TRANSACTION if at.position else 0)
        | (0 if at.index else _FIRST_CLAUSE)
        | (_APPLIED_BY_TOOL if at.policy.applied_by_tool else 0)
        | (_SEVERAL_SCHEMAS if len(at.catalog.schemas) > 1 else 0)
    )
    for work in effects.work:
        if work.kind == "rewrite":
            found |= _REWRITES
            break
    for claim in effects.locks:
        if "reads" in claim.blocks:
            found |= _STOPS_READERS
            break
    return found | _said_by(at.operation)


def _said_by(operation: Operation) -> int:
    """What the operation says by itself."""
    match operation:
        case AddConstraint():
            return _ADDED[type(operation.constraint)]
        case AddColumn():
            constraints, found = operation.constraints, _IF_NOT_EXISTS if operation.if_not_exists else 0
        case CreateTable():
            constraints, found = operation.table.constraints, _IF_NOT_EXISTS if operation.if_not_exists else 0
        case CreateIndex():
            return _IF_NOT_EXISTS if operation.if_not_exists else 0
        case _:
            return 0
    for constraint in constraints:
        found |= _ADDED[type(constraint)]
    return found
