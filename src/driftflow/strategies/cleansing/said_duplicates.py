"""`duplicates`: which of several rows with the same key stays, as a typed request. docs/directives.md describes it."""

from __future__ import annotations

import re
from typing import Literal, cast

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import options_of
from driftflow.errors import ParseError
from driftflow.model.migration import Directive
from driftflow.model.names import Span
from driftflow.model.record import Record
from driftflow.patterns import lazy_regex

VERB = "duplicates"
MERGE = lazy_regex(r"^\s*\"?(\w+)\"?\s*=\s*(max|min|sum)\s*\(\s*\"?(\w+)\"?\s*\)\s*$", re.IGNORECASE)
"""Only what gives the same result in any order and in any number of chunks."""


class DuplicatesRequest(Record, frozen=True, kw_only=True):
    """`keep` is none for a quarantine: then no row of the several stays."""

    keep: Literal["first", "last", "none"] = "first"
    by: str = ""
    """A column; empty: the table's key."""
    merge: tuple[tuple[str, str], ...] = ()
    """(column, max | min | sum): what the kept row takes over from those that go."""
    span: Span


def duplicates_of(at: Situation) -> DuplicatesRequest | None:
    """What the author said about this statement's duplicates. Raises ParseError (DF-E212, DF-E213)."""
    found = at.directives(VERB)
    return _request(found[-1]) if found else None


def _request(directive: Directive) -> DuplicatesRequest:
    options = options_of(directive)
    quarantine = "quarantine" in directive.arguments
    keep = options.get("keep", "first")
    merges = tuple(part for part in options.get("merge", "").split(",") if part.strip())
    if keep not in ("first", "last") or set(directive.arguments) - {"quarantine"}:
        raise _not_so(directive, "`duplicates` takes keep=first, keep=last or `quarantine`")
    if quarantine and options:
        raise _not_so(directive, "a quarantine keeps no row, so there is nothing to keep or to merge")
    merge = tuple(_merge(part, directive) for part in merges)
    return DuplicatesRequest(
        keep="none" if quarantine else cast(Literal["first", "last"], keep),
        by=options.get("by", ""),
        merge=merge,
        span=directive.span,
    )


def _merge(part: str, directive: Directive) -> tuple[str, str]:
    found = MERGE.match(part)
    if found is None or found[1] != found[3]:
        raise _not_so(
            directive, f"`{part.strip()}` is no merge: write column=max(column), column=min(column) or column=sum(column)"
        )
    return found[1], found[2].lower()


def _not_so(directive: Directive, what: str) -> ParseError:
    return ParseError(
        "DF-E213", what, where=str(directive.span), hint="driftflow's directives are described in docs/directives.md"
    )
