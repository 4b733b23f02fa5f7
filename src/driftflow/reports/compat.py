"""Which queries break on which schema, as text: the steps as a table, what it means for the deploy, and each break with the server's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from driftflow.model.compatibility import Boundary, Broken, Change, Compatibility, RunningQuery, Unusable
from driftflow.plugins import register
from driftflow.reports.style import BOLD, DIM, GREEN, RED, YELLOW, Paint, count

T = TypeVar("T")
SHOWN_MAX = 8
"""Queries shown per step and list; the rest is counted. JSON has all of them."""
TEXT_MAX = 160


@register("report", "compat")
def render(found: Compatibility, *, color: bool = False, width: int | None = None) -> str:
    paint = Paint(color, width)
    lines = [paint(_head(found), BOLD), *paint.wrap(f"start schema: {found.start}; {found.server}", first="", rest="  ")]
    lines += ["", *_table(found, paint), ""]
    lines += _summary(found, paint)
    queries = {query.id: query for query in found.queries}
    for boundary in found.boundaries:
        lines += _details(boundary, queries, paint)
    lines += _aside(f"already broken on the start schema: {_not_counted(found.already_broken)}", found.already_broken, paint)
    lines += _skipped(found.skipped, paint)
    lines += _sentences("could not be made in the lab, so what uses it is not judged", found.not_built, paint)
    for note in found.notes:
        lines += ["", *paint.wrap(f"note: {note}", first="", rest="  ")]
    return "\n".join(lines)


def _head(found: Compatibility) -> str:
    steps = count(len(found.boundaries), "step" if found.planned else "statement")
    return f"{count(len(found.queries), 'query', 'queries')} on {found.subject}, {steps}"


def _table(found: Compatibility, paint: Paint) -> Iterator[str]:
    wide = max((len(str(one.number)) for one in found.boundaries), default=1)
    for one in found.boundaries:
        phase = f"{one.phase or '':<8}  " if found.planned else ""
        yield from paint.fold(f"  {one.number:>{wide}}  {phase}{_state(one, paint)}  {one.title}", hang=wide + len(phase) + 18)


def _state(one: Boundary, paint: Paint) -> str:
    if one.kind == "gate":
        return paint(f"{'--':<12}", BOLD)
    if one.broken:
        return paint(f"{f'{len(one.broken)} break':<12}", RED)
    if one.works_again:
        return paint(f"{f'{len(one.works_again)} heal':<12}", GREEN)
    if one.standing:
        return paint(f"{f'{one.standing} broken':<12}", YELLOW)
    if one.changes:
        return paint(f"{f'{len(one.changes)} change':<12}", YELLOW)
    return paint(f"{'ok' if one.looked else 'ok (rows)':<12}", DIM)


def _summary(found: Compatibility, paint: Paint) -> list[str]:
    first, broken = found.first_break, found.broken_queries()
    if found.stopped:
        until = f" after {_place(found.boundaries[-1])}" if found.boundaries else ""
        lines = paint.wrap(f"stopped{until}: {found.stopped}", first="", rest="  ")
        return [paint(line, RED) for line in lines] + paint.wrap(
            "What comes after it was not looked at: the start schema may lack something that the database has.",
            first="",
            rest="  ",
        )
    if not found.queries:
        return [paint("No query works on the start schema: nothing can be said.", RED)]
    if first is None:
        return [paint("N-1 safe: no query breaks on any of these schemas.", GREEN)]
    gate = found.gate_before(first)
    behind = f"{count(len(broken), 'query breaks', 'queries break')}"
    if gate is not None:
        return paint.wrap(
            f"N-1 safe until {gate.title}: behind it {behind}, first at {_place(first)}. Open it when the application that runs these "
            "queries is gone.",
            first="", rest="  ",
        )  # fmt: skip
    early = len(found.broken_queries(before_gate=True))
    where = " before the first gate" if found.first_gate is not None else ""
    said = f"Not N-1 safe: {count(early, 'query breaks', 'queries break')}{where}, first at {_place(first)}."
    if not found.planned:
        said += " The application that runs these queries must be gone before that statement runs."
    return [paint(line, RED) for line in paint.wrap(said, first="", rest="  ")]


def _place(one: Boundary) -> str:
    return f"{'statement' if one.kind == 'statement' else 'step'} {one.number}"


def _details(one: Boundary, queries: dict[str, RunningQuery], paint: Paint) -> Iterator[str]:
    if not (one.broken or one.works_again or one.changes):
        return
    yield ""
    together = " (others see it together with the next)" if one.together else ""
    yield paint(f"{_place(one)}: {one.title}{together}", BOLD)
    for broken in _most(one.broken):
        yield from paint.fold(f"  {paint('breaks', RED)}   {_reason(broken)}", hang=11)
        yield from _query(queries[broken.query], paint)
    yield from _rest(one.broken)
    for change in _most(one.changes):
        yield from paint.fold(f"  {paint('changes', YELLOW)}  {_changed(change)}", hang=11)
        yield from _query(queries[change.query], paint)
    yield from _rest(one.changes)
    for id in _most(one.works_again):
        yield f"  {paint('works again', GREEN)}"
        yield from _query(queries[id], paint)
    yield from _rest(one.works_again)


def _reason(broken: Broken) -> str:
    return f"{broken.code}  {broken.why}" if broken.code else broken.why


def _changed(change: Change) -> str:
    return "; ".join(change.what) or "nothing any more: as on the start schema"


def _query(query: RunningQuery, paint: Paint) -> Iterator[str]:
    text = query.text if len(query.text) <= TEXT_MAX else f"{query.text[: TEXT_MAX - 1]}…"
    calls = f"  {query.calls:,} calls" if query.calls else ""
    name = f"{query.name}: " if query.name else ""
    yield from paint.fold(f"           {paint(f'{name}{text}', DIM)}{calls}", hang=11)


def _aside(title: str, found: Sequence[Unusable], paint: Paint) -> Iterator[str]:
    if not found:
        return
    yield ""
    yield title
    for one in _most(found):
        yield from paint.fold(f"  {f'{one.code}  ' if one.code else ''}{one.why}", hang=4)
        yield from _query(one.query, paint)
    yield from _rest(found)


def _skipped(found: Sequence[Unusable], paint: Paint) -> Iterator[str]:
    """By reason: a server's statistics are full of SET and BEGIN."""
    if not found:
        return
    yield ""
    yield f"skipped: {count(len(found), 'query', 'queries')}"
    for why in dict.fromkeys(one.why for one in found):
        same = [one for one in found if one.why == why]
        yield from paint.fold(f"  {len(same)} x  {why}", hang=8)
        if not why.endswith("it is no query"):
            yield from _query(same[0].query, paint)


def _not_counted(found: Sequence[Unusable]) -> str:
    return f"{count(len(found), 'query', 'queries')}, not blamed on {'it' if len(found) == 1 else 'anything here'}"


def _sentences(title: str, found: Sequence[str], paint: Paint) -> Iterator[str]:
    if not found:
        return
    yield ""
    yield f"{title}: {len(found)}"
    for one in _most(found):
        yield from paint.fold(f"  {one}", hang=4)
    yield from _rest(found)


def _most(found: Sequence[T]) -> Sequence[T]:
    return found[:SHOWN_MAX]


def _rest(found: Sequence[object]) -> Iterator[str]:
    if len(found) > SHOWN_MAX:
        yield f"  and {len(found) - SHOWN_MAX} more: --format json"
