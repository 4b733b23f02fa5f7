"""What which version of SQLite can do. Without a version the oldest supported one answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from driftflow.dialects.base import Capability
from driftflow.model.names import Version

OLDEST: Final = Version(major=3, minor=25)
NEWEST: Final = Version(major=3, minor=53)

ALWAYS: Final = Version(major=3)
RENAME_COLUMN: Final = Version(major=3, minor=25)
RENAME_FOLLOWS_REFERENCES: Final = Version(major=3, minor=26)
"""RENAME TABLE rewrites foreign keys, triggers and views that mention the table."""
GENERATED_COLUMN: Final = Version(major=3, minor=31)
UPDATE_FROM: Final = Version(major=3, minor=33)
DROP_COLUMN: Final = Version(major=3, minor=35)
RETURNING: Final = Version(major=3, minor=35)
STRICT_TABLE: Final = Version(major=3, minor=37)
ALTER_CONSTRAINT: Final = Version(major=3, minor=53)
"""ALTER COLUMN SET/DROP NOT NULL, ADD CONSTRAINT ... CHECK and DROP CONSTRAINT (measured: a syntax error on 3.40, fine on 3.54)."""

SINCE: Mapping[Capability, Version] = {
    Capability.TRANSACTIONAL_DDL: ALWAYS,
    Capability.FAST_CONSTANT_DEFAULT: ALWAYS,
    Capability.PARTIAL_INDEX: ALWAYS,
    Capability.EXPRESSION_INDEX: ALWAYS,
    Capability.DEFERRABLE_CONSTRAINT: ALWAYS,
    Capability.TABLE_REBUILD_ONLY: ALWAYS,
    Capability.SINGLE_WRITER: ALWAYS,
    Capability.CASCADE_FIRES_TRIGGERS: ALWAYS,
    Capability.RENAME_COLUMN: RENAME_COLUMN,
    Capability.STORED_GENERATED_COLUMN: GENERATED_COLUMN,
    Capability.VIRTUAL_GENERATED_COLUMN: GENERATED_COLUMN,
    Capability.UPDATE_FROM: UPDATE_FROM,
    Capability.DROP_COLUMN: DROP_COLUMN,
}
