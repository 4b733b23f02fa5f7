"""A statement that the catalog says will fail is refused before anything runs, and not in the middle of a run."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import ForeignKey
from driftflow.model.effects import Condition
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    ChangeColumn,
    CreateIndex,
    Delete,
    DropIndex,
    Insert,
    Operation,
    RenameColumn,
    RenameTable,
    SetDefault,
    Update,
)
from driftflow.strategies import spoken
from driftflow.strategies.constraints.replace_primary_key import makes_way
from driftflow.strategies.views.change_under_views import only_views_stand_in_the_way


def refuse_conflict(at: Situation) -> None:
    """A statement that the catalog says will fail: better now than in the middle of a run."""
    if at.conflict and (spoken.as_is(at) or not (only_views_stand_in_the_way(at) or makes_way(at))):
        raise _cannot_apply(at, at.conflict)
    kinds = (*_never_mended(at.operation), *(_never_mended_as_said(at.operation) if _takes_as_said(at) else ()))
    for condition in _foreseen(at):
        if condition.kind in kinds or condition.kind == "foreign_words":
            raise _cannot_apply(at, condition.summary, HINTS.get(condition.kind, ""))


def refuse_certain_failure(as_they_stand: Sequence[Situation]) -> None:
    """The same of what no recipe takes another way, where all of the database is known."""
    for at in as_they_stand:
        for condition in _foreseen(at) if _takes_as_said(at) and at.catalog.complete else ():
            raise _cannot_apply(at, condition.summary, HINTS.get(condition.kind, ""))


def _foreseen(at: Situation) -> list[Condition]:
    """Its certain failures; of a clause, those that the others of its statement do not mend."""
    return [condition for condition in at.effects.fails_if if condition.certain]


def _never_mended(operation: Operation) -> tuple[str, ...]:
    """Kinds of certain failures that no recipe has a way around."""
    match operation:
        case AddColumn():
            return ("missing", "foreign_key", "expression")
        case SetDefault():
            return ("expression",)
        case Insert() | Update() | Delete() | ChangeColumn():
            return ("missing",)
        case DropIndex():
            return ("missing", "dependency")
        case RenameColumn():
            return ("dependency",)
        case RenameTable():
            return ("exists", "unsupported", "dependency")
        case AddConstraint(constraint=ForeignKey()):
            return ("foreign_key",)
        case _:
            return ()


def _takes_as_said(at: Situation) -> bool:
    """Whether what the statement says is carried out by the server as it says it, and not by a copy of the table or in one pass with others."""
    return not at.dialect.one_pass and not at.can(Capability.TABLE_REBUILD_ONLY)


def _never_mended_as_said(operation: Operation) -> tuple[str, ...]:
    match operation:
        case AddConstraint(constraint=ForeignKey()):
            return ("missing", "types_differ", "unsupported")
        case AddConstraint() | AlterColumnType():
            return ("missing", "types_differ", "expression")
        case CreateIndex():
            return ("missing", "expression", "operator_class")
        case AddColumn():
            return ("types_differ", "bad_cast")
        case _:
            return ()


HINTS = {
    "foreign_words": "leave the condition out: a plan asks the catalog what is there, and a migration that ran is not planned again",
    "expression": "a check and an index look at their own row alone, and a default at no row: what is made of other columns is a generated column, or `maintained`",
    "types_differ": "drop the foreign key before, give both columns types that can be compared, and make it again, in the same migration",
    "bad_cast": "say with USING how the values are converted, and drop a default that does not fit before",
    "foreign_key": "give the tables the key and the columns that it needs before, in the same migration, or let it point at a unique key that is there",
    "dependency": "drop what depends on it before, and make it again behind, in the same migration",
}
"""What to do about a certain failure, by its kind."""


def _cannot_apply(at: Situation, why: str, hint: str = "") -> RefusedError:
    return RefusedError(
        "DF-E321",
        "a statement cannot apply to this database",
        where=f"{at.statement.span}\n{' '.join(at.statement.sql.split())[:120]}",
        why=why,
        hint=hint or "is the migration already applied, or the snapshot old? compare: driftflow sources",
    )
