"""Predicted effects beside observed ones: the parts that both can speak of, and where they disagree. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from driftflow.model.effects import LOOKED_UP, LOOKS_UP, Effects, LockClaim
from driftflow.model.names import Name
from driftflow.model.observation import Difference, Part, Seen

Strength = Callable[[str], int]
"""How strong a lock's mode is on that vendor; a greater number is stronger."""

NONE = "none"


def compared_parts(predicted: Sequence[Effects], seen: Seen) -> tuple[Part, ...]:
    """What can be compared. Of a statement that the server refuses only that counts: how far it came decides about the rest. Of one that
    nothing was predicted for, nothing."""
    if not predicted or any(effects.unknown for effects in predicted):
        return ()
    return ("error",) if seen.error else seen.parts


def differences(
    predicted: Sequence[Effects], seen: Seen, *, refusals: Sequence[str], doubts: Sequence[str], strength: Strength
) -> tuple[Difference, ...]:
    """Where the effects of a statement's operations, taken together, differ from what was seen. With `doubts` the server may refuse or not."""
    parts = compared_parts(predicted, seen)
    found: list[Difference] = []
    if "error" in parts and bool(seen.error) != bool(refusals) and not (seen.error and doubts):
        said = "; ".join(refusals) or "the server accepts it"
        found.append(Difference(part="error", predicted=said, observed=seen.error or "the server accepts it"))
    if seen.error or refusals:
        return tuple(found)
    if "transaction" in parts:
        found += _transaction(predicted, seen.effects)
    if "locks" in parts:
        claims = [claim for effects in predicted for claim in effects.locks]
        found += _locks(claims, seen, strength)
    if "rewrite" in parts:
        found += _sets("rewrite", (name for one in predicted for name in one.rewrites), seen.effects.rewrites)
    if "scan" in parts:
        found += _sets("scan", _scans(predicted, seen.effects.scans), seen.effects.scans)
    if "algorithms" in parts:
        found += _algorithms(predicted, seen)
    return tuple(found)


def _transaction(predicted: Sequence[Effects], observed: Effects) -> Iterator[Difference]:
    def told(transactional: bool, commits: bool) -> str:
        if transactional:
            return "runs in a transaction"
        return "commits the transaction" if commits else "refused inside a transaction"

    said = told(all(one.transactional for one in predicted), any(one.implicit_commit for one in predicted))
    was = told(observed.transactional, observed.implicit_commit)
    if said != was:
        yield Difference(part="transaction", predicted=said, observed=was)


def _locks(claims: Sequence[LockClaim], seen: Seen, strength: Strength) -> Iterator[Difference]:
    def by_relation(some: Iterable[LockClaim]) -> dict[str, set[str]]:
        modes: dict[str, set[str]] = {}
        for claim in some:
            modes.setdefault(claim.relation.text, set()).add(claim.mode)
        return modes if seen.every_mode else {name: {max(found, key=strength)} for name, found in modes.items()}

    said, was = by_relation(claims), by_relation(seen.effects.locks)
    if seen.whole is not None and said:
        said = {seen.whole.text: {max((mode for modes in said.values() for mode in modes), key=strength)}}
    if not seen.every_mode:
        watched = {name.text for name in seen.watched}
        said = {name: modes for name, modes in said.items() if name in was or name in watched}
    was = {name: modes for name, modes in was.items() if name in said or all(gone.text != name for gone in seen.gone)}
    for name in sorted(said.keys() | was.keys()):
        if said.get(name) != was.get(name):
            yield Difference(
                part="locks",
                about=name,
                predicted=_listed(said.get(name, ()), strength),
                observed=_listed(was.get(name, ()), strength),
            )


def _listed(modes: Iterable[str], strength: Strength) -> str:
    return ", ".join(sorted(modes, key=strength, reverse=True)) or NONE


def _sets(part: Part, predicted: Iterable[object], observed: Iterable[object]) -> Iterator[Difference]:
    said, was = {str(name) for name in predicted}, {str(name) for name in observed}
    for name in sorted(said ^ was):
        yield Difference(
            part=part, about=name, predicted="yes" if name in said else "no", observed="yes" if name in was else "no"
        )


def _scans(predicted: Sequence[Effects], observed: Sequence[Name]) -> Iterator[Name]:
    """Those predicted, but for what the planner was free not to read and has not read."""
    for work in (work for one in predicted for work in one.work if work.kind == "scan"):
        if work.why not in (LOOKS_UP, LOOKED_UP) or work.relation in observed:
            yield work.relation


def _algorithms(predicted: Sequence[Effects], seen: Seen) -> Iterator[Difference]:
    """With whether each writes the table anew, where that could be seen."""
    anew = "rewrite" in seen.parts
    before = next((_pairs(one, anew=anew) for one in predicted if one.algorithms), NONE)
    if before != (was := _pairs(seen.effects, anew=anew)):
        yield Difference(part="algorithms", predicted=before, observed=was)


def _pairs(effects: Effects, *, anew: bool) -> str:
    told = (
        f"{one.algorithm}/{one.lock}{' (writes the table anew)' if one.rebuilds and anew else ''}" for one in effects.algorithms
    )
    return ", ".join(sorted(told)) or NONE
