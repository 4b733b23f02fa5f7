"""Signals that may ask a run to slow down: one per file, found by discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftflow.config import Policy
    from driftflow.engine.ports import Signal


def signals_for(dialect: str, policy: Policy) -> tuple[Signal, ...]:
    """Every signal of the vendor that the policy asks for, in the order of names."""
    from driftflow.plugins import discover

    found = []
    for entry in discover("monitor").of("monitor"):
        signal = entry.value.for_policy(policy) if dialect in entry.info["dialects"] else None
        if signal is not None:
            found.append(signal)
    return tuple(found)
