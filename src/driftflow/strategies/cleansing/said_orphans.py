"""`orphans`: what becomes of rows that point at nothing, as a typed request. docs/directives.md describes it."""

from __future__ import annotations

from typing import Literal, cast, get_args

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need, options_of
from driftflow.errors import ParseError
from driftflow.model.names import Span
from driftflow.model.record import Record

VERB = "orphans"
OrphanAction = Literal["delete", "null", "quarantine", "create-parent"]


class OrphansRequest(Record, frozen=True, kw_only=True):
    """`columns` and `values` are what a made-up parent holds beside its key, as SQL."""

    action: OrphanAction
    columns: str = ""
    values: str = ""
    span: Span


def orphans_of(at: Situation) -> OrphansRequest | None:
    """What the author said about this statement's orphans. Raises ParseError (DF-E212, DF-E213)."""
    found = at.directives(VERB)
    if not found:
        return None
    directive = found[-1]
    options, action = options_of(directive), need(directive, "action")
    if action not in get_args(OrphanAction) or bool(options.get("columns")) != bool(options.get("values")):
        raise ParseError(
            "DF-E213",
            f"`orphans` takes action={'|'.join(get_args(OrphanAction))}; columns= and values= go together, with create-parent",
            where=str(directive.span),
            hint="driftflow's directives are described in docs/directives.md",
        )
    return OrphansRequest(
        action=cast(OrphanAction, action),
        columns=options.get("columns", ""),
        values=options.get("values", ""),
        span=directive.span,
    )
