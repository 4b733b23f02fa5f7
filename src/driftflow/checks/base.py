"""The decorator that makes a function a check, and what it may say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from driftflow.checks.premises import Premise, needed
from driftflow.dialects.situation import Situation
from driftflow.model.effects import Estimate
from driftflow.model.finding import Axis, Finding, KnownBy, Remedy, Severity
from driftflow.model.names import Span
from driftflow.model.record import replace
from driftflow.plugins import register

CheckFunction = Callable[[Any, Situation], Iterator[Finding]]


def check(
    code: str,
    *,
    on: type | tuple[type, ...],
    page: str,
    title: str = "",
    dialects: tuple[str, ...] = (),
    only: tuple[Premise, ...] = (),
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check: `code` is `DF` and three digits, `on` the operations it looks at, `page` its page below docs/checks without `.md`.

    `dialects` narrows it to some vendors only where the fact does not exist elsewhere; what differs by version is a Capability.
    `only` where all of these hold it is called at all. The function yields findings; code and page are filled in by whoever runs it.
    """
    kinds = on if isinstance(on, tuple) else (on,)
    return register("check", code, on=kinds, page=page, title=title, dialects=dialects, only=needed(only))


def finding(
    at: Situation,
    summary: str,
    *,
    axis: Axis,
    severity: Severity,
    why: str = "",
    remedy: Remedy | None = None,
    known_by: KnownBy | None = None,
    estimate: Estimate | None = None,
    near: str = "",
) -> Finding:
    """A finding about the operation at hand; code and page are filled in by whoever runs the check. `near` is the word to underline."""
    return Finding(
        code="",
        axis=axis,
        severity=severity,
        span=place(at, near),
        migration=at.migration.id,
        operation=at.operation,
        summary=summary,
        why=why,
        remedy=remedy,
        known_by=known_by or ("catalog" if at.catalog.complete else "rule"),
        estimate=estimate or at.effects.duration,
    )


def place(at: Situation, near: str) -> Span:
    """The whole statement, or the first time that the word stands in it. Text that variables changed is not searched."""
    span, sql = at.statement.span, at.statement.sql
    if not near or span.end - span.start != len(sql):
        return span
    start = word_at(sql, near)
    if start < 0:
        return span
    before, end = sql[:start], start + len(near)
    line = span.line + before.count("\n")
    column = start - before.rfind("\n") if "\n" in before else span.column + start
    return replace(
        span,
        line=line,
        column=column,
        end_line=line,
        end_column=column + len(near),
        start=span.start + start,
        end=span.start + end,
    )


def word_at(text: str, word: str) -> int:
    """Where the word stands in the text, whatever its case; -1 when it does not. A part of a longer word does not count."""
    low, wanted = text.lower(), word.lower()
    if len(low) != len(text):  # a few capitals become two letters: offsets would be off
        low, wanted = text, word
    at = low.find(wanted)
    while at >= 0:
        before, after = low[at - 1 : at], low[at + len(wanted) : at + len(wanted) + 1]
        if not (before.isalnum() or (before in "_$" and before)) and not (after.isalnum() or (after in "_$" and after)):
            return at
        at = low.find(wanted, at + 1)
    return -1
