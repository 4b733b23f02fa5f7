"""ALTER TABLE with several clauses: the table is locked once, in the strongest mode that any of them needs."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.postgresql.effects.expressions import mentions
from driftflow.dialects.postgresql.effects.foreign_key import TYPES_DIFFER, types_fit
from driftflow.dialects.postgresql.effects.locks import SHARE_ROW_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, blocks, queues, strength
from driftflow.dialects.postgresql.effects.relations import index_names
from driftflow.model import operations as op
from driftflow.model.catalog import Catalog, Check, ForeignKey
from driftflow.model.effects import Condition, Effects, LockClaim
from driftflow.model.names import Name
from driftflow.model.record import replace

_LIGHT = (op.SetColumnOption, op.AlterTableOption, op.ValidateConstraint, op.EnableTrigger)
"""Clauses that alone take less than ACCESS EXCLUSIVE on their table, and nothing else on it."""


def together(operations: Sequence[op.Operation], catalogs: Sequence[Catalog], effects: Sequence[Effects]) -> tuple[Effects, ...]:
    """The effects of the clauses of one statement, given what each of them does alone on the catalog that it finds."""
    tables = {_table(operation) for operation in operations}
    if len(operations) < 2 or len(tables) > 1 or None in tables:
        return tuple(effects)
    dropped = {operation.column for operation in operations if isinstance(operation, op.DropColumn)}
    made = _made(next(iter(tables)), catalogs)
    mended = _mended(operations, catalogs, effects)
    found = [_mend(one) for one in effects] if mended else effects
    return tuple(_built_last(_beside(at, operations, found, dropped), made) for at in range(len(operations)))


def _mended(operations: Sequence[op.Operation], catalogs: Sequence[Catalog], effects: Sequence[Effects]) -> bool:
    """Whether a foreign key that a clause alone would leave between types that cannot be compared is gone, or fits, when all of them are done."""
    if not any(condition.kind == TYPES_DIFFER for one in effects for condition in one.fails_if):
        return False
    table = _table(operations[-1])
    try:
        return table is not None and types_fit(catalogs[-1].after(operations[-1]), table)
    except op.CatalogConflict:
        return False


def _mend(effects: Effects) -> Effects:
    return replace(effects, fails_if=tuple(one for one in effects.fails_if if one.kind != TYPES_DIFFER))


def _made(table: Name | None, catalogs: Sequence[Catalog]) -> frozenset[Name]:
    """Indexes of the table that its own clauses make: the server builds them when the table has been written anew."""
    known = [catalog.table(table) for catalog in (catalogs[0], catalogs[-1])] if table is not None else []
    before, after = (frozenset(index_names(one)) if one is not None else frozenset() for one in known)
    return after - before


def _built_last(effects: Effects, made: frozenset[Name]) -> Effects:
    if not any(work.kind == "rewrite" and work.relation in made for work in effects.work):
        return effects
    return replace(effects, work=tuple(work for work in effects.work if work.kind != "rewrite" or work.relation not in made))


def _table(operation: op.Operation) -> Name | None:
    table = getattr(operation, "table", None)
    return table if isinstance(table, Name) else None


def _beside(at: int, operations: Sequence[op.Operation], effects: Sequence[Effects], dropped: set[str]) -> Effects:
    operation, found = operations[at], effects[at]
    if isinstance(operation, _LIGHT) or _unenforced(operation):
        mode = _strongest(_table(operation), effects)
        own = {claim.relation for claim in found.locks} - _referenced(operation)
        found = replace(found, locks=tuple(_raised(claim, mode) if claim.relation in own else claim for claim in found.locks))
    gone = sorted(_needed(operation, dropped))
    if gone:
        found = _failing(found, operation, "missing", f"{gone[0]} is dropped by the same statement, which drops first")
    if isinstance(operation, op.AlterColumnType) and any(
        isinstance(other, op.AlterColumnType) and other.column == operation.column for other in operations[:at]
    ):
        found = _failing(
            found, operation, "unsupported", f"the type of {operation.column} cannot be altered twice in one statement"
        )
    return found


def _failing(effects: Effects, operation: op.Operation, kind: str, summary: str) -> Effects:
    condition = Condition(kind=kind, summary=summary, relation=_table(operation), certain=True)
    return replace(effects, fails_if=(*effects.fails_if, condition))


def _unenforced(operation: op.Operation) -> bool:
    """A foreign key without triggers: only the clause locks its table."""
    return (
        isinstance(operation, op.AddConstraint)
        and isinstance(operation.constraint, ForeignKey)
        and not operation.constraint.enforced
    )


def _referenced(operation: op.Operation) -> set[Name]:
    constraint = getattr(operation, "constraint", None)
    return {constraint.referenced} if isinstance(constraint, ForeignKey) else set()


def _needed(operation: op.Operation, dropped: set[str]) -> set[str]:
    """Which of the dropped columns the clause needs."""
    if isinstance(operation, op.DropColumn | op.AddColumn | op.DropNotNull | op.DropDefault | op.DropExpression):
        return set()
    holder = operation.constraint if isinstance(operation, op.AddConstraint) else operation
    named = {getattr(holder, "column", ""), *getattr(holder, "columns", ())} - {""}
    if isinstance(holder, Check):
        named |= {column for column in dropped if mentions(holder.expression, column)}
    return named & dropped


def _strongest(table: Name | None, effects: Sequence[Effects]) -> str:
    return max((claim.mode for one in effects for claim in one.locks if claim.relation == table), key=strength, default="")


def _raised(claim: LockClaim, mode: str) -> LockClaim:
    """The claim in the statement's mode, where its own is that of a clause alone."""
    if claim.mode not in (SHARE_UPDATE_EXCLUSIVE, SHARE_ROW_EXCLUSIVE) or not mode or strength(mode) <= strength(claim.mode):
        return claim
    return replace(claim, mode=mode, blocks=blocks(mode), queues=queues(mode))
