"""What which version of MariaDB can do. Without a version the oldest supported one answers.

Source: MariaDB documentation, "Changes and Improvements" of each series, "InnoDB Online DDL Overview".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from driftflow.dialects.base import Capability
from driftflow.model.names import Version

OLDEST: Final = Version(major=10, minor=4)
NEWEST: Final = Version(major=11, minor=8)

RENAME_COLUMN: Final = Version(major=10, minor=5, patch=2)
INLINE_REFERENCES: Final = Version(major=10, minor=5)
IGNORED_INDEX: Final = Version(major=10, minor=6)
DESCENDING_INDEX: Final = Version(major=10, minor=8)
ONLINE_COPY: Final = Version(major=11, minor=2)
"""LOCK=NONE is accepted for ALGORITHM=COPY."""

STEPS: Final = (
    OLDEST,
    INLINE_REFERENCES,
    RENAME_COLUMN,
    IGNORED_INDEX,
    DESCENDING_INDEX,
    ONLINE_COPY,
    Version(major=11, minor=6),
)
"""Versions at which predictions change, the oldest first."""

SINCE: Mapping[Capability, Version] = {
    Capability.FAST_CONSTANT_DEFAULT: OLDEST,
    Capability.STORED_GENERATED_COLUMN: OLDEST,
    Capability.VIRTUAL_GENERATED_COLUMN: OLDEST,
    Capability.DROP_COLUMN: OLDEST,
    Capability.INVISIBLE_COLUMN: OLDEST,
    Capability.HIDDEN_INDEX: IGNORED_INDEX,
    Capability.QUERY_DIGESTS: OLDEST,
    Capability.UPDATABLE_VIEW: OLDEST,
    Capability.SEQUENCE: OLDEST,
    Capability.RENAME_TOGETHER: OLDEST,
    Capability.LOCK_NOWAIT: OLDEST,
    Capability.JOINED_UPDATE: OLDEST,
    Capability.ENUM_BY_NUMBER: OLDEST,
    Capability.TRIGGER_LOCKS_PARENTS: OLDEST,
    Capability.STALE_TRIGGER_TABLES: OLDEST,
    Capability.RENAME_COLUMN: RENAME_COLUMN,
    Capability.JSON_TABLE: IGNORED_INDEX,
    Capability.JSON_SCHEMA_VALID: Version(major=11, minor=1),
}
