"""Names of what stands beside the real thing until the swap: no longer than 63 bytes, and the same in every plan."""

from __future__ import annotations

import hashlib

LONGEST_BYTES = 63


def fit(name: str) -> str:
    """63 bytes is PostgreSQL's limit; a longer name ends in a hash of itself."""
    if len(name.encode()) <= LONGEST_BYTES:
        return name
    return f"{name[:52]}_{hashlib.sha256(name.encode()).hexdigest()[:10]}"


def shadow_of(column: str) -> str:
    return fit(f"driftflow_new_{column}")


def aside_of(column: str) -> str:
    return fit(f"driftflow_old_{column}")


def waiting(name: str, column: str) -> str:
    """What an index or constraint on a waiting column is called until the swap: apart for each of the two columns."""
    side = "old" if column.startswith("driftflow_old_") else "new"
    return fit(f"driftflow_{side}_{name}")
