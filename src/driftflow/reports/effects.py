"""What single statements lock and do, as text: the answer of `driftflow effects "SQL"`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.model.effects import AcceptedAlgorithm, Effects, LockClaim
from driftflow.model.finding import AssessedStatement
from driftflow.plugins import register
from driftflow.reports.style import BLUE, BOLD, DIM, GREEN, RED, YELLOW, Paint, count, milliseconds

LONGER = ("instant", "scan", "statement", "index_build", "rewrite", "copy")
HELD = {
    "instant": "for an instant, then to the commit",
    "statement": "while rows are changed",
    "scan": "while the table is read",
    "index_build": "while the index is built",
    "rewrite": "while the table is rewritten",
    "copy": "while the table is copied",
}


@register("report", "effects")
def render(statements: Sequence[AssessedStatement], *, color: bool = False, width: int | None = None) -> str:
    paint = Paint(color, width)
    lines: list[str] = []
    for assessed in statements:
        lines += [paint(line, BOLD) for line in assessed.statement.sql.strip().splitlines()]
        if not assessed.effects:
            lines.append("  nothing: no statement in it")
        for number, effects in enumerate(assessed.effects, start=1):
            if len(assessed.effects) > 1 and _is_silent(effects):
                continue
            if len(assessed.effects) > 1:
                lines.append(paint(f"  part {number} of {len(assessed.effects)}", DIM))
            lines += _effects(effects, paint, first=number == 1)
        lines.append("")
    return "\n".join(lines)


def _effects(effects: Effects, paint: Paint, *, first: bool) -> Iterator[str]:
    """What belongs to the statement as a whole (algorithms, the commit) is said once, with its first clause."""
    if effects.unknown:
        yield from _labelled("unknown", f"{effects.unknown}; unknown is not the same as harmless", paint)
    yield from _locks(effects, paint)
    if effects.algorithms and first:
        yield from _labelled("accepts", _algorithms(effects.algorithms), paint)
    for work in effects.work:
        if work.kind != "rewrite" or work.why != "written anew with its table":
            yield from _labelled(
                "work", f"{work.kind.replace('_', ' ')} {work.relation}{f': {work.why}' if work.why else ''}", paint
            )
    if effects.duration is not None:
        low, high = milliseconds(effects.duration.low), milliseconds(effects.duration.high)
        yield from _labelled("takes", f"about {low} to {high} ({effects.duration.basis})", paint)
    for condition in effects.fails_if:
        yield from _labelled("fails" if condition.certain else "fails if", condition.summary, paint)
        if condition.probe:
            yield f"            {paint(condition.probe + ';', GREEN)}"
    for loss in effects.loses:
        yield from _labelled("loses", f"{loss.what}{' (can be made again)' if loss.reversible else ''}", paint)
    for broken in effects.breaks:
        yield from _labelled("breaks", broken.what, paint)
    if effects.implicit_commit and first:
        yield from _labelled("commits", "what the transaction did so far; it cannot be rolled back itself", paint)
    elif not effects.transactional and not effects.implicit_commit:
        yield from _labelled("alone", "the server refuses it inside a transaction", paint)


def _is_silent(effects: Effects) -> bool:
    """A clause that adds nothing to what the statement's other clauses do."""
    return not (effects.locks or effects.work or effects.fails_if or effects.loses or effects.breaks or effects.unknown)


def _algorithms(accepted: Sequence[AcceptedAlgorithm]) -> str:
    """`INSTANT, INPLACE with LOCK=NONE (writes the table anew)`: the first is what the server takes by itself."""
    pieces = []
    for pair in accepted:
        lock = "" if pair.lock == "DEFAULT" else f" with LOCK={pair.lock}"
        pieces.append(f"{pair.algorithm}{lock}{' (writes the table anew)' if pair.rebuilds else ''}")
    return ", ".join(pieces)


def _locks(effects: Effects, paint: Paint) -> Iterator[str]:
    """The strongest lock per relation that keeps somebody out, and a weaker one that is held longer; the others in one line."""
    claims = effects.locks
    if not claims:
        yield from _labelled("locks", "no relation", paint)
        return
    told: list[LockClaim] = []
    for claim in claims:
        if not any(one.relation == claim.relation and _outdoes(one, claim) for one in told):
            told.append(claim)
    old = [claim for claim in told if not claim.why.startswith("the new ")]
    shown = [claim for claim in old if claim.blocks]
    quiet = len(old) - len(shown)
    wide = max((len(claim.relation.text) for claim in shown), default=0)
    modes = max((len(claim.mode) for claim in shown), default=0)
    for number, claim in enumerate(shown):
        label = paint("locks", BLUE, BOLD) if number == 0 else "     "
        colour = RED if "reads" in claim.blocks else YELLOW if "writes" in claim.blocks else DIM
        mode = paint(claim.mode.ljust(modes), colour)
        why = f" ({claim.why})" if claim.why else ""
        moment = effects.implicit_commit and claim.held == "instant"
        held = "for a moment" if moment else HELD[claim.held]
        yield from paint.fold(f"  {label}     {claim.relation.text:<{wide}}  {mode}  {_blocks(claim)}, {held}{why}", hang=14)
    if quiet:
        label = paint("locks", BLUE, BOLD) if not shown else "     "
        yield f"  {label}     {count(quiet, 'relation')}{' more' if shown else ''} in modes that keep nobody out"


def _outdoes(one: LockClaim, other: LockClaim) -> bool:
    """Whether the first says all that the second does: it comes first by strength, and is held as long."""
    return LONGER.index(one.held) >= LONGER.index(other.held)


def _blocks(claim: LockClaim) -> str:
    if "reads" in claim.blocks:
        return "blocks readers and writers"
    return "blocks writers" if "writes" in claim.blocks else "blocks other schema changes"


def _labelled(label: str, text: str, paint: Paint) -> list[str]:
    lines = paint.wrap(text, first=f"  {label:<8}  ", rest=" " * 12)
    return [lines[0].replace(label, paint(label, BLUE, BOLD), 1), *lines[1:]]
