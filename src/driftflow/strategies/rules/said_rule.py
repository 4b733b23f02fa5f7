"""`rule`: what the author said about a rule over single rows, as a typed request. docs/directives.md describes it."""

from __future__ import annotations

from typing import Literal

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need, options_of
from driftflow.errors import ParseError
from driftflow.model.migration import Directive
from driftflow.model.names import Span
from driftflow.model.record import Record


class RuleRequest(Record, frozen=True, kw_only=True):
    existing: Literal["refuse", "keep"] = "refuse"
    """What becomes of rows that are there and break it."""
    function: str = ""
    """`module:function` of a rule in Python."""
    columns: tuple[str, ...] = ()
    """Those that its parameters stand for, in order."""
    path: str = ""
    unchecked: bool = False
    """Rows are run through the function once; new ones are not held to it."""
    span: Span


def rule_of(at: Situation) -> RuleRequest | None:
    """None without the directive. Raises ParseError (DF-E212, DF-E213)."""
    for directive in at.directives("rule"):
        return _request(directive)
    return None


def _request(directive: Directive) -> RuleRequest:
    options = options_of(directive)
    existing = _one_of(directive, "existing", "refuse", ("refuse", "keep"))
    new = _one_of(directive, "new", "checked", ("checked", "unchecked"))
    function = options.get("python", "")
    if function and ":" not in function:
        raise _wrong(directive, "`python` takes module:function")
    for option in ("columns", "path"):
        if function:
            need(directive, option)
        elif options.get(option) or new == "unchecked":
            raise _wrong(directive, "`columns`, `path` and `new` belong to a rule in Python: `python=module:function`")
    if new == "unchecked" and existing == "keep":
        raise _wrong(directive, "with new=unchecked and existing=keep no row at all would be held to the rule")
    return RuleRequest(
        existing="keep" if existing == "keep" else "refuse",
        function=function,
        columns=tuple(one.strip() for one in options.get("columns", "").split(",") if one.strip()),
        path=options.get("path", ""),
        unchecked=new == "unchecked",
        span=directive.span,
    )


def _one_of(directive: Directive, option: str, standard: str, words: tuple[str, ...]) -> str:
    said = directive.options.get(option, standard)
    if said not in words:
        raise _wrong(directive, f"`rule` takes {' or '.join(f'{option}={word}' for word in words)}")
    return said


def _wrong(directive: Directive, message: str) -> ParseError:
    return ParseError(
        "DF-E213", message, where=str(directive.span), hint="driftflow's directives are described in docs/directives.md"
    )
