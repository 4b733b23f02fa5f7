"""The worst over several versions, where the server's is not known."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.effects.prediction import HELD
from driftflow.model.effects import Condition, Effects, LockClaim
from driftflow.model.names import Name, Version
from driftflow.model.record import replace


def worst(server: str, predictions: Sequence[tuple[Version, Effects]]) -> Effects:
    """The union of locks, work, losses and breaks; the algorithms of the version that has the fewest. A failure that only some versions have is
    not certain."""
    claims: dict[tuple[Name, str], LockClaim] = {}
    conditions: dict[tuple[str, str], tuple[Condition, list[Version]]] = {}
    for version, effects in predictions:
        for claim in effects.locks:
            known = claims.get((claim.relation, claim.mode))
            if known is None or HELD.index(claim.held) > HELD.index(known.held):
                claims[claim.relation, claim.mode] = claim
        for condition in effects.fails_if:
            key = (condition.kind, condition.summary.split("; on ")[0])
            conditions.setdefault(key, (condition, []))[1].append(version)
    versions = [version for version, _ in predictions]
    fewest = min((effects for _, effects in predictions if effects.algorithms), key=lambda one: len(one.algorithms), default=None)
    return Effects(
        locks=tuple(claims.values()),
        work=tuple(dict.fromkeys(work for _, effects in predictions for work in effects.work)),
        algorithms=fewest.algorithms if fewest is not None else (),
        transactional=all(effects.transactional for _, effects in predictions),
        implicit_commit=any(effects.implicit_commit for _, effects in predictions),
        fails_if=tuple(_narrowed(server, condition, on, versions) for condition, on in conditions.values()),
        loses=tuple(dict.fromkeys(loss for _, effects in predictions for loss in effects.loses)),
        breaks=tuple(dict.fromkeys(broken for _, effects in predictions for broken in effects.breaks)),
        unknown=next((effects.unknown for _, effects in predictions if effects.unknown), ""),
    )


def _narrowed(server: str, condition: Condition, on: list[Version], versions: list[Version]) -> Condition:
    if on == versions:
        return condition
    summary = condition.summary.split("; on ")[0]
    where = f"{server} {on[0]}" if on[0] == on[-1] else f"{server} {on[0]} to before {_after(on[-1], versions)}"
    return replace(condition, summary=f"{summary} (fails on {where})", certain=False)


def _after(version: Version, versions: list[Version]) -> str:
    """The first step behind the last one that fails; the newest where it is the last."""
    at = versions.index(version)
    return str(versions[at + 1]) if at + 1 < len(versions) else f"the newest, {version}"
