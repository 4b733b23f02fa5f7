"""The worst over several versions, where the server's is not known."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects import any_version
from driftflow.dialects.mysql.effects.prediction import HELD
from driftflow.model.effects import Effects
from driftflow.model.names import Version


def worst(server: str, predictions: Sequence[tuple[Version, Effects]]) -> Effects:
    """What the statement does on one of these versions (the oldest first), and what it accepts on all of them."""
    versions = [version for version, _ in predictions]

    def where(on: Sequence[Version]) -> str:
        last = versions.index(on[-1])
        if last == len(versions) - 1:
            return f"{server} {on[0]} and later"
        return f"{server} {on[0]}" if on[0] == on[-1] else f"{server} {on[0]} to before {versions[last + 1]}"

    return any_version.worst(predictions, held=HELD, strength=lambda claim: len(claim.blocks), where=where)
