"""`convert` and `too-long`: what a type change cannot say by itself: a time zone, a format, an encoding, the way back, what becomes of long texts."""

from __future__ import annotations

from collections.abc import Mapping

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need, options_of
from driftflow.errors import ParseError
from driftflow.model.migration import Statement
from driftflow.model.names import Span
from driftflow.model.record import Record

POLICIES = ("reject", "truncate", "archive")
MOJIBAKE = ("keep", "repair")


class ConvertRequest(Record, frozen=True, kw_only=True):
    """`convert`: each of them may be empty, not all."""

    zone: str = ""
    """IANA name of the time zone in which the values without one are meant."""
    format: str = ""
    """How a text spells a date, as to_timestamp and to_char read it."""
    encoding: str = ""
    """How a text becomes bytes: a character set, or base64, hex, escape."""
    back: str = ""
    """The old value, as an expression over the new one under the column's name."""
    mojibake: str = ""
    """Text that was encoded twice: repair it on the way, or keep it as it is (MySQL, MariaDB)."""
    schema: str = ""
    """The path of a JSON Schema that every document must keep to."""
    map: Mapping[str, str] = {}
    """Values by those that take their places (members of an enum)."""
    span: Span


class TooLongRequest(Record, frozen=True, kw_only=True):
    """`too-long`: reject, truncate, or archive (truncate, and keep the whole texts with their keys)."""

    policy: str
    span: Span


def convert_of(at: Situation) -> ConvertRequest | None:
    """The `convert` of this statement. Raises ParseError (DF-E213) for one that says nothing."""
    return convert_in(at.statement)


def convert_in(statement: Statement) -> ConvertRequest | None:
    """The same, where nothing but the statement is known."""
    for directive in statement.saying("convert"):
        options = options_of(directive)
        request = ConvertRequest(
            zone=options.get("zone", ""),
            format=options.get("format", ""),
            encoding=options.get("encoding", ""),
            back=options.get("back", ""),
            mojibake=options.get("mojibake", ""),
            schema=options.get("schema", ""),
            map=_pairs(options.get("map", ""), directive.span),
            span=directive.span,
        )
        if request.mojibake not in ("", *MOJIBAKE):
            raise ParseError(
                "DF-E213",
                f"the directive `convert` has no way `mojibake={request.mojibake}`",
                where=str(directive.span),
                hint=f"one of {', '.join(MOJIBAKE)}",
            )
        if not any(options.values()):
            raise ParseError(
                "DF-E213",
                "the directive `convert` says nothing",
                where=str(directive.span),
                hint="it takes zone, format, encoding, back, mojibake, map and schema: docs/directives.md",
            )
        return request
    return None


def _pairs(text: str, span: Span) -> dict[str, str]:
    """`meh=fine, old=new`. Raises ParseError (DF-E213) for what is no pair, or the second of a value."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        old, equals, new = (one.strip() for one in part.partition("="))
        if not equals or not old or old in found:
            raise ParseError(
                "DF-E213",
                "the map of the directive `convert` cannot be read",
                where=str(span),
                why=f"`{part}` is no pair" if not equals or not old else f"`{old}` goes to two values",
                hint='write it as: map="old=new, other=another"',
            )
        found[old] = new
    return found


def too_long_of(at: Situation) -> TooLongRequest | None:
    """The `too-long` of this statement. Raises ParseError (DF-E213) for a policy that there is not."""
    return too_long_in(at.statement)


def too_long_in(statement: Statement) -> TooLongRequest | None:
    """The same, where nothing but the statement is known."""
    for directive in statement.saying("too-long"):
        policy = need(directive, "policy")
        if policy not in POLICIES:
            raise ParseError(
                "DF-E213",
                f"the directive `too-long` has no policy `{policy}`",
                where=str(directive.span),
                hint=f"one of {', '.join(POLICIES)}",
            )
        return TooLongRequest(policy=policy, span=directive.span)
    return None


def schemas(statement: Statement) -> tuple[str, ...]:
    """The files that its `convert` names."""
    return tuple(path for one in statement.directives if one.verb == "convert" and (path := one.options.get("schema", "")))
