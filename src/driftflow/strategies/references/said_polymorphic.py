"""`polymorphic`: a pair of columns, type and id, that points at a row of one of several tables, as a typed request. docs/directives.md describes it."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need, options_of
from driftflow.errors import ParseError
from driftflow.model.names import Span
from driftflow.model.record import Record
from driftflow.patterns import lazy_regex

VERB = "polymorphic"
NAME = r"""["`]?(\w+)["`]?"""
TARGET = lazy_regex(rf"^\s*([^=]+?)\s*=\s*(?:{NAME}\.)?{NAME}\s*\(\s*{NAME}\s*\)\s*$")
"""Names as the catalog has them, in quotes or without."""


class Target(Record, frozen=True, kw_only=True):
    """What `value` in the type's column means: a row of this table, by this column."""

    value: str
    schema: str
    table: str
    column: str


class PolymorphicRequest(Record, frozen=True, kw_only=True):
    type: str
    id: str
    targets: tuple[Target, ...]
    cascade: bool
    span: Span


def polymorphic_of(at: Situation) -> PolymorphicRequest | None:
    """What the author said about this statement. Raises ParseError (DF-E212, DF-E213)."""
    found = at.directives(VERB)
    if not found:
        return None
    directive = found[-1]
    options = options_of(directive)
    matches = [TARGET.match(part) for part in need(directive, "targets").split(",")]
    on_delete = options.get("on-delete", "restrict")
    if not all(matches) or on_delete not in ("restrict", "cascade"):
        raise ParseError(
            "DF-E213",
            '`polymorphic` takes targets="post=posts(id), photo=photos(id)" and on-delete=restrict or cascade',
            where=str(directive.span),
            hint="driftflow's directives are described in docs/directives.md",
        )
    targets = tuple(Target(value=one[1], schema=one[2] or "", table=one[3], column=one[4]) for one in matches if one is not None)
    return PolymorphicRequest(
        type=need(directive, "type"),
        id=need(directive, "id"),
        targets=targets,
        cascade=on_delete == "cascade",
        span=directive.span,
    )
