"""Names of our own objects, cut to what servers keep: a longer one ends in a hash of itself, so that two of them stay two."""

from __future__ import annotations

import hashlib

from driftflow.model.names import Name

NAME_BYTES_MAX = 63
"""PostgreSQL's limit (MySQL's and MariaDB's is 64 characters). Source: PostgreSQL documentation, "Identifiers and Key Words"."""


def fit(name: str, *, bytes_max: int = NAME_BYTES_MAX, tail: int = 10) -> str:
    """The name, or as much of it as fits before `tail` hex digits; never more than `bytes_max` bytes, and never half a character."""
    if len(name.encode()) <= bytes_max:
        return name
    start = name.encode()[: bytes_max - tail - 1].decode(errors="ignore")
    return f"{start}_{hashlib.sha256(name.encode()).hexdigest()[:tail]}"


def trigger_name(table: Name, column: str, suffix: str = "") -> str:
    """Of a trigger that fills a column. Ours by its prefix; `zzz` because PostgreSQL fires triggers in the order of their names and this one must see
    the others' work."""
    return fit(f"zzz_driftflow_fill_{table.name}_{column}{suffix}")
