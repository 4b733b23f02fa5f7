"""What a proof says, as text: each claim with its state, every difference with its step, and what was not shown."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.model.proof import Claim, Difference, Proof
from driftflow.plugins import register
from driftflow.reports.style import BOLD, DIM, GREEN, RED, YELLOW, Paint, count

TITLES = {
    "same_end": "the plan ends where the original migration ends",
    "taken_back": "its rollback ends where it began",
    "locks": "each step locks no more than it claims",
    "writers": "writers go on through all of it",
    "crashes": "killed anywhere, it resumes to the same end",
    "queries": "the running application's queries work until the gate",
}
WORDS = {"proved": "proved", "differs": "DIFFERS", "not_proved": "not proved", "not_asked": "not asked"}
COLORS = {"proved": GREEN, "differs": RED, "not_proved": YELLOW, "not_asked": DIM}
SHOWN_MAX = 12


@register("report", "proof")
def render(proof: Proof, *, color: bool = False, width: int | None = None) -> str:
    paint = Paint(color, width)
    lines = [paint(f"plan {proof.plan[:12]} on {proof.server}", BOLD)]
    lines += paint.wrap(f"start: {proof.start}; {_rows(proof)}", first="", rest="  ")
    lines += paint.wrap(f"original: {', '.join(proof.original)}", first="", rest="  ")
    lines.append("")
    for claim in proof.claims:
        lines += _claim(claim, paint)
    lines += _general(proof, paint)
    lines += ["", paint(verdict(proof), GREEN if proof.green else RED)]
    return "\n".join(lines)


def verdict(proof: Proof) -> str:
    """The last sentence."""
    if proof.green:
        return "Proved."
    differing = sum(claim.state == "differs" for claim in proof.claims)
    return (
        f"Not proved: {count(differing, 'claim differs', 'claims differ')}."
        if differing
        else "Not proved: something could not be shown."
    )


def _rows(proof: Proof) -> str:
    total = sum(proof.rows.values())
    return f"{total:,} made-up rows in {count(len(proof.rows), 'table')}, seed {proof.seed}"


def _claim(claim: Claim, paint: Paint) -> Iterator[str]:
    state = paint(f"{WORDS[claim.state]:<10}", COLORS[claim.state])
    yield from paint.fold(f"  {state}  {TITLES[claim.name]}", hang=14)
    if claim.summary:
        yield from paint.fold(f"              {paint(claim.summary, DIM)}", hang=14)
    for one in claim.differences[:SHOWN_MAX]:
        yield from paint.fold(f"              {told(one)}", hang=16)
    if len(claim.differences) > SHOWN_MAX:
        yield f"              and {len(claim.differences) - SHOWN_MAX} more: --format json"
    for text in claim.not_proved:
        yield from paint.fold(f"              not proved: {text}", hang=16)


def told(one: Difference) -> str:
    """One difference as a sentence, its step first."""
    return f"{one.step}: {one.object} {one.what}" if one.step else f"{one.object} {one.what}"


def _general(proof: Proof, paint: Paint) -> Iterator[str]:
    if proof.not_proved:
        yield ""
        for text in proof.not_proved:
            yield from paint.fold(f"not proved: {text}", hang=2)
    for note in proof.notes:
        yield ""
        yield from paint.fold(f"note: {note}", hang=2)
