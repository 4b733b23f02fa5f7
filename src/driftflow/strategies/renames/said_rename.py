"""`rename`: how a column is to have two names for a while, as a typed request. docs/directives.md describes it."""

from __future__ import annotations

from typing import Literal, cast, get_args

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need
from driftflow.errors import ParseError, RefusedError
from driftflow.model.migration import Statement
from driftflow.model.operations import ChangeColumn, RenameColumn

VERB = "rename"
Form = Literal["view", "columns"]


def form_of(at: Situation) -> Form | None:
    """`view`, `columns`, or None where the author leaves it to us. Raises ParseError (DF-E213) for another word."""
    found = at.directives(VERB)
    if not found:
        return None
    form = need(found[-1], "by")
    if form not in get_args(Form):
        raise ParseError(
            "DF-E213",
            f"`rename` takes by={'|'.join(get_args(Form))}",
            where=str(found[-1].span),
            why=f"this one says {form}",
            hint="driftflow's directives are described in docs/directives.md",
        )
    return cast(Form, form)


def check(statement: Statement) -> None:
    """Raise RefusedError (DF-E722) for the directive before a statement that renames no column: it would be left out without a word."""
    if any(isinstance(operation, RenameColumn | ChangeColumn) for operation in statement.operations):
        return
    for directive in statement.directives:
        if directive.verb == VERB:
            raise RefusedError(
                "DF-E722",
                "the directive `rename` speaks of RENAME COLUMN, and the statement renames no column",
                where=str(directive.span),
                hint="put it directly above the ALTER TABLE ... RENAME COLUMN that it is about",
            )
