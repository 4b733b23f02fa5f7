"""What which version of MySQL can do. Without a version the oldest supported one answers.

Source: MySQL 8.0 and 9.x reference manuals, "What Is New", and the measured table of statements (docs/effects.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from driftflow.dialects.base import Capability
from driftflow.model.names import Version

OLDEST: Final = Version(major=5, minor=7)
NEWEST: Final = Version(major=9, minor=7)

INSTANT_ADD_LAST: Final = Version(major=8, minor=0, patch=12)
EXPRESSION_DEFAULT: Final = Version(major=8, minor=0, patch=13)
CHECK_ENFORCED: Final = Version(major=8, minor=0, patch=16)
INVISIBLE_COLUMN: Final = Version(major=8, minor=0, patch=23)
INSTANT_RENAME: Final = Version(major=8, minor=0, patch=28)
INSTANT_ANYWHERE: Final = Version(major=8, minor=0, patch=29)
"""ADD COLUMN at any place and DROP COLUMN; row versions are counted from here on."""
STANDARD_KEYS: Final = Version(major=8, minor=4)
"""A foreign key points at a unique key over nothing but its columns (8.4 release notes, "restrict_fk_on_non_standard_key")."""
INLINE_REFERENCES: Final = Version(major=9)
"""REFERENCES behind a column makes a foreign key; before, it is read and forgotten. Without columns it points at the primary key (measured on 9.7.4)."""
SELF_REFERENCE_STAYS: Final = Version(major=9, minor=7)
"""Measured on 9.7.4; MariaDB 10.11 and 11.8 refuse it (errors 1832, 1833), and other versions were not at hand."""
MORE_ROW_VERSIONS: Final = Version(major=9, minor=1)
BODY_IF_NOT_EXISTS: Final = INSTANT_ANYWHERE
"""Of a trigger, a procedure or a function (8.0.29 release notes)."""
VIEW_IF_NOT_EXISTS: Final = MORE_ROW_VERSIONS
EIGHT: Final = Version(major=8)

REPLACE_KEEPS_REFERENCED: Final = Version(major=9, minor=6)
"""From there on foreign keys are the SQL layer's (9.6 release notes, "innodb_native_foreign_keys"); measured on 9.7.4."""

STEPS: Final = (
    OLDEST,
    EIGHT,
    INSTANT_ADD_LAST,
    EXPRESSION_DEFAULT,
    CHECK_ENFORCED,
    INVISIBLE_COLUMN,
    INSTANT_RENAME,
    INSTANT_ANYWHERE,
    STANDARD_KEYS,
    INLINE_REFERENCES,
    MORE_ROW_VERSIONS,
)
"""Versions at which predictions change, the oldest first."""

SINCE: Mapping[Capability, Version] = {
    Capability.FAST_CONSTANT_DEFAULT: INSTANT_ADD_LAST,
    Capability.STORED_GENERATED_COLUMN: OLDEST,
    Capability.VIRTUAL_GENERATED_COLUMN: OLDEST,
    Capability.DROP_COLUMN: OLDEST,
    Capability.RENAME_COLUMN: EIGHT,
    Capability.EXPRESSION_INDEX: EXPRESSION_DEFAULT,
    Capability.JSON_SCHEMA_VALID: Version(major=8, minor=0, patch=17),
    Capability.INVISIBLE_COLUMN: INVISIBLE_COLUMN,
    Capability.HIDDEN_INDEX: EIGHT,
    Capability.SET_INVISIBLE: INVISIBLE_COLUMN,
    Capability.QUERY_DIGESTS: OLDEST,
    Capability.UPDATABLE_VIEW: OLDEST,
    Capability.RENAME_TOGETHER: OLDEST,
    Capability.LOCK_NOWAIT: Version(major=8, minor=0, patch=1),
    Capability.JOINED_UPDATE: OLDEST,
    Capability.ENUM_BY_NUMBER: OLDEST,
    Capability.CHECK_NAMES_OF_SCHEMA: OLDEST,
    Capability.TIMESTAMP_BY_SESSION: OLDEST,
    Capability.TRIGGER_LOCK_GROWS: EIGHT,
    Capability.SELF_REFERENCE_STAYS: SELF_REFERENCE_STAYS,
    Capability.REPLACE_KEEPS_REFERENCED: REPLACE_KEEPS_REFERENCED,
}


def row_version_limit(version: Version) -> int:
    """How many instant ADD and DROP COLUMN a table takes before it must be written anew. They are counted from INSTANT_ANYWHERE on.

    Source: MySQL 9.1.0 release notes, "InnoDB" (64 became 255).
    """
    return 255 if version >= MORE_ROW_VERSIONS else 64
