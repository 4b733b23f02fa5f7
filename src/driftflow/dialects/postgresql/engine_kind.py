"""Who answers on the PostgreSQL protocol: PostgreSQL itself, or something that only speaks like it. Nothing is predicted for the others."""

from __future__ import annotations

LOOK_ALIKES: tuple[tuple[str, str], ...] = (
    ("cockroachdb", "CockroachDB"),
    ("-yb-", "YugabyteDB"),
    ("yugabyte", "YugabyteDB"),
    ("redshift", "Amazon Redshift"),
    ("greenplum", "Greenplum"),
    ("edb postgres", "EDB Postgres Advanced Server"),
    ("enterprisedb", "EDB Postgres Advanced Server"),
    ("materialize", "Materialize"),
    ("risingwave", "RisingWave"),
    ("questdb", "QuestDB"),
    ("cratedb", "CrateDB"),
    ("opengauss", "openGauss"),
    ("gaussdb", "GaussDB"),
    ("polardb", "PolarDB"),
    ("alloydb omni", "AlloyDB Omni"),
    ("vertica", "Vertica"),
    ("duckdb", "DuckDB"),
    ("spanner", "Cloud Spanner"),
)
"""A fragment of what `version()` says (lower case), and the product's name. The first match counts."""


def engine_kind(version_text: str) -> str:
    """`postgresql`, or the name of the look-alike that gave this `version()` text; an unknown text comes back as its first word."""
    lower = version_text.lower()
    for fragment, name in LOOK_ALIKES:
        if fragment in lower:
            return name
    if lower.startswith("postgresql "):
        return "postgresql"
    return version_text.split(" ", 1)[0] or "unknown"
