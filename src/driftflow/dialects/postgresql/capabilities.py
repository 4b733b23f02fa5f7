"""What each PostgreSQL version can do. Each answer is the first version that can, from its release notes."""

from __future__ import annotations

from driftflow.dialects.base import Capability
from driftflow.model.names import Version

OLDEST = Version(major=12)
NEWEST = Version(major=18)

ALWAYS = 0
NEVER = 10_000

SINCE: dict[Capability, int] = {
    Capability.TRANSACTIONAL_DDL: ALWAYS,
    Capability.CONCURRENT_INDEX: ALWAYS,
    Capability.NOT_VALID_CONSTRAINT: ALWAYS,
    Capability.NOT_NULL_FROM_CHECK: 12,
    Capability.NOT_VALID_NOT_NULL: 18,
    Capability.FAST_CONSTANT_DEFAULT: 11,
    Capability.STORED_GENERATED_COLUMN: 12,
    Capability.VIRTUAL_GENERATED_COLUMN: 18,
    Capability.DROP_COLUMN: ALWAYS,
    Capability.RENAME_COLUMN: ALWAYS,
    Capability.ROW_SECURITY: ALWAYS,
    Capability.UNIQUE_USING_INDEX: ALWAYS,
    Capability.PARTIAL_INDEX: ALWAYS,
    Capability.EXPRESSION_INDEX: ALWAYS,
    Capability.DEFERRABLE_CONSTRAINT: ALWAYS,
    Capability.DETACH_CONCURRENTLY: 14,
    Capability.NULLS_NOT_DISTINCT: 15,
    Capability.TABLE_REBUILD_ONLY: NEVER,
    Capability.SINGLE_WRITER: NEVER,
    Capability.UPDATE_FROM: ALWAYS,
    Capability.ENUM_TYPE: ALWAYS,
}


def can(capability: Capability, version: Version | None = None) -> bool:
    """Whether a server of that version can; unknown counts as the oldest supported one, a capability not listed as no."""
    return SINCE.get(capability, NEVER) <= (version or OLDEST).major
