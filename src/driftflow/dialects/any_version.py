"""The worst over several versions, where the server's is not known: what every vendor does the same with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from driftflow.model.effects import AcceptedAlgorithm, Condition, Effects, Held, LockClaim
from driftflow.model.names import Name
from driftflow.model.record import replace

V = TypeVar("V")
_LOCKS = ("DEFAULT", "NONE", "SHARED", "EXCLUSIVE")


def worst(
    predictions: Sequence[tuple[V, Effects]],
    *,
    held: Sequence[Held],
    strength: Callable[[LockClaim], int],
    where: Callable[[Sequence[V]], str],
) -> Effects:
    """The union of locks, work, conditions, losses and breaks over the versions; of algorithms those that each of them accepts.

    `held` is how long, the shortest first; `strength` orders the locks of a relation; `where` says on which versions a statement fails. A
    failure that only some versions have is not certain.
    """
    found = list({id(effects): effects for _, effects in predictions}.values())  # one may serve several versions
    versions = [version for version, _ in predictions]
    conditions: dict[tuple[str, str], tuple[Condition, list[V]]] = {}
    for version, effects in predictions:
        for condition in effects.fails_if:
            key = (condition.kind, condition.summary.split("; on ")[0])
            conditions.setdefault(key, (condition, []))[1].append(version)
    return Effects(
        locks=_locks(found, held, strength),
        work=tuple(dict.fromkeys(work for effects in found for work in effects.work)),
        algorithms=accepted_by_all([effects.algorithms for effects in found]),
        transactional=all(effects.transactional for effects in found),
        implicit_commit=any(effects.implicit_commit for effects in found),
        fails_if=tuple(condition if on == versions else _narrowed(condition, where(on)) for condition, on in conditions.values()),
        loses=tuple(dict.fromkeys(loss for effects in found for loss in effects.loses)),
        breaks=tuple(dict.fromkeys(broken for effects in found for broken in effects.breaks)),
        unknown=next((effects.unknown for effects in found if effects.unknown), ""),
        duration=max(
            (effects.duration for effects in found if effects.duration), key=lambda estimate: estimate.high, default=None
        ),
    )


def accepted_by_all(accepted: Sequence[Sequence[AcceptedAlgorithm]]) -> tuple[AcceptedAlgorithm, ...]:
    """The algorithms that are in all of the lists, in the order of the first, each with the strongest lock and the most work that one of them needs."""
    if not accepted:
        return ()
    by_name = [{pair.algorithm: pair for pair in pairs} for pairs in accepted]
    found = []
    for first in accepted[0]:
        same = [pairs[first.algorithm] for pairs in by_name if first.algorithm in pairs]
        if len(same) == len(accepted):
            lock = max((pair.lock for pair in same), key=_LOCKS.index)
            found.append(replace(first, lock=lock, rebuilds=any(pair.rebuilds for pair in same)))
    return tuple(found)


def _locks(found: Sequence[Effects], held: Sequence[Held], strength: Callable[[LockClaim], int]) -> tuple[LockClaim, ...]:
    """One claim per relation and mode, held as long as the longest of them; the relations in the order in which they were named first."""
    claims: dict[tuple[Name, str], LockClaim] = {}
    for effects in found:
        for claim in effects.locks:
            known = claims.get((claim.relation, claim.mode))
            if known is None or held.index(claim.held) > held.index(known.held):
                claims[claim.relation, claim.mode] = claim
    order = {relation: place for place, relation in enumerate(dict.fromkeys(relation for relation, _ in claims))}
    return tuple(sorted(claims.values(), key=lambda claim: (order[claim.relation], -strength(claim))))


def _narrowed(condition: Condition, where: str) -> Condition:
    summary = condition.summary.split("; on ")[0]
    return replace(condition, summary=f"{summary} (fails on {where})", certain=False)
