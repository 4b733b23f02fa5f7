"""Which steps share a transaction: what is quiet, or what means something only together. Each strong lock on a living table stands alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftflow.model.catalog import Catalog
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name, Span
from driftflow.model.operations import (
    AddEnumValue,
    CreateTable,
    CreateTableAs,
    CreateView,
    MoveTable,
    RenameTable,
)
from driftflow.model.plan import Backfill, Irreversible, RunSql, Step, Undo, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.planner.draft import Draft
from driftflow.planner.made_again import identity_of
from driftflow.planner.order import Placed
from driftflow.strategies.recipe import merged


def segmented(placed: Sequence[Placed], drafts: Sequence[Draft], start: Catalog) -> list[Placed]:
    """The steps with neighbours joined where one transaction is right for both."""
    glued = glued_positions(drafts)
    made, standing = made_by_release(drafts, start), _stood_on(drafts)
    joined: list[Placed] = []
    for this in placed:
        before = joined[-1] if joined else None
        if before is not None and _together(before, this, glued, made, standing):
            joined[-1] = replace_step(before, _joined(before.step, this.step), this)
        else:
            joined.append(with_settings(this))
    return joined


def replace_step(before: Placed, step: Step, this: Placed) -> Placed:
    """The joined step, standing where the later one stood in the source: the next neighbour compares with that."""
    return Placed(step, this.draft, before.first, _not_made_again(before.drafts, this.draft))


def with_settings(placed: Placed) -> Placed:
    """What the migration SET before this statement, on the step itself."""
    step = placed.step
    inside = isinstance(step, Backfill) or (
        isinstance(step, RunSql) and (step.transaction == "own" or placed.draft.at.dialect.one_pass)
    )
    if not isinstance(step, (RunSql, Backfill)) or not inside or not (placed.draft.settings or placed.draft.role):
        return placed
    return Placed(
        replace(step, settings={**placed.draft.settings, **step.settings}, role=placed.draft.role or step.role),
        placed.draft,
        placed.first,
    )


def made_by_release(drafts: Sequence[Draft], start: Catalog) -> frozenset[str]:
    """Relations that no running code knows yet: what the release creates, and in a catalog that is complete, all that is not in it."""
    found = set()
    for draft in drafts:
        for operation in draft.operations:
            match operation:
                case CreateTable(table=table):
                    found.add(table.name.text)
                case CreateTableAs(name=name):
                    found.add(name.text)
                case CreateView(view=view):
                    found.add(view.name.text)
                case _:
                    pass
        if start.complete:
            found |= {claim.relation.text for step in draft.steps for claim in step.claims}
    return frozenset(found - _known(start) - _renamed(drafts))


def _renamed(drafts: Sequence[Draft]) -> set[str]:
    """The new names of what was there before under another one: the same running code uses it."""
    found = set()
    for draft in drafts:
        for operation in draft.operations:
            match operation:
                case RenameTable(name=name):
                    found.add(Name(schema=name.schema, name=operation.to).text)
                case MoveTable(name=name):
                    found.add(Name(schema=operation.schema, name=name.name).text)
                case _:
                    pass
    return found


def _known(start: Catalog) -> set[str]:
    indexes = {index.name.text for table in start.tables.values() for index in table.indexes}
    return {*start.tables, *start.views, *start.sequences, *indexes}


def _stood_on(drafts: Sequence[Draft]) -> frozenset[Span]:
    """Statements that stay on a way back where something behind them is lost."""
    undos = [step.undo for draft in drafts for step in draft.steps]
    return frozenset(span for undo in undos if isinstance(undo, Irreversible) for span in undo.stands_on)


def _together(before: Placed, this: Placed, glued: frozenset[int], made: frozenset[str], standing: frozenset[Span]) -> bool:
    left, right = before.step, with_settings(this).step
    if not (isinstance(left, RunSql) and isinstance(right, RunSql)) or left.transaction == "none" or right.transaction == "none":
        return False
    if (
        left.phase != right.phase
        or left.migration != right.migration
        or left.role != right.role
        or left.settings != right.settings
    ):
        return False
    if this.first and this.draft.position in glued:
        return True
    a, b = before.draft, this.draft
    alike = (left.span in standing) == (right.span in standing)
    same = (
        alike and a.at.in_transaction and a.at.transaction == b.at.transaction and a.at.migration.source == b.at.migration.source
    )
    plain = (
        a.direct
        and b.direct
        and not right.guards
        and not isinstance(left.undo, Irreversible)
        and not isinstance(right.undo, Irreversible)
    )
    lonely = any(isinstance(operation, AddEnumValue) for operation in (*a.operations, *b.operations))
    return same and plain and not lonely and all(is_quiet(claim, made) for claim in (*left.claims, *right.claims))


def is_quiet(claim: LockClaim, made: frozenset[str]) -> bool:
    """Nobody can wait for it: a weak lock held for a moment, or a relation that this release makes."""
    return claim.relation.text in made or (not ({"reads", "writes"} & set(claim.blocks)) and claim.held == "instant")


def _joined(left: Step, right: Step) -> RunSql:
    assert isinstance(left, RunSql)
    assert isinstance(right, RunSql)
    count = len(left.statements) + len(right.statements)
    first = left.purpose.partition(" (and ")[0]
    return replace(
        left,
        statements=(*left.statements, *right.statements),
        purpose=f"{first} (and {count - 1} more statement{'s' if count > 2 else ''})",
        claims=merged((*left.claims, *right.claims)),
        guards=(*left.guards, *right.guards),
        resolves=tuple(dict.fromkeys((*left.resolves, *right.resolves))),
        statement_timeout_ms=0 if 0 in (left.statement_timeout_ms, right.statement_timeout_ms) else left.statement_timeout_ms,
        undo=_undo_both(left.undo, right.undo),
    )


def _undo_both(left: Undo, right: Undo) -> Undo:
    """Backwards: the right one first. One loss makes the whole step irreversible."""
    for undo in (left, right):
        if isinstance(undo, Irreversible):
            return undo
    steps = [step for undo in (right, left) if isinstance(undo, UndoSteps) for step in undo.steps]
    if not steps:
        reasons = [undo.reason for undo in (left, right) if isinstance(undo, UndoNothing)]
        return UndoNothing(reason="; ".join(dict.fromkeys(reasons)))
    joined: list[Step] = []
    for step in steps:
        last = joined[-1] if joined else None
        if isinstance(last, RunSql) and isinstance(step, RunSql) and "none" not in (last.transaction, step.transaction):
            joined[-1] = replace(
                last,
                statements=(*last.statements, *step.statements),
                claims=merged((*last.claims, *step.claims)),
                purpose=f"Take back: {last.statements[0]} (and {len(last.statements) + len(step.statements) - 1} more)",
            )
        else:
            joined.append(step)
    return UndoSteps(steps=tuple(joined))


def glued_positions(drafts: Sequence[Draft]) -> frozenset[int]:
    """Drafts that must share a transaction with the one before: whole transactions, and what is dropped only to be made again."""
    found = {draft.position for draft in drafts if draft.glued}
    waiting: dict[tuple[str, str, int], int] = {}
    by_position: Mapping[int, Draft] = {draft.position: draft for draft in drafts}
    order = [draft.position for draft in drafts]
    for draft in drafts:
        for operation in draft.operations:
            identity, drops = identity_of(operation)
            if not identity:
                continue
            key = (*identity, draft.at.transaction)
            if drops:
                waiting[key] = draft.position
            elif key in waiting and draft.at.in_transaction:
                between = order[order.index(waiting.pop(key)) : order.index(draft.position) + 1]
                if all(_is_single(by_position[position]) for position in between[:-1]):
                    found |= set(between[1:])
    return frozenset(found)


def _not_made_again(joined: Sequence[Draft], last: Draft) -> tuple[Draft, ...]:
    """Without those that drop only what the last one makes again in the same transaction: nobody sees it gone."""
    made = {identity for identity, drops in map(identity_of, last.operations) if identity and not drops}
    return tuple(
        draft for draft in joined if not all(drops and identity in made for identity, drops in map(identity_of, draft.operations))
    )


def _is_single(draft: Draft) -> bool:
    return len(draft.steps) == 1 and isinstance(draft.steps[0], RunSql) and draft.steps[0].transaction == "own"
