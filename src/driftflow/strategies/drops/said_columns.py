"""What the author said about a DROP COLUMN, as a typed request: `cascade`, `archive`, `soft-drop`, `if-unused`. docs/directives.md describes each."""

from __future__ import annotations

from datetime import date, datetime

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need
from driftflow.errors import ParseError, RefusedError
from driftflow.model.migration import Directive, Statement
from driftflow.model.operations import DropColumn, DropIndex
from driftflow.model.record import Record

VERBS = ("cascade", "archive", "soft-drop", "if-unused")
"""The directives that speak of a DROP COLUMN and of nothing else."""


class DropRequest(Record, frozen=True, kw_only=True):
    cascade: bool = False
    """What depends on the column may go with it."""
    archive: bool = False
    """The column's values are kept, with the key, in a table of ours."""
    until: str = ""
    """The last day of the deprecation period, ISO 8601: the column goes no earlier."""
    rename: bool = False
    """During that period it may be called otherwise, so that whoever still uses it fails."""
    unused_since: str = ""
    """The day (or moment) from which there must be no evidence of use, ISO 8601."""
    evicted: bool = False
    """Accepted: the server had no room for every query, so that some evidence may be gone."""

    @property
    def says_nothing(self) -> bool:
        return self == DropRequest()


def drop_request(at: Situation) -> DropRequest:
    """What the directives before the statement ask for; CASCADE in the statement itself accepts what `cascade` accepts."""
    written = isinstance(at.operation, DropColumn) and at.operation.cascade
    return DropRequest(
        cascade=written or bool(at.directives("cascade")),
        archive=bool(at.directives("archive")),
        until=next((_day(one, "until") for one in at.directives("soft-drop")), ""),
        rename=any(_accepted(one) for one in at.directives("soft-drop")),
        unused_since=next((_moment(one, "since") for one in at.directives("if-unused")), ""),
        evicted=any(_evicted(one) for one in at.directives("if-unused")),
    )


def _accepted(directive: Directive) -> bool:
    """Raises ParseError (DF-E213) for another word: what breaks code is asked for by that name."""
    text = directive.options.get("rename", "")
    if text not in ("", "accepted"):
        raise ParseError(
            "DF-E213",
            f"`rename` of the directive `soft-drop` is `accepted` or left out, and not {text}",
            where=str(directive.span),
            why="while the column is called otherwise, code that still uses it fails",
            hint="write it as rename=accepted",
        )
    return text == "accepted"


def _day(directive: Directive, option: str) -> str:
    """Raises ParseError (DF-E213) for what is no day of the calendar."""
    text = need(directive, option)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ParseError(
            "DF-E213",
            f"`{option}` of the directive `{directive.verb}` is no day: {text}",
            where=str(directive.span),
            hint=f"write it as {option}=2027-03-01",
        ) from error


def _moment(directive: Directive, option: str) -> str:
    """A day, or a moment of it by the session's clock. Raises ParseError (DF-E213)."""
    text = need(directive, option)
    try:
        return datetime.fromisoformat(text).isoformat(sep=" ") if len(text) > len("2027-03-01") else _day(directive, option)
    except ValueError:
        return _day(directive, option)


def _evicted(directive: Directive) -> bool:
    """Raises ParseError (DF-E213) for what is neither left out nor `accept`."""
    said = directive.options.get("evicted", "")
    if said not in ("", "accept"):
        raise ParseError(
            "DF-E213",
            f"`evicted` of the directive `{directive.verb}` is accept or left out, not {said}",
            where=str(directive.span),
            hint="driftflow's directives are described in docs/directives.md",
        )
    return bool(said)


def check(statement: Statement) -> None:
    """Raise RefusedError (DF-E640) for a directive about DROP COLUMN before a statement that drops none: it would be left out without a word."""
    if any(isinstance(operation, DropColumn) for operation in statement.operations):
        return
    hides = any(isinstance(operation, DropIndex) for operation in statement.operations)
    for directive in statement.directives:
        if directive.verb in VERBS and not (hides and directive.verb == "soft-drop"):
            raise RefusedError(
                "DF-E640",
                f"the directive `{directive.verb}` speaks of DROP COLUMN, and the statement drops no column",
                where=str(directive.span),
                hint="put it directly above the ALTER TABLE ... DROP COLUMN that it is about",
            )
