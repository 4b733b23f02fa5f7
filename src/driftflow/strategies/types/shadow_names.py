"""Names of what stands beside the real thing until the swap: no longer than 63 bytes, and the same in every plan."""

from __future__ import annotations

from driftflow.strategies.fitted import fit


def shadow_of(column: str) -> str:
    return fit(f"driftflow_new_{column}")


def aside_of(column: str) -> str:
    return fit(f"driftflow_old_{column}")


def waiting(name: str, column: str) -> str:
    """What an index or constraint on a waiting column is called until the swap: apart for each of the two columns."""
    side = "old" if column.startswith("driftflow_old_") else "new"
    return fit(f"driftflow_{side}_{name}")
