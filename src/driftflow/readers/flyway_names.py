"""Flyway's names: versions, descriptions, checksums, and what kind of script a file is.

Source: Flyway `MigrationVersion`, `ResourceNameParser`, `ChecksumCalculator`, `Event`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Literal

from driftflow.model.record import LocalValue
from driftflow.patterns import lazy_regex

Kind = Literal["versioned", "undo", "repeatable", "baseline", "callback"]

_CALLBACK = lazy_regex(
    r"(?:before|after)(?:Each)?(?:Migrate|Clean|Info|Validate|Baseline|Repair|Undo|Version|Repeatables|Connect|Create|Deploy)\w*"
    r"|createSchema",
)
_VERSION = lazy_regex(r"\d+(?:[._]\d+)*")
_LINE = lazy_regex(r"\r\n|\r|\n")


class Script(LocalValue, frozen=True):
    """A file name, taken apart."""

    kind: Kind
    version: str = ""
    """As the history table holds it: `1.2`, underscores as dots."""
    description: str = ""
    """Underscores as spaces."""


class Naming(LocalValue, frozen=True):
    """The configurable parts of names."""

    versioned: str = "V"
    undo: str = "U"
    repeatable: str = "R"
    baseline: str = "B"
    separator: str = "__"
    suffix: str = ".sql"

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Naming:
        known = {
            "sql_migration_prefix": "versioned",
            "undo_sql_migration_prefix": "undo",
            "repeatable_sql_migration_prefix": "repeatable",
            "baseline_migration_prefix": "baseline",
            "sql_migration_separator": "separator",
            "sql_migration_suffix": "suffix",
        }
        return cls(**{field: options[key] for key, field in known.items() if key in options})

    def parse(self, file_name: str) -> Script | str | None:
        """The script; why the name is wrong; or None when it is no script of Flyway's at all."""
        if not file_name.endswith(self.suffix):
            return None
        stem = file_name.removesuffix(self.suffix)
        if _CALLBACK.fullmatch(stem.split(self.separator)[0]):
            return Script(kind="callback", description=stem)
        prefixes: tuple[tuple[str, Kind], ...] = (
            (self.versioned, "versioned"),
            (self.undo, "undo"),
            (self.repeatable, "repeatable"),
            (self.baseline, "baseline"),
        )
        for prefix, kind in prefixes:
            if prefix and stem.startswith(prefix) and self._looks_like(kind, stem.removeprefix(prefix)):
                return self._script(kind, stem.removeprefix(prefix))
        return None

    def _looks_like(self, kind: Kind, rest: str) -> bool:
        return rest.startswith(self.separator) if kind == "repeatable" else rest[:1].isdigit()

    def _script(self, kind: Kind, rest: str) -> Script | str:
        version, separator, description = rest.partition(self.separator)
        if not separator or not description:
            return f"the description is missing: {self.versioned}1{self.separator}description{self.suffix}"
        if kind != "repeatable" and not _VERSION.fullmatch(version):
            return f"{version} is not a version: digits, separated by dots or underscores"
        return Script(kind=kind, version=version.replace("_", "."), description=description.replace("_", " "))


def version_key(version: str) -> tuple[int, ...]:
    """How versions compare: number by number, trailing zeros without meaning (`1.0` is `1`)."""
    parts = [int(part) for part in version.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def checksum(text: str) -> int:
    """CRC-32 over the lines without their ends, a byte order mark in front left out, as a signed 32-bit number."""
    lines = _LINE.split(text.removeprefix("\ufeff"))
    value = 0
    for line in lines:
        value = zlib.crc32(line.encode(), value)
    return value - 2**32 if value >= 2**31 else value


def java_hash(text: str) -> int:
    """`String.hashCode`: a signed 32-bit number."""
    value = 0
    for unit in memoryview(text.encode("utf-16-le")).cast("H"):
        value = (31 * value + unit) % 2**32
    return value - 2**32 if value >= 2**31 else value
