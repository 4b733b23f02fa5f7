"""PostgreSQL's eight table locks: how strong, and what each of them keeps out."""

from __future__ import annotations

from typing import Final

from driftflow.model.effects import Blocks, Held

ACCESS_SHARE: Final = "ACCESS SHARE"
ROW_SHARE: Final = "ROW SHARE"
ROW_EXCLUSIVE: Final = "ROW EXCLUSIVE"
SHARE_UPDATE_EXCLUSIVE: Final = "SHARE UPDATE EXCLUSIVE"
SHARE: Final = "SHARE"
SHARE_ROW_EXCLUSIVE: Final = "SHARE ROW EXCLUSIVE"
EXCLUSIVE: Final = "EXCLUSIVE"
ACCESS_EXCLUSIVE: Final = "ACCESS EXCLUSIVE"

MODES: Final = (
    ACCESS_SHARE,
    ROW_SHARE,
    ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    EXCLUSIVE,
    ACCESS_EXCLUSIVE,
)
"""From the weakest to the strongest."""

_BLOCKS: Final[dict[str, tuple[Blocks, ...]]] = {
    ACCESS_SHARE: (),
    ROW_SHARE: (),
    ROW_EXCLUSIVE: ("ddl",),
    SHARE_UPDATE_EXCLUSIVE: ("ddl",),
    SHARE: ("writes", "ddl"),
    SHARE_ROW_EXCLUSIVE: ("writes", "ddl"),
    EXCLUSIVE: ("writes", "ddl"),
    ACCESS_EXCLUSIVE: ("reads", "writes", "ddl"),
}

HELD: Final[tuple[Held, ...]] = ("instant", "statement", "scan", "index_build", "rewrite")
"""From the shortest to the longest, as far as that can be said without sizes."""


_STRENGTH: Final = {mode: place for place, mode in enumerate(MODES)}


def strength(mode: str) -> int:
    """0 for ACCESS SHARE up to 7 for ACCESS EXCLUSIVE."""
    return _STRENGTH[mode]


def blocks(mode: str) -> tuple[Blocks, ...]:
    """What ordinary work a lock of this mode keeps out while it is held."""
    return _BLOCKS[mode]


def queues(mode: str) -> bool:
    """Whether a *waiting* request of this mode makes readers or writers wait behind it."""
    return "writes" in _BLOCKS[mode]
