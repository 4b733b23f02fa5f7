"""What the author said about a DROP COLUMN, as a typed request: `cascade`, `archive`. docs/directives.md describes each."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.migration import Statement
from driftflow.model.operations import DropColumn
from driftflow.model.record import Record

VERBS = ("cascade", "archive")
"""The directives that speak of a DROP COLUMN and of nothing else."""


class DropRequest(Record, frozen=True, kw_only=True):
    cascade: bool = False
    """What depends on the column may go with it."""
    archive: bool = False
    """The column's values are kept, with the key, in a table of ours."""

    @property
    def says_nothing(self) -> bool:
        return self == DropRequest()


def drop_request(at: Situation) -> DropRequest:
    """What the directives before the statement ask for; CASCADE in the statement itself accepts what `cascade` accepts."""
    written = isinstance(at.operation, DropColumn) and at.operation.cascade
    return DropRequest(cascade=written or bool(at.directives("cascade")), archive=bool(at.directives("archive")))


def check(statement: Statement) -> None:
    """Raise RefusedError (DF-E640) for a directive about DROP COLUMN before a statement that drops none: it would be left out without a word."""
    if any(isinstance(operation, DropColumn) for operation in statement.operations):
        return
    for directive in statement.directives:
        if directive.verb in VERBS:
            raise RefusedError(
                "DF-E640",
                f"the directive `{directive.verb}` speaks of DROP COLUMN, and the statement drops no column",
                where=str(directive.span),
                hint="put it directly above the ALTER TABLE ... DROP COLUMN that it is about",
            )
