"""What each PostgreSQL version can do. Each answer is the first version that can, from its release notes."""

from __future__ import annotations

from collections.abc import Mapping

from driftflow.dialects.base import Capability
from driftflow.model.names import Version

OLDEST = Version(major=12)
NEWEST = Version(major=18)

ALWAYS = Version(major=0)

SINCE: Mapping[Capability, Version] = {
    Capability.TRANSACTIONAL_DDL: ALWAYS,
    Capability.CONCURRENT_INDEX: ALWAYS,
    Capability.NOT_VALID_CONSTRAINT: ALWAYS,
    Capability.NOT_NULL_FROM_CHECK: Version(major=12),
    Capability.NOT_VALID_NOT_NULL: Version(major=18),
    Capability.FAST_CONSTANT_DEFAULT: Version(major=11),
    Capability.STORED_GENERATED_COLUMN: Version(major=12),
    Capability.VIRTUAL_GENERATED_COLUMN: Version(major=18),
    Capability.DROP_COLUMN: ALWAYS,
    Capability.RENAME_COLUMN: ALWAYS,
    Capability.ROW_SECURITY: ALWAYS,
    Capability.UNIQUE_USING_INDEX: ALWAYS,
    Capability.PARTIAL_INDEX: ALWAYS,
    Capability.EXPRESSION_INDEX: ALWAYS,
    Capability.DEFERRABLE_CONSTRAINT: ALWAYS,
    Capability.MATCH_FULL: ALWAYS,
    Capability.DETACH_CONCURRENTLY: Version(major=14),
    Capability.BEFORE_ROW_TRIGGER_ON_PARENT: Version(major=13),
    Capability.NULLS_NOT_DISTINCT: Version(major=15),
    Capability.UPDATE_FROM: ALWAYS,
    Capability.ENUM_TYPE: ALWAYS,
    Capability.TRIGGER_WARNS: ALWAYS,
    Capability.REPLICA_ROLE: ALWAYS,
    Capability.PARAMETER_PRIVILEGE: Version(major=15),
    Capability.CASCADE_FIRES_TRIGGERS: ALWAYS,
    Capability.QUERY_STATISTICS: Version(major=14),
    Capability.UPDATABLE_VIEW: ALWAYS,
    Capability.SEQUENCE: ALWAYS,
    Capability.SECURITY_INVOKER_VIEW: Version(major=15),
}
